//! Replies as chat models write them, and the code in them: `extraction/*/NAME.md` is a reply,
//! `NAME.py` the completion that is to be found. What is found is also graded in the sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::time::{Duration, Instant};

use june_benchmarks::dataset::{Dataset, Task};
use june_benchmarks::extraction::{Kind, extract};
use june_benchmarks::grading::{Verdict, grade};
use june_sandbox::{Cache, Engine, Limits, Runner};
use june_tests::{json_lines, repository, shared};
use proptest::prelude::*;

const HUMANEVAL: &str = r#"{"task_id": "Add/0", "entry_point": "add",
    "prompt": "from typing import List\n\n\ndef add(a: int, b: int) -> int:\n    \"\"\" Add two numbers.\n    >>> add(1, 2)\n    3\n    \"\"\"\n",
    "canonical_solution": "    return a + b\n",
    "test": "def check(f):\n    assert f(1, 2) == 3\n    assert f(0, 2) == 2\n"}"#;
const MBPP: &str = r#"{"task_id": 1, "text": "Write a function to add two numbers.", "code": "",
    "test_setup_code": "", "test_list": ["assert add(1, 2) == 3", "assert sum([add(-1, 1)]) == 0"]}"#;
const STUB: &str = r#"{"task_id": "Add/0", "entry_point": "add", "prompt": "def add(a, b):\n",
    "canonical_solution": "", "test": "def check(f):\n    assert f(1, 2) == 3\n"}"#;

/// What `june eval` grants unless told otherwise.
const FUEL: u64 = 75_000_000_000;

/// For references: one of MBPP's needs a little more than that.
const AMPLE_FUEL: u64 = 100_000_000_000;

fn task(json: &str) -> Task {
    let json = json.replace('\n', " ");
    Dataset::parse("corpus", json.as_bytes()).unwrap().tasks.remove(0)
}

struct Sandbox {
    runner: Runner,
    runtime: tokio::runtime::Runtime,
    fuel: u64,
}

impl Sandbox {
    fn new(fuel: u64) -> Sandbox {
        let runner = repository("components/dist/python.wasm");
        let cache = Cache::new(june_tests::cache().join("compiled"));
        Sandbox {
            runner: Runner::load(&Engine::new().unwrap(), &runner, &cache).unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
            fuel,
        }
    }

    /// What the tests say of a completion, and the whole record in words.
    fn grade(&self, task: &Task, completion: &str) -> (Verdict, String) {
        let limits = Limits { fuel: self.fuel, ..Limits::default() };
        let graded = grade(&self.runner, task, completion, &limits, 0, None);
        let judgement = self.runtime.block_on(graded).unwrap();
        (judgement.verdict(), format!("{:?}", judgement.record(0, task, 0)))
    }
}

