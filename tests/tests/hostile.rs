//! Programs that try to cheat, break or outlast the grader.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use june_tests::{eval, hostile, json_lines, names, run, write_samples};

/// What the most expensive of the programs that have a verdict of their own needs, and some more.
const FUEL: &str = "10G";

#[test]
fn every_program_gets_a_verdict_that_its_header_allows() {
    let folder = tempfile::tempdir().unwrap();
    let programs = hostile();
    let samples = programs.iter().map(|program| (program.task.as_str(), program.text.clone()));
    write_samples(folder.path(), "samples.jsonl", samples);
    for output in ["first", "second"] {
        let mut command = eval(folder.path(), "samples.jsonl");
        let ended = run(command.args(["--fuel", FUEL, "--output", output])).with(0);
        assert_eq!(ended.stderr, "");
    }

    let records = json_lines(&folder.path().join("first/results.jsonl"));
    assert_eq!(records.len(), programs.len());
    let mut deviations = String::new();
    for (program, record) in programs.iter().zip(&records) {
        let verdict = record["verdict"].as_str().unwrap();
        if !program.verdicts.iter().any(|allowed| allowed == verdict) {
            let allowed = program.verdicts.join("|");
            deviations +=
                &format!("{:<45} {allowed:<25} {verdict:<14} {}\n", program.name, record["result"]);
        }
        assert_eq!(record["passed"] == true, verdict == "passed", "{}", program.name);
    }
    assert!(deviations.is_empty(), "program, allowed, found, result:\n{deviations}");

    let results = |output| fs::read_to_string(folder.path().join(output).join("results.jsonl"));
    assert!(results("first").unwrap() == results("second").unwrap(), "the second run differs");
    // Whatever the programs wrote to their working folder was not this one.
    assert_eq!(names(folder.path()), ["first", "samples.jsonl", "second"]);
}

#[test]
fn honest_programs_are_expected_to_pass() {
    let wrong: Vec<_> = hostile()
        .into_iter()
        .filter(|program| program.name.contains("-honest-"))
        .filter(|program| !program.verdicts.contains(&"passed".into()))
        .map(|program| format!("{} {:?}", program.name, program.verdicts))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
