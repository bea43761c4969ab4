//! `june serve`: the runs of a real journal, found, shown, proven and reviewed over the API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use june_tests::server::{Server, configure, serve, token};
use june_tests::{cheap_samples, eval, history, hostile, june, run, write_samples};
use serde_json::{Value, json};
use tempfile::TempDir;

const AGENT: &str = "[agent.a]\nstrategy = \"deliberate\"\ntools = [\"calculator\"]\n\
                     [model.m]\nbackend = \"scripted\"\nfile = \"calculates.toml\"\n";

const CALCULATES: &str = r#"
    [[answer]]
    when = { result = "42" }
    text = ["It is ", "42."]

    [[answer]]
    when = { text = "6 * 7" }
    calls = [{ name = "calculator", arguments = { expression = "6 * 7" } }]
"#;

/// A folder in which an agent was asked something, and programs were graded: some are wrong, one
/// wants the network, one is long.
fn recorded() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configure(path, &format!("rate = 10000\n{AGENT}"));
    fs::write(path.join("calculates.toml"), CALCULATES).unwrap();
    run(june(path).args(["run", "a", "What is 6 * 7?"])).with(0);
    let hostile = hostile();
    let socket = hostile.iter().find(|program| program.name.contains("socket-connect")).unwrap();
    let long = format!("    # {}\n    return a + b\n", "é".repeat(4000));
    let mut samples: Vec<(&str, String)> = cheap_samples(10).collect();
    samples.extend([(socket.task.as_str(), socket.text.clone()), ("Hostile/0", long)]);
    write_samples(path, "samples.jsonl", samples);
    run(eval(path, "samples.jsonl").args(["--output", "Graded-1", "--fuel", "1G"])).with(0);
    folder
}

fn start(folder: &Path) -> Server {
    Server::start(serve(folder).args(["--script", "answers.toml"]))
}

