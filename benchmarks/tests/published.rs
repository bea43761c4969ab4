//! The published data sets and some published samples, read from the folder that the environment
//! variable `JUNE_SHARED` names, or `shared` beside the workspace. Where a file is absent the
//! test says so on stderr and passes.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;

use june_benchmarks::Limits;
use june_benchmarks::dataset::{Dataset, Format, known};
use june_benchmarks::samples::{self, Sample};
use june_sandbox::Digest;
use june_tests::shared;

#[test]
fn datasets() {
    let formats = [Format::HumanEval, Format::Mbpp, Format::MbppSanitized];
    for (known, format) in known().iter().zip(formats) {
        let Some(path) = shared("datasets", known.file) else {
            continue;
        };
        assert_eq!(Digest::of(&std::fs::read(&path).unwrap()).to_string(), known.sha256);
        let dataset = Dataset::load(&path).unwrap();
        assert_eq!((dataset.tasks.len(), dataset.format), (known.tasks, format));
        for (place, task) in dataset.tasks.iter().enumerate() {
            assert_eq!(dataset.position(task.id.as_str()), Some(place));
            assert_eq!(task.entry_point.is_some(), format == Format::HumanEval);
        }
    }
}

#[test]
fn mbpp_setup_code_comes_before_its_tests() {
    let Some(path) = shared("mbpp_setup_code_comes_before_its_tests", "mbpp.jsonl") else {
        return;
    };
    let dataset = Dataset::load(path).unwrap();
    let checks = dataset.task("MBPP/367").unwrap().checks();
    assert!(checks.starts_with("root = Node(1)"), "{checks}");
    assert!(checks.ends_with("\n") && checks.contains("\nassert "));
}

/// The samples of one file, held against the verdicts recorded for it.
fn check_samples(test: &str, name: &str, count: usize) {
    let (Some(tasks), Some(path), Some(verdicts)) = (
        shared(test, "HumanEval.jsonl.gz"),
        shared(test, &format!("samples/{name}.jsonl")),
        shared(test, &format!("samples/{name}.verdicts.jsonl")),
    ) else {
        return;
    };
    let dataset = Dataset::load(tasks).unwrap();
    let samples: Vec<Sample> = samples::load(path, &dataset, Limits::SAMPLES).unwrap();
    assert_eq!(samples.len(), count);
    let verdicts = std::fs::read_to_string(verdicts).unwrap();
    assert_eq!(verdicts.lines().count(), count);
    for (sample, verdict) in samples.iter().zip(verdicts.lines()) {
        let verdict: HashMap<String, serde_json::Value> = serde_json::from_str(verdict).unwrap();
        assert_eq!(verdict["line"], sample.line);
        assert_eq!(verdict["completion_id"], sample.completion_id);
        assert_eq!(
            verdict["task_id"],
            dataset.tasks[sample.task].id.as_str(),
            "line {}",
            sample.line
        );
        assert_eq!(
            verdict["completion_sha256"],
            Digest::of(sample.completion.as_bytes()).to_string()
        );
    }
}

#[test]
fn samples_codegen() {
    check_samples("samples_codegen", "codegen16B_t0.8_n10", 1640);
}

#[test]
fn samples_gpt_3_5() {
    check_samples("samples_gpt_3_5", "ldb_he_gpt-3.5-turbo-0613", 164);
}

#[test]
fn samples_gpt_4() {
    check_samples("samples_gpt_4", "ldb_he_gpt-4-1106-preview", 164);
}
