//! June's tools, served.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use june_tests::{Ended, june, repository, run};
use serde_json::{Value, json};

use crate::{configure, python, replay, runs};

pub(crate) const TOKEN: &str = "a-token-that-nobody-knows";

/// `june mcp serve` over HTTP.
pub(crate) struct Http {
    child: Child,
    pub(crate) url: String,
}

impl Http {
    /// Serves at a free port. The token is in this environment variable.
    pub(crate) fn start(folder: &Path, arguments: &[&str], variable: &str) -> Http {
        let mut command = june(folder);
        command.args(["mcp", "serve", "--http", "127.0.0.1:0"]).args(arguments);
        let mut child = command.env(variable, TOKEN).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(" at ").next().unwrap().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        Http { child, url }
    }

    /// Presses Ctrl-C, and returns the exit status.
    pub(crate) fn end(mut self) -> Value {
        interrupt(&self.child);
        json!(self.child.wait().unwrap().code())
    }

    /// The status that a request with these headers is answered with.
    fn status(&self, method: &str, path: &str, headers: &[&str], body: &str) -> u16 {
        let address = self.url.trim_start_matches("http://").split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        let usual = format!("Host: {address}");
        let usual = [
            usual.as_str(),
            "Content-Type: application/json",
            "Accept: application/json, text/event-stream",
        ];
        let name = |header: &str| header.split(':').next().unwrap().to_owned();
        let given: Vec<String> = headers.iter().map(|header| name(header)).collect();
        for header in usual.iter().filter(|header| !given.contains(&name(header))).chain(headers) {
            head += &format!("{header}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        // A server that refuses a body need not read it.
        let _ = stream.write_all((head + body).as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status in {answer:?}"))
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn interrupt(child: &Child) {
    run(Command::new("kill").args(["-INT", &child.id().to_string()])).with(0);
}

/// What a client over standard input and output is answered: by request.
fn talk(command: &mut Command, requests: &[Value]) -> (Ended, Vec<Value>) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for request in requests {
        writeln!(input, "{request}").unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    // Nothing else is on standard output.
    let answers = stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (Ended { code: output.status.code(), stdout, stderr }, answers)
}

fn hello() -> [Value; 2] {
    let client = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    [
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
    ]
}

fn call(id: u64, name: &str, arguments: Value) -> Value {
    let params = json!({"name": name, "arguments": arguments});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

fn answer_to(answers: &[Value], id: u64) -> &Value {
    answers.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("{answers:#?}"))
}

#[test]
fn tools_are_served_to_whoever_started_june() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut requests = hello().to_vec();
    requests.push(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    requests.push(call(2, "calculator", json!({"expression": "1 / 0"})));
    requests.push(call(3, "calculator", json!({"expression": 7})));
    requests.push(call(4, "nosuch", json!({})));
    requests
        .extend((10..50).map(|n| call(n, "calculator", json!({"expression": format!("{n}*2")}))));
    let (ended, answers) = talk(june(path).args(["mcp", "serve", "calculator"]), &requests);
    let ended = ended.with(0).says("june: serving calculator\n");
    assert_eq!(answers.len(), 45, "{ended}");
    let tools = &answer_to(&answers, 1)["result"]["tools"];
    assert_eq!(tools[0]["name"], "calculator");
    assert_eq!(tools[0]["inputSchema"]["required"], json!(["expression"]));
    let failed = &answer_to(&answers, 2)["result"];
    assert_eq!(failed["isError"], true);
    let invalid = &answer_to(&answers, 3)["result"];
    assert_eq!(invalid["isError"], true);
    assert!(invalid["content"][0]["text"].as_str().unwrap().starts_with("invalid arguments: "));
    assert_eq!(answer_to(&answers, 4)["error"]["message"], "there is no such tool");
    for n in 10..50 {
        let result = &answer_to(&answers, n)["result"];
        assert_eq!(result["content"][0]["text"], (2 * n).to_string());
    }
    // What was refused before it ran is no run.
    assert_eq!(runs(path, "mcp").len(), 41);
    replay(path, "mcp");
}

#[test]
fn files_are_as_they_are_on_disk_and_stay_within_the_grants() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["work", "read", "other"] {
        fs::create_dir(path.join(name)).unwrap();
        fs::write(path.join(name).join("a.txt"), "before\n").unwrap();
    }
    configure(
        path,
        "[tool.files.grants]\nfiles = [{ path = \"work\", mode = \"read-write\" }, { path = \"read\", mode = \"read\" }]\n",
    );
    let write = |id, path: &str| {
        call(id, "files", json!({"action": "write", "path": path, "content": "after\n"}))
    };
    let mut requests = hello().to_vec();
    requests.push(write(1, "work/a.txt"));
    requests.push(write(2, "work/new/b.txt"));
    requests.push(write(3, "read/a.txt"));
    requests.push(write(4, "other/a.txt"));
    let (ended, answers) = talk(june(path).args(["mcp", "serve", "files"]), &requests);
    ended.with(0).says("(files read-write work, files read read)");
    for (id, failed) in [(1, false), (2, false), (3, true), (4, true)] {
        assert_eq!(answer_to(&answers, id)["result"]["isError"], failed, "{id}");
    }
    let content = |file: &str| fs::read_to_string(path.join(file)).unwrap();
    assert_eq!([content("work/a.txt"), content("work/new/b.txt")], ["after\n", "after\n"]);
    assert_eq!([content("read/a.txt"), content("other/a.txt")], ["before\n", "before\n"]);
    replay(path, "mcp");
}

#[test]
fn an_agents_tools_are_served_as_it_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("work")).unwrap();
    configure(
        path,
        "[agent.a]\nstrategy = \"direct\"\ntools = [\"files\", \"clock\"]\n\
         [agent.a.grants]\nfiles = [{ path = \"work\", mode = \"read\" }]\n",
    );
    let mut requests = hello().to_vec();
    requests.push(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    requests.push(call(2, "files", json!({"action": "write", "path": "work/x", "content": ""})));
    let (ended, answers) = talk(june(path).args(["mcp", "serve", "--agent", "a"]), &requests);
    ended.with(0).says("june: serving clock, files (files read work)\n");
    let tools = answer_to(&answers, 1)["result"]["tools"].as_array().unwrap().clone();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["clock", "files"]);
    assert_eq!(answer_to(&answers, 2)["result"]["isError"], true);
    assert!(!path.join("work/x").exists());
}

#[test]
fn a_tool_is_served_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let component = repository("components/dist/tools/calculator.wasm");
    fs::copy(component, folder.path().join("mine.wasm")).unwrap();
    let arguments = ["mcp", "serve", "./mine.wasm", "--no-journal"];
    let (ended, answers) = talk(june(folder.path()).args(arguments), &hello());
    ended.with(0).says("june: serving calculator\n");
    assert_eq!(answers[0]["result"]["serverInfo"]["name"], "june");
    assert!(!folder.path().join("journal").exists());
}

#[test]
fn ctrl_c_ends_a_server_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = june(folder.path());
    command.args(["mcp", "serve", "calculator"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    assert_eq!(output, "");
}

#[test]
fn over_http_only_those_get_in_who_may() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Http::start(folder.path(), &["calculator", "--key", "TOKEN"], "TOKEN");
    let token = format!("Authorization: Bearer {TOKEN}");
    let body = call(1, "calculator", json!({"expression": "1"})).to_string();
    let big = format!("\"{}\"", "x".repeat(5 << 20));
    for (method, path, headers, body, status) in [
        ("POST", "/mcp", &[token.as_str()][..], &body, 200),
        ("POST", "/mcp", &[], &body, 401),
        ("POST", "/mcp", &["Authorization: Bearer a-token-that-nobody-know"], &body, 401),
        ("POST", "/mcp", &["Authorization: Basic YTpi"], &body, 401),
        ("POST", "/mcp", &[&token, "Host: june.example.org"], &body, 403),
        ("POST", "/mcp", &[&token, "Origin: https://example.org"], &body, 403),
        ("POST", "/mcp", &[&token, "Origin: null"], &body, 403),
        ("POST", "/elsewhere", &[&token], &body, 404),
        ("GET", "/mcp", &[&token], &String::new(), 405),
        ("DELETE", "/mcp", &[&token], &String::new(), 405),
        ("POST", "/mcp", &[&token], &big, 413),
    ] {
        let given = serving.status(method, path, headers, body);
        assert_eq!(given, status, "{method} {path} {headers:?}");
    }
    assert_eq!(serving.end(), 0);
    assert_eq!(runs(folder.path(), "mcp").len(), 1);
}

#[test]
fn an_open_address_needs_a_token_and_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |arguments: &[&str]| {
        let mut command = june(folder.path());
        command.args(["mcp", "serve", "calculator", "--http"]).args(arguments);
        run(command.env("TOKEN", TOKEN).env("SHORT", "short")).with(2)
    };
    serve(&["192.0.2.1:0"]).says("there is no token\nhint: name the environment variable");
    serve(&["0.0.0.0:0", "--key", "TOKEN"]).says("hint: give that name with --host");
    serve(&["127.0.0.1:0", "--key", "SHORT"]).says("has fewer than 16 characters");
    serve(&["127.0.0.1:0", "--key", "NONE"]).says("the token $NONE is not set");
}

