//! A run that was interrupted, in whatever way, is completed by --resume to the same results.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use june_tests::{Ended, cheap_samples, eval, json_lines, run, wait_for_lines, write_samples};
use tempfile::TempDir;

const SAMPLES: usize = 150;

/// A folder with `samples.jsonl` and a finished run of it, `whole`.
fn graded(samples: usize) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path(), "samples.jsonl", cheap_samples(samples));
    run(eval(folder.path(), "samples.jsonl").args(["--output", "whole"])).with(0);
    let results = results(folder.path(), "whole");
    (folder, results)
}

fn results(folder: &Path, output: &str) -> String {
    fs::read_to_string(folder.join(output).join("results.jsonl")).unwrap()
}

fn resume(folder: &Path, output: &str) -> Ended {
    run(eval(folder, "samples.jsonl").args(["--resume", "--output", output]))
}

/// Every sample has one record, and no line is torn.
#[track_caller]
fn assert_complete(records: &Path, samples: usize) {
    let records = json_lines(records);
    let mut graded: Vec<_> = records.iter().map(|r| r["sample"].as_u64().unwrap()).collect();
    graded.sort();
    assert_eq!(graded, (0..samples as u64).collect::<Vec<_>>());
}

#[test]
fn a_killed_run_loses_nothing() {
    let (folder, expected) = graded(SAMPLES);
    let records = folder.path().join("killed/records.jsonl");
    let mut kills = 0;
    for round in 0..5 {
        let before = fs::read(&records).unwrap_or_default();
        let whole = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        let mut command = eval(folder.path(), "samples.jsonl");
        command.args(["--output", "killed"]).stdout(Stdio::null());
        if round > 0 {
            command.arg("--resume");
        }
        let mut child = command.spawn().unwrap();
        wait_for_lines(&mut child, &records, lines + 12);
        thread::sleep(Duration::from_micros(700 * round));
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let after = fs::read(&records).unwrap();
        assert!(after.starts_with(&before[..whole]), "a finished record was changed");
    }
    assert!(kills > 0, "every run ended before it could be killed");
    resume(folder.path(), "killed").with(0);
    assert_eq!(results(folder.path(), "killed"), expected);
    assert_complete(&records, SAMPLES);
}

#[test]
fn a_torn_last_line_is_cut() {
    let (folder, expected) = graded(20);
    let run_folder = folder.path().join("whole");
    let records = run_folder.join("records.jsonl");
    let whole = fs::read(&records).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    let half = last + (whole.len() - last) / 2;
    for length in [whole.len() - 1, half, last + 2, last + 1, last, 10, 0] {
        fs::write(&records, &whole[..length]).unwrap();
        fs::remove_file(run_folder.join("results.jsonl")).unwrap();
        fs::remove_file(run_folder.join("summary.json")).unwrap();
        resume(folder.path(), "whole").with(0);
        assert_eq!(results(folder.path(), "whole"), expected, "cut to {length} bytes");
        assert_complete(&records, 20);
    }
    // Damage that no crash leaves behind is not passed over.
    let damaged = String::from_utf8(whole).unwrap().replacen("\"verdict\"", "\"vrdct\"", 1);
    fs::write(&records, damaged).unwrap();
    resume(folder.path(), "whole").with(2).says("records.jsonl:1: not a record: ").says("\nhint: ");
}

#[test]
fn a_run_of_something_else_is_not_resumed() {
    let (folder, _) = graded(10);
    let records = folder.path().join("whole/records.jsonl");
    let before = fs::read(&records).unwrap();
    let refused = |command: &mut Command, what: &str| {
        let ended = run(command.args(["--resume", "--output", "whole"])).with(2);
        let ended = ended.says(&format!("whole: was started with another {what}\nhint: "));
        assert_eq!(ended.stdout, "");
        assert_eq!(fs::read(&records).unwrap(), before);
    };
    write_samples(folder.path(), "more.jsonl", cheap_samples(11));
    let other = cheap_samples(10).map(|(task, text)| (task, text.replace("number 4", "4")));
    write_samples(folder.path(), "other.jsonl", other);
    refused(&mut eval(folder.path(), "more.jsonl"), "set of samples");
    refused(&mut eval(folder.path(), "other.jsonl"), "set of samples");
    let same = || eval(folder.path(), "samples.jsonl");
    refused(same().args(["--fuel", "10G"]), "fuel limit");
    refused(same().args(["--timeout", "2.5"]), "fuel limit");
    refused(same().args(["--memory", "200MiB"]), "memory limit");
    refused(same().args(["--seed", "1"]), "seed");
    let tasks = fs::read_to_string(june_tests::tasks()).unwrap().replace("123, 456", "124, 455");
    fs::write(folder.path().join("tasks.jsonl"), tasks).unwrap();
    refused(same().args(["--dataset-file", "tasks.jsonl"]), "data set");
    // What does not change a verdict may differ.
    run(same().args(["--workers", "1", "--wall", "1h", "--resume", "--output", "whole"])).with(0);
}

#[test]
fn a_folder_with_a_run_is_not_started_in() {
    let (folder, expected) = graded(5);
    let ended = run(eval(folder.path(), "samples.jsonl").args(["--output", "whole"]));
    assert_eq!(results(folder.path(), "whole"), expected);
    ended.says("whole: holds a run already\nhint: complete it with --resume").with(2);
    resume(folder.path(), "none").with(2).says("none: holds no run to resume\nhint: leave out");
    assert!(!folder.path().join("none").exists());
}

/// Starts a run, interrupts it after so many records, and returns how it ended.
fn interrupted(mut command: Command, records: &Path, after: usize) -> Ended {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_lines(&mut child, records, after);
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn endless() -> (&'static str, String) {
    ("Hostile/0", "    while True: pass\n".into())
}

#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    // Loops would be started first. What has none stays last, and takes long enough to be interrupted.
    let last = ("Hostile/0", "    return sum(iter(int, 1))\n".to_owned());
    let samples = cheap_samples(20).chain(std::iter::repeat_n(last, 5));
    write_samples(folder.path(), "samples.jsonl", samples);
    let grade = |output| {
        let mut command = eval(folder.path(), "samples.jsonl");
        command.args(["--fuel", "5G", "--workers", "1", "--output", output]);
        command
    };
    let records = folder.path().join("run/records.jsonl");
    let ended = interrupted(grade("run"), &records, 20);
    let graded = json_lines(&records).len();
    let ended = ended.with(130).says(&format!(
        "june: {graded} of 25 samples are graded; go on with --resume --output run: interrupted\n"
    ));
    assert_eq!(ended.stdout, "");
    run(grade("run").arg("--resume")).with(0);
    run(&mut grade("whole")).with(0);
    assert_eq!(results(folder.path(), "run"), results(folder.path(), "whole"));
    assert_complete(&records, 25);
}

/// Programs that would run for years do not have to end first.
#[test]
fn an_interrupt_stops_running_programs() {
    let folder = tempfile::tempdir().unwrap();
    let samples = cheap_samples(3).chain([endless(), endless(), endless()]);
    write_samples(folder.path(), "samples.jsonl", samples);
    // Loops are started first: a fourth worker is left for the cheap samples.
    let mut command = eval(folder.path(), "samples.jsonl");
    command.args(["--timeout", "1e6", "--wall", "9h", "--workers", "4", "--output", "run"]);
    let records = folder.path().join("run/records.jsonl");
    interrupted(command, &records, 3).with(130).says("3 of 6 samples are graded");
    assert_eq!(json_lines(&records).len(), 3);
}
