//! Headers of models: real ones, ones written here for models of any size, and hostile ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod gguf;
mod hostile;
mod hub;
mod real;
mod writer;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use june_models::header::{Description, HeaderError, describe};
use tempfile::TempDir;

/// A file with this head and, beyond it, as many zeros as it needs, which take no room on disk.
fn sparse(folder: &TempDir, name: &str, (head, size): (Vec<u8>, u64)) -> PathBuf {
    let path = folder.path().join(name);
    let mut file = File::create(&path).unwrap();
    file.write_all(&head).unwrap();
    file.set_len(size).unwrap();
    path
}

/// The error of a path that is no good model; every error names the path and says what to do.
fn refused(path: &Path) -> String {
    let error: HeaderError = describe(path).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(path.to_str().unwrap()) && text.contains("\nhint: "), "{text}");
    text
}

/// What has to be so of Qwen3-30B-A3B, whatever file it is in.
fn is_qwen3_30b_a3b(model: &Description) {
    use june_models::header::KvType;

    assert_eq!(model.parameters, 30_532_122_624);
    assert_eq!(model.active(), Some(3_353_032_704));
    let experts = model.experts.unwrap();
    assert_eq!((experts.count, experts.used), (128, 8));
    assert_eq!((model.layers, model.kv_heads, model.head_dim), (48, 4, 128));
    assert_eq!(model.weight_bytes_at(8), 30_532_122_624);
    assert_eq!(model.kv_bytes(KvType::Bf16), 96 << 10);
    assert_eq!(model.kv_bytes(KvType::Bf16) * 131_072, 12 << 30);
    assert_eq!(model.kv_bytes(KvType::Fp8), 48 << 10);
    assert_eq!(model.context, Some(262_144));
}
