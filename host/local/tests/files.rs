//! Files that are not what they seem: each is an error, and none a panic or a flood of memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;

use june_local::{Local, OpenError, Settings};
use june_models::header::HeaderError;

fn fixture() -> Option<Vec<u8>> {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let path = june_tests::fixture(&test, "fixtures/llm/dense-f32.gguf")?;
    Some(std::fs::read(path).unwrap())
}

fn error(folder: &Path, bytes: &[u8]) -> Option<OpenError> {
    let path = folder.join("model.gguf");
    std::fs::write(&path, bytes).unwrap();
    Local::open(&path, &Settings::default()).err()
}

/// Where a metadata value begins, after its key and its type.
fn value_of(bytes: &[u8], key: &str) -> usize {
    bytes.windows(key.len()).position(|part| part == key.as_bytes()).unwrap() + key.len() + 4
}

#[test]
fn a_file_cut_anywhere_is_broken() {
    let Some(bytes) = fixture() else { return };
    let folder = tempfile::tempdir().unwrap();
    let cuts = (0..40).chain((100..20_000).step_by(997)).chain([bytes.len() / 2, bytes.len() - 1]);
    for cut in cuts {
        let error = error(folder.path(), &bytes[..cut]).expect("refused");
        assert!(matches!(error, OpenError::Header(_)), "{cut}: {error}");
        assert!(error.to_string().contains("hint: "));
    }
    assert!(error(folder.path(), &bytes).is_none());
}

#[test]
fn lies_are_told() {
    let Some(good) = fixture() else { return };
    let folder = tempfile::tempdir().unwrap();
    let lie = |at: usize, with: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + with.len()].copy_from_slice(with);
        let error = error(folder.path(), &bytes).unwrap_or_else(|| panic!("{with:?} at {at}"));
        error.to_string()
    };
    // Counts of tensors and of metadata.
    lie(8, &u64::MAX.to_le_bytes());
    lie(16, &u64::MAX.to_le_bytes());
    lie(16, &(1_u64 << 29).to_le_bytes());
    // The version, and the magic number.
    lie(4, &9_u32.to_le_bytes());
    assert!(lie(0, b"GGML").contains("GGUF"));
    // Sizes of the network.
    let size = |key: &str| value_of(&good, key);
    for (key, number) in [
        ("qwen3.block_count", 0_u32),
        ("qwen3.block_count", 3),
        ("qwen3.block_count", u32::MAX),
        ("qwen3.embedding_length", 0),
        ("qwen3.embedding_length", 63),
        ("qwen3.embedding_length", u32::MAX),
        ("qwen3.attention.head_count", 0),
        ("qwen3.attention.head_count", 3),
        ("qwen3.attention.head_count_kv", 0),
        ("qwen3.attention.head_count_kv", 3),
        ("qwen3.attention.key_length", 0),
        ("qwen3.attention.key_length", 31),
        ("qwen3.context_length", 0),
        ("qwen3.rope.freq_base", f32::NAN.to_bits()),
        ("qwen3.attention.layer_norm_rms_epsilon", (-1.0_f32).to_bits()),
        ("tokenizer.ggml.eos_token_id", u32::MAX),
    ] {
        lie(size(key), &number.to_le_bytes());
    }
    // The length of the architecture's name, of the list of tokens, and of the first token.
    lie(size("general.architecture"), &u64::MAX.to_le_bytes());
    let tokens = size("tokenizer.ggml.tokens");
    lie(tokens + 4, &(1_u64 << 40).to_le_bytes());
    lie(tokens + 12, &(1_u64 << 40).to_le_bytes());
    // Lists of lists of lists.
    lie(tokens, &9_u32.to_le_bytes());
    assert!(lie(size("general.architecture") + 8, b"lama3").contains("backend = \"openai\""));
}

#[test]
fn any_byte_of_the_header_may_be_wrong() {
    let Some(good) = fixture() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Nothing to expect but that it returns: many such files are as good as the original.
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..150 {
        let mut bytes = good.clone();
        for _ in 0..3 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let at = (random % 12_000) as usize;
            bytes[at] = (random >> 32) as u8;
        }
        let _ = error(folder.path(), &bytes);
    }
}

#[test]
fn what_is_no_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.gguf"), folder.path().to_owned()] {
        let error = Local::open(&path, &Settings::default()).err().unwrap();
        let OpenError::Header(HeaderError::Unreadable { .. }) = error else { panic!("{error}") };
    }
}
