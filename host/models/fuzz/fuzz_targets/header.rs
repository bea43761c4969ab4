//! A model of any kind: whatever its files hold, describing it comes to an end, and what is
//! described is no larger than the files.

#![no_main]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use june_models::guard::{Driver, Limits, Machine, decide};
use june_models::header::{KvType, describe};
use june_models::repository::validate;
use libfuzzer_sys::fuzz_target;

/// A folder of this process's own, in memory where that can be had.
fn scratch() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = parent.join(format!("june-models-fuzz-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("hub")).expect("make a folder");
        fs::create_dir_all(folder.join("triton/1")).expect("make a folder");
        folder
    })
}

/// Writes a file with zeros after its bytes, which take no room.
fn write(path: &Path, bytes: &[u8], zeros: u64) {
    fs::write(path, bytes).expect("write a file");
    if zeros > 0 {
        let file = File::options().write(true).open(path).expect("open the file");
        file.set_len(bytes.len() as u64 + zeros).expect("lengthen the file");
    }
}

fuzz_target!(|input: &[u8]| {
    // What it is, how many zeros follow, and where the first of two files ends.
    let Some((head, rest)) = input.split_at_checked(6) else { return };
    let zeros = u64::from(u16::from_le_bytes([head[1], head[2]])) << (head[3] % 24);
    let (first, second) =
        rest.split_at(rest.len().min(u16::from_le_bytes([head[4], head[5]]).into()));
    let (path, size) = match head[0] % 3 {
        0 => {
            let path = scratch().join("model.gguf");
            write(&path, rest, zeros);
            (path, rest.len() as u64 + zeros)
        }
        1 => {
            let path = scratch().join("hub");
            write(&path.join("config.json"), first, 0);
            write(&path.join("model.safetensors"), second, zeros);
            (path, rest.len() as u64 + zeros)
        }
        _ => {
            let path = scratch().join("triton");
            write(&path.join("config.pbtxt"), first, 0);
            write(&path.join("1/model.yaml"), second, 0);
            let _ = validate(&path);
            (path, u64::MAX)
        }
    };
    if let Ok(model) = describe(&path) {
        assert!(model.weight_bytes <= size, "{model:?}");
        assert!(model.active().is_none_or(|active| active <= model.parameters), "{model:?}");
        let machine = Machine { gpus: vec![], driver: Driver::Absent, memory: u64::MAX };
        let decided = decide(&model, 1 << 20, KvType::Bf16, &machine, &Limits::default());
        assert!(model.parameters <= 8_000_000_000 || decided.is_err(), "{model:?}");
    }
});
