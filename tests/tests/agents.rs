//! Agents, end to end: real components, a real model server, and what people type.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::Write;
use std::process::Stdio;

use june_tests::{PythonServer, fixture, june, python, repository, run, tasks};
use tempfile::TempDir;

/// A folder with a configuration whose model has these answers.
fn folder(transcript: &str, agents: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("answers.toml"), transcript).unwrap();
    let model = "[model.m]\nbackend = \"scripted\"\nfile = \"answers.toml\"\n";
    fs::write(folder.path().join("june.toml"), format!("{model}{agents}")).unwrap();
    folder
}

const CALCULATES: &str = r#"
    [[answer]]
    when = { result = "42" }
    text = ["It is ", "42."]

    [[answer]]
    when = { text = "6 * 7" }
    calls = [{ name = "calculator", arguments = { expression = "6 * 7" } }]
"#;

#[test]
fn every_language_answers_with_a_tool_and_is_replayed_without_a_model() {
    for strategy in ["deliberate", "direct-python", "direct-js"] {
        let agent = format!("[agent.a]\nstrategy = \"{strategy}\"\ntools = [\"calculator\"]\n");
        let folder = folder(CALCULATES, &agent);
        let ended = run(june(folder.path()).args(["run", "a", "What is 6 * 7?"])).with(0);
        assert_eq!(ended.stdout, "It is 42.\n", "{strategy}: {ended}");
        assert!(ended.stderr.contains("→ calculator"), "{strategy}: {ended}");

        fs::remove_file(folder.path().join("answers.toml")).unwrap();
        fs::remove_file(folder.path().join("june.toml")).unwrap();
        let ended = run(june(folder.path()).args(["journal", "replay", "0"])).with(0);
        assert!(ended.stdout.contains("2 identical, 0 diverged"), "{strategy}: {ended}");
        run(june(folder.path()).args(["journal", "verify"])).with(0);
    }
}

#[test]
fn files_are_changed_only_when_somebody_says_so() {
    let transcript = r#"
        [[answer]]
        when = { result = "wrote" }
        text = "Done."
        [[answer]]
        calls = [{ name = "files", arguments = { action = "write", path = "work/new.txt", content = "new\n" } }]
    "#;
    let agent = "[agent.a]\nstrategy = \"direct-js\"\ntools = [\"files\"]\n\
                 [agent.a.grants]\nfiles = [{ path = \"work\", mode = \"read-write\" }]\n";
    let folder = folder(transcript, agent);
    fs::create_dir(folder.path().join("work")).unwrap();
    let made = folder.path().join("work/new.txt");

    let ended = run(june(folder.path()).args(["run", "a", "Write it."])).with(0);
    assert!(ended.stderr.contains("+++ b/work/new.txt\n@@ -0,0 +1 @@\n+new\n"), "{ended}");
    assert!(ended.stderr.contains("nothing was applied"), "{ended}");
    assert!(!made.exists());

    let ended =
        run(june(folder.path()).args(["run", "a", "Write it.", "--apply", "--json"])).with(0);
    assert_eq!(ended.json()["applied"], 1);
    assert_eq!(ended.json()["answer"], "Done.");
    assert_eq!(fs::read_to_string(made).unwrap(), "new\n");
}

