//! Agents, as OpenAI's clients ask models: what the tests of `/v1` share.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{LISTEN, Server, serve};
use crate::{june, run};

const ANSWERS: &str = r#"
    [[answer]]
    when = { text = "Fail" }
    error = { unavailable = "the server is down" }

    [[answer]]
    when = { text = "nuts and bolts" }
    calls = [
        { name = "stock", arguments = { thing = "nuts" } },
        { name = "stock", arguments = { thing = "bolts" } },
    ]

    [[answer]]
    when = { text = "worth" }
    text = "Let me see. "
    calls = [{ name = "stock", arguments = { thing = "nuts" } }]

    [[answer]]
    when = { text = "wrongly" }
    calls = [{ name = "stock", arguments = { what = "nuts" } }]

    [[answer]]
    when = { result = "arguments are invalid" }
    text = "I called it wrongly."

    [[answer]]
    when = { result = "42" }
    text = "3 nuts at 14 each are 42."

    [[answer]]
    when = { result = "4" }
    text = ["There are 3 nuts ", "and 4 bolts."]

    [[answer]]
    when = { result = "3" }
    calls = [{ name = "calculator", arguments = { expression = "3 * 14" } }]

    [[answer]]
    when = { text = "long" }
    text = "This goes on and"
    finish = "length"

    [[answer]]
    text = ["It is ", "forty-two."]
    usage = { input-tokens = 7, output-tokens = 5 }
"#;

/// An agent with a tool of its own, for the answers of [`configure`].
pub const HELPER: &str = "[agent.helper]\nstrategy = \"deliberate\"\ntools = [\"calculator\"]\n";

/// A folder whose server has these agents, and scripted answers.
pub fn configure(folder: &Path, table: &str, agents: &str) {
    fs::write(folder.join("answers.toml"), ANSWERS).unwrap();
    fs::write(folder.join("june.toml"), format!("[serve]\n{LISTEN}\n{table}\n{agents}")).unwrap();
}

/// The server of such a folder.
pub fn start(folder: &Path) -> Server {
    Server::start(serve(folder).args(["--script", "answers.toml"]))
}

/// A request that says this.
pub fn ask(model: &str, text: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": text }] })
}

/// A tool of the client.
pub fn stock() -> Value {
    let thing = json!({ "type": "object", "properties": { "thing": { "type": "string" } },
                        "required": ["thing"], "additionalProperties": false });
    let function = json!({ "name": "stock", "description": "How many there are.",
                           "parameters": thing });
    json!([{ "type": "function", "function": function }])
}

/// The runs in the journal, once there are so many and each is at its end. A server that goes on
/// has written them after a moment.
#[track_caller]
pub fn runs(folder: &Path, count: usize) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let listed = run(june(folder).args(["journal", "list", "--json"])).with(0);
        let runs: Vec<Value> =
            listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if runs.len() >= count && runs.iter().all(|run| run["outcome"] != "unfinished") {
            assert_eq!(runs.len(), count, "{}", listed.stdout);
            return runs;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{}", listed.stdout);
        thread::sleep(Duration::from_millis(50));
    }
}

/// The message of an answer.
#[track_caller]
pub fn message(answer: &Value) -> &Value {
    &answer["choices"][0]["message"]
}

/// An answer that is read as it comes.
#[derive(Debug)]
pub struct Stream {
    lines: BufReader<TcpStream>,
}

impl Stream {
    /// Asks with `stream`, and reads the head.
    #[track_caller]
    pub fn ask(server: &Server, token: &str, mut body: Value) -> Stream {
        body["stream"] = json!(true);
        let body = body.to_string();
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        write!(
            stream,
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \
             {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(lines.read_line(&mut head).unwrap() > 0, "{head}");
        }
        let head = head.to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        Stream { lines }
    }

    /// The next event; none after `[DONE]`.
    #[track_caller]
    #[allow(clippy::should_implement_trait, reason = "it fails the test")]
    pub fn next(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it broke off");
            match line.trim_end().strip_prefix("data: ") {
                Some("[DONE]") => return None,
                Some(event) => return Some(serde_json::from_str(event).unwrap()),
                None => {}
            }
        }
    }

    /// The next text.
    #[track_caller]
    pub fn text(&mut self) -> String {
        loop {
            let event = self.next().expect("there is more text");
            if let Some(text) = event["choices"][0]["delta"]["content"].as_str() {
                return text.to_owned();
            }
        }
    }

    /// All events.
    #[track_caller]
    pub fn all(mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.next()).collect()
    }
}
