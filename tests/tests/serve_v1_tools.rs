//! Tools of clients of `/v1`, and of the agents that they ask.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use june_tests::openai::{HELPER, Stream, ask, configure, message, runs, start, stock};
use june_tests::server::{Server, serve, token};
use june_tests::{ears, fixture, has, june, python, repository, run};
use serde_json::{Value, json};

/// Answers the calls of an answer, and returns what is to be asked next.
fn answered(mut asked: Value, answer: &Value) -> Value {
    let messages = asked["messages"].as_array_mut().unwrap();
    messages.push(message(answer).clone());
    for call in message(answer)["tool_calls"].as_array().unwrap() {
        let arguments = call["function"]["arguments"].as_str().unwrap();
        let thing: Value = serde_json::from_str(arguments).unwrap();
        let content = if thing["thing"] == "nuts" { "3" } else { "4" };
        messages.push(json!({ "role": "tool", "tool_call_id": call["id"], "content": content }));
    }
    asked
}

#[test]
fn tools_of_the_client_are_called_within_one_run() {
    for strategy in ["deliberate", "direct", "direct-python", "direct-js"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let agent = format!("[agent.a]\nstrategy = \"{strategy}\"\ntools = [\"calculator\"]\n");
        configure(folder, "agents = [\"a\"]", &agent);
        // Whole interpreters are compiled first.
        run(june(folder).args(["config", "check"]));
        let server = start(folder);
        let token = token(folder, "ada", &["talk"]);
        let post = |body: &Value| server.post("/v1/chat/completions", &token, body).with(200);
        let mut asked = ask("a", "What is the stock worth?");
        asked["tools"] = stock();
        let first = post(&asked).json();
        assert_eq!(first["choices"][0]["finish_reason"], "tool_calls", "{strategy}: {first}");
        let call = &message(&first)["tool_calls"][0];
        assert_eq!(
            (&call["type"], &call["function"]["name"]),
            (&json!("function"), &json!("stock"))
        );
        assert_eq!(call["function"]["arguments"], "{\"thing\":\"nuts\"}");
        let second = post(&answered(asked, &first)).json();
        let text = message(&second)["content"].as_str().unwrap();
        assert!(text.ends_with("3 nuts at 14 each are 42."), "{strategy}: {second}");

        // The calculator's run belongs to the one run.
        let recorded = runs(folder, 2);
        assert!(recorded.iter().all(|run| run["outcome"] == "returned"), "{recorded:?}");
        drop(server);
        fs::remove_file(folder.join("answers.toml")).unwrap();
        let replayed = run(june(folder).args(["journal", "replay", "--all"])).with(0);
        assert!(replayed.stdout.contains("2 identical, 0 diverged"), "{strategy}: {replayed}");
        run(june(folder).args(["journal", "verify"])).with(0);
    }
}

#[test]
fn several_calls_come_at_once_or_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "", "");
    let server = start(folder);
    let token = token(folder, "ada", &["talk"]);
    let mut asked = ask("direct", "How many nuts and bolts?");
    (asked["tools"], asked["parallel_tool_calls"]) = (stock(), json!(false));
    let mut rounds = 0;
    let said = loop {
        let answer = server.post("/v1/chat/completions", &token, &asked).with(200).json();
        let calls = message(&answer)["tool_calls"].as_array().map_or(0, Vec::len);
        if calls == 0 {
            break message(&answer)["content"].clone();
        }
        assert_eq!(calls, 1, "{answer}");
        rounds += 1;
        asked = answered(asked, &answer);
    };
    assert_eq!((said, rounds), (json!("There are 3 nuts and 4 bolts."), 2));
    runs(folder, 1);

    let mut asked = ask("direct", "How many nuts and bolts?");
    asked["tools"] = stock();
    let events = Stream::ask(&server, &token, asked).all();
    let deltas = events.iter().map(|event| &event["choices"][0]["delta"]["tool_calls"][0]);
    let calls: Vec<&Value> = deltas.filter(|call| call.is_object()).collect();
    // A busy machine may need another answer for the second.
    assert_eq!(calls[0]["index"], 0, "{events:?}");
    assert!(calls.len() < 2 || calls[1]["index"] == 1, "{events:?}");
    let last = events.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn a_conversation_that_goes_another_way_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "", "");
    let mut server = start(folder);
    let (ada, bob) = (token(folder, "ada", &["talk"]), token(folder, "bob", &["talk"]));
    let post = |server: &Server, token: &str, body: &Value| {
        server.post("/v1/chat/completions", token, body).with(200).json()
    };
    let mut asked = ask("direct", "How many nuts and bolts?");
    asked["tools"] = stock();
    let expected = json!("There are 3 nuts and 4 bolts.");
    // Another client with the same conversation has a run of its own; the first goes on.
    let first = post(&server, &ada, &asked);
    let next = answered(asked.clone(), &first);
    assert_eq!(message(&post(&server, &bob, &next))["content"], expected);
    assert_eq!(message(&post(&server, &ada, &next))["content"], expected);
    runs(folder, 2);
    // It goes on once.
    assert_eq!(message(&post(&server, &ada, &next))["content"], expected);
    // A conversation that was changed is another one, and the run is given up.
    let first = post(&server, &ada, &asked);
    let mut next = answered(asked.clone(), &first);
    next["messages"][0]["content"] = json!("How many nuts and bolts, please?");
    assert_eq!(message(&post(&server, &ada, &next))["content"], expected);
    // What waits when the server is told to stop is given up at once, and the client loses nothing.
    let first = post(&server, &ada, &asked);
    let told = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    assert!(told.elapsed() < Duration::from_secs(25), "it did not wait for the client");
    let server = start(folder);
    let next = answered(asked, &first);
    assert_eq!(message(&post(&server, &ada, &next))["content"], expected);
    let recorded = runs(folder, 7);
    let mut outcomes: Vec<&str> =
        recorded.iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    outcomes.sort_unstable();
    assert_eq!(
        outcomes,
        ["given-up", "given-up", "returned", "returned", "returned", "returned", "returned"]
    );
    run(june(folder).args(["journal", "verify"])).with(0);
}

