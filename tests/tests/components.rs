//! `june component`: a project from its first file to its first answer; components that do not fit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use june_tests::{Ended, june, names, repository, run};
use serde_json::{Value, json};

/// A folder of this name that is empty, and the same in every run: cargo knows what it built there.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("components").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// `june component`, with the user's own tools.
fn component(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = june(folder);
    if let Some(home) = env::var_os("HOME") {
        command.env("HOME", home);
    }
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests"));
    command.arg("component").args(arguments);
    command
}

/// A new project, in Rust with the versions of crates that this workspace has.
fn new(folder: &Path, kind: &str, name: &str, language: &str) {
    run(&mut component(folder, &["new", kind, name, "--lang", language])).with(0);
    if language == "rust" {
        fs::copy(repository("Cargo.lock"), folder.join(name).join("Cargo.lock")).unwrap();
    }
}

/// A component that `make components` built.
fn built(name: &str) -> PathBuf {
    let folder =
        env::var_os("JUNE_COMPONENTS").map_or_else(|| repository("components/dist"), Into::into);
    folder.join(name)
}

/// Replaces text in a file.
fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{file:?} has no {from}");
    fs::write(file, text.replace(from, to)).unwrap();
}

/// Copies a component, with names replaced by others of the same length.
fn rename(component: &Path, to: &Path, names: &[(&str, &str)]) {
    let mut bytes = fs::read(component).unwrap();
    for (name, other) in names {
        assert_eq!(name.len(), other.len());
        let mut found = false;
        for place in 0..=bytes.len() - name.len() {
            if bytes[place..].starts_with(name.as_bytes()) {
                bytes[place..place + name.len()].copy_from_slice(other.as_bytes());
                found = true;
            }
        }
        assert!(found, "{component:?} has no {name}");
    }
    fs::write(to, bytes).unwrap();
}

const SCRIPT: &str = r#"
[[answer]]
when = { text = "7 * 6" }
text = "Let me see. "
calls = [{ name = "calculator", arguments = { expression = "7 * 6" } }]

[[answer]]
when = { result = "42" }
text = "It is 42."

[[answer]]
when = { text = "fail" }
error = { unavailable = "the model is asleep" }
"#;

