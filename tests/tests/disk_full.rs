//! A disk that fills during a run loses no finished result.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use june_tests::{Ended, cheap_samples, eval, json_lines, june, names, run, write_samples};
use tempfile::TempDir;

const SAMPLES: usize = 150;

/// A folder with `samples.jsonl` and a finished run of it, `whole`.
fn graded() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path(), "samples.jsonl", cheap_samples(SAMPLES));
    run(eval(folder.path(), "samples.jsonl").args(["--output", "whole"])).with(0);
    folder
}

/// Grades the samples into `run`, with bash doing something first: it finds june's command line
/// in "$@".
fn limited(folder: &Path, script: &str, arguments: &[&str]) -> Ended {
    let mut command = eval(folder, "samples.jsonl");
    command.args(["--output", "run"]).args(arguments);
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash"]).arg(command.get_program()).args(command.get_args());
    bash.current_dir(folder);
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            bash.env(name, value);
        }
    }
    run(&mut bash)
}

/// No file may grow beyond so many KiB; writing more fails, as on a full disk.
fn file_limit(folder: &Path, kib: usize, arguments: &[&str]) -> Ended {
    limited(folder, &format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\""), arguments)
}

/// With room again, the run is completed to the results of the one that was not disturbed.
fn resumes(folder: &Path) {
    let unfinished = fs::read(folder.join("run/records.jsonl")).unwrap();
    run(eval(folder, "samples.jsonl").args(["--output", "run", "--resume"])).with(0);
    let records = folder.join("run/records.jsonl");
    assert!(fs::read(&records).unwrap().starts_with(&unfinished), "a finished record was changed");
    assert_eq!(json_lines(&records).len(), SAMPLES);
    for file in ["results.jsonl", "summary.json"] {
        let read = |run| fs::read_to_string(folder.join(run).join(file)).unwrap();
        assert_eq!(read("run"), read("whole"));
    }
    assert_eq!(names(&folder.join("run")), names(&folder.join("whole")));
}

/// Nothing goes on unrecorded.
#[test]
fn while_the_journal_is_written() {
    let folder = graded();
    let ended = file_limit(folder.path(), 24, &[]).with(3);
    let ended = ended.says("the journal takes no more records: File too large");
    assert_eq!(ended.stdout, "");
    let graded = json_lines(&folder.path().join("run/records.jsonl")).len();
    assert!(graded < SAMPLES, "{graded}");
    run(june(folder.path()).args(["journal", "verify"])).with(0);
    resumes(folder.path());
    let ended = run(june(folder.path()).args(["journal", "verify", "--json"])).with(0);
    assert!(ended.json()["runs"].as_u64() >= Some(SAMPLES as u64), "{ended}");
}

#[test]
fn while_records_are_written() {
    let folder = graded();
    let ended = file_limit(folder.path(), 8, &["--no-journal"]).with(3);
    let graded = json_lines(&folder.path().join("run/records.jsonl")).len();
    assert!(0 < graded && graded < SAMPLES, "{graded}");
    let ended = ended
        .says(&format!(
            "june: {graded} of {SAMPLES} samples are graded; go on with --resume --output run: "
        ))
        .says("run/records.jsonl: File too large")
        .says("\nhint: what is finished is kept; make room");
    assert_eq!(ended.stdout, "");
    // The reason is given once.
    assert_eq!(ended.stderr.matches("File too large").count(), 1, "{ended}");
    // Still no room (but perhaps for a shorter record): nothing is lost.
    file_limit(folder.path(), 8, &["--resume", "--no-journal"]).with(3);
    assert!(json_lines(&folder.path().join("run/records.jsonl")).len() >= graded);
    resumes(folder.path());
}

#[test]
fn while_results_are_written() {
    let folder = graded();
    fs::create_dir(folder.path().join("run")).unwrap();
    for file in ["run.json", "records.jsonl"] {
        fs::copy(folder.path().join("whole").join(file), folder.path().join("run").join(file))
            .unwrap();
    }
    let ended = file_limit(folder.path(), 1, &["--resume"])
        .with(3)
        .says("run/results.jsonl: File too large");
    assert_eq!(ended.stdout, "");
    assert_eq!(names(&folder.path().join("run")), ["records.jsonl", "run.json"]);
    resumes(folder.path());
}

#[test]
fn before_the_first_record() {
    let folder = graded();
    let ended = file_limit(folder.path(), 0, &[]).with(3).says("run/run.json: File too large");
    assert_eq!(ended.stdout, "");
    run(eval(folder.path(), "samples.jsonl").args(["--output", "run"])).with(0);
    resumes(folder.path());
}

/// The real thing: a file system of 32 KiB, in a mount namespace that ends with the command.
#[test]
fn of_a_small_file_system() {
    let folder = graded();
    fs::create_dir_all(folder.path().join("small")).unwrap();
    let on_small = |script: &str| {
        let script = format!("mount -t tmpfs -o size=32k none small && {script}");
        let script = format!("exec unshare --map-root-user --mount bash -c '{script}' bash \"$@\"");
        limited(folder.path(), &script, &[])
    };
    let probe = on_small("true");
    if probe.code != Some(0) {
        eprintln!("SKIPPED of_a_small_file_system: cannot mount a tmpfs here: {}", probe.stderr);
        return;
    }
    // What is on it is copied before it goes.
    let ended =
        on_small("{ ln -s small run; \"$@\"; status=$?; rm run; cp -r small run; exit $status; }");
    let graded = json_lines(&folder.path().join("run/records.jsonl")).len();
    assert!(0 < graded && graded < SAMPLES, "{graded}");
    ended
        .with(3)
        .says(&format!("june: {graded} of {SAMPLES} samples are graded; go on with --resume"))
        .says("No space left on device");
    resumes(folder.path());
}
