//! Models of this machine: fetched, listed, measured, and asked by agents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;

use june_tests::{PythonServer, bare, fixture, python, repository, run, triton};

/// June with a cache and a journal of its own.
fn june(folder: &Path) -> Command {
    let mut command = bare(folder);
    command.env("JUNE_CACHE", folder.join("cache")).env("JUNE_JOURNAL", folder.join("journal"));
    command
}

/// Puts the tiny model that calls a tool where pulled models are.
fn with_tiny(folder: &Path, test: &str) -> bool {
    let Some(file) = fixture(test, "fixtures/llm/toolcaller-f32.gguf") else { return false };
    fs::create_dir_all(folder.join("cache/models")).unwrap();
    fs::copy(file, folder.join("cache/models/tiny.gguf")).unwrap();
    true
}

#[test]
fn a_pulled_model_is_asked_where_no_other_is_described() {
    let test = "a_pulled_model_is_asked_where_no_other_is_described";
    let folder = tempfile::tempdir().unwrap();
    if !with_tiny(folder.path(), test) {
        return;
    }
    let components = repository("components/dist/tests/weather.wasm");
    let config = format!(
        "[agent.weather]\nstrategy = \"deliberate\"\ntools = [\"get_weather\"]\n\
         limits = {{ wall = \"2m\" }}\n[tool.get_weather]\ncomponent = \"{}\"\n",
        components.display()
    );
    fs::write(folder.path().join("june.toml"), config).unwrap();
    let ended = run(june(folder.path()).args(["run", "weather", "weather in Oslo"])).with(0);
    assert!(ended.stderr.contains("← get_weather: 7 degrees and rain"), "{ended}");
    assert!(ended.stdout.contains("the lazy dog answers the user."), "{ended}");

    fs::remove_dir_all(folder.path().join("cache/models")).unwrap();
    let mut replay = june(folder.path());
    replay.env("JUNE_COMPONENTS", components.parent().unwrap());
    let ended = run(replay.args(["journal", "replay", "--all"])).with(0);
    assert!(ended.stdout.contains(" 0 diverged, 0 could not be replayed"), "{ended}");
    let ended = run(june(folder.path()).args(["run", "weather", "x"])).with(2);
    assert!(ended.stderr.contains("june model pull qwen3-0.6b"), "{ended}");
}

#[test]
fn models_are_listed_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    if !with_tiny(folder.path(), "models_are_listed_and_measured") {
        return;
    }
    let table = "[model.small]\nbackend = \"local\"\nfile = \"tiny\"\ncontext = 512\n\
                 [model.gone]\nbackend = \"openai\"\nurl = \"http://127.0.0.1:1/v1\"\n";
    fs::write(folder.path().join("june.toml"), table).unwrap();
    let ended = run(june(folder.path()).args(["model", "list", "--json"])).with(0);
    let rows: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let names: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row["model"]).collect();
    assert_eq!(names, ["gone", "small", "tiny"]);

    let mut bench = june(folder.path());
    bench.args(["model", "bench", "small", "--users", "1,2", "--prompts", "200", "--tokens", "4"]);
    let ended = run(bench.args(["--rounds", "1", "--plot", "b.svg", "--json"])).with(0);
    let measured: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let rows = measured["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["first_p50"].as_f64().unwrap() > 0.0), "{ended}");
    assert!(fs::read_to_string(folder.path().join("b.svg")).unwrap().contains("<polyline"));

    let ended = run(june(folder.path()).args(["model", "bench", "gone"])).with(3);
    assert!(
        ended.stderr.contains("cannot be reached") && ended.stderr.contains("hint: "),
        "{ended}"
    );
    run(june(folder.path()).args(["model", "bench", "nothing"])).with(2).says("june model list");
}

#[test]
fn what_cannot_run_here_is_refused_before_it_is_loaded() {
    let test = "what_cannot_run_here_is_refused_before_it_is_loaded";
    let Some(file) = fixture(test, "fixtures/llm/moe-f32.gguf") else { return };
    let folder = tempfile::tempdir().unwrap();
    let table = format!("[model.moe]\nbackend = \"local\"\nfile = \"{}\"\n", file.display());
    fs::write(folder.path().join("june.toml"), table).unwrap();
    let ended = run(june(folder.path()).args(["model", "verify", "moe"])).with(1);
    assert!(
        ended.stdout.contains("WRONG") && ended.stdout.contains("mixture of experts"),
        "{ended}"
    );
}

