//! Input that cannot be graded is refused before anything is graded, with the file, the line and
//! the reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use june_tests::{Ended, bare, cache, eval, june, names, run, shared, tasks};

const GOOD: &str = r#"{"task_id": "Hostile/0", "completion": "    return a + b\n"}"#;

/// Runs a command that has to end so, with a hint, without a result, and leaving no trace.
#[track_caller]
fn refused(folder: &Path, command: &mut Command, code: i32, message: &str) -> Ended {
    let before = names(folder);
    let ended = run(command).with(code).says(message);
    assert_eq!(ended.stdout, "", "{ended}");
    assert_eq!(names(folder), before, "{ended}");
    ended
}

#[test]
fn samples() {
    let second = |line: &str| format!("{GOOD}\n{line}\n").into_bytes();
    let cases = [
        (second(r#"{"task_id": "Hostile/0", "completion": "#), "2: not a JSON object: EOF"),
        (
            second(r#"{"task_id": "Hostile/0", "completion": NaN}"#),
            "2: not a JSON object: expected value (byte 40)",
        ),
        (second("[1, 2]"), "2: not a JSON object: invalid type: sequence"),
        (second("null"), "2: not a JSON object: invalid type: null"),
        (second(&format!("{GOOD} {GOOD}")), "2: not a JSON object: trailing characters"),
        (
            second(r#"{"task_id": "Hostile/9", "completion": ""}"#),
            "2: task \"Hostile/9\" is not in tasks (3 tasks, \"Hostile/0\" to \"Hostile/2\")",
        ),
        (second(r#"{"task_id": 0, "completion": ""}"#), "2: task \"0\" is not in tasks"),
        (second(r#"{"completion": ""}"#), "2: field \"task_id\" is missing"),
        (second(r#"{"task_id": "Hostile/0"}"#), "2: field \"completion\" is missing"),
        (
            second(r#"{"task_id": "Hostile/0", "completion": 3}"#),
            "2: field \"completion\" is wrong: invalid type: integer `3`, expected a string",
        ),
        (
            second(r#"{"task_id": "Hostile/0", "completion": null}"#),
            "2: field \"completion\" is wrong: invalid type: null",
        ),
        (
            second(r#"{"task_id": ["Hostile/0"], "completion": ""}"#),
            "2: field \"task_id\" is wrong: invalid type: sequence",
        ),
        (b"".to_vec(), " is empty"),
        (b" \n\n\r\n".to_vec(), " is empty"),
        (
            [GOOD.as_bytes(), b"\n\n{\"task_id\": \"\xff\"}"].concat(),
            "3: byte 14 of the line is not UTF-8",
        ),
        (GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect(), "1: not a JSON object"),
        (b"\x1f\x8b\x08\x00".to_vec(), "1: the gzip data ends too early"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (text, message) in cases {
        fs::write(folder.path().join("s.jsonl"), text).unwrap();
        let message = format!("june: s.jsonl:{message}");
        refused(folder.path(), &mut eval(folder.path(), "s.jsonl"), 2, &message).says("\nhint: ");
    }
}

#[test]
fn samples_that_are_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str| eval(folder.path(), name);
    refused(folder.path(), &mut of("."), 2, "june: .: is a directory, not a file\nhint: ");
    let ended =
        refused(folder.path(), &mut of("none.jsonl"), 2, "june: none.jsonl: cannot be opened: ");
    // The system's reason is given once.
    assert_eq!(ended.stderr.matches("No such file").count(), 1, "{ended}");
}

#[test]
fn a_line_without_end_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    File::create(folder.path().join("s.jsonl")).unwrap().set_len(1 << 30).unwrap();
    let message = "june: s.jsonl:1: the line is longer than 16777216 bytes\nhint: ";
    refused(folder.path(), &mut eval(folder.path(), "s.jsonl"), 2, message);
}

/// What is read of a line without end is bounded, and so is the memory for it.
#[test]
fn a_line_without_end_in_a_pipe() {
    const LIMIT: usize = 16 << 20;
    let folder = tempfile::tempdir().unwrap();
    let mut command = eval(folder.path(), "/dev/stdin");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let chunk = [b'x'; 1 << 16];
    let mut written = 0;
    let mut peak_kib = 0;
    while pipe.write_all(&chunk).is_ok() {
        written += chunk.len();
        assert!(written < LIMIT + (1 << 20), "june reads on and on");
        // The pipe is full most of the time: june has read nearly all that was written.
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak_kib = kib.unwrap_or(peak_kib);
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("/dev/stdin:1: the line is longer than 16777216 bytes"), "{message}");
    assert!(written >= LIMIT, "refused after {written} bytes");
    assert!(peak_kib > 0 && peak_kib < 100 << 10, "{peak_kib} KiB");
}

#[test]
fn data_sets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("empty.jsonl"), "").unwrap();
    fs::write(path.join("other.jsonl"), "{\"a\": 1}\n").unwrap();
    let of = |name: &str| {
        let mut command = june(path);
        command.args(["eval", name, "--reference"]);
        command
    };
    refused(
        path,
        &mut of("humanevil"),
        2,
        "june: no data set is named `humanevil`\nhint: June knows humaneval, mbpp, mbpp-sanitized\n",
    );
    refused(path, &mut of("empty.jsonl"), 2, "june: empty.jsonl: is empty\nhint: ");
    refused(
        path,
        &mut of("other.jsonl"),
        2,
        "june: other.jsonl:1: neither a HumanEval nor an MBPP task\nhint: ",
    );
    refused(path, &mut of("."), 2, "june: .: is a directory");
    refused(
        path,
        of("humaneval").args(["--dataset-file", "no"]),
        2,
        "june: no: cannot be opened: ",
    );
}

#[test]
fn a_data_set_that_is_not_here() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let of = |name: &str| {
        let mut command = bare(path);
        command.args(["eval", name, "--reference"]).env("JUNE_CACHE", "cache");
        command
    };
    let message = "june: the data set humaneval is not here\nhint: run `june dataset pull humaneval`, or name a copy with --dataset-file\n";
    refused(path, &mut of("humaneval"), 3, message);
    for (name, file) in [("mbpp", "mbpp.jsonl"), ("mbpp-sanitized", "sanitized-mbpp.json")] {
        let message = format!(
            "june: the data set {name} is not here\nhint: put the published {file} at cache/datasets/{file}, or name a copy with --dataset-file\n"
        );
        refused(path, &mut of(name), 3, &message);
    }
}

#[test]
fn a_data_set_that_was_changed() {
    let Some(published) = shared("a_data_set_that_was_changed", "HumanEval.jsonl.gz") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("cache/datasets/HumanEval.jsonl.gz");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    let mut bytes = fs::read(published).unwrap();
    bytes.push(0);
    fs::write(&place, bytes).unwrap();
    let mut command = bare(folder.path());
    command.args(["eval", "humaneval", "--reference"]).env("JUNE_CACHE", "cache");
    let message = "june: cache/datasets/HumanEval.jsonl.gz is not the published data set: ";
    refused(folder.path(), &mut command, 3, message).says("\nhint: ");
}

#[test]
fn numbers() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.jsonl"), GOOD).unwrap();
    let cases = [
        ("--workers=0", "0 is not in 1..=64"),
        ("--workers=65", "65 is not in 1..=64"),
        ("--timeout=-1", "not a number of seconds from 0.001 to 1000000"),
        ("--timeout=0", "not a number of seconds from 0.001 to 1000000"),
        ("--timeout=nan", "not a number of seconds from 0.001 to 1000000"),
        ("--timeout=inf", "not a number of seconds from 0.001 to 1000000"),
        ("--fuel=-1", "`-1` is not a count; write, for example, 500M or 50G"),
        ("--fuel=99999999T", "is not a count"),
        ("--fuel=0", "nothing runs without fuel"),
        ("--memory=0", "the interpreter alone needs 48 MiB"),
        ("--memory=99GiB", "June grants 2 GiB at the most"),
        ("-k=0", "0 is not in 1.."),
        ("--memory=lots", "`lots` is not a size; write, for example, 256MiB"),
        ("--wall=soon", "`soon` is not a time; write, for example, 90s or 2m"),
        ("--seed=x", "invalid digit"),
        ("-k=x", "invalid digit"),
    ];
    for (argument, message) in cases {
        refused(folder.path(), eval(folder.path(), "s.jsonl").arg(argument), 2, message);
    }
    let mut both = eval(folder.path(), "s.jsonl");
    refused(folder.path(), both.args(["--fuel", "1G", "--timeout", "1"]), 2, "cannot be used with");
    refused(folder.path(), eval(folder.path(), "s.jsonl").arg("--resume"), 2, "--output <DIR>");
    refused(
        folder.path(),
        eval(folder.path(), "s.jsonl").arg("--reference"),
        2,
        "cannot be used with",
    );
    refused(folder.path(), eval(folder.path(), "s.jsonl").args(["--timeout", "-1"]), 2, "'-1'");
}

#[test]
fn nothing_to_grade() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bare(folder.path());
    command.arg("eval").arg(tasks()).env("JUNE_CACHE", cache());
    refused(folder.path(), &mut command, 2, "<--samples <FILE>|--reference|--agent <AGENT>>");
}
