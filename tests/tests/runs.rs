//! What can be done with runs that are there: `june eval compare` and `june eval report`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;

use june_tests::{bare, eval, run, write_samples};

/// Grades completions of `Hostile/0`, which asks for `add(a, b)`.
fn graded(folder: &Path, output: &str, completions: &[&str]) {
    let samples = completions.iter().map(|one| ("Hostile/0", (*one).to_owned()));
    let file = write_samples(folder, &format!("{output}.jsonl"), samples);
    run(eval(folder, file).args(["--no-journal", "--output", output])).with(0);
}

const RIGHT: &str = "    return a + b\n";
const WRONG: &str = "    print('</script><b>\\u202e')\n    return a - b\n";

#[test]
fn compare() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    graded(path, "wrong", &[WRONG]);
    graded(path, "right", &[RIGHT]);
    graded(path, "mixed", &[RIGHT, WRONG, WRONG, WRONG]);
    let june = |arguments: &[&str]| run(bare(path).args(["eval", "compare"]).args(arguments));

    let ended = june(&["wrong", "right"]).with(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(
        ended.stdout,
        "A  pass@1 0.0000  0 of 1 samples passed  tasks  wrong\n\
         B  pass@1 1.0000  1 of 1 samples passed  tasks  right\n\n\
         B less A    +1.0000  (95 % interval +1.0000 to +1.0000, over 1 tasks)\n\
         p-value     1.0000  (exact McNemar test)\n\n\
         B passes more of 1 tasks:\n  Hostile/0                A 0.00  B 1.00\n"
    );
    let found = june(&["right", "mixed", "--json"]).with(0).json();
    assert_eq!(found["test"], "permutation");
    assert_eq!(found["difference"]["value"], -0.75);
    assert_eq!(found["lost"][0]["task_id"], "Hostile/0");
    assert_eq!(found, june(&["right", "mixed", "--json"]).json(), "the same every time");

    june(&["wrong", "none"]).with(2).says("june: none/run.json: No such file");
    fs::create_dir(path.join("empty")).unwrap();
    june(&["empty", "wrong"]).with(2).says("hint: name the folder of a run");
    fs::write(path.join("mixed/records.jsonl"), "{}\n").unwrap();
    june(&["wrong", "mixed"]).with(2).says("mixed/records.jsonl:1: not a record: missing field");
    fs::write(path.join("mixed/records.jsonl"), "").unwrap();
    june(&["wrong", "mixed"]).with(2).says("mixed: 0 of 4 samples are graded\nhint: complete");
    june(&["wrong", "mixed", "--common"]).with(2).says("the runs have no task in common");
}

#[test]
fn runs_over_different_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    graded(path, "one", &[RIGHT]);
    let other = fs::read_to_string(june_tests::tasks()).unwrap().replace("Hostile/2", "Other/2");
    fs::write(path.join("other.jsonl"), other).unwrap();
    let samples = [("Hostile/0", RIGHT.to_owned()), ("Other/2", String::new())];
    write_samples(path, "samples.jsonl", samples);
    let mut command = june_tests::june(path);
    command.args([
        "eval",
        "other.jsonl",
        "--samples",
        "samples.jsonl",
        "--no-journal",
        "-o",
        "two",
    ]);
    run(&mut command).with(0);
    let june = |arguments: &[&str]| {
        run(bare(path).args(["eval", "compare", "one", "two"]).args(arguments))
    };
    let ended = june(&[]).with(2);
    let ended = ended.says("june: the runs are over different tasks: tasks (1 tasks) and other (2 tasks) have 1 in common\nhint: ");
    assert_eq!(ended.stdout, "");
    let ended = june(&["--common"]).with(0);
    assert!(ended.stdout.contains("left out    1 tasks"), "{ended}");
    assert!(ended.stdout.contains("the data sets differ"), "{ended}");
}

#[test]
fn report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    graded(path, "run", &[RIGHT, WRONG]);
    let read = |file: &str| fs::read_to_string(path.join(file)).unwrap();
    let page = read("run/report.html");
    assert!(page.starts_with("<!doctype html>\n"));
    assert!(page.contains("1 of 2 samples passed"), "{page}");
    assert!(page.contains("&lt;/script&gt;&lt;b&gt;\\u{202e}") && !page.contains("</script><b>"));
    assert!(page.contains("return a - b"));

    let ended = run(bare(path).args(["eval", "report", "run", "-o", "page.html"])).with(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("page.html\n", ""));
    assert_eq!(read("page.html"), page);

    // A run that is not complete.
    for file in ["summary.json", "results.jsonl", "report.html"] {
        fs::remove_file(path.join("run").join(file)).unwrap();
    }
    let records = read("run/records.jsonl");
    fs::write(path.join("run/records.jsonl"), records.lines().next().unwrap().to_owned() + "\n")
        .unwrap();
    let ended = run(bare(path).args(["eval", "report", "run"])).with(0);
    assert_eq!(ended.stdout, "run/report.html\n");
    assert!(read("run/report.html").contains("1 of 2 samples are graded"));

    run(bare(path).args(["eval", "report", "none"])).with(2).says("none/run.json: No such file");
    run(bare(path).args(["eval", "report", "run", "-o", "no/page.html"])).with(3).says("no/page");
}