/// What `june journal` prints, a value a line.
fn journal(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let ended = run(june(folder).arg("journal").args(arguments));
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn numbers(runs: &Value) -> Vec<u64> {
    runs["runs"].as_array().unwrap().iter().map(|run| run["run"].as_u64().unwrap()).collect()
}

#[test]
fn runs_are_found_as_the_command_finds_them() {
    let folder = recorded();
    let path = folder.path();
    let all = journal(path, &["list", "--json", "-n", "1000"]);
    assert_eq!(all.len(), 2 + 12);
    let component = all.iter().find(|run| run["name"] == "python").unwrap()["component"].clone();
    let digest = component.as_str().unwrap();
    let time = all[5]["time"].as_u64().unwrap();
    let server = start(path);
    let token = token(path, "ada", &["review"]);
    let list = |query: &str| server.get(&format!("/api/runs?{query}"), &token).with(200).json();
    assert_eq!(list(""), json!({ "runs": all, "more": false }));

    // Each question, and what of a run has the answer.
    type Fits<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let is = |name: &'static str, value: &'static str| -> Fits<'_> {
        Box::new(move |run| run[name] == value)
    };
    let questions: Vec<(String, Fits<'_>)> = vec![
        ("world=runner".into(), is("world", "runner")),
        ("world=tool".into(), is("name", "calculator")),
        ("outcome=raised".into(), is("outcome", "raised")),
        ("outcome=out-of-fuel".into(), is("outcome", "out-of-fuel")),
        ("session=Graded-1".into(), is("session", "Graded-1")),
        ("session=graded-1".into(), is("session", "graded-1")),
        ("session=Graded".into(), is("session", "Graded")),
        ("component=python".into(), is("name", "python")),
        ("component=pyth".into(), is("name", "pyth")),
        (format!("component={}", &digest[..6]), is("name", "python")),
        (format!("component={}", digest.to_uppercase()), is("name", "python")),
        ("component=ffffffff".into(), is("name", "nothing")),
        ("denied=true".into(), Box::new(|run| run["denied"] != 0)),
        ("denied=true&outcome=raised".into(), Box::new(|run| run["denied"] != 0)),
        ("outcome=raised&world=runner&session=Graded-1".into(), is("outcome", "raised")),
        ("outcome=raised&world=tool".into(), is("name", "nothing")),
        (format!("since={time}"), Box::new(|run| run["time"].as_u64() >= Some(time))),
        (format!("until={time}"), Box::new(|run| run["time"].as_u64() <= Some(time))),
        (
            format!("q=python&until={time}"),
            Box::new(|run| run["name"] == "python" && run["time"].as_u64() <= Some(time)),
        ),
        (format!("since={}", i64::MAX), is("name", "nothing")),
        ("q=PYTHON".into(), is("name", "python")),
        ("q=grad".into(), is("session", "Graded-1")),
        ("q=-1".into(), is("session", "Graded-1")),
        ("q=ue+number".into(), Box::new(|run| run["detail"].as_str().unwrap().contains("number"))),
        ("q=raised+python".into(), is("outcome", "raised")),
        ("q=raised+calculator".into(), is("name", "nothing")),
        ("q=graded-1+calc".into(), is("name", "nothing")),
        ("q=%22+python".into(), is("name", "nothing")),
        ("q=%25".into(), is("name", "nothing")),
        ("q=zzz*".into(), is("name", "nothing")),
        ("q=py%00thon".into(), is("name", "nothing")),
        ("q=".into(), Box::new(|_run| true)),
        (format!("q={}", &digest[..5]), is("name", "python")),
        (format!("q={}", &digest[..20]), is("name", "python")),
        (format!("q={}", &digest[1..9]), is("name", "nothing")),
        (
            format!("q={}", all[3]["run"]),
            Box::new(|run| {
                let number = all[3]["run"].to_string();
                let fields = ["name", "session", "detail", "world", "outcome"];
                run["run"] == all[3]["run"]
                    || fields.iter().any(|field| run[field].as_str().unwrap().contains(&number))
                    || run["component"].as_str().unwrap().starts_with(&number)
            }),
        ),
    ];
    for (query, fits) in questions {
        let expected: Vec<&Value> = all.iter().filter(|run| fits(run)).collect();
        assert_eq!(list(&query), json!({ "runs": expected, "more": false }), "{query}");
    }

    // Page after page they are the same.
    let (mut pages, mut before) = (Vec::new(), String::new());
    loop {
        let page = list(&format!("limit=5{before}"));
        let found = numbers(&page);
        assert!(found.len() <= 5);
        before = format!("&before={}", found.last().unwrap());
        pages.extend(found);
        if page["more"] == false {
            break;
        }
        assert_eq!(numbers(&page).len(), 5);
    }
    assert_eq!(pages, numbers(&list("")));

    for wrong in [
        "outcome=magic",
        "world=other",
        "limit=0",
        "limit=1001",
        "limit=many",
        "before=-1",
        "since=yesterday",
        "denied=perhaps",
        "outcom=raised",
        "limit=1&limit=2",
    ] {
        let refused = server.get(&format!("/api/runs?{wrong}"), &token).with(400).json();
        assert!(refused["error"].is_string(), "{wrong}: {refused}");
    }
    let long = "x".repeat(2000);
    server.get(&format!("/api/runs?q={long}"), &token).with(400);
}

#[test]
fn a_run_is_shown_with_all_that_it_names() {
    let folder = recorded();
    let path = folder.path();
    let all = journal(path, &["list", "--json"]);
    let shown: Vec<(String, Vec<Value>)> = all
        .iter()
        .map(|run| run["run"].to_string())
        .map(|number| (number.clone(), journal(path, &["show", &number, "--json"])))
        .collect();
    let server = start(path);
    let token = token(path, "ada", &["review"]);
    let get = |path: &str| server.get(path, &token);
    let mut blobs = 0;
    for ((number, records), run) in shown.iter().zip(&all) {
        let found = get(&format!("/api/runs/{number}")).with(200).json();
        assert_eq!(found["run"], *run);
        assert_eq!(found["records"], Value::from(records.clone()));
        let tree = numbers(&json!({ "runs": found["tree"] }));
        match run["world"].as_str() {
            Some("runner") => assert_eq!(tree, [run["run"].as_u64().unwrap()]),
            _ => assert_eq!(tree.len(), 2),
        }
        assert_eq!(found["tree_more"], false);
        // What is too long for a record is had by its digest, of this run alone.
        let source = &records[0]["input"]["source"];
        if let Some(digest) = source["sha256"].as_str() {
            blobs += 1;
            let blob = get(&format!("/api/runs/{number}/blobs/{digest}")).with(200);
            assert!(blob.head.contains("content-type: application/octet-stream"), "{}", blob.head);
            assert!(blob.head.contains("immutable"), "{}", blob.head);
            assert_eq!(blob.body.len() as u64, source["length"].as_u64().unwrap());
            assert!(String::from_utf8(blob.body).unwrap().contains("éééé"));
            get(&format!("/api/runs/0/blobs/{digest}")).with(404);
        }
    }
    assert_eq!(blobs, 1);
    let none = "0".repeat(64);
    for path in [
        &*format!("/api/runs/0/blobs/{none}"),
        "/api/runs/0/blobs/x",
        "/api/runs/999",
        "/api/runs/999/blobs/x",
        "/api/runs/18446744073709551615",
    ] {
        let refused = get(path).with(404).json();
        assert!(refused["error"].is_string(), "{path}: {refused}");
    }
    get("/api/runs/x").with(400);
    get("/api/runs/18446744073709551616").with(400);
}

