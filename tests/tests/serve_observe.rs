//! What `june serve` tells of itself: metrics to a real Prometheus, logs, health.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use june_chat_doubles::TelegramDouble;
use june_tests::server::{LISTEN, Server, configure, send, serve, token};
use june_tests::{PythonServer, has, json_lines, june, python, repository, run};
use serde_json::Value;

/// A server with a bot on a double of Telegram.
fn with_bot(folder: &Path, telegram: &TelegramDouble, rest: &str) -> Server {
    configure(
        folder,
        &format!(
            "bots = [\"telegram\"]\n{rest}\n[chats]\nstore = \"chats.db\"\n\
             [telegram]\nserver = \"{}\"\npeople = [\"7\"]\n",
            telegram.url()
        ),
    );
    let mut command = serve(folder);
    command.args(["--script", "answers.toml"]).env("TELEGRAM_TOKEN", TelegramDouble::TOKEN);
    Server::start(&mut command)
}

/// Waits for something that must happen; the machine may be busy.
#[track_caller]
fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not happen");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Asks over the bot, and waits for the end of the turn.
#[track_caller]
fn ask(folder: &Path, telegram: &TelegramDouble) {
    telegram.push_text(7, "What is six times seven?");
    wait_for("the end of the turn", || {
        run(june(folder).args(["history", "--json"])).stdout.contains("\"state\":\"done\"")
    });
}

/// A Prometheus that scrapes a server; it is killed when this is dropped.
struct Prometheus(Child, SocketAddr);

