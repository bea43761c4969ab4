//! A strategy that tries what it must not. The request is a list of commands, one a line; the
//! answer tells what came of each.
//!
//! | command | what it tries |
//! |---|---|
//! | `model NAME` | asks a model |
//! | `tool NAME ARGUMENTS` | calls a tool |
//! | `crowd N NAME ARGUMENTS` | calls a tool N times at once |
//! | `fork` | calls the tool `hostile` without end |
//! | `read` | reads a stream without end |
//! | `say`, `note` | talks without end |
//! | `notes N` | notes N steps |
//! | `program SOURCE` | runs a program |
//! | `remember N` | writes a note of N bytes |
//! | `loop` | loops without end |

#![cfg(target_arch = "wasm32")]

use june_sdk::{
    Limits, Message, Program, Strategy, StrategyError, ToolCall, Turn, llm, memory, programs,
    reply, strategy, tools,
};

struct Hostile;

strategy!(Hostile);

impl Strategy for Hostile {
    fn respond(turn: Turn) -> Result<String, StrategyError> {
        let request = turn.messages.last().map(Message::text).unwrap_or_default();
        let told: Vec<String> = request.lines().map(run).collect();
        Ok(told.join("\n"))
    }
}

fn run(line: &str) -> String {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    match command {
        "model" => format!("{:?}", llm::chat(&request(rest)).map(|completion| completion.finish)),
        "tool" => {
            let (name, arguments) = rest.split_once(' ').unwrap_or((rest, "{}"));
            format!("{:?}", tools::call(&call(name, arguments)))
        }
        "crowd" => {
            let mut parts = rest.splitn(3, ' ');
            let count = parts.next().and_then(|n| n.parse().ok()).unwrap_or(1);
            let name = parts.next().unwrap_or_default();
            let calls = vec![call(name, parts.next().unwrap_or("{}")); count];
            format!("{:?}", tools::call_all(&calls))
        }
        "fork" => loop {
            let calls = vec![call("hostile", "{\"action\": \"nothing\"}"); 8];
            tools::call_all(&calls);
        },
        "read" => match llm::stream(&request("m")) {
            Ok(stream) => loop {
                let _ = stream.next();
            },
            Err(error) => format!("{error:?}"),
        },
        "say" => loop {
            reply::say(&"x".repeat(1000));
        },
        "note" => loop {
            let step = reply::Step { stage: reply::Stage::Think, text: "x".repeat(1000) };
            reply::note(&step);
        },
        "notes" => {
            for _ in 0..rest.parse().unwrap_or(0) {
                let step = reply::Step { stage: reply::Stage::Think, text: "x".into() };
                reply::note(&step);
            }
            "noted".into()
        }
        "program" => {
            let limits = Limits { fuel: None, memory: None, output: None };
            let outcome = programs::run(&Program::python(rest), limits);
            format!("{:?}", outcome.map(|outcome| (outcome.exit, outcome.stdout.bytes)))
        }
        "remember" => {
            let value = "x".repeat(rest.parse().unwrap_or(1));
            format!("{:?}", memory::set("note", &value))
        }
        "loop" => loop {
            std::hint::black_box(0);
        },
        other => format!("no command is {other}"),
    }
}

fn call(name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: "1".into(), name: name.into(), arguments: arguments.into() }
}

fn request(model: &str) -> llm::Request {
    llm::Request {
        model: model.into(),
        messages: vec![Message::user("Hello")],
        tools: Vec::new(),
        sampling: llm::Sampling {
            temperature: None,
            top_p: None,
            top_k: None,
            min_p: None,
            seed: None,
        },
        max_tokens: None,
        stop: Vec::new(),
        response_format: llm::ResponseFormat::Text,
    }
}