#[test]
fn calls_satisfy_their_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "agents = [\"direct\", \"helper\"]", HELPER);
    let server = start(folder);
    let token = token(folder, "ada", &["talk"]);
    let mut asked = ask("direct", "Call it wrongly");
    asked["tools"] = stock();
    let answer = server.post("/v1/chat/completions", &token, &asked).with(200).json();
    assert_eq!(message(&answer)["content"], "I called it wrongly.", "{answer}");
    // A tool of the agent's own is not overshadowed.
    let mut asked = ask("helper", "Hello");
    asked["tools"] = stock();
    asked["tools"][0]["function"]["name"] = json!("calculator");
    let refused = server.post("/v1/chat/completions", &token, &asked).with(400).json();
    assert_eq!(refused["error"]["param"], "tools", "{refused}");
}

/// A model that runs in the server itself, whose agent has a tool of its own.
#[test]
fn a_small_model_answers_in_process() {
    let test = "a_small_model_answers_in_process";
    let Some(file) = fixture(test, "fixtures/llm/toolcaller-f32.gguf") else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let weather = repository("components/dist/tests/weather.wasm");
    let agents = format!(
        "[model.tiny]\nbackend = \"local\"\nfile = \"{}\"\n\
         [agent.weather]\nstrategy = \"direct\"\nmodel = \"tiny\"\ntools = [\"get_weather\"]\n\
         [tool.get_weather]\ncomponent = \"{}\"\n\
         [agent.bare]\nstrategy = \"direct\"\nmodel = \"tiny\"\n",
        file.display(),
        weather.display()
    );
    configure(folder, "agents = [\"weather\", \"bare\"]", &agents);
    let server = Server::start(&mut serve(folder));
    let token = token(folder, "ada", &["talk"]);
    let mut asked = ask("weather", "weather in Oslo");
    let answer = server.post("/v1/chat/completions", &token, &asked).with(200).json();
    let text = message(&answer)["content"].as_str().unwrap().to_owned();
    assert!(text.contains("the lazy dog answers the user."), "{answer}");
    assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() > 0, "{answer}");
    // The tool's run is there, too.
    runs(folder, 2);

    // The same model with the same tool, which is the client's now.
    asked["model"] = json!("bare");
    asked["tools"] = json!([{ "type": "function", "function": {
        "name": "get_weather", "description": "Tells the weather of a city.",
        "parameters": { "type": "object", "properties": { "city": { "type": "string" } },
                        "required": ["city"] } } }]);
    let first = server.post("/v1/chat/completions", &token, &asked).with(200).json();
    let call = &message(&first)["tool_calls"][0];
    assert_eq!(call["function"]["name"], "get_weather", "{first}");
    let messages = asked["messages"].as_array_mut().unwrap();
    messages.push(message(&first).clone());
    let result = json!({ "role": "tool", "tool_call_id": call["id"],
                         "content": "7 degrees and rain" });
    messages.push(result);
    let second = Stream::ask(&server, &token, asked).all();
    let deltas = second.iter().filter_map(|it| it["choices"][0]["delta"]["content"].as_str());
    assert_eq!(deltas.collect::<String>(), text);
}

#[test]
fn the_official_client_talks_with_agents() {
    let test = "the_official_client_talks_with_agents";
    let Some(python) = python(test, "JUNE_TEST_PYTHON", "openai") else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ears = ears("What is six times seven?");
    let stt = format!("[stt]\nbackend = \"openai\"\nmodel = \"whisper-1\"\nurl = \"{ears}\"\n");
    let table = "agents = [\"direct\", \"helper\"]\nrate = 10";
    configure(folder, table, &format!("{HELPER}{stt}"));
    let server = start(folder);
    let (talk, review) = (token(folder, "ada", &["talk"]), token(folder, "eve", &["review"]));
    let mut client = Command::new(python);
    client.arg(repository("tests/openai/client.py"));
    client.args([&format!("http://{}/v1", server.address), &talk, &review]);
    let ended = run(&mut client).with(0);
    if has(test, "espeak-ng") {
        assert!(ended.stdout.contains("with sound"), "{ended}");
    }
    drop(server);
    run(june(folder).args(["journal", "verify"])).with(0);
    fs::remove_file(folder.join("answers.toml")).unwrap();
    let replayed = run(june(folder).args(["journal", "replay", "--all"])).with(0);
    assert!(replayed.stdout.contains(" 0 diverged, 0 could not be replayed"), "{replayed}");
}
