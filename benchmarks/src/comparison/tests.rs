use super::*;
use crate::grading::Verdict;
use crate::run::Manifest;

/// A run: for each task, which of its samples passed.
fn run(tasks: &[(&str, &[bool])]) -> Stored {
    let mut records = Vec::new();
    for (task_id, samples) in tasks {
        for (completion_id, passed) in samples.iter().enumerate() {
            records.push(Record {
                sample: records.len(),
                task_id: (*task_id).to_owned(),
                completion_id,
                verdict: if *passed { Verdict::Passed } else { Verdict::Failed },
                detail: String::new(),
                assertion: None,
                fuel: 1,
                peak_memory: 1,
                stdout_tail: String::new(),
                stderr_tail: String::new(),
                wall_ms: 1.0,
                run: None,
                effort: None,
            });
        }
    }
    let manifest = Manifest {
        dataset: "tasks".into(),
        tasks: "digest".into(),
        samples: records.len(),
        completions: String::new(),
        runner: String::new(),
        fuel: 1,
        memory: 1,
        seed: 0,
    };
    Stored { folder: "folder".into(), manifest, records, completions: Vec::new(), ks: vec![1] }
}

#[test]
fn one_sample_a_task() {
    let a = run(&[("x", &[true]), ("y", &[false]), ("z", &[false]), ("w", &[true])]);
    let b = run(&[("x", &[false]), ("y", &[true]), ("z", &[true]), ("w", &[true])]);
    let found = compare(&a, &b, false).unwrap();
    assert_eq!((found.tasks, found.left_out, found.same_tasks), (4, 0, true));
    assert_eq!((found.a.pass_at_1, found.b.pass_at_1), (0.5, 0.75));
    assert_eq!(found.difference.value, 0.25);
    assert!(found.difference.low <= 0.25 && 0.25 <= found.difference.high);
    assert_eq!((found.test, found.p_value), (Test::Mcnemar, 1.0));
    let ids = |changes: &[Change]| -> Vec<String> {
        changes.iter().map(|change| change.task_id.clone()).collect()
    };
    assert_eq!(ids(&found.gained), ["y", "z"]);
    assert_eq!(ids(&found.lost), ["x"]);
    assert_eq!(found, compare(&a, &b, true).unwrap());
}

#[test]
fn several_samples_a_task() {
    let a = run(&[("x", &[true, false]), ("y", &[false, false, false, true])]);
    let b = run(&[("x", &[true]), ("y", &[true, true])]);
    let found = compare(&a, &b, false).unwrap();
    assert_eq!((found.test, found.p_value), (Test::Permutation, 0.5));
    assert_eq!((found.a.samples, found.a.passed, found.a.pass_at_1), (6, 2, 0.375));
    assert_eq!(found.gained[0], Change { task_id: "y".into(), a: 0.25, b: 1.0 });
    assert_eq!(found.gained[1].task_id, "x");
}

#[test]
fn alike() {
    let a = run(&[("x", &[true]), ("y", &[false])]);
    let found = compare(&a, &a, false).unwrap();
    assert_eq!((found.difference.value, found.p_value), (0.0, 1.0));
    assert!(found.gained.is_empty() && found.lost.is_empty());
}

#[test]
fn what_cannot_be_compared() {
    let a = run(&[("x", &[true]), ("y", &[false])]);
    let error = |b: &Stored| compare(&a, b, false).unwrap_err().to_string();

    let fewer = run(&[("x", &[true])]);
    assert!(error(&fewer).contains("have 1 in common"), "{}", error(&fewer));
    let found = compare(&a, &fewer, true).unwrap();
    assert_eq!((found.tasks, found.left_out), (1, 1));

    let mut edited = a.clone();
    edited.manifest.tasks = "another digest".into();
    assert!(error(&edited).contains("differ in their text or tests"), "{}", error(&edited));
    assert!(!compare(&a, &edited, true).unwrap().same_tasks);

    let mut unfinished = a.clone();
    unfinished.manifest.samples = 9;
    assert!(error(&unfinished).starts_with("folder: 2 of 9 samples are graded"));

    let other = run(&[("z", &[true])]);
    assert_eq!(compare(&a, &other, true), Err(ComparisonError::NothingInCommon));
    assert_eq!(compare(&run(&[]), &run(&[]), false), Err(ComparisonError::NothingInCommon));
}
