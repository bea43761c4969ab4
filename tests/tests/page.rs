//! The review page in a real browser: Chromium, driven by `tests/page/review.mjs`, before a real
//! `june serve` whose journal has more than 100,000 records.
//!
//! `JUNE_TEST_PAGE` names the folder with the scripts' packages; `make test` makes it. With
//! `JUNE_TEST_IMAGES`, pictures of all views are left in the folder that it names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use june_tests::server::{Server, configure, serve, token};
use june_tests::{
    cheap_samples, eval, has, history, hostile, june, repository, run, write_samples,
};
use serde_json::{Value, json};

const TEST: &str = "page: a_reviewer_finds_proves_and_signs";

const AGENT: &str = "[agent.tutor]\nstrategy = \"deliberate\"\ntools = [\"calculator\"]\n\
                     instructions = \"You help pupils with arithmetic. Calculate with the tool.\"\n\
                     [model.m]\nbackend = \"scripted\"\nfile = \"calculates.toml\"\n";

const CALCULATES: &str = r#"
    [[answer]]
    when = { result = "42" }
    text = ["Six times seven is ", "42."]

    [[answer]]
    when = { text = "6 * 7" }
    calls = [{ name = "calculator", arguments = { expression = "6 * 7" } }]
"#;

/// Whose detail and output would be markup, an escape sequence or a change of direction, if the
/// page let them.
const MARKUP: &str = "    print('<script>alert(1)</script>', '\\x1b[2J')\n    \
                      raise ValueError('<img src=x onerror=alert(1)> \\x1b[31m \\u202egnp.exe')\n";

/// The browser, where there is one.
fn chromium() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        eprintln!("SKIPPED {TEST}: chromium is not installed");
    }
    found
}

fn path_of(program: &str) -> String {
    run(Command::new("sh").args(["-c", "command -v \"$0\"", program])).with(0).stdout.trim().into()
}

/// The runs that `june journal list` tells.
fn listed(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let ended = run(june(folder).args(["journal", "list", "--json"]).args(arguments)).with(0);
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_reviewer_finds_proves_and_signs() {
    let Some(modules) = env::var_os("JUNE_TEST_PAGE").filter(|path| !path.is_empty()) else {
        eprintln!("SKIPPED {TEST}: JUNE_TEST_PAGE is not set; `make test` sets it");
        return;
    };
    let (true, Some(chromium)) = (has(TEST, "node"), chromium()) else { return };

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configure(path, &format!("rate = 10000\n{AGENT}"));
    fs::write(path.join("calculates.toml"), CALCULATES).unwrap();
    history::write(&path.join("journal"), 60_000);
    let socket = hostile().into_iter().find(|one| one.name.contains("socket-connect")).unwrap();
    let mut nightly: Vec<(&str, String)> = cheap_samples(8).collect();
    nightly.extend([(&*socket.task, socket.text.clone()), ("Hostile/0", MARKUP.into())]);
    write_samples(path, "nightly.jsonl", nightly);
    run(eval(path, "nightly.jsonl").args(["--output", "runs/nightly-1", "--fuel", "1G"])).with(0);
    history::write(&path.join("journal"), 40_000);
    write_samples(path, "better.jsonl", cheap_samples(10));
    run(eval(path, "better.jsonl").args(["--output", "runs/nightly-2", "--fuel", "1G"])).with(0);
    run(june(path).args(["run", "tutor", "What is 6 * 7?"])).with(0);

    let one = |arguments: &[&str]| listed(path, arguments)[0]["run"].clone();
    let facts = json!({
        "session": "nightly-1",
        "denied": one(&["--session", "nightly-1", "--decision", "denied"]),
        "hostile": listed(path, &["--session", "nightly-1"])
            .iter()
            .find(|run| run["detail"].as_str().unwrap().contains("onerror"))
            .unwrap()["run"],
        "agent": one(&["--component", "deliberate"]),
    });
    let server = Server::start(serve(path).args(["--script", "answers.toml"]));
    let admin = token(path, "grace", &["admin"]);
    let answers = |route: &str| {
        let there = server.get(route, &admin).status == 200;
        if !there {
            eprintln!("SKIPPED a part of {TEST}: this June has no {route}");
        }
        there
    };
    let mut facts = facts.as_object().unwrap().clone();
    if answers("/api/evaluations") {
        facts.insert("evaluations".into(), json!(["nightly-1", "nightly-2"]));
    }
    if answers("/v1/models") {
        facts.insert("talk".into(), json!(token(path, "talker", &["talk"])));
    }
    facts.extend([
        ("url".to_owned(), json!(format!("http://{}", server.address))),
        ("token".to_owned(), json!(token(path, "ada", &["review"]))),
        ("chromium".to_owned(), json!(path_of(chromium))),
        ("shots".to_owned(), json!(env::var("JUNE_TEST_IMAGES").ok())),
    ]);
    let script = repository("tests/page/review.mjs");
    let mut command = Command::new("node");
    command.arg(script).env("JUNE_PAGE_FACTS", Value::from(facts).to_string());
    let ended = run(command.env("JUNE_TEST_PAGE", modules));
    println!("{}", ended.stdout);
    assert_eq!(ended.code, Some(0), "{ended}\n--- server\n{}", server.said());
}