/// Checks and tries a strategy that was made from a template.
fn is_a_strategy(folder: &Path, file: &str) {
    let checked = run(&mut component(folder, &["check", file, "--json"])).with(0);
    assert_eq!(checked.stderr, "");
    let value = checked.json();
    assert_eq!((&value["world"], &value["fits"]), (&json!("strategy"), &json!(true)));
    assert_eq!(value["problems"], json!([]));
    let imports = value["imports"].as_array().unwrap();
    let llm = imports.iter().find(|import| import["name"] == "june:agent/llm").unwrap();
    assert_eq!((&llm["found"], &llm["offered"]), (&json!("0.1.0"), &json!("0.1.0")));

    let tried = run(&mut component(folder, &["try", file])).with(0);
    let tried = tried.says("no --script, so the model is June's default script");
    assert!(tried.stdout.starts_with("This is June's default script"), "{tried}");
    assert!(tried.stderr.contains("1 answers of the model"), "{tried}");

    fs::write(folder.join("script.toml"), SCRIPT).unwrap();
    let calculator = built("tools/calculator.wasm").canonicalize().unwrap();
    let with = |request: &str| {
        let mut command = component(folder, &["try", file, request, "--script", "script.toml"]);
        command.arg("--tool").arg(&calculator);
        command
    };
    let tried = run(with("What is 7 * 6?").arg("--json")).with(0);
    assert_eq!(tried.stderr, "");
    let value = tried.json();
    let answer = value["answer"].as_str().unwrap();
    assert!(answer.starts_with("Let me see. ") && answer.ends_with("It is 42."), "{answer}");
    let steps = value["steps"].as_array().unwrap();
    let has = |key: &str| steps.iter().find(|step| step[key] == "calculator");
    assert_eq!(has("called").unwrap()["arguments"], r#"{"expression":"7 * 6"}"#);
    assert_eq!(has("answered").unwrap()["text"], "42");
    assert_eq!((&value["spent"]["tools"], &value["spent"]["rounds"]), (&json!(1), &json!(2)));
    assert!(value["fuel"].as_u64().unwrap() > 1_000 && value["peak_memory"].as_u64().unwrap() > 0);

    let failed = run(&mut with("Please fail")).with(1).says("the model is asleep");
    assert_eq!(failed.stdout, "");
    assert!(!folder.join("journal").exists(), "nothing is recorded unless it is asked for");
    run(with("What is 7 * 6?").args(["--journal", "journal"])).with(0).says("run 0: fuel");
    let runs = run(june(folder).args(["journal", "list", "--json"])).with(0).stdout;
    assert!(runs.contains("\"try\"") && runs.contains("\"calculator\""), "{runs}");
    fs::remove_dir_all(folder.join("journal")).unwrap();

    // By its path it is an agent, too.
    let path = format!("./{file}");
    let mut agent = june(folder);
    agent.args(["run", &path, "Please fail", "--script", "script.toml", "--no-journal"]);
    run(&mut agent).with(1).says("the model is asleep");
}

/// Checks and tries a tool that was made from a template.
fn is_a_tool(folder: &Path, file: &str, name: &str) {
    let value = run(&mut component(folder, &["check", file, "--json"])).with(0).json();
    assert_eq!((&value["world"], &value["fits"]), (&json!("tool"), &json!(true)));
    assert_eq!(value["tool"]["name"], name);
    let text = run(&mut component(folder, &["check", file])).with(0).stdout;
    assert!(text.starts_with(&format!("{file} fits the world tool\n")), "{text}");
    assert!(text.contains(&format!("  tool     {name}: Counts the words of a text.\n")), "{text}");

    let five = r#"{"text": "How many words are these?"}"#;
    let tried = run(&mut component(folder, &["try", file, five])).with(0).says("fuel ");
    assert_eq!(tried.stdout, "5 words\n");
    let none = r#"{"text": " "}"#;
    run(&mut component(folder, &["try", file, none])).with(1).says("no words in the text");
    let value = run(&mut component(folder, &["try", file, none, "--json"])).with(1).json();
    assert_eq!(value["answer"], Value::Null);
    assert_eq!(value["error"], "the tool failed: there are no words in the text");
    for wrong in ["[]", "{", "{}", r#"{"text": 7}"#] {
        let refused = run(&mut component(folder, &["try", file, wrong])).with(2);
        refused.says("does not take this: ").says("hint: its schema is {");
    }
    run(&mut component(folder, &["try", file, five, "--script", "x"])).with(2).says("is a tool");
}

#[test]
fn a_strategy_in_rust() {
    let folder = folder("rust-strategy");
    new(&folder, "strategy", "helper", "rust");
    let made = run(&mut component(&folder, &["build", "helper"])).with(0);
    assert!(made.stdout.starts_with("helper/helper.wasm  "), "{made}");
    assert_eq!(made.stderr, "june: building helper (Rust)\n");
    is_a_strategy(&folder, "helper/helper.wasm");

    // A project that does not compile leaves the component as it was.
    let code = folder.join("helper/src/lib.rs");
    let before = fs::read(folder.join("helper/helper.wasm")).unwrap();
    edit(&code, "ROUNDS, reply", "RUNDS, reply");
    let broken = run(&mut component(&folder, &["build", "helper"])).with(2);
    broken.says("cannot find value `RUNDS`").says("june: cargo could not build helper");
    assert_eq!(fs::read(folder.join("helper/helper.wasm")).unwrap(), before);

    // A function of another type than June's: told at the check as when it is loaded.
    edit(
        &folder.join("helper/sdk/wit/memory.wit"),
        "delete: func(name: string) -> result<bool, memory-error>",
        "delete: func(name: string) -> result<u32, memory-error>",
    );
    fs::write(
        &code,
        "use june_sdk::{Strategy, StrategyError, Turn, memory, strategy};\n\
         struct Component;\n\
         impl Strategy for Component {\n\
         fn respond(_: Turn) -> Result<String, StrategyError> {\n\
         Ok(format!(\"{:?}\", memory::delete(\"x\")))\n\
         }\n\
         }\n\
         strategy!(Component);\n",
    )
    .unwrap();
    let output = ["build", "helper", "--output", "components/strategies/other.wasm", "--json"];
    let value = run(&mut component(&folder, &output)).with(0).json();
    assert_eq!((&value["name"], &value["language"]), (&json!("helper"), &json!("rust")));
    let file = "components/strategies/other.wasm";
    let checked = run(&mut component(&folder, &["check", file])).with(1);
    let told = "`delete` has the wrong type: ";
    let hint = "hint: rebuild it with the wit of this June";
    assert!(checked.stdout.contains(told) && checked.stdout.contains(hint), "{checked}");
    run(&mut component(&folder, &["try", file])).with(2).says(told).says(hint);
    let mut agent = june(&folder);
    agent.args(["run", "other", "x", "--script", "script.toml", "--no-journal"]);
    run(&mut agent).with(2).says(told).says(hint);
}

#[test]
fn a_tool_in_rust() {
    let folder = folder("rust-tool");
    new(&folder, "tool", "word_count-2", "rust");
    // In the project's own folder, as a person would.
    let project = folder.join("word_count-2");
    let made = run(component(&folder, &["build"]).current_dir(&project)).with(0);
    assert!(made.stdout.starts_with("./word_count-2.wasm  "), "{made}");
    is_a_tool(&project, "word_count-2.wasm", "word_count-2");

    let code = project.join("src/lib.rs");
    edit(&code, "NAME: &str = \"word_count-2\"", "NAME: &str = \"Word Count\"");
    edit(&code, "\"Counts the words of a text.\"", "\" \"");
    edit(&code, "type Arguments = Request", "type Arguments = String");
    edit(&code, "fn call(request: Request)", "fn call(request: String)");
    edit(&code, "match request.text", "match request");
    run(&mut component(&folder, &["build", "word_count-2"])).with(0);
    let arguments = ["check", "word_count-2/word_count-2.wasm", "--json"];
    let value = run(&mut component(&folder, &arguments)).with(1).json();
    let problems: Vec<_> =
        value["problems"].as_array().unwrap().iter().map(|p| p["why"].as_str().unwrap()).collect();
    assert_eq!(
        problems,
        [
            "`Word Count` cannot be a tool's name",
            "the tool has no description",
            "the schema of its arguments is not that of an object",
        ]
    );
    assert!(value["exports"].as_array().unwrap().iter().all(|item| item["misfit"].is_null()));
}

/// Whether what builds components in this language is installed. Where it is not, says so.
fn has(test: &str, what: &str) -> bool {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("JUNE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("june")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/june")));
    let made = cache.and_then(|cache| fs::read_dir(cache.join(what)).ok()).is_some_and(|folder| {
        let paths = folder.flatten().map(|entry| entry.path());
        let mut done = paths.filter(|path| path.join("done").is_file());
        done.any(|path| what != "python" || path.to_string_lossy().contains("/componentize-"))
    });
    if !made {
        eprintln!("SKIPPED {test}: what builds {what} is not in June's cache: `make components`");
    }
    made
}

