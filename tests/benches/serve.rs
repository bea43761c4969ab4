//! `june serve` under load: a scripted agent is asked so many times a second, whether the answers
//! come or not, and each latency counts from the moment at which the question was due.
//!
//! `cargo bench --profile dev --workspace --bench serve -- 200 300` asks 200 times a second for 300
//! seconds. It prints percentiles, and the server's memory and processor time as it went on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use june_tests::server::{Server, configure, serve, token};
use june_tests::{june, run};
use serde_json::json;

/// Connections, each of which is asked over one after the other.
const CLIENTS: usize = 32;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let mut number = |default: u64| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (rate, seconds) = (number(200), number(10));

    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "rate = 100000\n");
    let server = Server::start(serve(folder.path()).args(["--script", "answers.toml"]));
    let token = token(folder.path(), "load", &["talk"]);
    let ask = json!({ "model": "direct", "messages": [{ "role": "user", "content": "Hello" }] });
    let body = ask.to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );

    let (next, begun) = (AtomicU64::new(0), Instant::now());
    let times = Mutex::new(Vec::new());
    let all = rate * seconds;
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(server.address).unwrap();
                stream.set_nodelay(true).unwrap();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= all {
                        return;
                    }
                    let due = begun + Duration::from_secs(number) / u32::try_from(rate).unwrap();
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    stream.write_all(request.as_bytes()).unwrap();
                    answered(&mut stream);
                    times.lock().unwrap().push(due.elapsed());
                }
            });
        }
        println!("{rate} questions a second for {seconds} s, {CLIENTS} connections");
        println!("  {:>6} {:>12} {:>12} {:>10}", "s", "answered", "memory MiB", "CPU s");
        let step = Duration::from_secs((seconds / 10).max(1));
        while next.load(Ordering::Relaxed) < all {
            thread::sleep(step);
            let (memory, cpu) = used(server.id());
            let (at, answered) = (begun.elapsed().as_secs(), times.lock().unwrap().len());
            println!("  {at:>6} {answered:>12} {memory:>12.1} {cpu:>10.1}");
        }
    });
    let mut times = times.into_inner().unwrap();
    times.sort_unstable();
    let rank = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        times[index.min(times.len() - 1)].as_secs_f64() * 1e3
    };
    println!(
        "  p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, longest {:.1} ms, {} answers",
        rank(0.5),
        rank(0.95),
        rank(0.99),
        rank(1.0),
        times.len()
    );
    server.signal("TERM");
    let mut server = server;
    assert_eq!(server.wait(), Some(0), "{}", server.said());
    run(june(folder.path()).args(["journal", "verify"])).with(0);
    println!("  the journal is sound");
}

/// Reads an answer to its end, and fails unless it is one.
fn answered(stream: &mut TcpStream) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the connection ended: {}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("http/1.1 200"), "{text}");
        let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        if body.len() >= length.parse().unwrap() {
            return;
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
