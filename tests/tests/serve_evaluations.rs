//! Evaluations over the API of `june serve`: those that `june eval` made, and those that are
//! started there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use june_tests::server::{Server, configure, serve, token};
use june_tests::{json_lines, june, run, write_samples};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Two tasks in the format of MBPP.
const SUMS: &str = concat!(
    r#"{"task_id": 1, "text": "Write a function add that adds two numbers.", "#,
    r#""code": "def add(a, b):\n    return a + b\n", "test_setup_code": "", "#,
    r#""test_list": ["assert add(1, 2) == 3"]}"#,
    "\n",
    r#"{"task_id": 2, "text": "Write a function twice that doubles a number.", "#,
    r#""code": "def twice(x):\n    return 2 * x\n", "test_setup_code": "", "#,
    r#""test_list": ["assert twice(4) == 8"]}"#,
    "\n",
);

/// What is answered to each of the two.
fn script(add: &str, twice: &str) -> String {
    let answer = |of: &str, code: &str, more: &str| {
        format!(
            "[[answer]]\nwhen = {{ conversation = \"function {of}\" }}\nrepeat = true\n{more}\
             text = '''\n```python\n{code}\n```\n'''\n"
        )
    };
    let slow = if twice == SLOW { "delay = 600000\n" } else { "" };
    answer("add", add, "") + &answer("twice", twice, slow)
}

const ADD: &str = "def add(a, b):\n    return a + b";
const TWICE: &str = "def twice(x):\n    return 2 * x";
const SQUARE: &str = "def twice(x):\n    return x ** 2";
const ENDLESS: &str = "def twice(x):\n    while True: pass";
/// An answer that does not come in the time of a test.
const SLOW: &str = "def twice(x):\n    return x + x";

/// A folder whose server can evaluate the two tasks, and asks a script instead of a model.
fn folder(add: &str, twice: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "rate = 10000\ndatasets = { sums = \"sums.jsonl\" }\n");
    fs::write(folder.path().join("sums.jsonl"), SUMS).unwrap();
    fs::write(folder.path().join("answers.toml"), script(add, twice)).unwrap();
    folder
}

/// A server, and the token of somebody who may do everything.
fn start(folder: &Path, name: &str) -> (Server, String) {
    let server = Server::start(serve(folder).args(["--script", "answers.toml"]));
    (server, token(folder, name, &["admin"]))
}

/// `june eval` of the two tasks.
fn eval(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = june(folder);
    command.args(["eval", "sums.jsonl"]).args(arguments);
    command
}

fn shown(server: &Server, token: &str, id: &str) -> Value {
    server.get(&format!("/api/evaluations/{id}"), token).with(200).json()
}