/// `june component build`, with the tools that `make components` installed.
fn build(folder: &Path, project: &str) -> Ended {
    run(with_tools(&mut component(folder, &["build", project])))
}

fn with_tools(command: &mut Command) -> &mut Command {
    for name in ["JUNE_CACHE", "XDG_CACHE_HOME"] {
        match env::var_os(name) {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[test]
fn a_strategy_in_python() {
    if !has("a_strategy_in_python", "python") {
        return;
    }
    let folder = folder("python");
    new(&folder, "strategy", "helper", "python");
    assert!(build(&folder, "helper").with(0).stdout.starts_with("helper/helper.wasm  "));
    is_a_strategy(&folder, "helper/helper.wasm");

    let code = folder.join("helper/app.py");
    edit(&code, "from wit_world.imports import llm", "from wit_world.imports import lll");
    let broken = build(&folder, "helper").with(2);
    broken.says("componentize-py failed").says("lll").says("hint: app.py is run once");
    edit(&code, "class TurnHandler", "class Handler");
    build(&folder, "helper").with(2).says("does not tell the component's world").says("--world");
    fs::remove_dir_all(folder.join("helper/wit")).unwrap();
    let mut command = component(&folder, &["build", "helper", "--world", "strategy"]);
    run(with_tools(&mut command)).with(2).says("helper has no folder wit");
}

#[test]
fn a_tool_in_javascript() {
    if !has("a_tool_in_javascript", "javascript") {
        return;
    }
    let folder = folder("javascript");
    new(&folder, "tool", "words", "js");
    assert!(build(&folder, "words").with(0).stdout.starts_with("words/words.wasm  "));
    is_a_tool(&folder, "words/words.wasm", "words");

    edit(&folder.join("words/component.js"), "const parameters = {", "const parameters = {{");
    let broken = build(&folder, "words").with(2);
    broken.says("componentize-js failed").says("hint: component.js has to");
}

#[test]
fn what_does_not_fit_is_named_with_what_to_do() {
    let folder = folder("misfits");
    let strategy = built("strategies/direct.wasm");
    let rebuild = "rebuild it with the wit of this June, which `june component new` writes";
    let cases = [
        (
            "june:agent/llm@0.1.0",
            "june:agent/llm@0.2.0",
            "june:agent/llm@0.2.0 is imported, and June offers 0.1.0",
            rebuild,
        ),
        (
            "june:agent/llm",
            "june:agent/mll",
            "june:agent/mll@0.1.0 is imported, which no world has",
            "import only what the world `strategy` names",
        ),
        (
            "token-stream.next",
            "token-stream.last",
            "`[method]token-stream.last` of june:agent/llm@0.1.0 is imported, which June does not have",
            rebuild,
        ),
        (
            "wasi:cli/exit",
            "wasi:cli/quit",
            "wasi:cli/quit@0.2.6 is imported, which June does not have",
            "do without it",
        ),
        (
            "wasi:cli/exit@0.2.6",
            "wasi:cli/exit@0.3.6",
            "wasi:cli/exit@0.3.6 is imported, and June offers WASI 0.2",
            "rebuild it for WASI 0.2",
        ),
        (
            "turn-handler@0.1.0",
            "turn-handler@1.0.0",
            "june:agent/turn-handler@1.0.0 is exported, and June asks for 0.1.0",
            rebuild,
        ),
        (
            "respond",
            "retorts",
            "june:agent/turn-handler@0.1.0 is exported without `respond`",
            rebuild,
        ),
        (
            "turn-handler",
            "tool-handler",
            "june:agent/llm@0.1.0 is imported, which only a strategy may",
            "do without it",
        ),
    ];
    for (from, to, why, fix) in cases {
        let file = folder.join("misfit.wasm");
        rename(&strategy, &file, &[(from, to)]);
        let checked = run(&mut component(&folder, &["check", "misfit.wasm"])).with(1);
        assert!(checked.stdout.starts_with("misfit.wasm does not fit the world "), "{checked}");
        assert!(checked.stdout.contains(" MISFIT  "), "{checked}");
        assert!(checked.stdout.contains(&format!("\n{why}\n")), "{why}: {checked}");
        assert!(checked.stdout.contains(&format!("\nhint: {fix}")), "{checked}");
        let value =
            run(&mut component(&folder, &["check", "misfit.wasm", "--json"])).with(1).json();
        assert_eq!(value["fits"], false);
        let problems = value["problems"].as_array().unwrap();
        assert!(problems.iter().any(|problem| problem["why"] == why), "{value:#}");
        // Loading it says the same.
        run(&mut component(&folder, &["try", "misfit.wasm"])).with(2).says(why).says(fix);
    }

    // What is compatible fits.
    rename(&strategy, &folder.join("later.wasm"), &[("@0.1.0", "@0.1.9"), ("@0.2.6", "@0.2.9")]);
    run(&mut component(&folder, &["check", "later.wasm"])).with(0);
    run(&mut component(&folder, &["try", "later.wasm"])).with(0);

    // One that is for another world, or for none.
    fs::copy(&strategy, folder.join("direct.wasm")).unwrap();
    let checked =
        run(&mut component(&folder, &["check", "direct.wasm", "--world", "tool"])).with(1);
    assert!(
        checked.stdout.contains(
            "june:agent/tool-handler is not exported, which a tool has to\nhint: it is a strategy"
        ),
        "{checked}"
    );
    rename(&strategy, &folder.join("none.wasm"), &[("agent/turn-handler", "other/turn-handler")]);
    let checked = run(&mut component(&folder, &["check", "none.wasm"])).with(1);
    assert!(checked.stdout.starts_with("none.wasm does not fit any world\n"), "{checked}");
    run(&mut component(&folder, &["try", "none.wasm"])).with(2).says("none.wasm is for no world");

    fs::write(folder.join("text.wasm"), "hello").unwrap();
    for verb in ["check", "try"] {
        let refused = run(&mut component(&folder, &[verb, "text.wasm"])).with(2);
        refused.says("june: text.wasm is not a component: ");
        run(&mut component(&folder, &[verb, "absent.wasm"]))
            .with(2)
            .says("cannot read absent.wasm");
    }
    run(&mut component(&folder, &["check", "direct.wasm", "--world", "room"]))
        .with(2)
        .says("the worlds are strategy, tool and runner");
}

#[test]
fn names_and_places_of_new_projects() {
    let folder = folder("names");
    for name in ["", "Helper", "2b", "a b", "a/b", "..", "ä", "a\u{1b}[31m", "june-sdk"] {
        let arguments = ["new", "tool", name, "--lang", "python"];
        let refused = run(&mut component(&folder, &arguments)).with(2).says("hint: ");
        assert!(!refused.stderr.contains('\u{1b}'), "{refused}");
    }
    for arguments in [
        &["new", "tool", "a"][..],
        &["new", "runner", "a", "--lang", "python"],
        &["new", "tool", "a", "--lang", "cobol"],
        &["new", "tool", "-a", "--lang", "python"],
    ] {
        run(&mut component(&folder, arguments)).with(2);
    }
    assert!(names(&folder).is_empty(), "{:?}", names(&folder));

    let arguments = ["new", "tool", "a", "--lang", "js", "--in", "x/y", "--json"];
    let value = run(&mut component(&folder, &arguments)).with(0).json();
    assert_eq!((&value["folder"], &value["world"]), (&json!("x/y/a"), &json!("tool")));
    assert_eq!(names(&folder.join("x/y")), ["a"]);
    let files = value["files"].as_array().unwrap();
    assert!(files.contains(&json!("component.js")) && files.contains(&json!("wit/tools.wit")));
    assert!(files.iter().all(|file| folder.join("x/y/a").join(file.as_str().unwrap()).is_file()));

    fs::write(folder.join("x/y/a/mine"), "kept").unwrap();
    run(&mut component(&folder, &arguments)).with(2).says("x/y/a is there already");
    assert_eq!(fs::read(folder.join("x/y/a/mine")).unwrap(), b"kept");
    let arguments = ["new", "tool", "mine", "--lang", "js", "--in", "x/y/a"];
    run(&mut component(&folder, &arguments)).with(2).says("x/y/a/mine is there already");
}

#[test]
fn what_is_missing_for_a_build_is_named() {
    let folder = folder("missing");
    run(&mut component(&folder, &["build"])).with(2).says("is no project of a component");
    run(&mut component(&folder, &["build", "absent"]))
        .with(2)
        .says("`june component new` makes one");
    for (language, said) in [
        ("rust", "cannot run rustc\nhint: install Rust with rustup"),
        ("python", "cannot run python3\nhint: install Python"),
        ("js", "cannot run npm\nhint: install Node.js"),
    ] {
        new(&folder, "tool", language, language);
        let mut command = component(&folder, &["build", language]);
        command.env("PATH", &folder).env("JUNE_CACHE", folder.join("cache"));
        let refused = run(&mut command).with(3);
        let told = refused.stderr.replace(": No such file or directory (os error 2)", "");
        assert!(told.contains(said), "{refused}");
    }
    // What was not made to its end is not used: the next build begins anew.
    assert!(
        !folder.join("cache/python").read_dir().unwrap().any(|e| e
            .unwrap()
            .path()
            .join("done")
            .exists())
    );
}