#[test]
fn a_journal_is_proven_and_a_run_replayed() {
    let folder = recorded();
    let path = folder.path();
    let replayed = journal(path, &["replay", "0", "--json"]);
    assert_eq!(replayed.len(), 2);
    let server = start(path);
    let token = token(path, "ada", &["review"]);
    let post = |path: &str| server.post(path, &token, &json!({}));
    let verified = post("/api/runs/0/verify").with(200).json();
    assert_eq!(verified["sound"], true, "{verified}");
    assert_eq!(verified["runs"], 14);
    assert_eq!(verified["problems"], json!([]));
    let replays = post("/api/runs/0/replay").with(200).json();
    assert_eq!(replays, json!({ "replays": replayed }));
    assert!(replayed.iter().all(|run| run["result"] == "identical"));
    for what in ["verify", "replay"] {
        post(&format!("/api/runs/99/{what}")).with(404);
        server.post(&format!("/api/runs/0/{what}"), &token, &json!({ "fast": true })).with(422);
    }

    // One bit, in the middle.
    let segment = path.join("journal/segments/00000000000000000000.segment");
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let verified = post("/api/runs/0/verify").with(200).json();
    assert_eq!(verified["sound"], false, "{verified}");
    assert!(verified["problem_count"].as_u64() >= Some(1));
}

#[test]
fn reviews_are_signed_with_the_key_of_the_tokens_name() {
    let folder = recorded();
    let path = folder.path();
    let mut server = start(path);
    let (ada, grace) = (token(path, "ada", &["review"]), token(path, "grace", &["admin"]));
    let review = |token: &str, body: &Value| server.post("/api/runs/0/reviews", token, body);
    let first = json!({ "verdict": "ok", "comment": "read it, <b>fine</b>" });
    let made = review(&ada, &first).with(201).json();
    let record = &made["record"];
    assert_eq!((&record["kind"], &record["run"]), (&json!("review"), &json!(0)));
    assert_eq!(record["comment"], first["comment"]);
    let key = |made: &Value| made["record"]["reviewer"].as_str().unwrap().to_owned();
    assert!(key(&made).starts_with("ada+"), "{made}");
    let again = review(&ada, &json!({ "verdict": "flag" })).with(201).json();
    assert_eq!(key(&again), key(&made), "a reviewer has one key");
    let other = review(&grace, &json!({ "verdict": "ok", "comment": "" })).with(201).json();
    assert!(key(&other).starts_with("grace+"), "{other}");

    let long = "x".repeat(4001);
    for body in [
        json!({}),
        json!({ "verdict": "perhaps" }),
        json!({ "verdict": "ok", "comment": "\u{1b}[2J" }),
        json!({ "verdict": "ok", "comment": "two\nlines" }),
        json!({ "verdict": "ok", "comment": long }),
        json!({ "verdict": "ok", "reviewer": "grace" }),
    ] {
        let refused = review(&ada, &body).with(422).json();
        assert!(refused["error"].is_string(), "{refused}");
    }
    let shown = server.get("/api/runs/0", &ada).with(200).json();
    assert_eq!(shown["run"]["reviews"], "ok flag ok");
    let records = shown["records"].as_array().unwrap();
    assert_eq!(
        records[records.len() - 3..],
        [made["record"].clone(), again["record"].clone(), other["record"].clone()]
    );

    // Every signature is checked, by the command too.
    let verified = server.post("/api/runs/0/verify", &ada, &json!({})).with(200).json();
    assert_eq!(verified["sound"], true, "{verified}");
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    run(june(path).args(["journal", "verify"])).with(0);
    let listed = journal(path, &["list", "--json", "--component", "deliberate"]);
    assert_eq!(listed[0]["reviews"], "ok flag ok");
}

