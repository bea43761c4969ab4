//! The published benchmarks: their own solutions, and samples whose verdicts are known.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;

use june_tests::{json_lines, june, run, shared};
use serde_json::Value;

/// Grades a data set's own solutions and returns the summary.
fn reference(dataset: &str, file: &Path) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut command = june(folder.path());
    command.args(["eval", dataset, "--reference", "--json", "--dataset-file"]).arg(file);
    let ended = run(&mut command).with(0);
    assert_eq!(ended.stderr, "");
    ended.json()
}

fn check_reference(dataset: &str, file: &str, tasks: u64, passed: &[u64]) {
    let Some(file) = shared(&format!("reference of {dataset}"), file) else { return };
    let summary = reference(dataset, &file);
    assert_eq!(summary["dataset"], dataset);
    assert_eq!(summary["tasks"], tasks);
    assert_eq!(summary["samples"], tasks);
    let count = summary["passed"].as_u64().unwrap();
    assert!(passed.contains(&count), "{summary:#}");
    let score = &summary["pass_at_k"]["1"];
    let value = score["value"].as_f64().unwrap();
    assert!((value - count as f64 / tasks as f64).abs() < 1e-9, "{summary:#}");
    assert!(score["low"].as_f64().unwrap() <= value && value <= score["high"].as_f64().unwrap());
    assert!(summary["pass_at_k"]["10"].is_null(), "one sample for each task: {summary:#}");
}

#[test]
fn humaneval() {
    check_reference("humaneval", "HumanEval.jsonl.gz", 164, &[164]);
}

/// One solution of MBPP needs about as much fuel as the default allows.
#[test]
fn mbpp() {
    check_reference("mbpp", "mbpp.jsonl", 974, &[973, 974]);
}

#[test]
fn mbpp_sanitized() {
    check_reference("mbpp-sanitized", "sanitized-mbpp.json", 427, &[426, 427]);
}

/// Grades published samples and compares with what the original harness said of them.
/// `explained`: lines, from 0, on which the two differ for a known reason.
fn check_samples(name: &str, explained: &[usize]) {
    let data = |file: &str| shared(name, file);
    let (Some(tasks), Some(samples), Some(verdicts)) = (
        data("HumanEval.jsonl.gz"),
        data(&format!("samples/{name}.jsonl")),
        data(&format!("samples/{name}.verdicts.jsonl")),
    ) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut command = june(folder.path());
    command.args(["eval", "humaneval", "--output", "run", "--dataset-file"]).arg(tasks);
    run(command.arg("--samples").arg(samples)).with(0);
    let results = json_lines(&folder.path().join("run/results.jsonl"));
    let known = json_lines(&verdicts);
    assert_eq!(results.len(), known.len());
    let (mut differ, mut table) = (Vec::new(), String::new());
    for (line, (result, known)) in results.iter().zip(&known).enumerate() {
        for key in ["task_id", "completion_id"] {
            assert_eq!(result[key], known[key], "line {line}");
        }
        if result["passed"] != (known["verdict"] == "pass") {
            differ.push(line);
            table += &format!(
                "{line} {}: {} {}\n",
                known["result"], result["verdict"], result["result"]
            );
        }
    }
    assert_eq!(differ, explained, "line, harness, june:\n{table}");
}

/// Line 484 imports `requests`, a third-party package that the machine of the original verdicts
/// had and the sandbox does not have.
#[test]
fn samples_of_codegen() {
    check_samples("codegen16B_t0.8_n10", &[484]);
}

#[test]
fn samples_of_gpt_3_5() {
    check_samples("ldb_he_gpt-3.5-turbo-0613", &[]);
}

#[test]
fn samples_of_gpt_4() {
    check_samples("ldb_he_gpt-4-1106-preview", &[]);
}
