//! `/v1` of `june serve`: agents, as OpenAI's clients ask models.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use june_tests::openai::{HELPER, Stream, ask, configure, message, runs, start, stock};
use june_tests::server::{Server, serve, token};
use june_tests::{june, read_body, run};
use serde_json::{Value, json};

#[test]
fn an_agent_answers_and_its_run_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "agents = [\"direct\", \"helper\"]", HELPER);
    let server = start(folder);
    let token = token(folder, "ada", &["talk"]);
    let models = server.get("/v1/models", &token).with(200).json();
    let names: Vec<&Value> =
        models["data"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(names, ["direct", "helper"]);
    assert_eq!(server.get("/v1/models/helper", &token).with(200).json()["object"], "model");
    let refused = server.get("/v1/models/coder", &token).with(404).json();
    assert_eq!(refused["error"]["code"], "model_not_found");

    let mut asked = ask("direct", "Hello");
    asked["messages"].as_array_mut().unwrap().insert(
        0,
        json!({ "role": "system", "content": [{ "type": "text", "text": "Be brief." }] }),
    );
    let answer = server.post("/v1/chat/completions", &token, &asked).with(200).json();
    assert_eq!(message(&answer)["content"], "It is forty-two.", "{answer}");
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "direct");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12 });
    assert_eq!(answer["usage"], usage);

    let recorded = runs(folder, 1);
    assert_eq!(recorded[0]["session"], "api/ada", "{recorded:?}");
    assert_eq!(recorded[0]["run"], answer["june"]["run"]);
    let shown = run(june(folder).args(["journal", "show", "0", "--json"])).with(0);
    assert!(shown.stdout.contains("Be brief."), "{shown}");
    fs::remove_file(folder.join("answers.toml")).unwrap();
    let replayed = run(june(folder).args(["journal", "replay", "0"])).with(0);
    assert!(replayed.stdout.contains("dentical"), "{replayed}");
}

#[test]
fn refusals_have_the_form_that_clients_read() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "", "");
    let server = start(folder);
    let token = token(folder, "ada", &["talk"]);
    let post = |body: &Value| server.post("/v1/chat/completions", &token, body);
    let mut stop = ask("direct", "Hello");
    stop["stop"] = json!("x");
    let mut schema = ask("direct", "Hello");
    schema["tools"] = stock();
    schema["tools"][0]["function"]["parameters"] = json!({ "type": "nonsense" });
    for (body, status, param) in [
        (ask("gpt", "Hello"), 404, json!("model")),
        (stop, 400, json!("stop")),
        (schema, 400, json!("tools")),
        (json!({ "model": "direct", "messages": [] }), 400, json!("messages")),
        (json!({ "model": "direct", "messages": [{ "role": "god" }] }), 400, Value::Null),
        (json!({ "model": "direct" }), 400, Value::Null),
        (json!([]), 400, Value::Null),
    ] {
        let refused = post(&body).with(status).json();
        let error = &refused["error"];
        assert_eq!(error["param"], param, "{refused}");
        assert!(error["message"].is_string() && error["type"].is_string(), "{refused}");
    }
    let wrong = post(&json!({ "model": "direct", "messages": [{ "role": "god" }] })).json();
    let told = wrong["error"]["message"].as_str().unwrap();
    assert!(told.contains("messages[0].role") && told.contains("`god`"), "{told}");
    for (method, path) in [("GET", "/v1/nothing"), ("DELETE", "/v1/models")] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\n\r\n"
        );
        assert!(server.send(request).json()["error"]["message"].is_string(), "{method} {path}");
    }
    // What an agent did before it failed is not done again by itself.
    let failed = post(&ask("direct", "Fail")).with(502);
    assert!(failed.head.contains("x-should-retry: false"), "{}", failed.head);
    let told = failed.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("the server is down"), "{told}");
    // Only what was asked of an agent is a run.
    runs(folder, 1);
}

#[test]
fn the_end_of_tokens_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "agents = [\"direct\", \"helper\"]", HELPER);
    let server = start(folder);
    let token = token(folder, "ada", &["talk"]);
    let mut asked = ask("direct", "Say something long");
    let answer = server.post("/v1/chat/completions", &token, &asked).with(200).json();
    assert_eq!(answer["choices"][0]["finish_reason"], "length", "{answer}");
    assert!(message(&answer)["content"].as_str().unwrap().starts_with("This goes on and"));
    // The limit is that of the run, so an agent that asks several times may not come to an answer.
    asked = ask("helper", "Hello");
    asked["max_completion_tokens"] = json!(5);
    let answer = server.post("/v1/chat/completions", &token, &asked).with(200).json();
    assert_eq!(answer["choices"][0]["finish_reason"], "length", "{answer}");
    let number = answer["june"]["run"].to_string();
    let shown = run(june(folder).args(["journal", "show", &number, "--json"])).with(0);
    assert!(shown.stdout.replace(' ', "").contains("\"tokens\":5,"), "{shown}");
}