/// Runs the protocol's official client.
fn official(python: &Path, folder: &Path, calls: &Value, server: &[&str]) -> Value {
    let mut command = Command::new(python);
    command.arg(repository("tests/mcp/client.py")).arg(calls.to_string()).args(server);
    run(command.current_dir(folder)).with(0).json()
}

#[test]
fn the_official_client_calls_tools() {
    let Some(python) = python("the_official_client_calls_tools") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("work")).unwrap();
    fs::write(path.join("work/a.txt"), "from the file\n").unwrap();
    let grants = "[tool.files.grants]\nfiles = [{ path = \"work\", mode = \"read-write\" }]\n";
    configure(path, grants);
    let calls = json!([
        ["calculator", {"expression": "6 * 7"}],
        ["calculator", {"expression": "6 *"}],
        ["calculator", {"no": "expression"}],
        ["nosuch", {}],
        ["files", {"action": "read", "path": "work/a.txt"}],
        ["files", {"action": "write", "path": "work/b.txt", "content": "over MCP\n"}],
        ["files", {"action": "read", "path": "../outside"}],
    ]);
    let check = |told: Value| {
        assert_eq!(told["server"], "june");
        let tools: Vec<&String> = told["tools"].as_object().unwrap().keys().collect();
        assert_eq!(tools, ["calculator", "files"]);
        let results = &told["results"];
        assert_eq!(results[0], json!({"text": "42", "is_error": false}));
        for place in [1, 2, 6] {
            assert_eq!(results[place]["is_error"], true, "{results:#}");
        }
        assert!(results[3]["refused"].is_string(), "{results:#}");
        assert!(results[4]["text"].as_str().unwrap().contains("from the file"), "{results:#}");
        assert_eq!(fs::read_to_string(path.join("work/b.txt")).unwrap(), "over MCP\n");
        fs::remove_file(path.join("work/b.txt")).unwrap();
    };
    // The client starts June without the environment that the tests have.
    let start = june(path);
    let environment = start.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut server = vec!["/usr/bin/env".to_owned()];
    server
        .extend(environment.map(|(name, value)| {
            format!("{}={}", name.to_str().unwrap(), value.to_str().unwrap())
        }));
    server.push(start.get_program().to_str().unwrap().to_owned());
    server.extend(["mcp", "serve", "calculator", "files"].map(String::from));
    let server: Vec<&str> = server.iter().map(String::as_str).collect();
    check(official(&python, path, &calls, &server));

    let serving = Http::start(path, &["calculator", "files", "--key", "TOKEN"], "TOKEN");
    check(official(&python, path, &calls, &["--token", TOKEN, &serving.url]));
    assert_eq!(serving.end(), 0);
    assert_eq!(runs(path, "mcp").len(), 10);
    replay(path, "mcp");
}
