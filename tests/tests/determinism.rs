//! The same samples give the same results, byte for byte, however many workers there are and
//! however busy the machine is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use june_tests::{eval, hostile, june, on_a_busy_machine, run, shared, write_samples};

/// The results of the command in `folder` with so many workers.
fn results(mut command: Command, folder: &Path, workers: &str) -> String {
    run(command.args(["--output", workers, "--workers", workers])).with(0);
    fs::read_to_string(folder.join(workers).join("results.jsonl")).unwrap()
}

#[test]
fn hostile_programs() {
    let folder = tempfile::tempdir().unwrap();
    let programs = hostile();
    let samples = programs.iter().map(|program| (program.task.as_str(), program.text.clone()));
    write_samples(folder.path(), "samples.jsonl", samples);
    let grade = |workers| {
        let mut command = eval(folder.path(), "samples.jsonl");
        command.args(["--fuel", "1G"]);
        results(command, folder.path(), workers)
    };
    let alone = grade("1");
    let busy = on_a_busy_machine(|| grade("2"));
    for (program, (a, b)) in programs.iter().zip(alone.lines().zip(busy.lines())) {
        assert_eq!(a, b, "{}", program.name);
    }
    assert!(alone == busy);
}

#[test]
fn humaneval() {
    let Some(tasks) = shared("determinism: humaneval", "HumanEval.jsonl.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let grade = |workers| {
        let mut command = june(folder.path());
        command.args(["eval", "humaneval", "--reference", "--dataset-file"]).arg(&tasks);
        results(command, folder.path(), workers)
    };
    let alone = grade("1");
    let busy = on_a_busy_machine(|| grade("2"));
    assert!(alone == busy, "the results differ");
}