impl Prometheus {
    fn start(folder: &Path, server: &Server, token: &str) -> Prometheus {
        fs::write(folder.join("prometheus.token"), token).unwrap();
        let config = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: june\n    \
             authorization: {{credentials_file: prometheus.token}}\n    \
             static_configs: [{{targets: [\"{}\"]}}]\n",
            server.address
        );
        fs::write(folder.join("prometheus.yml"), config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new("prometheus");
        command
            .current_dir(folder)
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=prometheus")
            .arg(format!("--web.listen-address={port}"));
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Prometheus(child, port)
    }

    /// What a query finds; `None` while Prometheus starts.
    fn query(&self, query: &str) -> Option<Vec<Value>> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let request = format!(
            "GET /api/v1/query?query={escaped} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        );
        let answer = send(self.1, request)?;
        if answer.status == 503 {
            return None;
        }
        let answer = answer.with(200).json();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        Some(answer["data"]["result"].as_array().unwrap().clone())
    }

    /// The one number that a query finds.
    fn number(&self, query: &str) -> Option<f64> {
        let found = self.query(query)?;
        found.first()?["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The queries of the dashboard, for whichever job.
fn queries() -> Vec<String> {
    let file = repository("deploy/grafana/dashboards/june.json");
    let dashboard: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let queries: Vec<String> = targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .map(|query| query.replace("$job", ".+").replace("$__rate_interval", "1m"))
        .collect();
    assert!(queries.len() > 20);
    queries
}

#[test]
fn prometheus_scrapes_it() {
    let test = "prometheus_scrapes_it";
    if !has(test, "prometheus") || !has(test, "promtool") {
        return;
    }
    let (telegram, folder) = (TelegramDouble::start(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let server = with_bot(folder, &telegram, "");
    let token = token(folder, "prometheus", &["review"]);
    let prometheus = Prometheus::start(folder, &server, &token);
    ask(folder, &telegram);

    let metrics = server.get("/metrics", &token).with(200);
    fs::write(folder.join("metrics"), &metrics.body).unwrap();
    let mut promtool = Command::new("promtool");
    let metrics_file = fs::File::open(folder.join("metrics")).unwrap();
    let checked = promtool.args(["check", "metrics"]).stdin(metrics_file).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.is_empty(), "{said}");

    wait_for("a scrape", || prometheus.number("up{job=\"june\"}") == Some(1.0));
    for (query, least) in [
        ("june_runs_ended_total{agent=\"direct\",outcome=\"answered\"}", 1.0),
        ("june_runs_begun_total", 1.0),
        ("june_run_fuel_total{agent=\"direct\"}", 1.0),
        ("june_model_calls_total{model=\"scripted\",outcome=\"answered\"}", 1.0),
        ("june_model_first_piece_seconds_count", 1.0),
        ("june_turns_total{platform=\"telegram\"}", 1.0),
        ("june_turn_stage_seconds_count{stage=\"first-sentence\"}", 1.0),
        ("june_journal_records_total", 2.0),
        ("june_journal_commit_seconds_count", 1.0),
        ("june_http_requests_total{route=\"/metrics\",method=\"GET\",status=\"200\"}", 1.0),
        ("june_ready", 1.0),
        ("process_resident_memory_bytes", 1e6),
        ("process_cpu_seconds_total", 0.001),
    ] {
        wait_for(query, || prometheus.number(query).is_some_and(|found| found >= least));
    }
    // Prometheus understands all that the dashboard asks.
    for query in queries() {
        prometheus.query(&query).unwrap();
    }
}

/// Whatever is asked, there are few series: a stranger cannot fill the memory.
#[test]
fn the_series_are_few() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    configure(folder, "rate = 10000\n");
    let server = Server::start(serve(folder).args(["--script", "answers.toml"]));
    let token = token(folder, "a", &["review"]);
    let series = || {
        let text = String::from_utf8(server.get("/metrics", &token).with(200).body).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
        series.collect::<BTreeSet<_>>()
    };
    let ask = |from: u32| {
        for number in from..from + 100 {
            server.get(&format!("/page{number}?q={number}"), "");
            server.get(&format!("/api/nothing{number}"), "x");
            let request = format!("METHOD{number} / HTTP/1.1\r\nhost: localhost\r\n");
            server.send(request + "connection: close\r\n\r\n");
        }
    };
    ask(0);
    // Whoever reads them is counted, too.
    series();
    let before = series();
    ask(100);
    let after = series();
    let new: Vec<_> = after.difference(&before).collect();
    assert!(new.is_empty(), "{new:?}");
    assert!(!after.iter().any(|series| series.contains("page1")), "{after:?}");
}

/// With `log = "json"`, whatever is said is JSON, line by line, and no secret is in it.
#[test]
fn what_it_says_can_be_read_by_machines() {
    let (telegram, folder) = (TelegramDouble::start(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let mut server = with_bot(folder, &telegram, "log = \"json\"");
    let token = token(folder, "a", &["admin"]);
    // The bot's first message, a run that fails, a configuration that is wrong, an end.
    wait_for("the bot", || server.said().contains("on Telegram"));
    fs::write(folder.join("answers.toml"), "").unwrap();
    telegram.push_text(7, "What is six times seven?");
    server.get("/api/runs", &token);
    let file = folder.join("june.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{config}\n[agent.x]\nstrategi = \"x\"\n")).unwrap();
    server.signal("HUP");
    wait_for("a refusal", || server.said().contains("the configuration is as it was"));
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    let said = server.said();
    for line in said.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}\n{said}"));
        assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
        assert!(["info", "warn", "error"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert!(line["message"].is_string(), "{line}");
    }
    for secret in [token.as_str(), TelegramDouble::TOKEN] {
        assert!(!said.contains(secret), "{said}");
    }
}

/// A run that gives no answer is told of, with its number in the journal.
#[test]
fn a_run_that_fails_is_told_of() {
    let (telegram, folder) = (TelegramDouble::start(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    configure(folder, "");
    // A transcript that knows no answer to this.
    fs::write(
        folder.join("answers.toml"),
        "[[answer]]\nwhen = { text = \"seven\" }\ntext = [\"It is.\"]\n",
    )
    .unwrap();
    let config = format!(
        "[serve]\n{}\nbots = [\"telegram\"]\nlog = \"json\"\n[chats]\nstore = \"chats.db\"\n\
         [telegram]\nserver = \"{}\"\npeople = [\"7\"]\n",
        LISTEN,
        telegram.url()
    );
    fs::write(folder.join("june.toml"), config).unwrap();
    let mut command = serve(folder);
    command.args(["--script", "answers.toml"]).env("TELEGRAM_TOKEN", TelegramDouble::TOKEN);
    let server = Server::start(&mut command);
    telegram.push_text(7, "SECRET question");
    wait_for("a line", || server.said().contains("gave no answer"));
    let said = server.said();
    let line = said.lines().find(|line| line.contains("gave no answer")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["message"], "the agent `direct` gave no answer: failed");
    let number = line["run"].as_u64().unwrap().to_string();
    let shown = run(june(folder).args(["journal", "show", &number])).with(0);
    assert!(shown.stdout.contains("strategy"), "{shown}");
    assert!(!said.contains("SECRET"), "{said}");
}

/// The files of `deploy/` are what systemd and Prometheus take.
#[test]
fn what_is_deployed_is_understood() {
    let test = "what_is_deployed_is_understood";
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| fs::read_to_string(repository("deploy").join(name)).unwrap();
    if has(test, "systemd-analyze") {
        let unit = read("june.service");
        let binary = june_tests::binary();
        let unit = unit.replace("/usr/local/bin/june", &binary.display().to_string());
        let file = folder.path().join("june.service");
        fs::write(&file, unit).unwrap();
        let verified = run(Command::new("systemd-analyze").arg("verify").arg(&file)).with(0);
        assert_eq!(verified.stderr, "");
        let mut command = Command::new("systemd-analyze");
        // Exposure in tenths, of 100.
        command.args(["security", "--offline=true", "--threshold=20"]).arg(&file);
        run(&mut command).with(0);
    }
    if has(test, "promtool") {
        let token = folder.path().join("token");
        fs::write(&token, "june_x").unwrap();
        let config = read("prometheus.yml");
        let config = config.replace("/run/secrets/june", &token.display().to_string());
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config).unwrap();
        run(Command::new("promtool").args(["check", "config"]).arg(&file)).with(0);
    }
    // June's own part: a configuration that it takes, whose models need not be there.
    let config = repository("deploy/june.toml");
    let checked = run(june(folder.path()).args(["config", "check"]).arg(config));
    checked.with(0);
}

/// Whoever may ask may have it traced; a collector that is away is told of once and stops nothing.
#[test]
fn a_request_is_part_of_the_trace_of_whoever_may_ask() {
    let test = "a_request_is_part_of_the_trace_of_whoever_may_ask";
    let Some(python) = python(test, "JUNE_TEST_PYTHON", "opentelemetry-proto") else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = folder.join("spans.jsonl");
    let collector = PythonServer::start(python, "tests/otlp/receive.py", [&file]);
    let start = |header: &str| {
        let port = collector.port;
        configure(
            folder,
            &format!(
                "[serve.traces]\nurl = \"http://127.0.0.1:{port}\"\nshare = 0.0\n\
                 headers = {{ authorization = \"COLLECTOR\" }}\n"
            ),
        );
        Server::start(serve(folder).args(["--script", "answers.toml"]).env("COLLECTOR", header))
    };
    let ask = |server: &Server, token: &str, trace: &str| {
        let address = server.address;
        let answer = server.send(format!(
            "GET /metrics HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             traceparent: 00-{trace}-00f067aa0ba902b7-01\r\nconnection: close\r\n\r\n"
        ));
        answer.status
    };
    let (with, without) = ("4bf92f3577b34da6a3ce929d0e0e4736", "11111111111111111111111111111111");
    let mut server = start("Bearer collector-secret");
    let token = token(folder, "a", &["review"]);
    assert_eq!(ask(&server, &token, with), 200);
    assert_eq!(ask(&server, "june_wrong", without), 401);
    assert_eq!(ask(&server, &token, "nonsense"), 200);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    let spans = json_lines(&file);
    assert_eq!(spans.len(), 1, "{spans:#?}");
    let span = &spans[0];
    assert_eq!((&span["trace"], &span["parent"]), (&with.into(), &"00f067aa0ba902b7".into()));
    assert_eq!(span["name"], "GET /metrics");
    assert_eq!(span["attributes"]["http.response.status_code"], 200);
    assert_eq!(span["attributes"]["enduser.id"], "a");

    // A collector that refuses.
    let mut server = start("Bearer another");
    for _ in 0..3 {
        assert_eq!(ask(&server, &token, with), 200);
        thread::sleep(Duration::from_millis(1100));
    }
    wait_for("a line", || server.said().contains("traces are lost"));
    assert_eq!(server.said().matches("traces are lost").count(), 1, "{}", server.said());
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    // And one that is not there at all.
    drop(collector);
    let mut server =
        Server::start(serve(folder).args(["--script", "answers.toml"]).env("COLLECTOR", "x"));
    assert_eq!(ask(&server, &token, with), 200);
    let begun = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(server.said().contains("cannot be reached"), "{}", server.said());
    assert!(!server.said().contains("Bearer"), "{}", server.said());
}

/// It says that it is not ready, and why, as soon as it is not.
#[test]
fn it_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let model = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", model.local_addr().unwrap());
    configure(
        folder,
        &format!("agents = [\"direct\"]\n[model.m]\nbackend = \"openai\"\nurl = \"{url}\"\n"),
    );
    let server = Server::start(&mut serve(folder));
    server.get("/healthz", "").with(200);
    server.get("/readyz", "").with(200);
    drop(model);
    wait_for("a problem", || server.get("/readyz", "").status == 503);
    let problems = server.get("/readyz", "").json();
    assert_eq!(problems["problems"][0], "model m: its server cannot be reached");
    let token = token(folder, "a", &["review"]);
    let metrics = server.get("/metrics", &token).with(200);
    assert!(String::from_utf8_lossy(&metrics.body).contains("june_ready 0"));
    server.get("/healthz", "").with(200);
}
