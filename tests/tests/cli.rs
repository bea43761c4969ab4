//! The command line: help, results on standard output and nothing else, exit statuses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::process::Stdio;

use june_tests::{bare, cheap_samples, eval, june, names, repository, run, write_samples};
use serde_json::{Value, json};

#[test]
fn every_command_has_help() {
    let purposes: [(&[&str], &str); 60] = [
        (&[], "A host for AI agents that nobody has to trust"),
        (&["run"], "Ask an agent once"),
        (&["chat"], "Talk with an agent"),
        (&["code"], "Work on the files of a folder with an agent"),
        (&["config"], "Look at the configuration"),
        (&["config", "check"], "Check a configuration, and show what each agent may do"),
        (&["eval"], "Grade solutions to a benchmark, each in a sandbox of its own"),
        (&["eval", "compare"], "Compare two runs over the same tasks"),
        (&["eval", "report"], "Write a run's report"),
        (&["dataset"], "Get the tasks of a benchmark"),
        (&["dataset", "pull"], "Fetch a data set into June's cache"),
        (&["dataset", "list"], "List the data sets that June knows"),
        (&["component"], "Make components, look at them and try them"),
        (&["component", "new"], "Begin a new strategy or tool"),
        (&["component", "build"], "Build a component from its project"),
        (&["component", "check"], "Check that a component fits this June"),
        (&["component", "try"], "Run a component once"),
        (&["component", "inspect"], "Show what a component is"),
        (&["journal"], "Prove, read and replay what components did"),
        (&["journal", "init"], "Make an empty journal"),
        (&["journal", "list"], "List runs"),
        (&["journal", "show"], "Show a run"),
        (&["journal", "verify"], "Is every byte of the journal as it was written?"),
        (&["journal", "checkpoint"], "Print the newest signed checkpoint"),
        (&["journal", "replay"], "Run a recorded run again"),
        (&["journal", "diff"], "Compare two runs by what they did"),
        (&["journal", "export"], "Write runs in another format"),
        (&["journal", "review"], "Sign off a run"),
        (&["model"], "Get models, and see what they do"),
        (&["model", "list"], "List the models of june.toml and those that were pulled"),
        (&["model", "pull"], "Fetch a model's file from the hub, and check it"),
        (&["model", "bench"], "Measure how quick a model is"),
        (&["model", "verify"], "Check a model"),
        (&["model", "load"], "Load a model, and wait until it is ready"),
        (&["model", "unload"], "Unload a model, and wait until it is gone"),
        (&["model", "status"], "Show a model's state"),
        (&["model", "ready"], "Tell by the exit status whether a model is ready"),
        (&["model", "repository"], "Lay out models for Triton's TensorRT-LLM"),
        (&["model", "repository", "create"], "Lay out a model of the hub"),
        (&["model", "repository", "validate"], "Name what is missing or wrong"),
        (&["model", "repository", "list"], "List the models of a repository"),
        (&["mcp"], "Serve tools over the Model Context Protocol"),
        (&["mcp", "serve"], "Serve tools to MCP clients"),
        (&["serve"], "Serve the review page, the API and the bots"),
        (&["serve", "token"], "The tokens of clients"),
        (&["serve", "token", "create"], "Make a token"),
        (&["serve", "token", "list"], "List the tokens"),
        (&["serve", "token", "revoke"], "Take a token back"),
        (&["telegram"], "Let people talk with agents on Telegram, in text and by voice"),
        (&["telegram", "pair"], "Make a code"),
        (&["telegram", "people"], "List the people who were paired"),
        (&["telegram", "forget"], "Forget that a person was paired"),
        (&["discord"], "Let people talk with agents on Discord, in text and by voice message"),
        (&["discord", "pair"], "Make a code"),
        (&["discord", "people"], "List the people who were paired"),
        (&["discord", "forget"], "Forget that a person was paired"),
        (&["history"], "Show what was received in chats, and what was really sent in answer"),
        (&["voice"], "Try out voice messages"),
        (&["voice", "try"], "Let an agent answer a voice message in a file, as a bot would"),
        (&["doctor"], "Check that everything is here that June needs"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (command, purpose) in purposes {
        for flag in ["--help", "-h"] {
            let ended = run(bare(folder.path()).args(command).arg(flag)).with(0);
            assert!(ended.stdout.starts_with(purpose), "{command:?} {flag}: {ended}");
            assert!(ended.stdout.contains("Usage: june"), "{ended}");
            assert_eq!(ended.stderr, "");
        }
    }
    // Every command that the help lists is in the table above.
    let help = run(bare(folder.path()).arg("--help")).stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let listed: Vec<_> = commands.lines().filter_map(|l| l.split_whitespace().next()).collect();
    let mut named: Vec<_> = purposes.iter().filter_map(|(command, _)| command.first()).collect();
    named.dedup();
    assert_eq!(listed[..listed.len() - 1].iter().collect::<Vec<_>>(), named);
}

#[test]
fn wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [&[&str]; 10] = [
        &[],
        &["evil"],
        &["eval"],
        &["eval", "compare", "a"],
        &["eval", "report"],
        &["dataset"],
        &["component", "inspect"],
        &["mcp"],
        &["mcp", "serve"],
        &["doctor", "--evil"],
    ];
    for arguments in cases {
        let ended = run(bare(folder.path()).args(arguments)).with(2).says("Usage: june");
        assert_eq!(ended.stdout, "");
    }
    let ended = run(bare(folder.path()).arg("--version")).with(0);
    assert_eq!(ended.stdout, format!("june {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn doctor() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(june(folder.path()).arg("doctor")).with(0);
    assert!(ended.stdout.starts_with("ok       cache folder"), "{ended}");
    assert!(ended.stdout.contains("ok       python runner            CPython 3."), "{ended}");
    assert_eq!(ended.stderr, "");

    let ended = run(june(folder.path()).args(["doctor", "--json"])).with(0);
    let checks = ended.json();
    let names: Vec<_> =
        checks.as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names[..2], ["cache folder", "python runner"]);
    assert_eq!(
        names[2..],
        [
            "data set humaneval",
            "data set mbpp",
            "data set mbpp-sanitized",
            "GPU",
            "speech to text",
            "text to speech",
            "Telegram",
            "Discord",
        ]
    );
    for (index, check) in checks.as_array().unwrap().iter().enumerate() {
        assert_eq!(check["optional"], index >= 2);
        assert!(check["ok"] == true || index >= 2, "{check}");
    }
    assert_eq!(ended.stderr, "");
}

#[test]
fn dataset_list() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bare(folder.path());
    let list =
        run(command.args(["dataset", "list", "--json"]).env("JUNE_CACHE", "cache")).with(0).json();
    let rows: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["name"], &row["tasks"], &row["here"]))
        .collect();
    let (here, not_here) = (json!(164), json!(false));
    assert_eq!(rows[0], (&json!("humaneval"), &here, &not_here));
    assert_eq!(rows.len(), 3);
    assert!(names(folder.path()).is_empty(), "listing writes nothing");
}

