use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

fn humaneval() -> Dataset {
    let task = |id: usize| {
        format!(
            r#"{{"task_id": "T/{id}", "prompt": "", "entry_point": "f", "canonical_solution": "", "test": ""}}"#
        )
    };
    let text = [task(0), task(1), task(2)].join("\n");
    Dataset::parse("three", text.as_bytes()).unwrap()
}

fn mbpp() -> Dataset {
    let text = r#"{"text": "", "code": "", "task_id": 7, "test_setup_code": "", "test_list": ["assert f()"]}"#;
    Dataset::parse("one", text.as_bytes()).unwrap()
}

fn read_all(text: impl AsRef<[u8]>, dataset: &Dataset) -> Result<Vec<Sample>, SamplesError> {
    parse("file", text.as_ref(), dataset, Limits::SAMPLES)
}

#[test]
fn numbers_and_record() {
    let text = "{\"task_id\": \"T/1\", \"completion\": \"a\"}\n\n \t\r\n\
        \x20 {\"seed\" : 1e400,  \"task_id\": \"T/0\", \"completion\": \"b\", \"a\": [2, {}]} \r\n\
        {\"completion\": \"c\\r\\n\", \"task_id\": \"T/1\"}";
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    for bytes in [text.as_bytes().to_vec(), packed.finish().unwrap()] {
        let samples = read_all(bytes, &humaneval()).unwrap();
        let numbers: Vec<_> = samples
            .iter()
            .map(|sample| (sample.line, sample.task, sample.completion_id, &*sample.completion))
            .collect();
        assert_eq!(numbers, [(0, 1, 0, "a"), (1, 0, 0, "b"), (2, 1, 1, "c\r\n")]);
        assert_eq!(
            samples[1].record.get(),
            "{\"seed\" : 1e400,  \"task_id\": \"T/0\", \"completion\": \"b\", \"a\": [2, {}]}"
        );
    }
}

#[test]
fn mbpp_identifiers() {
    for id in ["7", "\"7\"", "\"MBPP/7\"", "\"Mbpp/7\""] {
        let text = format!("{{\"task_id\": {id}, \"completion\": \"\"}}");
        assert_eq!(read_all(text, &mbpp()).unwrap()[0].task, 0, "{id}");
    }
}

#[test]
fn broken_lines() {
    let cases = [
        ("", "file: is empty"),
        ("\n\n", "file: is empty"),
        ("{\"task_id\": \"T/1\", \"compl", "file:1: not a JSON object: EOF"),
        ("{\"task_id\": \"T/1\", \"compl\n{}", "file:1: not a JSON object: EOF"),
        ("\n{\"task_id\": \"T/1\",\n{}", "file:2: not a JSON object: EOF"),
        ("[1]", "file:1: not a JSON object: invalid type: sequence"),
        ("{\"task_id\": \"T/1\", \"completion\": \"\"} {}", "file:1: not a JSON object: trailing"),
        (
            "{\"task_id\": \"T/1\", \"completion\": \"\", \"logprob\": NaN}",
            "file:1: not a JSON object",
        ),
        ("{\"completion\": \"\"}", "file:1: field \"task_id\" is missing"),
        ("{\"task_id\": \"T/1\"}", "file:1: field \"completion\" is missing"),
        (
            "{\"task_id\": null, \"completion\": \"\"}",
            "file:1: field \"task_id\" is wrong: invalid type: null",
        ),
        (
            "{\"task_id\": 1.5, \"completion\": \"\"}",
            "file:1: field \"task_id\" is wrong: invalid type: floating",
        ),
        (
            "{\"task_id\": \"T/1\", \"completion\": [\"\"]}",
            "file:1: field \"completion\" is wrong: invalid type: sequence",
        ),
        (
            "\n{\"task_id\": \"T/1\", \"completion\": \"\"}\n{\"task_id\": \"T/3\", \"completion\": \"\"}",
            "file:3: task \"T/3\" is not in three (3 tasks, \"T/0\" to \"T/2\")",
        ),
        ("{\"task_id\": 1, \"completion\": \"\"}", "file:1: task \"1\" is not in three"),
    ];
    for (text, expected) in cases {
        let message = read_all(text, &humaneval()).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}\n{expected}");
        assert!(message.contains("\nhint: "), "{message}");
    }
    let message = read_all(b"{}\xff", &humaneval()).unwrap_err().to_string();
    assert!(message.starts_with("file:1: byte 3 of the line is not UTF-8"), "{message}");
}

#[test]
fn directory() {
    let directory = tempfile::tempdir().unwrap();
    let error = load(directory.path(), &humaneval(), Limits::SAMPLES).unwrap_err();
    assert!(error.to_string().contains("is a directory"), "{error}");
}

/// A line of 1 GB gives the error after its first 16 MiB.
#[test]
fn long_line() {
    let line = io::repeat(b'x').take(1 << 30);
    let error = parse("file", line, &humaneval(), Limits::SAMPLES).unwrap_err();
    assert!(
        matches!(error, SamplesError::Input(InputError::LineTooLong { line: 1, .. })),
        "{error}"
    );
}

/// Nesting costs no stack.
#[test]
fn deep_nesting() {
    let text = format!(
        "{{\"task_id\": \"T/1\", \"completion\": \"\", \"a\": {}{}}}",
        "[".repeat(1 << 20),
        "]".repeat(1 << 20)
    );
    assert_eq!(read_all(text, &humaneval()).unwrap().len(), 1);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, cut in 0usize..60) {
        let dataset = humaneval();
        let valid = b"{\"task_id\": \"T/1\", \"completion\": \"a\", \"b\": {\"c\": [1]}}\n";
        let cut = cut.min(valid.len());
        let spliced = [&valid[..cut], &bytes[..], &valid[cut..]].concat();
        drop((read_all(&bytes, &dataset), read_all(spliced, &dataset)));
    }

    #[test]
    fn any_completion_survives(completion: String) {
        let text = serde_json::json!({"task_id": "T/0", "completion": completion}).to_string();
        let samples = read_all(&text, &humaneval()).unwrap();
        prop_assert_eq!(&samples[0].completion, &completion);
        prop_assert_eq!(samples[0].record.get(), &*text);
    }
}