/// A stream of events ends when the server stops, and the server ends.
#[test]
fn whoever_watches_is_let_go_when_the_server_stops() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "");
    let mut server = start(folder.path());
    let token = token(folder.path(), "ada", &["review"]);
    let mut lines = watch(&server, &token);
    let begun = Instant::now();
    server.signal("TERM");
    while lines.next().is_some() {}
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// What is told to whoever watches runs, a line each.
fn watch(server: &Server, token: &str) -> impl Iterator<Item = String> + use<> {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let request = format!(
        "GET /api/live HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(|line| line.unwrap());
    lines.find(|line| line == ": listening").unwrap();
    lines
}

#[test]
fn whoever_watches_is_let_go_when_the_token_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "");
    let server = start(folder.path());
    let (ada, bob) =
        (token(folder.path(), "ada", &["review"]), token(folder.path(), "bob", &["talk"]));
    let mut lines = watch(&server, &ada);
    let ask = json!({ "model": "direct", "messages": [{ "role": "user", "content": "Hello" }] });
    server.post("/v1/chat/completions", &bob, &ask).with(200);
    lines.find(|line| line == "event: ended").unwrap();
    run(serve(folder.path()).args(["token", "revoke", "ada"])).with(0);
    server.post("/v1/chat/completions", &bob, &ask).with(200);
    assert!(!lines.any(|line| line.starts_with("event:")));
}

/// The index is made again when it is of another form, is no index, or was deleted, and two Junes
/// may use it at once.
#[test]
fn an_index_that_does_not_fit_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let journal_folder = path.join("journal");
    history::write(&journal_folder, 3000);
    let list = ["list", "--json", "-n", "100000"];
    let all = journal(path, &list);
    assert!(all.len() > 500);
    let index = journal_folder.join("index.sqlite");
    fs::write(&index, "no index").unwrap();
    assert_eq!(journal(path, &list), all);
    // The form is a number in the database's header.
    let mut bytes = fs::read(&index).unwrap();
    bytes[63] ^= 1;
    fs::write(&index, bytes).unwrap();
    assert_eq!(journal(path, &list), all);
    // Damage in the middle, as a machine that crashed may leave it.
    let mut bytes = fs::read(&index).unwrap();
    let (from, to) = (4096, bytes.len() - 4096);
    bytes[from..to].fill(0x55);
    fs::write(&index, bytes).unwrap();
    assert_eq!(journal(path, &list), all);

    configure(path, "rate = 10000\n");
    let server = start(path);
    let token = token(path, "ada", &["review"]);
    let listed = || server.get("/api/runs?limit=1000", &token).with(200).json();
    let newest: Vec<Value> = all.iter().take(1000).cloned().collect();
    assert_eq!(listed()["runs"], Value::from(newest.clone()));
    fs::remove_file(&index).unwrap();
    assert_eq!(listed()["runs"], Value::from(newest));
    assert!(index.exists());
    for _ in 0..3 {
        server.post("/api/runs/0/reviews", &token, &json!({ "verdict": "ok" })).with(201);
        let run_0 = &journal(path, &list)[all.len() - 1];
        assert_eq!(run_0["run"], 0);
        assert_eq!(*run_0, server.get("/api/runs/0", &token).with(200).json()["run"]);
    }
}

#[test]
fn the_api_describes_itself() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "");
    let server = start(folder.path());
    let described = server.get("/api/openapi.json", "").with(200).json();
    for (path, method) in [
        ("/api/runs", "get"),
        ("/api/runs/{run}", "get"),
        ("/api/runs/{run}/blobs/{sha256}", "get"),
        ("/api/runs/{run}/verify", "post"),
        ("/api/runs/{run}/replay", "post"),
        ("/api/runs/{run}/reviews", "post"),
        ("/api/live", "get"),
    ] {
        let operation = &described["paths"][path][method];
        assert!(
            operation["responses"]["200"].is_object() || operation["responses"]["201"].is_object(),
            "{path}: {operation}"
        );
    }
    let parameters = described["paths"]["/api/runs"]["get"]["parameters"].as_array().unwrap();
    let names: Vec<&str> = parameters.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "q",
            "world",
            "outcome",
            "session",
            "component",
            "denied",
            "since",
            "until",
            "before",
            "limit"
        ]
    );
    assert!(
        parameters.iter().all(|one| one["in"] == "query" && one["required"] == false),
        "{parameters:?}"
    );
}