/// A component that imports and exports one empty interface each, byte by byte.
fn tiny_component() -> Vec<u8> {
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id, content.len() as u8][..], content].concat()
    }
    fn named(name: &str, kind: &[u8]) -> Vec<u8> {
        [&[1, 0, name.len() as u8][..], name.as_bytes(), kind].concat()
    }
    [
        b"\0asm\x0d\0\x01\0".to_vec(),
        // A type: an instance that exports nothing. An import of it. An instance like it.
        section(7, &[1, 0x42, 0]),
        section(10, &named("june:agent/tools@0.1.0", &[5, 0])),
        section(5, &[1, 1, 0]),
        section(11, &named("june:agent/program-handler@0.1.0", &[5, 1, 0])),
    ]
    .concat()
}

#[test]
fn component_inspect() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = tiny_component();
    fs::write(folder.path().join("tiny.wasm"), &bytes).unwrap();
    let mut command = bare(folder.path());
    let ended = run(command.args(["component", "inspect", "tiny.wasm", "--json"])).with(0);
    let value = ended.json();
    let digest = value["sha256"].as_str().unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
    assert_eq!(value["bytes"], bytes.len());
    assert_eq!(value["imports"], json!(["june:agent/tools@0.1.0"]));
    assert_eq!(value["exports"], json!(["june:agent/program-handler@0.1.0"]));
    assert_eq!(ended.stderr, "");

    let ended = run(bare(folder.path()).args(["component", "inspect", "tiny.wasm"])).with(0);
    let text = format!(
        "tiny.wasm\n  sha256   {digest}\n  size     {} B\n  exports  june:agent/program-handler@0.1.0\n  imports  june:agent/tools@0.1.0\n",
        bytes.len()
    );
    assert_eq!(ended.stdout, text);
    assert_eq!(ended.stderr, "");

    // A component of somebody else's is no runner.
    fs::rename(folder.path().join("tiny.wasm"), folder.path().join("python.wasm")).unwrap();
    write_samples(folder.path(), "samples.jsonl", cheap_samples(1));
    let mut command = eval(folder.path(), "samples.jsonl");
    command.env("JUNE_CACHE", "cache").env("JUNE_COMPONENTS", ".");
    run(&mut command).with(3).says("june:agent/program-handler@0.1.0 is exported without `run`");
}