#[test]
fn a_talk_goes_on_over_lines() {
    let transcript = r#"
        [[answer]]
        when = { conversation = "My name is Ada." }
        text = "Hello, Ada."
        repeat = true
        [[answer]]
        text = "Who are you?"
        repeat = true
    "#;
    let folder = folder(transcript, "");
    let mut child = june(folder.path())
        .args(["chat", "direct"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = "Hello!\nMy name is Ada.\nWho am I?\n/reset\nWho am I?\n/exit\nnever\n";
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let expected = "Who are you?\nHello, Ada.\nHello, Ada.\nWho are you?\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn what_cannot_be_an_agent_is_said() {
    let folder = folder(
        CALCULATES,
        "[agent.a]\nstrategy = \"nowhere\"\n[agent.b]\nstrategy = \"direct\"\n\
         tools = [\"http\"]\n[tool.http.grants]\nhttp = [\"GET https://example.org/**\"]\n",
    );
    let june = || june(folder.path());
    run(june().args(["run", "nobody", "Hello"])).with(2).says("there is no agent `nobody`");
    run(june().args(["run", "a", "Hello"]))
        .with(2)
        .says("the component nowhere.wasm is in none of");
    run(june().args(["run", "direct", "Hello", "--model", "x"]))
        .with(2)
        .says("there is no model `x`");
    run(june().args(["run", "b", "Hello"]))
        .with(2)
        .says("asks for what its agent does not have: http GET https://example.org/**");
    let ended = run(june().args(["config", "check"])).with(1);
    assert!(ended.stdout.contains("agent a: WRONG"), "{ended}");
    fs::write(folder.path().join("june.toml"), "[agent.a]\nstrateg = 1\n").unwrap();
    run(june().args(["config", "check"])).with(2).says("june.toml:2:1: unknown field `strateg`");
    run(june().args(["run", "direct", "x"])).with(2).says("june.toml:2:1");
}

#[test]
fn a_model_that_fails_is_said_and_recorded() {
    let folder = folder("[[answer]]\nerror = { unavailable = \"the server is down\" }\n", "");
    let ended = run(june(folder.path()).args(["run", "direct", "Hello"])).with(1);
    assert!(ended.stderr.contains("the server is down"), "{ended}");
    let ended = run(june(folder.path()).args(["journal", "replay", "0"])).with(0);
    assert!(ended.stdout.contains("identical"), "{ended}");
}

#[test]
fn an_answer_that_the_clock_stops_leaves_a_sound_journal() {
    let folder = folder(
        "[[answer]]\ntext = [\"one \", \"two \", \"three\"]\ndelay = 700\n",
        "[agent.a]\nstrategy = \"direct\"\nlimits = { wall = \"1s\" }\n",
    );
    let ended = run(june(folder.path()).args(["run", "a", "Hello"])).with(1);
    assert!(ended.stderr.contains("used up its time"), "{ended}");
    run(june(folder.path()).args(["journal", "verify"])).with(0);
}

#[test]
fn an_answer_that_is_mostly_escapes_is_recorded() {
    let text = "\\u0001".repeat(90_000);
    let folder = folder(&format!("[[answer]]\ntext = \"{text}\"\n"), "");
    run(june(folder.path()).args(["run", "direct", "Hello", "--json"])).with(0);
    run(june(folder.path()).args(["journal", "verify"])).with(0);
}

/// Answers to the test tasks: right for the first, which are all alike, and nothing else.
const SOLVES: &str = r#"
    [[answer]]
    text = "Sure.\n```python\ndef add(a, b):\n    return a + b\n```\n"
    repeat = true
"#;

#[test]
fn an_agent_is_evaluated_and_goes_on_where_it_was() {
    let folder = folder(SOLVES, "");
    let eval = |rest: &[&str]| {
        let mut command = june(folder.path());
        let tasks = tasks();
        command.arg("eval").arg(tasks).args(["--agent", "direct", "-n", "2", "-o", "run"]);
        command.args(rest);
        run(&mut command)
    };
    let ended = eval(&["--json"]).with(0);
    let summary = ended.json();
    let answers = fs::read_to_string(folder.path().join("run/answers.jsonl")).unwrap();
    assert_eq!(answers.lines().count() as u64, summary["samples"].as_u64().unwrap());
    let whole = fs::read_to_string(folder.path().join("run/results.jsonl")).unwrap();

    eval(&[]).with(2).says("holds a run already");
    eval(&["--resume", "-n", "3"]).with(2);
    // What was not asked, or not graded, is what is left to do.
    let half: Vec<&str> = answers.lines().take(answers.lines().count() / 2).collect();
    fs::write(folder.path().join("run/answers.jsonl"), half.join("\n") + "\n{\"torn").unwrap();
    fs::remove_file(folder.path().join("run/run.json")).unwrap();
    fs::remove_file(folder.path().join("run/records.jsonl")).unwrap();
    eval(&["--resume"]).with(0);
    let again = fs::read_to_string(folder.path().join("run/results.jsonl")).unwrap();
    let verdicts = |text: &str| -> Vec<String> {
        let lines =
            text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines
            .map(|line| {
                format!("{} {} {}", line["task_id"], line["completion_id"], line["verdict"])
            })
            .collect()
    };
    assert_eq!(verdicts(&whole), verdicts(&again));
}

#[test]
fn a_model_that_fails_is_no_sample_that_failed() {
    let folder = folder("[[answer]]\nerror = { unavailable = \"down\" }\n", "");
    let mut command = june(folder.path());
    command.arg("eval").arg(tasks()).args(["--agent", "direct", "-o", "run"]);
    run(&mut command).with(3).says("questions have no answer").says("--resume");
}

/// llama.cpp's server with the tiny model that calls a tool and then answers.
fn llama(test: &str) -> Option<PythonServer> {
    let python = python(test, "JUNE_TEST_PYTHON", "xllamacpp")?;
    let model = fixture(test, "fixtures/llm/toolcaller-f32.gguf")?;
    Some(PythonServer::start(python, "host/models/tests/llama_server.py", [model]))
}

#[test]
fn a_real_model_calls_a_real_tool_and_is_replayed_without_its_server() {
    let test = "a_real_model_calls_a_real_tool_and_is_replayed_without_its_server";
    let Some(server) = llama(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let components = repository("components/dist/tests/weather.wasm");
    let config = format!(
        "[model.tiny]\nbackend = \"openai\"\nurl = \"http://127.0.0.1:{}/v1\"\ncontext = 1024\n\
         overflow = \"drop-oldest\"\n\
         [agent.weather]\nstrategy = \"deliberate\"\ntools = [\"get_weather\"]\n\
         limits = {{ tokens = 2000, wall = \"2m\" }}\n\
         [tool.get_weather]\ncomponent = \"{}\"\n",
        server.port,
        components.display()
    );
    fs::write(folder.path().join("june.toml"), config).unwrap();
    let mut command = june(folder.path());
    let ended = run(command.args(["run", "weather", "weather in Oslo"])).with(0);
    assert!(ended.stderr.contains("→ get_weather {\"city\":"), "{ended}");
    assert!(ended.stderr.contains("← get_weather: 7 degrees and rain"), "{ended}");
    assert!(ended.stdout.contains("the lazy dog answers the user."), "{ended}");
    drop(server);

    let mut command = june(folder.path());
    command.env("JUNE_COMPONENTS", components.parent().unwrap());
    let ended = run(command.args(["journal", "replay", "--all"])).with(0);
    assert!(ended.stdout.contains(" 0 diverged, 0 could not be replayed"), "{ended}");
}
