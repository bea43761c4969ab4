//! `june serve`: what it refuses, how it is told to stop, and that nothing is lost then.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use june_tests::server::{Server, configure, serve, token};
use june_tests::{june, run};
use serde_json::json;

fn start(folder: &Path) -> Server {
    Server::start(serve(folder).args(["--script", "answers.toml"]))
}

/// A request without a body.
fn plain(method: &str, path: &str, headers: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")
        .into()
}

/// A request with a body of JSON.
fn posted(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let json = "content-type: application/json";
    let mut request =
        plain("POST", path, &format!("{headers}{json}\r\ncontent-length: {length}\r\n"));
    request.extend_from_slice(body.as_bytes());
    request
}

#[test]
fn what_is_not_allowed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "body = \"100 KiB\"\nrate = 10000\n");
    let server = start(folder);
    let bearer = |token: &str| format!("authorization: Bearer {token}\r\n");
    let (talk, review) = (token(folder, "talk", &["talk"]), token(folder, "review", &["review"]));
    let revoked = token(folder, "revoked", &["admin"]);
    let cut = talk[..talk.len() - 1].to_owned();
    assert_eq!(server.get("/api/models", &revoked).status, 200);
    run(serve(folder).args(["token", "revoke", "revoked"])).with(0);
    let (talk, review) = (bearer(&talk), bearer(&review));
    let ask = r#"{"model": "direct", "messages": [{"role": "user", "content": "Hello"}]}"#;

    let mut cases: Vec<(String, Vec<u8>, &[u16])> = Vec::new();
    let reads = [
        "/api/runs",
        "/api/runs/0",
        "/api/runs/0/blobs/00",
        "/api/evaluations",
        "/api/evaluations/a",
        "/api/evaluations/history?tasks=a&task_id=b",
        "/api/evaluations/compare?a=a&b=b",
        "/api/models",
        "/api/live",
        "/v1/models",
        "/v1/models/direct",
        "/metrics",
    ];
    let writes = [
        "/api/runs/0/verify",
        "/api/runs/0/replay",
        "/api/runs/0/reviews",
        "/api/evaluations",
        "/api/models/m/load",
        "/api/models/m/unload",
        "/v1/chat/completions",
        "/v1/audio/speech",
        "/v1/audio/transcriptions",
    ];
    for path in reads {
        cases.push((format!("{path} without a token"), plain("GET", path, ""), &[401]));
        let other = if path.starts_with("/v1/") { &review } else { &talk };
        cases.push((format!("{path} in another role"), plain("GET", path, other), &[403]));
    }
    for path in writes {
        cases.push((format!("{path} without a token"), posted(path, "", "{}"), &[401]));
        let other = if path.starts_with("/v1/") { &review } else { &talk };
        cases.push((format!("{path} in another role"), posted(path, other, "{}"), &[403]));
    }
    for path in ["/api/models/m/load", "/api/models/m/unload", "/api/evaluations"] {
        let name = format!("{path} as a reviewer");
        cases.push((name, posted(path, &review, "{}"), &[403]));
    }
    let of = |token: &str| plain("GET", "/v1/models", token);
    for (name, header) in [
        ("a token that was taken back", bearer(&revoked)),
        ("a token that was cut off", bearer(&cut)),
        ("an empty token", bearer("")),
        ("no scheme", talk.replace("Bearer ", "")),
        ("another scheme", talk.replace("Bearer", "Basic")),
        ("a token in a cookie", talk.replace("authorization: Bearer ", "cookie: token=")),
        ("a token of other characters", bearer("\u{fc}\u{1f980}")),
    ] {
        cases.push((name.into(), of(&header), &[401]));
    }
    cases.push(("a token in the address".into(), plain("GET", "/v1/models?token=x", ""), &[401]));
    let with = |header: &str| plain("GET", "/v1/models", &format!("{talk}{header}\r\n"));
    for origin in
        ["https://evil.example", "null", "http://localhost:1", "http://localhost.evil.example"]
    {
        let name = format!("from {origin}");
        cases.push((name, with(&format!("origin: {origin}")), &[403]));
    }
    cases.push(("a script elsewhere".into(), with("sec-fetch-site: cross-site"), &[403]));
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "[::2]",
        "@",
        "",
    ] {
        let request = String::from_utf8(of(&talk)).unwrap();
        let request = request.replace("host: localhost", &format!("host: {host}"));
        cases.push((format!("as `{host}`"), request.into(), &[400, 421]));
    }
    let nameless = String::from_utf8(of(&talk)).unwrap().replace("host: localhost\r\n", "");
    cases.push(("no host".into(), nameless.into(), &[400, 421]));
    for path in [
        "/assets/../../../../etc/passwd",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets//etc/passwd",
        "/assets/..\\..\\june.toml",
        "/assets/app.js%00.css",
        "/assets/",
        "/assets/index.html",
    ] {
        cases.push((format!("the file {path}"), plain("GET", path, ""), &[400, 404]));
    }
    for path in [
        "/api/evaluations/..",
        "/api/evaluations/..%2f..%2fetc",
        "/api/evaluations/%2fetc",
        "/api/evaluations/%00",
        "/api/runs/0/blobs/..%2f..%2fkey",
        "/api/runs/0/blobs/zz",
        "/api/runs/99999999999999999999",
        "/api/runs/-1",
        "/api/runs/x",
        "/api/runs/7",
        "/api/runs?limit=many",
        "/api/runs?before=-1",
        "/api/runs?outcome=magic",
        "/api/evaluations/compare?a=..&b=..",
        "/api/nothing",
    ] {
        cases.push((format!("asked for {path}"), plain("GET", path, &review), &[400, 404, 422]));
    }
    for (method, path) in [
        ("DELETE", "/api/runs"),
        ("PUT", "/v1/models"),
        ("POST", "/"),
        ("DELETE", "/assets/app.js"),
        ("TRACE", "/"),
        ("PATCH", "/healthz"),
    ] {
        let both = if path.starts_with("/v1/") { &talk } else { &review };
        cases.push((format!("{method} {path}"), plain(method, path, both), &[405]));
    }
    let long = "x".repeat(200 << 10);
    let ask_long = ask.replace("Hello", &long);
    cases.push(("a long body".into(), posted("/v1/chat/completions", &talk, &ask_long), &[413]));
    let chunked = format!("{talk}transfer-encoding: chunked\r\ncontent-type: application/json\r\n");
    let mut chunks = plain("POST", "/v1/chat/completions", &chunked);
    chunks.extend(format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len()).into_bytes());
    cases.push(("a long body in chunks".into(), chunks, &[413]));
    let mut broken = plain("POST", "/v1/chat/completions", &chunked);
    broken.extend(b"zz\r\n{}\r\n0\r\n\r\n");
    cases.push(("chunks that are none".into(), broken, &[400]));
    let huge = plain("GET", "/", &format!("x-long: {}\r\n", "x".repeat(1 << 20)));
    cases.push(("a long header".into(), huge, &[431]));
    let many: String = (0..1000).map(|n| format!("x-{n}: 1\r\n")).collect();
    cases.push(("many headers".into(), plain("GET", "/", &many), &[431]));
    cases.push((
        "a long address".into(),
        plain("GET", &format!("/{}", "x".repeat(1 << 20)), ""),
        &[414, 431],
    ));
    cases.push(("not HTTP".into(), b"\x16\x03\x01\x02\x00\x01\r\n\r\n".to_vec(), &[400]));
    cases.push((
        "another HTTP".into(),
        b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n".to_vec(),
        &[400, 505],
    ));
    let lengths = format!("{talk}content-length: 2\r\ncontent-length: 3\r\n");
    cases.push(("two lengths".into(), plain("POST", "/v1/chat/completions", &lengths), &[400]));
    let minus = format!("{talk}content-length: -1\r\n");
    cases.push(("a negative length".into(), plain("POST", "/v1/chat/completions", &minus), &[400]));
    for (name, body) in [
        ("no JSON", "{"),
        ("no object", "[]"),
        ("no messages", r#"{"model": "direct"}"#),
        ("messages that are none", r#"{"model": "direct", "messages": [1]}"#),
        (
            "a role that is none",
            r#"{"model": "direct", "messages": [{"role": "god", "content": "x"}]}"#,
        ),
        ("no model of ours", r#"{"model": "gpt", "messages": [{"role": "user", "content": "x"}]}"#),
        (
            "several answers",
            r#"{"model": "direct", "n": 2, "messages": [{"role": "user", "content": "x"}]}"#,
        ),
    ] {
        let request = posted("/v1/chat/completions", &talk, body);
        cases.push((name.into(), request, &[400, 404, 422]));
    }
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    cases.push(("deep JSON".into(), posted("/v1/chat/completions", &talk, &deep), &[400, 422]));
    let text = String::from_utf8(posted("/v1/chat/completions", &talk, ask)).unwrap();
    let text = text.replace("application/json", "text/plain");
    cases.push(("a form's type".into(), text.into(), &[415]));
    let review_text = posted("/api/runs/0/reviews", &review, r#"{"verdict": "ok", "comment": ""}"#);
    cases.push(("a review of nothing".into(), review_text, &[404]));

    assert!(cases.len() >= 50);
    let count = cases.len();
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(name, request, statuses)| {
            let answer = server.send(request);
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let fits = statuses.contains(&answer.status)
                && !body.contains("root:")
                && (answer.status != 405 || body.contains("with this method"));
            (!fits).then(|| format!("{name}: {}, not {statuses:?}: {body:.200}", answer.status))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    // It is well, and knows who may ask.
    server.get("/readyz", "").with(200);
    assert_eq!(server.send(posted("/v1/chat/completions", &talk, ask)).status, 200);
}

#[test]
fn whoever_asks_too_often_waits() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "rate = 2\n");
    let server = start(folder.path());
    let (often, seldom) =
        (token(folder.path(), "often", &["talk"]), token(folder.path(), "seldom", &["talk"]));
    let statuses: Vec<u16> = (0..30).map(|_| server.get("/v1/models", &often).status).collect();
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "{statuses:?}");
    server.get("/v1/models", &seldom).with(200);
}

/// A client that sends a byte now and then holds no connection for long, and the others are served
/// meanwhile.
#[test]
fn slow_clients_are_let_go() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "connections = 40\n");
    let server = start(folder.path());
    let token = token(folder.path(), "a", &["talk"]);
    let body = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
    );
    let mut slow: Vec<TcpStream> = Vec::new();
    for number in 0..30 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let beginning = if number % 2 == 0 { "GET / HTTP/1.1\r\nx-a: " } else { &body };
        stream.write_all(beginning.as_bytes()).unwrap();
        slow.push(stream);
    }
    let begun = Instant::now();
    while !slow.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(100), "{} are still there", slow.len());
        server.get("/healthz", "").with(200);
        slow.retain_mut(|stream| {
            stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            let mut buffer = [0; 1000];
            let still = matches!(
                stream.read(&mut buffer),
                Err(error) if matches!(
                    error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                )
            );
            still && stream.write_all(b"x").is_ok()
        });
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_configuration_is_read_anew_or_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "agents = [\"direct\"]\n");
    let server = start(folder);
    let token = token(folder, "a", &["talk"]);
    let models = || server.get("/v1/models", &token).with(200).json().to_string();
    let said = |what: &str| {
        let start = Instant::now();
        while !server.said().contains(what) {
            assert!(start.elapsed() < Duration::from_secs(60), "{what}: {}", server.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    assert!(models().contains("direct"));
    for (change, told) in [
        ("[agent.new]\nstrategi = \"direct\"\n", "unknown field `strategi`"),
        (
            "[agent.new]\nstrategy = \"nowhere\"\n[chats]\nagents = [\"new\"]\n",
            "`new` is not ready",
        ),
        ("[telegram]\npeople = \"everyone\"\n", "[telegram] changed"),
    ] {
        configure(folder, &format!("agents = [\"direct\"]\n{change}"));
        server.signal("HUP");
        said(told);
        assert!(models().contains("direct"));
    }
    let text = fs::read_to_string(folder.join("june.toml")).unwrap();
    assert!(text.contains("[telegram]"));
    configure(folder, "agents = [\"direct\"]\n[agent.direct]\ninstructions = \"Be brief.\"\n");
    server.signal("HUP");
    said("the configuration was read anew");
    assert!(models().contains("direct"));
}

/// Told to stop while it is asked from all sides, it answers what it took, and its journal knows
/// of each run how it ended.
#[test]
fn told_to_stop_it_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "rate = 100000\n");
    let mut server = start(folder);
    let token = token(folder, "a", &["talk"]);
    let ask = json!({ "model": "direct", "messages": [{ "role": "user", "content": "Hello" }] });
    let address = server.address;
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let body = ask.to_string();
            let request = format!(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            std::thread::spawn(move || {
                let mut answered = 0;
                loop {
                    let Ok(mut stream) = TcpStream::connect(address) else { return answered };
                    if stream.write_all(request.as_bytes()).is_err() {
                        return answered;
                    }
                    let mut text = Vec::new();
                    // A connection that the server never took is refused or reset, not answered.
                    match stream.read_to_end(&mut text) {
                        Ok(length) if length > 0 => {}
                        _ => return answered,
                    }
                    let text = String::from_utf8(text).unwrap();
                    assert!(text.starts_with("HTTP/1.1 200") && text.contains("forty-two"), "{text}");
                    answered += 1;
                }
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(3));
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    let answered: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
    assert!(answered > 0);
    run(june(folder).args(["journal", "verify"])).with(0);
    let listed = run(june(folder).args(["journal", "list", "--json", "--limit", "100000"])).with(0);
    let outcomes: Vec<serde_json::Value> =
        listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(outcomes.iter().all(|run| run["outcome"] == "returned"), "{}", listed.stdout);
    assert_eq!(outcomes.len(), answered, "as many runs as answers");
}