/// Asks again until this holds of the evaluation.
#[track_caller]
fn once(server: &Server, token: &str, id: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let whole = shown(server, token, id);
        if holds(&whole["evaluation"]) {
            return whole;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "{whole}\n{}", server.said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn begun(server: &Server, token: &str, body: &Value) -> String {
    let answer = server.post("/api/evaluations", token, body).with(202);
    let evaluation = &answer.json()["evaluation"];
    let id = evaluation["id"].as_str().unwrap().to_owned();
    assert!(answer.head.contains(&format!("location: /api/evaluations/{}", id.to_lowercase())));
    assert_eq!(evaluation["state"], "running", "{evaluation}");
    id
}

#[test]
fn what_june_eval_made_is_shown_and_compared() {
    let folder = folder(ADD, TWICE);
    let folder = folder.path();
    let half = [("1", "def add(a, b):\n    return a - b\n"), ("2", TWICE), ("2", ENDLESS)];
    let all = [("1", ADD), ("1", ADD), ("2", TWICE)];
    for (id, samples) in [("ea", half), ("eb", all)] {
        let samples = samples.map(|(task, code)| (task, code.to_owned()));
        write_samples(folder, "samples.jsonl", samples);
        let output = format!("runs/{id}");
        let arguments = ["--samples", "samples.jsonl", "--fuel", "2G", "--output", &output];
        run(&mut eval(folder, &arguments)).with(0);
    }
    run(&mut eval(
        folder,
        &["--agent", "direct", "--script", "answers.toml", "--output", "runs/ec"],
    ))
    .with(0);
    // Not everything there is an evaluation, and one cannot be read.
    fs::create_dir(folder.join("runs/other")).unwrap();
    fs::create_dir(folder.join("runs/broken")).unwrap();
    fs::write(folder.join("runs/broken/run.json"), "{").unwrap();
    let (server, _) = start(folder, "admin");
    let token = token(folder, "a", &["review"]);

    let list = server.get("/api/evaluations", &token).with(200).json();
    let list = list["evaluations"].as_array().unwrap();
    let ids: Vec<&str> = list.iter().map(|each| each["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["broken", "ec", "eb", "ea"]);
    assert!(list[0]["error"].as_str().unwrap().contains("cannot read run.json"), "{}", list[0]);
    assert_eq!(list[0]["state"], "interrupted");
    for each in &list[1..] {
        let id = each["id"].as_str().unwrap();
        let summary = fs::read(folder.join("runs").join(id).join("summary.json")).unwrap();
        let summary: Value = serde_json::from_slice(&summary).unwrap();
        for member in [
            "dataset",
            "tasks",
            "samples",
            "passed",
            "verdicts",
            "pass_at_k",
            "fuel",
            "peak_memory",
        ] {
            assert_eq!(each[member], summary[member], "{id}: {member}");
        }
        assert_eq!((&each["state"], &each["error"]), (&json!("complete"), &Value::Null));
        assert_eq!(each["graded"], each["samples"]);
        assert!(each["began"].as_u64().unwrap() > 1_700_000_000_000);
    }
    assert_eq!(list[1]["agent"], json!({ "name": "direct", "model": "scripted", "answers": 1 }));
    assert_eq!((&list[1]["answered"], &list[2]["answered"]), (&json!(2), &Value::Null));
    assert_eq!(list[2]["agent"], Value::Null);

    let whole = shown(&server, &token, "ea");
    assert_eq!(whole["evaluation"], list[3]);
    let (tasks, records) = (&whole["tasks"], json_lines(&folder.join("runs/ea/records.jsonl")));
    assert_eq!((&tasks[0]["task_id"], &tasks[1]["task_id"]), (&json!("1"), &json!("2")));
    let failed = &tasks[0]["samples"][0];
    assert_eq!(failed["verdict"], "failed");
    assert_eq!(failed["assertion"], "assert add(1, 2) == 3");
    assert_eq!(tasks[1]["samples"][1]["verdict"], "out-of-fuel");
    for sample in
        tasks.as_array().unwrap().iter().flat_map(|task| task["samples"].as_array().unwrap())
    {
        let known = records.iter().any(|record| {
            ["verdict", "detail", "fuel", "peak_memory", "run", "completion_id"]
                .iter()
                .all(|member| record[member] == sample[member])
        });
        assert!(known, "{sample}");
    }

    let digest = list[1]["tasks_digest"].as_str().unwrap();
    let path = format!("/api/evaluations/history?tasks={digest}&task_id=1");
    let history = server.get(&path, &token).with(200).json();
    let counts: Vec<_> = history["history"].as_array().unwrap().iter().collect();
    let of =
        |index: usize| (&counts[index]["id"], &counts[index]["samples"], &counts[index]["passed"]);
    assert_eq!(of(0), (&json!("ec"), &json!(1), &json!(1)));
    assert_eq!(of(1), (&json!("eb"), &json!(2), &json!(2)));
    assert_eq!(of(2), (&json!("ea"), &json!(1), &json!(0)));
    let none = server.get("/api/evaluations/history?tasks=x&task_id=1", &token).with(200).json();
    assert_eq!(none, json!({ "history": [] }));

    for (query, arguments) in [("", &[][..]), ("&common=true", &["--common"])] {
        let told = run(june(folder)
            .args(["eval", "compare", "runs/ea", "runs/eb", "--json"])
            .args(arguments));
        let path = format!("/api/evaluations/compare?a=ea&b=eb{query}");
        assert_eq!(server.get(&path, &token).with(200).json(), told.with(0).json());
    }
    server.get("/api/evaluations/compare?a=ea&b=nothing", &token).with(404);
    let broken = server.get("/api/evaluations/compare?a=ea&b=broken", &token).with(422).json();
    assert!(broken["hint"].is_string(), "{broken}");
    for id in
        ["other", "nothing", ".", "..%2fruns%2fea", "%2e%2e", "ea%2f", "%00", "%ff", "journal"]
    {
        let status = server.get(&format!("/api/evaluations/{id}"), &token).status;
        assert!([400, 404].contains(&status), "{id}: {status}");
    }
}

#[test]
fn an_evaluation_is_started_and_polled() {
    let folder = folder(ADD, SQUARE);
    let folder = folder.path();
    let (mut server, token) = start(folder, "admin");
    let id = begun(&server, &token, &json!({ "dataset": "sums", "reference": true }));
    assert!(id.starts_with("sums-reference-2"), "{id}");
    let whole = once(&server, &token, &id, |evaluation| evaluation["state"] == "complete");
    assert_eq!(whole["evaluation"]["passed"], 2);
    assert_eq!(whole["evaluation"]["error"], Value::Null);

    let body = json!({
        "dataset": "sums", "agent": "direct", "model": "any", "n": 2, "concurrency": 3, "k": [1, 2],
        "timeout": 1, "memory": 200 << 20, "seed": 7, "workers": 1,
    });
    let other = begun(&server, &token, &body);
    let whole = once(&server, &token, &other, |evaluation| evaluation["state"] == "complete");
    let evaluation = &whole["evaluation"];
    assert_eq!((&evaluation["samples"], &evaluation["passed"]), (&json!(4), &json!(2)));
    assert_eq!(evaluation["agent"], json!({ "name": "direct", "model": "any", "answers": 2 }));
    assert_eq!(evaluation["pass_at_k"].as_object().unwrap().len(), 2);

    // It is what `june eval` makes of the same.
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    run(&mut eval(
        folder,
        &[
            "--agent",
            "direct",
            "--script",
            "answers.toml",
            "--model",
            "any",
            "-n",
            "2",
            "-k",
            "1,2",
            "--timeout",
            "1",
            "--memory",
            "200MiB",
            "--seed",
            "7",
            "--output",
            "same",
        ],
    ))
    .with(0);
    let read = |output: &str, name: &str| -> Value {
        serde_json::from_slice(&fs::read(folder.join(output).join(name)).unwrap()).unwrap()
    };
    let made = format!("runs/{other}");
    assert_eq!(read(&made, "run.json"), read("same", "run.json"));
    assert_eq!(read(&made, "asked.json"), read("same", "asked.json"));
    assert_eq!(read(&made, "summary.json")["verdicts"], read("same", "summary.json")["verdicts"]);
    assert!(folder.join(&made).join("report.html").is_file());
    // Each sample's run, and each answer's, is in the server's journal.
    let listed = run(june(folder).args(["journal", "list", "--json", "--session", &other])).with(0);
    assert_eq!(listed.stdout.lines().count(), 8, "{listed}");
    run(june(folder).args(["journal", "verify"])).with(0);
}

#[test]
fn one_at_a_time_which_can_be_stopped_and_resumed() {
    let folder = folder(ADD, SLOW);
    let folder = folder.path();
    let (mut server, token) = start(folder, "admin");
    let body = json!({ "dataset": "sums", "agent": "direct" });
    let id = begun(&server, &token, &body);
    once(&server, &token, &id, |evaluation| evaluation["answered"] == 1);
    let evaluation = &shown(&server, &token, &id)["evaluation"];
    assert_eq!((&evaluation["tasks"], &evaluation["samples"]), (&json!(2), &json!(2)));
    let refused = server.post("/api/evaluations", &token, &body).with(409).json();
    assert!(refused["error"].as_str().unwrap().contains(&id), "{refused}");
    server.post("/api/evaluations/other/stop", &token, &json!({})).with(404);

    let stop = format!("/api/evaluations/{id}/stop");
    let stopped = server.post(&stop, &token, &json!({})).with(200).json();
    assert_eq!(stopped["evaluation"]["state"], "interrupted", "{stopped}");
    assert_eq!(stopped["evaluation"]["error"], Value::Null);
    server.post(&stop, &token, &json!({})).with(409);

    // What is resumed has to be the same.
    let mut resumed = body;
    resumed["resume"] = json!("nothing");
    server.post("/api/evaluations", &token, &resumed).with(404);
    resumed["resume"] = json!(id);
    let mut more = resumed.clone();
    more["n"] = json!(2);
    begun(&server, &token, &more);
    let whole = once(&server, &token, &id, |evaluation| evaluation["state"] == "interrupted");
    let why = whole["evaluation"]["error"].as_str().unwrap();
    assert!(why.contains("was started with another number of answers"), "{why}");

    // A server that is told to stop does not wait for the model.
    begun(&server, &token, &resumed);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    assert!(!server.said().contains("broke off"), "{}", server.said());
    run(june(folder).args(["journal", "verify"])).with(0);

    // The answer that was there is not asked for again.
    let answers = folder.join("runs").join(&id).join("answers.jsonl");
    let before = fs::read_to_string(&answers).unwrap();
    assert_eq!(before.lines().count(), 1);
    fs::write(folder.join("answers.toml"), script("raise ValueError", TWICE)).unwrap();
    let (server, token) = start(folder, "other");
    assert_eq!(shown(&server, &token, &id)["evaluation"]["state"], "interrupted");
    begun(&server, &token, &resumed);
    let whole = once(&server, &token, &id, |evaluation| evaluation["state"] == "complete");
    assert_eq!(whole["evaluation"]["passed"], 2, "{whole}");
    assert!(fs::read_to_string(&answers).unwrap().starts_with(&before));
}

/// Told to stop while a program runs that would run for years, the server stops, and `june eval`
/// goes on from there.
#[test]
fn what_the_server_left_june_eval_completes() {
    let folder = folder(ADD, ENDLESS);
    let folder = folder.path();
    let (mut server, token) = start(folder, "admin");
    let body = json!({ "dataset": "sums", "agent": "direct", "timeout": 1e6, "workers": 2 });
    let id = begun(&server, &token, &body);
    once(&server, &token, &id, |evaluation| evaluation["graded"] == 1);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    assert!(!server.said().contains("broke off"), "{}", server.said());
    run(june(folder).args(["journal", "verify"])).with(0);

    let output = format!("runs/{id}");
    let resume = |timeout: &str| {
        let arguments =
            ["--agent", "direct", "--script", "answers.toml", "--no-journal", "--resume"];
        let mut command = eval(folder, &arguments);
        command.args(["--timeout", timeout, "--output", &output]);
        command
    };
    run(&mut resume("1")).with(2).says("was started with another fuel limit");
    let (server, token) = start(folder, "other");
    assert_eq!(shown(&server, &token, &id)["evaluation"]["state"], "interrupted");

    // Who else works on it is seen, and left alone.
    let mut child = resume("1e6").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    once(&server, &token, &id, |evaluation| evaluation["state"] == "running");
    let mut again = body;
    again["resume"] = json!(id);
    let refused = server.post("/api/evaluations", &token, &again).with(409).json();
    assert!(refused["error"].as_str().unwrap().contains("another June"), "{refused}");
    server.post(&format!("/api/evaluations/{id}/stop"), &token, &json!({})).with(409);
    run(&mut resume("1e6")).with(2).says("another June is at work on this run\nhint: ");
    run(Command::new("kill").args(["-INT", &child.id().to_string()])).with(0);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    once(&server, &token, &id, |evaluation| evaluation["state"] == "interrupted");
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let folder = folder(ADD, TWICE);
    let folder = folder.path();
    let (server, token) = start(folder, "admin");
    let cases = [
        (json!({}), 422, "dataset"),
        (json!({ "dataset": "sums" }), 400, "reference"),
        (json!({ "dataset": "sums", "reference": true, "agent": "direct" }), 400, "either"),
        (json!({ "dataset": "sums", "reference": true, "n": 2 }), 400, "for an `agent`"),
        (json!({ "dataset": "sums", "agent": "direct", "n": 0 }), 400, "`n`"),
        (
            json!({ "dataset": "sums", "agent": "direct", "concurrency": 2000 }),
            400,
            "`concurrency`",
        ),
        (json!({ "dataset": "sums", "reference": true, "workers": 65 }), 400, "`workers`"),
        (json!({ "dataset": "sums", "reference": true, "k": [0] }), 400, "`k`"),
        (json!({ "dataset": "sums", "reference": true, "timeout": 0 }), 400, "`timeout`"),
        (json!({ "dataset": "sums", "reference": true, "timeout": 1, "fuel": 1 }), 400, "not both"),
        (json!({ "dataset": "sums", "reference": true, "fuel": 0 }), 400, "fuel"),
        (json!({ "dataset": "sums", "reference": true, "fuel": -1 }), 422, "fuel"),
        (json!({ "dataset": "sums", "reference": true, "memory": 1 }), 400, "`memory`"),
        (json!({ "dataset": "sums", "reference": true, "samples": "x" }), 422, "samples"),
        (json!({ "dataset": "sums.jsonl", "reference": true }), 422, "no data set is named"),
        (json!({ "dataset": "/etc/passwd", "reference": true }), 422, "no data set is named"),
        (json!({ "dataset": "sums", "agent": "nobody" }), 422, "there is no agent `nobody`"),
        (json!({ "dataset": "sums", "agent": "../x.wasm" }), 422, "no name of an agent"),
        (
            json!({ "dataset": "sums", "reference": true, "resume": "../runs" }),
            404,
            "no evaluation",
        ),
    ];
    for (body, status, what) in cases {
        let refused = server.post("/api/evaluations", &token, &body).with(status).json();
        assert!(refused.to_string().contains(what), "{body}: {refused}");
    }
    assert!(!folder.join("runs").exists());
    // Nothing of it is in the way of what can be evaluated.
    let id = begun(&server, &token, &json!({ "dataset": "sums", "reference": true }));
    once(&server, &token, &id, |evaluation| evaluation["state"] == "complete");
}
