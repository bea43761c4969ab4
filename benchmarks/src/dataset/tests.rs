use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

const HUMANEVAL: &str = r#"{"task_id": "T/0", "prompt": "def f():\n", "entry_point": "f", "canonical_solution": "    return 1\n", "test": "def check(f):\n    assert f() == 1"}"#;
const MBPP: &str = r#"{"text": "Write f.", "code": "def f():\r\n  return 1", "task_id": 7, "test_setup_code": "x = 1", "test_list": ["assert f() == x", "assert f()"], "challenge_test_list": ["assert 0"]}"#;
const SANITIZED: &str = r#"[{"source_file": "v2", "task_id": 2,
 "prompt": "Write f.", "code": "def f(): return 1", "test_imports": ["import math", "import re"],
 "test_list": ["assert f() == 1"]},
 {"task_id": 3, "prompt": "", "code": "", "test_imports": [], "test_list": ["assert f()"]}]"#;

fn parse(text: impl AsRef<[u8]>) -> Result<Dataset, DatasetError> {
    Dataset::parse("file", text.as_ref())
}

/// The message of the error that a text gives.
fn error(text: impl AsRef<[u8]>) -> String {
    parse(text).unwrap_err().to_string()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn humaneval_texts() {
    let dataset = parse(HUMANEVAL).unwrap();
    assert_eq!(dataset.format, Format::HumanEval);
    let task = dataset.task("T/0").unwrap();
    assert_eq!(task.source("    return 2"), "def f():\n    return 2\n");
    assert_eq!(task.checks(), "def check(f):\n    assert f() == 1\ncheck(f)\n");
    assert_eq!(task.entry_point.as_deref(), Some("f"));
    assert!(dataset.task("0").is_none());
}

#[test]
fn mbpp_texts() {
    let dataset = parse(MBPP).unwrap();
    assert_eq!(dataset.format, Format::Mbpp);
    for id in ["7", "MBPP/7", "Mbpp/7"] {
        assert_eq!(dataset.position(id), Some(0), "{id}");
    }
    assert_eq!(dataset.position("mbpp/7"), None);
    let task = &dataset.tasks[0];
    assert_eq!(task.source(&task.reference), "def f():\r\n  return 1\n");
    assert_eq!(task.checks(), "x = 1\nassert f() == x\nassert f()\n");
}

#[test]
fn sanitized_texts() {
    let dataset = parse(SANITIZED).unwrap();
    assert_eq!((dataset.format, dataset.tasks.len()), (Format::MbppSanitized, 2));
    assert_eq!(dataset.tasks[0].checks(), "import math\nimport re\nassert f() == 1\n");
    assert_eq!(dataset.tasks[1].checks(), "assert f()\n");
}

#[test]
fn gzip_byte_order_mark_and_blank_lines() {
    let text = format!("\u{feff}\r\n  \n{MBPP}\r\n\n");
    assert_eq!(parse(gzip(text.as_bytes())).unwrap().tasks.len(), 1);
    let two_members = [gzip(MBPP.as_bytes()), gzip(b"\n"), gzip(MBPP.replace("7", "8").as_bytes())];
    assert_eq!(parse(two_members.concat()).unwrap().tasks.len(), 2);
}

#[test]
fn broken_fields() {
    let cases = [
        (
            HUMANEVAL.replace("\"test\"", "\"tests\""),
            "file:1: field \"test\" is missing\nhint: a task in HumanEval",
        ),
        (
            HUMANEVAL.replace("\"T/0\"", "0"),
            "file:1: field \"task_id\" is wrong: invalid type: integer `0`, expected a string\n",
        ),
        (HUMANEVAL.replace("\"T/0\"", "\"\""), "\"task_id\" is empty or"),
        (HUMANEVAL.replace("\"f\"", "\"os.f\""), "\"entry_point\" is \"os.f\", not the name"),
        (HUMANEVAL.replace("\"f\"", "\"\\ud800\""), "\"entry_point\" is wrong: "),
        (MBPP.replace("7", "-7"), "\"task_id\" is wrong"),
        (MBPP.replace("7", "\"7\""), "\"task_id\" is wrong"),
        (MBPP.replace("[\"assert f() == x\", \"assert f()\"]", "[]"), "\"test_list\" has no test"),
        (
            SANITIZED.replace("\"assert f()\"", "3"),
            "file:4: field \"test_list\" is wrong: invalid type: integer `3`",
        ),
        (
            SANITIZED.replace("\"import re\"", "null"),
            "file:2: field \"test_imports\" is wrong: invalid type: null",
        ),
    ];
    for (text, expected) in cases {
        let message = error(&text);
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("\nhint: "), "{message}");
    }
}

