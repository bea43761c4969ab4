//! Headers that lie, are cut off, or mean harm.

use std::time::{Duration, Instant};

use june_models::header::{Gguf, Input, LIMIT, describe, safetensors};
use proptest::prelude::*;

use crate::writer::{self, F32, SMALL, Writer};
use crate::{refused, sparse};

/// The beginning of a GGUF file with these numbers of tensors and values.
fn head(tensors: u64, values: u64) -> Vec<u8> {
    let counts = [tensors.to_le_bytes(), values.to_le_bytes()].concat();
    [b"GGUF".as_slice(), &3_u32.to_le_bytes(), &counts].concat()
}

fn text(bytes: &mut Vec<u8>, length: u64, text: &str) {
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.as_bytes());
}

#[test]
fn numbers_beyond_all_measure_cost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let huge = 1_u64 << 62;
    let mut key = head(0, 1);
    text(&mut key, 59_000_000_000, "k");
    let mut array = head(0, 1);
    text(&mut array, 1, "k");
    array.extend([9_u32.to_le_bytes(), 10_u32.to_le_bytes()].concat());
    array.extend(huge.to_le_bytes());
    let mut texts = head(0, 1);
    text(&mut texts, 1, "k");
    texts.extend([9_u32.to_le_bytes(), 8_u32.to_le_bytes()].concat());
    texts.extend(huge.to_le_bytes());
    let mut nested = head(0, 1);
    text(&mut nested, 1, "k");
    nested.extend([9_u32.to_le_bytes(), 9_u32.to_le_bytes()].concat());
    nested.extend(1_u64.to_le_bytes());
    let mut tensor = head(1, 0);
    text(&mut tensor, 1, "t");
    tensor.extend(4_u32.to_le_bytes());
    tensor.extend([huge.to_le_bytes(); 4].concat());
    tensor.extend([0; 12]);
    let mut ranks = head(1, 0);
    text(&mut ranks, 1, "t");
    ranks.extend(u32::MAX.to_le_bytes());

    let started = Instant::now();
    for (name, bytes, what) in [
        ("key", key, "more than 64 MiB"),
        ("array", array, "the value of \"k\" is too long"),
        ("texts", texts, "more than 64 MiB"),
        ("nested", nested, "an array of arrays"),
        ("tensor", tensor, "tensor \"t\" is too large"),
        ("ranks", ranks, "has 4294967295 dimensions"),
        ("counts", head(u64::MAX, u64::MAX), "the value of \"\" twice"),
        ("big", [&b"GGUF\0\0\0\x03"[..], &[0; 16]].concat(), "big-endian"),
        ("old", [&b"GGUF\x01\0\0\0"[..], &[0; 16]].concat(), "first version"),
        ("lfs", b"version https://git-lfs.github.com/spec/v1\noid".to_vec(), "Git LFS"),
        ("other", b"PK\x03\x04 an archive".to_vec(), "no GGUF file"),
    ] {
        let error = refused(&sparse(&folder, name, (bytes, 60_000_000_000)));
        assert!(error.contains(what), "{name}: {error}");
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(refused(&sparse(&folder, "empty", (Vec::new(), 0))).contains("too short"));
}

#[test]
fn a_file_that_was_cut_off_is_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, size) = SMALL.gguf().finish();
    let cut = refused(&sparse(&folder, "cut.gguf", (whole.clone(), size - 1)));
    assert!(cut.contains("it was cut off"), "{cut}");
    for length in (8..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes.truncate(length);
        let size = bytes.len() as u64;
        refused(&sparse(&folder, "cut.gguf", (bytes, size)));
    }
}

#[test]
fn tensors_lie_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (mut head, size) = SMALL.gguf().finish();
    // The last eight bytes are where the last tensor is.
    let at = head.len() - 8;
    head[at..].copy_from_slice(&0_u64.to_le_bytes());
    let error = refused(&sparse(&folder, "overlap.gguf", (head, size)));
    assert!(error.contains("tensor \"output.weight\" is at 0, where"), "{error}");

    let mut writer = Writer::new("qwen3moe");
    writer.number("general.alignment", 3);
    writer.tensor("a", F32, &[4]);
    let error = refused(&sparse(&folder, "odd.gguf", writer.finish()));
    assert!(error.contains("its alignment is no power of two"), "{error}");
}

#[test]
fn a_header_is_no_longer_than_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = head(0, 1);
    text(&mut bytes, 1, "k");
    bytes.extend([9_u32.to_le_bytes(), 0_u32.to_le_bytes()].concat());
    bytes.extend((LIMIT + 1).to_le_bytes());
    let path = sparse(&folder, "long.gguf", (bytes, 2 * LIMIT));
    assert!(refused(&path).contains("its header has more than 64 MiB"));
    let long = ((1_u64 << 40).to_le_bytes().to_vec(), 1 << 41);
    sparse(&folder, "model.safetensors", long);
    std::fs::write(folder.path().join("config.json"), SMALL.config().to_string()).unwrap();
    let error = describe(folder.path()).unwrap_err().to_string();
    assert!(error.contains("its header has more than 64 MiB"), "{error}");
}

proptest! {
    #[test]
    fn a_changed_header_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        extra in 0_u64..100,
    ) {
        let mut writer = SMALL.gguf();
        writer.texts("tokenizer.ggml.tokens", &["a".into(), "b".into()]);
        let (mut head, size) = writer.finish();
        for (place, byte) in changes {
            let place = place.index(head.len());
            head[place] = byte;
        }
        let read = Gguf::read(&mut Input::new(&head[..], size + extra));
        if let Ok(gguf) = read {
            let end = gguf.tensors.iter().map(|tensor| tensor.bytes).sum::<u64>();
            prop_assert!(gguf.data + end <= size + extra);
        }
    }

    #[test]
    fn changed_safetensors_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (mut head, size) = writer::safetensors(&SMALL.hub_tensors()[..4]);
        for (place, byte) in changes {
            let place = place.index(head.len());
            head[place] = byte;
        }
        if let Ok(tensors) = safetensors::read(&mut Input::new(&head[..], size), None) {
            prop_assert!(tensors.iter().map(|tensor| tensor.bytes).sum::<u64>() <= size);
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let size = bytes.len() as u64;
        prop_assert!(Gguf::read(&mut Input::new(&bytes[..], size)).is_err());
        prop_assert!(safetensors::read(&mut Input::new(&bytes[..], size), None).is_err());
    }
}
