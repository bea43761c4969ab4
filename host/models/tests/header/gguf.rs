//! GGUF files.

use june_models::header::{Format, Gguf, describe};

use crate::writer::{F32, Kind, QWEN3_30B_A3B, SMALL, Writer};
use crate::{is_qwen3_30b_a3b, refused, sparse};

#[test]
fn thirty_billion_weights_are_counted_without_reading_one() {
    let folder = tempfile::tempdir().unwrap();
    // A vocabulary as large as the real one, in a file of 60 GB.
    let mut writer = QWEN3_30B_A3B.gguf();
    let tokens: Vec<String> = (0..151_936).map(|token| format!("token-{token}")).collect();
    writer.texts("tokenizer.ggml.tokens", &tokens);
    let (head, size) = writer.finish();
    let header = head.len() as u64;
    assert!(size < 60_000_000_000);
    let path = sparse(&folder, "model.gguf", (head, 60_000_000_000));

    let model = describe(&path).unwrap();
    is_qwen3_30b_a3b(&model);
    assert_eq!((model.format, model.architecture.as_str()), (Format::Gguf, "qwen3moe"));
    assert_eq!(model.quantisation, "Q8_0");
    assert_eq!(model.weight_bytes, 32_440_999_936);
    assert!((header..=header + (64 << 10)).contains(&model.read), "{} of {header}", model.read);
    assert_eq!(
        model.to_string(),
        "qwen3moe, 30.5 B parameters (3.4 B active), Q8_0, 32.4 GB, 48 layers, context of 262,144 \
         tokens"
    );
}

#[test]
fn the_vocabulary_is_there_for_those_who_need_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SMALL.gguf();
    writer.texts("tokenizer.ggml.tokens", &["a".into(), "é".into()]);
    writer.text("tokenizer.chat_template", "{{ messages }}");
    let path = sparse(&folder, "model.gguf", writer.finish());
    let gguf = Gguf::open(&path).unwrap();
    assert_eq!(gguf.metadata.texts("tokenizer.ggml.tokens").unwrap(), ["a", "é"]);
    assert_eq!(gguf.metadata.text("tokenizer.chat_template"), Some("{{ messages }}"));
    assert_eq!(gguf.metadata.unsigned("qwen3moe.block_count"), Some(2));
    assert_eq!(gguf.tensors[0].shape, [96, 64]);
    assert_eq!(gguf.data % 32, 0);
}

/// A model of `SMALL`'s shape with other numbers in its metadata.
fn claiming(changes: &[(&str, u32)]) -> (Vec<u8>, u64) {
    let (mut head, size) = SMALL.gguf().finish();
    for (key, number) in changes {
        let key = format!("qwen3moe.{key}");
        let at = head.windows(key.len()).position(|bytes| bytes == key.as_bytes()).unwrap();
        let value = at + key.len() + 4;
        head[value..value + 4].copy_from_slice(&number.to_le_bytes());
    }
    (head, size)
}

#[test]
fn claims_that_the_tensors_deny_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    describe(&sparse(&folder, "good.gguf", claiming(&[]))).unwrap();
    for (key, number, what) in [
        ("block_count", 3, "says 3 layers, and its tensors have 2"),
        ("block_count", 0, "says 0 layers, and its tensors have 2"),
        ("embedding_length", 32, "says 32 numbers a token, its tensors 64"),
        ("attention.head_count_kv", 1, "says 32 numbers for the keys of layer 0, its tensors 64"),
        ("attention.key_length", 16, "says 32 numbers for the keys of layer 0, its tensors 64"),
        ("attention.value_length", u32::MAX, "numbers for the values of layer 0"),
        ("expert_count", 0, "experts that its metadata denies"),
        ("expert_count", 2, "says 2 experts, and its tensors have 4"),
        ("expert_used_count", 5, "would use 5 of its 4 experts"),
        ("expert_used_count", 0, "would use 0 of its 4 experts"),
    ] {
        let error = refused(&sparse(&folder, "bad.gguf", claiming(&[(key, number)])));
        assert!(error.contains(what), "{key} {number}: {error}");
    }
}

#[test]
fn a_model_in_several_files_is_counted_whole() {
    let folder = tempfile::tempdir().unwrap();
    let parts = |count: u32| {
        let mut first = Writer::new("qwen3moe");
        let mut second = Writer::new("qwen3moe");
        for (key, number) in [
            ("qwen3moe.block_count", 2),
            ("qwen3moe.embedding_length", 64),
            ("qwen3moe.attention.head_count", 4),
            ("qwen3moe.attention.head_count_kv", 2),
            ("qwen3moe.attention.key_length", 32),
            ("qwen3moe.attention.value_length", 32),
            ("qwen3moe.expert_count", 4),
            ("qwen3moe.expert_used_count", 2),
            ("split.no", 0),
            ("split.count", 2),
            ("split.tensors.count", count),
        ] {
            first.number(key, number);
        }
        for (place, (name, shape)) in SMALL.gguf_tensors().iter().enumerate() {
            let part = if place < 9 { &mut first } else { &mut second };
            part.tensor(name, F32, shape);
        }
        (first.finish(), second.finish())
    };
    let count = SMALL.gguf_tensors().len() as u32;
    let (one, two) = parts(count);
    let path = sparse(&folder, "m-00001-of-00002.gguf", one.clone());
    let missing = describe(&path).unwrap_err().to_string();
    assert!(missing.contains("m-00002-of-00002.gguf cannot be read"), "{missing}");

    sparse(&folder, "m-00002-of-00002.gguf", two);
    let whole = describe(&path).unwrap();
    let single = describe(&sparse(&folder, "whole.gguf", SMALL.gguf().finish())).unwrap();
    assert_eq!(whole.parameters, single.parameters);
    assert!(whole.read > one.0.len() as u64);

    let moved = sparse(&folder, "renamed.gguf", one);
    assert!(refused(&moved).contains("one of 2 files, and not the first by its header and name"));
    sparse(&folder, "m-00001-of-00002.gguf", parts(count + 1).0);
    assert!(refused(&path).contains("it says 28 tensors in 2 files, which have 27"));
}

#[test]
fn what_is_no_language_model_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new("clip");
    writer.tensor("v.patch_embd.weight", F32, &[4, 4]);
    let error = refused(&sparse(&folder, "clip.gguf", writer.finish()));
    assert!(error.contains("its metadata has no `clip.block_count`"), "{error}");

    let mut writer = SMALL.gguf();
    writer.tensor("new.weight", Kind(99, 1, 4), &[4]);
    let error = refused(&sparse(&folder, "new.gguf", writer.finish()));
    assert!(error.contains("tensors of the unknown type 99"), "{error}");
}