#[test]
fn broken_files() {
    let truncated = &gzip(HUMANEVAL.as_bytes())[..60];
    let mut corrupt = gzip(HUMANEVAL.as_bytes());
    let checksum = corrupt.len() - 8;
    corrupt[checksum] ^= 1;
    let cases: [(Vec<u8>, &str); 16] = [
        (b"".into(), "file: is empty"),
        (b"\n \n".into(), "file: is empty"),
        (b"[]".into(), "file: is empty"),
        (gzip(b""), "file: is empty"),
        (b"{\"a\": 1}".into(), "file:1: neither a HumanEval nor an MBPP task"),
        (
            b"\n{\"text\": \"a".into(),
            "file:2: not a JSON object: EOF while parsing a string (byte 11)",
        ),
        (b"3".into(), "file:1: not a JSON object: invalid type: integer `3`"),
        (b"[3]".into(), "file:1: not a JSON object: invalid type: integer `3`"),
        (format!("{SANITIZED} x").into(), "file:4: not a JSON object: trailing characters"),
        (SANITIZED.replace("]}]", "]},").into(), "file:4: not a JSON object: EOF"),
        (format!("{MBPP}\n{MBPP}").into(), "file:2: task \"7\" was given before"),
        (SANITIZED.replace("3,", "2,").into(), "file:4: task \"2\" was given before"),
        (b"{\n\xff".into(), "file:1: not a JSON object"),
        (b"[\n \xff".into(), "file:2: byte 2 of the line is not UTF-8"),
        (truncated.into(), "file:1: the gzip data ends too early"),
        (corrupt, "file:1: the gzip data is damaged"),
    ];
    for (bytes, expected) in cases {
        let message = error(&bytes);
        assert!(message.starts_with(expected), "{message}\n{expected}");
        assert!(message.contains("\nhint: "), "{message}");
    }
}

#[test]
fn paths() {
    let directory = tempfile::tempdir().unwrap();
    let load_error = |path: &Path| Dataset::load(path).unwrap_err().to_string();
    assert!(load_error(directory.path()).contains("is a directory"));
    let path = directory.path().join("My.Tasks.jsonl.gz");
    assert!(load_error(&path).contains("cannot be opened"));
    // A misleading name does not matter.
    std::fs::write(&path, MBPP).unwrap();
    assert_eq!(Dataset::load(&path).unwrap().name, "My.Tasks");
    std::fs::write(&path, "").unwrap();
    assert!(load_error(&path).starts_with(&format!("{}: is empty", path.display())));
}

#[test]
fn limits() {
    let read = |text: &str, file_bytes, line_bytes| {
        let limits = Limits { file_bytes, line_bytes };
        let mut lines = Lines::new("file".to_owned(), text.as_bytes(), limits)?;
        read(&mut lines, "file").map(|dataset| dataset.tasks.len())
    };
    let size = HUMANEVAL.len();
    let text = format!("{HUMANEVAL}\n");
    assert_eq!(read(&text, size as u64 + 1, size).unwrap(), 1);
    assert_eq!(read(HUMANEVAL, size as u64, size).unwrap(), 1);
    let message = read(&text, size as u64, size).unwrap_err().to_string();
    assert!(message.starts_with("file: holds more than"), "{message}");
    let message = read(&text, 1 << 20, size - 1).unwrap_err().to_string();
    assert!(message.starts_with("file:1: the line is longer than"), "{message}");
    let message = read(SANITIZED, 1 << 20, 200).unwrap_err().to_string();
    assert!(message.starts_with("file: holds more than 200 bytes"), "{message}");
    assert_eq!(read(SANITIZED, 1 << 20, SANITIZED.len()).unwrap(), 2);
}

/// Fails the test when more is read from it than the limit and some buffering explain.
struct Endless {
    byte: u8,
    left: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(self.byte);
        self.left = self.left.checked_sub(buffer.len()).expect("read without bound");
        Ok(buffer.len())
    }
}

#[test]
fn endless_line() {
    let endless = Endless { byte: b'x', left: Limits::DATASET.line_bytes + (1 << 20) };
    let message = Dataset::parse("file", endless).unwrap_err().to_string();
    assert!(message.starts_with("file:1: the line is longer than 67108864 bytes"), "{message}");
}

/// The limits count what comes out of gzip, here a thousand times what goes in.
#[test]
fn gzip_bomb() {
    let bomb = gzip(&vec![b'\n'; 64 << 20]);
    let limits = Limits { file_bytes: 32 << 20, ..Limits::DATASET };
    let mut lines = Lines::new("file".to_owned(), bomb.as_slice(), limits).unwrap();
    let message = read(&mut lines, "file").unwrap_err().to_string();
    assert!(message.starts_with("file: holds more than 33554432 bytes"), "{message}");
    let line = gzip(&vec![b'['; 65 << 20]);
    assert!(error(line).starts_with("file:1: the line is longer"));
}

/// Messages stay short and printable whatever the file holds.
#[test]
fn message_of_hostile_values() {
    let id = "\\u001b[2J".repeat(100_000);
    let message = error(MBPP.replace("7", &format!("\"{id}\"")));
    assert!(message.len() < 500 && !message.contains('\u{1b}'), "{message}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, valid in 0usize..3, cut in 0usize..400) {
        let text = [HUMANEVAL, MBPP, SANITIZED][valid];
        let cut = cut.min(text.len());
        let mut spliced = text.as_bytes()[..cut].to_vec();
        spliced.extend_from_slice(&bytes);
        spliced.extend_from_slice(&text.as_bytes()[cut..]);
        let mut packed = gzip(&spliced);
        let place = cut % packed.len();
        drop(parse(&packed));
        if let Some(&byte) = bytes.first() {
            packed[place] ^= byte;
        }
        drop((parse(&bytes), parse(&spliced), parse(&packed), parse(gzip(&bytes))));
    }
}