/// A double of a model's server: it says `one`, waits until it is told to go on, and says `two`. It
/// tells when it has said the one, and whether its client was there for the other.
struct Model {
    address: String,
    go_on: Sender<()>,
    told: Receiver<&'static str>,
}

impl Model {
    fn start() -> Model {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let ((go_on, wait), (tell, told)) = (channel(), channel());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            read_body(&mut reader);
            let piece = |text: &str, finish: Value| {
                let choice = json!({ "index": 0, "delta": { "content": text },
                                     "finish_reason": finish });
                format!("data: {}\n\n", json!({ "choices": [choice] }))
            };
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                        connection: close\r\n\r\n";
            stream.write_all(format!("{head}{}", piece("one", Value::Null)).as_bytes()).unwrap();
            tell.send("said one").unwrap();
            if wait.recv().is_ok() {
                let end = format!("{}data: [DONE]\n\n", piece(" two", json!("stop")));
                stream.write_all(end.as_bytes()).unwrap();
                return;
            }
            // Nothing more comes of a client that is gone.
            let gone = matches!(reader.read(&mut [0; 100]), Ok(0) | Err(_));
            tell.send(if gone { "gone" } else { "there" }).unwrap();
        });
        Model { address, go_on, told }
    }

    /// A server whose agents ask it.
    fn serve(&self, folder: &Path) -> Server {
        let model = format!("[model.m]\nbackend = \"openai\"\nurl = \"{}\"\n", self.address);
        configure(folder, "", &model);
        Server::start(&mut serve(folder))
    }
}

#[test]
fn an_answer_comes_piece_by_piece() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::start();
    let server = model.serve(folder.path());
    let token = token(folder.path(), "ada", &["talk"]);
    let mut stream = Stream::ask(&server, &token, ask("direct", "Hello"));
    // The model has not said more than this.
    assert_eq!(stream.text(), "one");
    assert_eq!(model.told.recv().unwrap(), "said one");
    model.go_on.send(()).unwrap();
    assert_eq!(stream.text(), " two");
    let rest = stream.all();
    assert_eq!(rest.last().unwrap()["choices"][0]["finish_reason"], "stop", "{rest:?}");
    assert_eq!(rest.last().unwrap()["june"]["run"], 0);
    assert_eq!(runs(folder.path(), 1)[0]["outcome"], "returned");
}

#[test]
fn whoever_hangs_up_ends_the_run() {
    for streamed in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let model = Model::start();
        let server = model.serve(folder.path());
        let token = token(folder.path(), "ada", &["talk"]);
        if streamed {
            let mut stream = Stream::ask(&server, &token, ask("direct", "Hello"));
            assert_eq!(stream.text(), "one");
            drop(stream);
        } else {
            let body = ask("direct", "Hello").to_string();
            let mut stream = TcpStream::connect(server.address).unwrap();
            write!(
                stream,
                "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \
                 {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            assert_eq!(model.told.recv().unwrap(), "said one");
            drop(stream);
        }
        drop(model.go_on);
        let told: Vec<_> = model.told.iter().collect();
        assert_eq!(told.last(), Some(&"gone"), "the model's answer is given up, too");
        let recorded = runs(folder.path(), 1);
        assert_eq!(recorded[0]["outcome"], "given-up", "streamed: {streamed}");
        run(june(folder.path()).args(["journal", "verify"])).with(0);
    }
}

#[test]
fn a_stream_says_what_it_took_and_how_it_failed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "", "");
    let server = start(folder);
    let token = token(folder, "ada", &["talk"]);
    let mut asked = ask("direct", "Hello");
    asked["stream_options"] = json!({ "include_usage": true });
    let events = Stream::ask(&server, &token, asked).all();
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert!(events.iter().all(|event| event["object"] == "chat.completion.chunk"));
    let last = events.last().unwrap();
    assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(12)));

    let mut stream = Stream::ask(&server, &token, ask("direct", "Fail"));
    assert!(stream.next().unwrap()["choices"].is_array());
    let error = stream.next().unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("the server is down"), "{error}");
}
