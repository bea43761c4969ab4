//! `june serve` under load: a scripted agent is asked so many times a second, whether the answers
//! come or not, and each latency counts from the moment at which the question was due.
//!
//! `cargo bench --profile dev --workspace --bench serve -- 200 300` asks 200 times a second for 300
//! seconds. It prints percentiles beside those of a page that does nothing, at the same rate from
//! the same server, and the server's memory and processor time as it went on. In the end the server
//! is told to stop while it is asked, and has to have a run in its journal for each answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use june_tests::server::{Server, configure, serve, token};
use june_tests::{june, run};
use serde_json::json;

/// Connections, each of which is asked over one after the other.
const CLIENTS: usize = 32;
/// The seconds for which the page that does nothing is asked.
const NOTHING: u64 = 5;
/// The seconds for which a server is asked that is told to stop meanwhile.
const STOPPING: u64 = 4;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let mut number = |default: u64| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (rate, seconds) = (number(200), number(20));

    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "rate = 100000\n");
    let mut server = Server::start(serve(folder.path()).args(["--script", "answers.toml"]));
    let token = token(folder.path(), "load", &["talk"]);
    let ask = json!({ "model": "direct", "messages": [{ "role": "user", "content": "Hello" }] });
    let body = ask.to_string();
    let (address, length) = (server.address, body.len());
    let question = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let nothing = format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\n\r\n");

    println!("{rate} questions a second for {seconds} s, {CLIENTS} connections");
    let floor = asked(address, &nothing, rate, NOTHING, |_| {});
    println!("  {:>6} {:>12} {:>12} {:>10}", "s", "answered", "memory MiB", "CPU s");
    let step = (seconds / 10).max(1);
    let (mut early, mut last) = (0.0, (0.0, 0.0));
    let mut next = step;
    let answers = asked(address, &question, rate, seconds, |at| {
        if at.elapsed.as_secs() < next {
            return;
        }
        next += step;
        let (memory, cpu) = used(server.id());
        println!("  {:>6} {:>12} {memory:>12.1} {cpu:>10.1}", at.elapsed.as_secs(), at.answered);
        if early == 0.0 {
            early = memory;
        }
        last = (memory, cpu);
    });
    floor.print("nothing");
    answers.print("answers");
    println!("  p50 is {:.1} times that of nothing", answers.rank(0.5) / floor.rank(0.5));
    println!(
        "  {:.2} ms of processor time each; memory at the end {:.2} times that after {step} s",
        last.1 * 1e3 / answers.times.len() as f64,
        last.0 / early
    );

    // Told to stop while it is asked.
    let id = server.id();
    let stopping = thread::scope(|scope| {
        let asking = scope.spawn(|| asked(address, &question, rate, STOPPING, |_| {}));
        thread::sleep(Duration::from_secs(STOPPING / 2));
        run(std::process::Command::new("kill").args(["-s", "TERM", &id.to_string()])).with(0);
        asking.join().unwrap()
    });
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    run(june(folder.path()).args(["journal", "verify"])).with(0);
    let answered = answers.times.len() + stopping.times.len();
    let listed =
        run(june(folder.path()).args(["journal", "list", "--json", "--limit", "10000000"]));
    let listed = listed.with(0).stdout;
    let returned = listed.lines().filter(|line| line.contains("\"outcome\":\"returned\"")).count();
    println!(
        "  told to stop: {} answered, {} not taken; {returned} runs in a sound journal for \
         {answered} answers",
        stopping.times.len(),
        stopping.untaken
    );
    assert_eq!(stopping.errors + answers.errors, 0, "errors");
    assert_eq!((returned, listed.lines().count()), (answered, answered));
}

/// How the answers to all questions came.
#[derive(Default)]
struct Answers {
    /// The latencies of those that were right, in milliseconds, sorted.
    times: Vec<f64>,
    /// How many were no answers, or broke off.
    errors: usize,
    /// How many questions the server did not take.
    untaken: usize,
}

/// How far the asking is.
struct At {
    elapsed: Duration,
    answered: usize,
}

impl Answers {
    fn rank(&self, share: f64) -> f64 {
        let index = (self.times.len() as f64 * share) as usize;
        self.times.get(index.min(self.times.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }

    fn print(&self, name: &str) {
        println!(
            "  {name}: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, longest {:.1} ms; {} answers, {} \
             errors",
            self.rank(0.5),
            self.rank(0.95),
            self.rank(0.99),
            self.rank(1.0),
            self.times.len(),
            self.errors + self.untaken
        );
    }
}

/// Sends a request so many times a second for so long.
fn asked(
    address: SocketAddr,
    request: &str,
    rate: u64,
    seconds: u64,
    mut watch: impl FnMut(At),
) -> Answers {
    let (next, begun, all) = (AtomicU64::new(0), Instant::now(), rate * seconds);
    let answers = Mutex::new(Answers::default());
    let client = || {
        let mut stream = None;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= all {
                return;
            }
            let due = begun + Duration::from_nanos(number * 1_000_000_000 / rate);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let answered = one(&mut stream, address, request);
            let time = due.elapsed().as_secs_f64() * 1e3;
            let mut answers = answers.lock().unwrap();
            match answered {
                Some(true) => answers.times.push(time),
                Some(false) => answers.errors += 1,
                None => answers.untaken += 1,
            }
            if answered != Some(true) {
                stream = None;
            }
        }
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        while clients.iter().any(|client| !client.is_finished()) {
            thread::sleep(Duration::from_millis(100));
            let answered = answers.lock().unwrap().times.len();
            watch(At { elapsed: begun.elapsed(), answered });
        }
    });
    let mut answers = answers.into_inner().unwrap();
    answers.times.sort_unstable_by(f64::total_cmp);
    answers
}

/// Asks once, over this connection or a new one: whether that was answered as it should be; nothing
/// where the server closed the connection instead of taking the question.
fn one(stream: &mut Option<TcpStream>, address: SocketAddr, request: &str) -> Option<bool> {
    let connection = match stream {
        Some(stream) => stream,
        None => {
            let new = TcpStream::connect(address).ok()?;
            new.set_nodelay(true).unwrap();
            stream.insert(new)
        }
    };
    connection.write_all(request.as_bytes()).ok()?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match connection.read(&mut buffer) {
            Ok(0) | Err(_) if bytes.is_empty() => return None,
            Ok(0) | Err(_) => return Some(false),
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1)?.split("\r\n").next()?;
        if body.len() >= length.parse().unwrap() {
            if head.contains("connection: close") {
                *stream = None;
            }
            return Some(head.starts_with("http/1.1 200"));
        }
    }
}

/// The resident memory of a process in MiB, and the processor time that it used in seconds.
fn used(id: u32) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let memory: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // The clock ticks a hundred times a second on every Linux that there is.
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    (memory / 1024.0, ticks / 100.0)
}