/// A double of a hub, which has one file.
fn hub(content: &'static [u8], sha256: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let size = content.len();
            let named = format!("x-linked-size: {size}\r\nx-linked-etag: \"{sha256}\"\r\n");
            let reply = match head.split(' ').take(2).collect::<Vec<_>>()[..] {
                ["HEAD", "/a/b/resolve/main/m.gguf"] => format!("HTTP/1.1 200 OK\r\n{named}\r\n"),
                ["GET", "/a/b/resolve/main/m.gguf"] => {
                    format!(
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n"
                    )
                }
                _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".into(),
            };
            stream.write_all(reply.as_bytes()).unwrap();
            if head.starts_with("GET /a/b/resolve") {
                stream.write_all(content).unwrap();
            }
        }
    });
    address
}

#[test]
fn a_model_is_pulled_once() {
    let folder = tempfile::tempdir().unwrap();
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let address = hub(b"hello", sha256);
    let pull = |name: &str| {
        let mut command = june(folder.path());
        command.env("HF_ENDPOINT", &address).args(["model", "pull", name]);
        command
    };
    let place = folder.path().join("cache/models/m.gguf");
    run(&mut pull("a/b/m.gguf")).with(0);
    assert_eq!(fs::read(&place).unwrap(), b"hello");
    run(&mut pull("a/b/m.gguf")).with(0).says("is here already");
    run(&mut pull("a/b/n.gguf")).with(3).says("there is no a/b/n.gguf");
    run(&mut pull("gpt-5")).with(2).says("June knows qwen3-0.6b");

    let other = hub(b"hellO", sha256);
    fs::remove_file(&place).unwrap();
    let mut command = june(folder.path());
    command.env("HF_ENDPOINT", other).args(["model", "pull", "a/b/m.gguf"]);
    run(&mut command).with(3).says("its SHA-256 is");
    assert!(!place.exists());
}

#[test]
fn a_servers_model_is_verified_by_what_the_server_tells() {
    let test = "a_servers_model_is_verified_by_what_the_server_tells";
    let Some(python) = python(test, "JUNE_TEST_PYTHON", "xllamacpp") else { return };
    let Some(model) = fixture(test, "fixtures/llm/toolcaller-f32.gguf") else { return };
    let server = PythonServer::start(python, "host/models/tests/llama_server.py", [model]);
    let folder = tempfile::tempdir().unwrap();
    let verify = |context: u32| {
        let config = format!(
            "[model.tiny]\nbackend = \"openai\"\nurl = \"http://127.0.0.1:{}/v1\"\n\
             context = {context}\n",
            server.port
        );
        fs::write(folder.path().join("june.toml"), config).unwrap();
        run(june(folder.path()).args(["model", "verify", "tiny"])).with(1)
    };
    // The tiny model cannot count; all else is as it should be.
    let small = verify(512);
    assert!(small.stdout.contains("ok     weights all F32, 32.0 bits each"), "{small}");
    assert!(small.stdout.contains("ok     context 1024 tokens, 512 are used"), "{small}");
    assert!(small.stdout.contains("WRONG  answer"), "{small}");
    let large = verify(4096);
    assert!(large.stdout.contains("WRONG  context 1024 tokens, and june.toml says"), "{large}");
    assert!(!large.stdout.contains("answer"), "{large}");
}

#[test]
fn a_triton_server_is_told_what_to_load() {
    let test = "a_triton_server_is_told_what_to_load";
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = triton(test, folder.path()) else { return };
    let address = format!("http://127.0.0.1:{}", server.port);
    let ask = |arguments: &[&str]| {
        let mut command = june(folder.path());
        run(command.arg("model").args(arguments).args(["--server", &address]))
    };
    ask(&["ready", "silent"]).with(1);
    ask(&["load", "silent"]).with(0);
    ask(&["ready", "silent"]).with(0);
    assert!(ask(&["status", "silent"]).with(0).stdout.contains("ready"));
    ask(&["load", "broken"]).with(3).says("there are no weights");
    ask(&["load", "none"]).with(3).says("none");
    assert!(ask(&["list"]).with(0).stdout.contains("silent  1  ready"));
    ask(&["unload", "silent"]).with(0);
    ask(&["ready", "silent"]).with(1);
}
