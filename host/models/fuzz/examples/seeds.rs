//! Writes the seeds that the fuzz target begins with: `seeds/header/`.

use std::fs;
use std::path::Path;

#[allow(dead_code)]
#[path = "../../tests/header/writer.rs"]
mod writer;

use writer::{SMALL, Shape, safetensors};

fn write(name: &str, kind: u8, zeros: u64, first: &[u8], second: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/header");
    fs::create_dir_all(&folder).expect("make the folder");
    // As many zeros at least, in units that two bytes can count.
    let shift = (0..24).find(|shift| zeros >> shift < 0xffff).expect("be small");
    let units = u16::try_from(zeros.div_ceil(1 << shift)).expect("be small");
    let length = u16::try_from(first.len()).expect("be short");
    let head = [&[kind][..], &units.to_le_bytes(), &[shift], &length.to_le_bytes()].concat();
    fs::write(folder.join(name), [&head, first, second].concat()).expect("write a seed");
}

fn main() {
    let shape = Shape { layers: 1, vocabulary: 32, experts: 2, ..SMALL };
    let mut writer = shape.gguf();
    writer.texts("tokenizer.ggml.tokens", &["a".into(), "é".into()]);
    let (head, size) = writer.finish();
    write("gguf", 0, size - head.len() as u64, b"", &head);

    let (head, size) = safetensors(&shape.hub_tensors());
    let config = shape.config().to_string();
    write("hub", 1, size - head.len() as u64, config.as_bytes(), &head);

    let config = "name: \"m\"\nbackend: \"python\"\ninput [ { name: \"text_input\" data_type: \
                  TYPE_STRING dims: [ -1 ] } ]\n";
    let yaml = "model: ../hub\nmax_seq_len: 4096\nkv_cache_config:\n  dtype: \
                fp8\ntriton_config:\n  max_batch_size: 0\n  decoupled: true\n";
    write("triton", 2, 0, config.as_bytes(), yaml.as_bytes());
}