#[test]
fn corpus() {
    let sandbox = Sandbox::new(FUEL);
    let (mut cases, mut wrong) = (0, String::new());
    for (kind, json) in [("humaneval", HUMANEVAL), ("mbpp", MBPP), ("stub", STUB)] {
        let task = task(json);
        let folder = repository("benchmarks/tests/extraction").join(kind);
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            cases += 1;
            let reply = fs::read_to_string(&path).unwrap();
            let expected = fs::read_to_string(path.with_extension("py")).unwrap();
            let found = extract(&task, &reply);
            let name = path.display();
            if found.completion != expected {
                wrong += &format!("{name}: found\n{}instead of\n{expected}", found.completion);
                continue;
            }
            assert_eq!(found.kind == Kind::Nothing, expected.is_empty(), "{name}");
            if !expected.is_empty() {
                let (verdict, why) = sandbox.grade(&task, &found.completion);
                assert_eq!(verdict, Verdict::Passed, "{name}: {why}\n{expected}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(cases >= 80, "{cases}");
}

/// A solution as replies of several shapes; `program` is all of it, `body` continues the prompt.
fn shapes(program: &str, body: Option<&str>) -> Vec<(&'static str, String)> {
    let listed: String = program.lines().map(|line| format!("   {line}\n")).collect();
    let mut shapes = vec![
        (
            "fenced",
            format!("Here you are:\n\n```python\n{program}\n```\n\nIt's what you asked for.\n"),
        ),
        ("plain", program.to_owned()),
        (
            "prose",
            format!("Sure! Here is the code:\n\n{program}\n\nI hope that it helps, doesn't it?\n"),
        ),
        ("unclosed", format!("```\n{program}\n\nThis is the whole program, isn't it.\n")),
        ("crlf", format!("```py\n{program}\n```\n").replace('\n', "\r\n")),
        ("listed", format!("1. So:\n\n   ```python\n{listed}   ```\n\n2. Done.\n")),
        ("thought", format!("<think>\nIt's\n```\nx\n</think>\n~~~python\n{program}\n~~~\n")),
        (
            "main",
            format!("```python\n{program}\n\nif __name__ == '__main__':\n    main(input())\n```\n"),
        ),
    ];
    if let Some(body) = body {
        shapes.push(("body", format!("```python\n{body}\n```\n")));
        shapes.push(("trimmed body", body.trim().to_owned()));
        let margin = |line: &str| line.strip_prefix("    ").unwrap_or(line).to_owned() + "\n";
        let flush: String = body.lines().map(margin).collect();
        shapes.push(("flush body", format!("Just complete it:\n```python\n{flush}```\n")));
        shapes.push(("primed", format!("{body}```\n\nThis completes the function.\n")));
    }
    shapes
}

/// The published solutions, each as replies of every shape, pass when what is found is graded.
fn check_round_trip(test: &str, file: &str) {
    let Some(path) = shared(test, file) else { return };
    let sandbox = Sandbox::new(AMPLE_FUEL);
    let (mut replies, mut wrong) = (0, Vec::new());
    for task in &Dataset::load(path).unwrap().tasks {
        let reference = task.reference.replace("\r\n", "\n");
        let shapes = match task.entry_point {
            Some(_) => shapes(&format!("{}{reference}", task.prompt), Some(&reference)),
            None => shapes(&reference, None),
        };
        // Shapes with the same code share a verdict.
        let mut known: Vec<(String, (Verdict, String))> = Vec::new();
        for (shape, reply) in shapes {
            let found = extract(task, &reply).completion;
            let same =
                known.iter().find(|(code, _)| *code == found).map(|(_, graded)| graded.clone());
            let graded = same.unwrap_or_else(|| sandbox.grade(task, &found));
            if graded.0 != Verdict::Passed {
                wrong.push(format!("{} {shape}: {}\n{found}\n", task.id, graded.1));
            }
            known.push((found, graded));
            replies += 1;
        }
    }
    eprintln!("{test}: {replies} replies, {} did not pass", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn round_trip_of_humaneval() {
    check_round_trip("round_trip_of_humaneval", "HumanEval.jsonl.gz");
}

#[test]
fn round_trip_of_mbpp() {
    check_round_trip("round_trip_of_mbpp", "mbpp.jsonl");
}

/// What models wrote, in a fence: the verdict is the one of the original harness, but for samples
/// that failed by their own examples.
fn check_samples(name: &str) {
    let (Some(tasks), Some(samples), Some(verdicts)) = (
        shared(name, "HumanEval.jsonl.gz"),
        shared(name, &format!("samples/{name}.jsonl")),
        shared(name, &format!("samples/{name}.verdicts.jsonl")),
    ) else {
        return;
    };
    let dataset = Dataset::load(tasks).unwrap();
    let sandbox = Sandbox::new(FUEL);
    let (mut lost, mut gained) = (Vec::new(), Vec::new());
    for (sample, known) in json_lines(&samples).iter().zip(json_lines(&verdicts)) {
        let task = dataset.task(sample["task_id"].as_str().unwrap()).unwrap();
        let reply = format!("So:\n```python\n{}\n```\n", sample["completion"].as_str().unwrap());
        let (verdict, why) = sandbox.grade(task, &extract(task, &reply).completion);
        match (verdict == Verdict::Passed, known["verdict"] == "pass") {
            (false, true) => lost.push(format!("{why}\n")),
            (true, false) => gained.push(task.id.to_string()),
            _ => {}
        }
    }
    eprintln!("{name}: gained {gained:?}");
    assert!(lost.is_empty(), "{}", lost.concat());
}

#[test]
fn samples_of_gpt_3_5() {
    check_samples("ldb_he_gpt-3.5-turbo-0613");
}

#[test]
fn samples_of_gpt_4() {
    check_samples("ldb_he_gpt-4-1106-preview");
}

/// Time grows with the length of a reply, and not with its square, whatever it is made of.
#[test]
fn a_megabyte_of_anything() {
    let pieces = [
        "```\n",
        "```python\n",
        "`",
        "~~~\n```\n",
        "````\n```\n",
        "\"\"\"\n",
        "'''x",
        "(\n",
        "def add(\n",
        "<think>\n",
        "</think>\n",
        "<think>",
        "\\\n",
        ">>> x\n",
        "    \n",
        "\t",
        "x = 1\n",
        "if x:\n",
        "def add(a, b):\n    return a\n",
        "@x\n",
        "```python\nx = 1\n```\n",
        "one two ",
        "é",
        "\"",
        "\n",
        "```python\ndef f1(): f2()\n```\n",
        "f(",
        ")",
        "a.b",
        "# c\n",
        "```markdown\n```python\n",
        "\r",
        "def add(a):\n    '''\n    ```\n",
        "import a\n",
        "    x\n  y\n",
        "0",
        "[BEGIN]",
        "\u{feff}",
    ];
    let mut slowest = (Duration::ZERO, "");
    for json in [HUMANEVAL, MBPP] {
        let task = task(json);
        for piece in pieces {
            let time = |reply: &str| {
                let start = Instant::now();
                (extract(&task, reply), start.elapsed())
            };
            let (_, quarter) = time(&piece.repeat((1 << 18) / piece.len()));
            let reply = piece.repeat((1 << 20) / piece.len());
            let (found, took) = time(&reply);
            // Four times as long, and room for a machine that has other things to do.
            let allowed = 10 * quarter + Duration::from_secs(1);
            assert!(took < allowed, "{piece:?} took {took:?}, a quarter of it {quarter:?}");
            slowest = slowest.max((took, piece));
            assert!(found.completion.len() <= 6 * reply.len(), "{piece:?}");
        }
    }
    eprintln!("the slowest megabyte: {slowest:?}");
}

/// Text of the pieces that mean something here.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("```"),
        Just("```python"),
        Just("~~~~"),
        Just("\n"),
        Just("\n    "),
        Just("\t"),
        Just("\r\n"),
        Just("def add(a, b):"),
        Just("return a"),
        Just("\"\"\""),
        Just("'"),
        Just("<think>"),
        Just("</think>"),
        Just(">>> "),
        Just("@x\n"),
        Just("if x:"),
        Just("x = ("),
        Just("# c"),
        Just("import os"),
        Just("prose here"),
        Just("\\"),
        Just("`"),
        Just("é"),
        Just("from __future__ import a"),
    ];
    prop_oneof![
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat()),
        any::<String>()
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_will_do(reply in text(), prompt in text()) {
        for json in [HUMANEVAL, MBPP] {
            let mut task = task(json);
            let found = extract(&task, &reply);
            prop_assert_eq!(found.kind == Kind::Nothing, found.completion.is_empty());
            task.prompt.clone_from(&prompt);
            extract(&task, &reply);
        }
    }

    /// Whatever is said around it, a program in a fence is found to the byte.
    #[test]
    fn words_around_a_program_do_not_matter(
        before in "[ -_a-}é\n]{0,200}", after in "[ -_a-}é\n]{0,200}",
    ) {
        let program = "import math\n\n\ndef add(first, second):\n    return math.fsum([first, second])\n";
        let reply = format!("{before}\n```python\n{program}```\n{after}");
        prop_assert_eq!(extract(&task(HUMANEVAL), &reply).completion, program);
        prop_assert_eq!(extract(&task(MBPP), &reply).completion, program);
    }
}