#[test]
fn component_inspect_of_the_runner() {
    let folder = tempfile::tempdir().unwrap();
    let runner = std::env::var_os("JUNE_COMPONENTS")
        .map_or_else(|| repository("components/dist"), Into::into);
    let mut command = june(folder.path());
    let value =
        run(command.args(["component", "inspect", "--json"]).arg(runner.join("python.wasm")))
            .with(0)
            .json();
    let exports = value["exports"].as_array().unwrap();
    assert!(exports.contains(&json!("june:agent/program-handler@0.1.0")), "{value:#}");
    let imports: Vec<_> =
        value["imports"].as_array().unwrap().iter().map(|i| i.as_str().unwrap()).collect();
    assert!(!imports.is_empty());
    assert!(
        imports
            .iter()
            .all(|import| import.starts_with("wasi:") || import.starts_with("june:agent/")),
        "{imports:#?}"
    );
}

#[test]
fn what_is_no_component_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text.wasm"), "hello\n").unwrap();
    fs::write(folder.path().join("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    for name in ["text.wasm", "module.wasm"] {
        let ended = run(bare(folder.path()).args(["component", "inspect", name])).with(2);
        let ended = ended.says(&format!("june: {name} is not a component: "));
        assert_eq!(ended.stdout, "");
    }
    let ended = run(bare(folder.path()).args(["component", "inspect", "none.wasm"])).with(2);
    let ended = ended.says("june: cannot read none.wasm: ");
    // The system's reason is given once.
    assert_eq!(ended.stderr.matches("No such file").count(), 1, "{ended}");
}

#[test]
fn results_are_on_standard_output_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_samples(path, "samples.jsonl", cheap_samples(20));
    let ended = run(eval(path, "samples.jsonl").args(["--output", "a", "-k", "1,5,20,21"])).with(0);
    assert_eq!(ended.stderr, "");
    assert!(
        ended.stdout.starts_with(
            "tasks: 8 of 20 samples passed (1 tasks)\n  pass@1        0.4000  (95 % interval "
        ),
        "{ended}"
    );
    assert!(ended.stdout.contains("  pass@20       1.0000"), "{ended}");
    assert!(!ended.stdout.contains("pass@21"), "{ended}");
    assert!(!ended.stdout.contains('\u{1b}'), "{ended}");

    let ended = run(eval(path, "samples.jsonl").args(["--output", "b", "--json"])).with(0);
    assert_eq!(ended.stderr, "");
    let summary = ended.json();
    let written: Value =
        serde_json::from_slice(&fs::read(path.join("b/summary.json")).unwrap()).unwrap();
    assert_eq!(summary, written);
    assert_eq!(summary["samples"], 20);
    assert_eq!(summary["passed"], 8);
    assert_eq!(summary["verdicts"], json!({"exited": 4, "failed": 4, "passed": 8, "raised": 4}));
    assert_eq!(
        names(&path.join("b")),
        ["records.jsonl", "report.html", "results.jsonl", "run.json", "summary.json"]
    );

    // Without --output, a new folder in runs/, named in the table.
    let ended = run(&mut eval(path, "samples.jsonl")).with(0);
    let runs = names(&path.join("runs"));
    assert_eq!(runs.len(), 1);
    assert!(runs[0].starts_with("tasks-samples-"), "{runs:?}");
    assert!(ended.stdout.contains(&format!("runs/{}", runs[0])), "{ended}");
}

/// As in `june … | head -0`.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = june(folder.path());
    let mut child =
        command.arg("doctor").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
