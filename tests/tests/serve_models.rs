//! Models over the API of `june serve`: what each is doing, and loading and unloading them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use june_tests::server::{Server, configure, serve, token};
use june_tests::{PythonServer, fixture, python, triton};
use serde_json::{Value, json};

/// A server whose models are these, and the token of somebody who may do everything.
fn start(folder: &Path, tables: &str, command: &mut Command) -> (Server, String) {
    configure(folder, &format!("rate = 10000\nagents = []\n[chats]\nagents = []\n{tables}"));
    (Server::start(command), token(folder, "admin", &["admin"]))
}

/// The model of this name, as it is shown.
#[track_caller]
fn shown(server: &Server, token: &str, name: &str) -> Value {
    let models = server.get("/api/models", token).with(200).json();
    let found = models["models"].as_array().unwrap().iter().find(|model| model["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {models}")).clone()
}

/// Tells a model to `load` or to `unload`: the status, and the answer.
fn tell(server: &Server, token: &str, name: &str, what: &str) -> (u16, Value) {
    let path = format!("/api/models/{}/{what}", name.replace('/', "%2F"));
    let answer = server.post(&path, token, &json!({}));
    (answer.status, answer.json())
}

#[test]
fn servers_that_are_away_keep_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let tables = format!(
        "[model.gone]\nbackend = \"openai\"\nurl = \"http://127.0.0.1:1/v1\"\n\
         [model.silent]\nbackend = \"openai\"\nurl = \"http://{silent}/v1\"\n\
         [model.triton-gone]\nbackend = \"triton\"\nurl = \"http://127.0.0.1:1\"\n\
         [model.triton-silent]\nbackend = \"triton\"\nurl = \"http://{silent}\"\n\
         [model.told]\nbackend = \"scripted\"\nfile = \"answers.toml\"\n"
    );
    let (server, token) = start(folder.path(), &tables, &mut serve(folder.path()));
    // The servers' own deadlines are ten seconds, and five minutes.
    let begun = Instant::now();
    let models = server.get("/api/models", &token).with(200).json();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let of = |name: &str| {
        let all = models["models"].as_array().unwrap();
        let model = all.iter().find(|model| model["name"] == name).unwrap();
        (model["state"].clone(), model["loadable"].clone(), model["reason"].to_string())
    };
    for (name, loadable) in
        [("gone", false), ("silent", false), ("triton-gone", true), ("triton-silent", true)]
    {
        let (state, can, reason) = of(name);
        assert_eq!((state, can), (json!("unknown"), json!(loadable)), "{name}: {reason}");
        assert!(!reason.contains("hint") && reason.len() > 10, "{name}: {reason}");
    }
    assert_eq!(of("told"), (json!("ready"), json!(false), "\"\"".into()));

    assert_eq!(tell(&server, &token, "nothing", "load").0, 404);
    assert_eq!(tell(&server, &token, "a/b", "unload").0, 404);
    let (status, refused) = tell(&server, &token, "told", "load");
    assert_eq!(status, 409, "{refused}");
    let (status, refused) = tell(&server, &token, "triton-gone", "load");
    assert_eq!(status, 502, "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("8000"), "{refused}");
}

#[test]
fn a_file_is_loaded_and_unloaded() {
    let test = "a_file_is_loaded_and_unloaded";
    let Some(file) = fixture(test, "fixtures/llm/toolcaller-f32.gguf") else { return };
    let Some(experts) = fixture(test, "fixtures/llm/moe-f32.gguf") else { return };
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    fs::create_dir_all(cache.join("models")).unwrap();
    fs::copy(file, cache.join("models/tiny.gguf")).unwrap();
    let moe = format!("[model.moe]\nbackend = \"local\"\nfile = \"{}\"\n", experts.display());
    let mut command = serve(folder.path());
    let (server, token) = start(folder.path(), &moe, command.env("JUNE_CACHE", &cache));

    let tiny = shown(&server, &token, "tiny");
    assert_eq!((&tiny["backend"], &tiny["state"]), (&json!("file"), &json!("available")), "{tiny}");
    assert!(tiny["bytes"].as_u64().unwrap() > 0 && tiny["loadable"] == true, "{tiny}");
    for (what, state) in
        [("load", "ready"), ("load", "ready"), ("unload", "available"), ("unload", "available")]
    {
        let (status, answer) = tell(&server, &token, "tiny", what);
        assert_eq!((status, &answer["model"]["state"]), (200, &json!(state)), "{what}: {answer}");
        assert_eq!(shown(&server, &token, "tiny")["state"], state);
    }
    let moe = shown(&server, &token, "moe");
    assert_eq!(moe["state"], "unavailable", "{moe}");
    assert!(moe["reason"].as_str().unwrap().contains("mixture of experts"), "{moe}");
    let (status, refused) = tell(&server, &token, "moe", "load");
    assert_eq!(status, 409, "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("gpu"), "{refused}");
}

#[test]
fn a_server_says_what_it_has() {
    let test = "a_server_says_what_it_has";
    let Some(python) = python(test, "JUNE_TEST_PYTHON", "xllamacpp") else { return };
    let Some(model) = fixture(test, "fixtures/llm/toolcaller-f32.gguf") else { return };
    let llama = PythonServer::start(python, "host/models/tests/llama_server.py", [model]);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}/v1", llama.port);
    let table = format!("[model.tiny]\nbackend = \"openai\"\nurl = \"{url}\"\n");
    let (server, token) = start(folder.path(), &table, &mut serve(folder.path()));
    let tiny = shown(&server, &token, "tiny");
    assert_eq!((&tiny["state"], &tiny["at"]), (&json!("ready"), &json!(url)), "{tiny}");
}

#[test]
fn triton_is_told_what_to_load() {
    let test = "triton_is_told_what_to_load";
    let folder = tempfile::tempdir().unwrap();
    let Some(triton) = triton(test, folder.path()) else { return };
    let tables: String = [("mine", "silent"), ("broken", "broken"), ("none", "none")]
        .iter()
        .map(|(name, model)| {
            format!(
                "[model.{name}]\nbackend = \"triton\"\nmodel = \"{model}\"\n\
                 url = \"http://127.0.0.1:{}\"\n",
                triton.port
            )
        })
        .collect();
    let (server, token) = start(folder.path(), &tables, &mut serve(folder.path()));
    assert_eq!(shown(&server, &token, "mine")["state"], "available");
    assert_eq!(shown(&server, &token, "none")["state"], "unavailable");
    for (what, state) in [("load", "ready"), ("unload", "available"), ("load", "ready")] {
        let (status, answer) = tell(&server, &token, "mine", what);
        assert_eq!((status, &answer["model"]["state"]), (200, &json!(state)), "{what}: {answer}");
        assert_eq!(shown(&server, &token, "mine")["state"], state);
    }
    let (status, refused) = tell(&server, &token, "broken", "load");
    assert_eq!(status, 502, "{refused}");
    assert!(refused["error"].as_str().unwrap().contains("there are no weights"), "{refused}");
    let broken = shown(&server, &token, "broken");
    assert_eq!(broken["state"], "unavailable", "{broken}");
    assert!(broken["reason"].as_str().unwrap().contains("there are no weights"), "{broken}");
    assert_eq!(tell(&server, &token, "none", "load").0, 502);
}
