//! How soon the review page's questions are answered, over a journal of a million records.
//!
//! `cargo bench --profile dev --workspace --bench search -- [RECORDS]`. The median and the slowest
//! of each question, as a client sees it: connection, token, query and JSON. The peer is reading
//! the smallest file of the page from the same server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench")]

use std::time::{Duration, Instant};

use june_tests::history;
use june_tests::server::{Server, configure, serve, token};

/// How often each question is asked.
const TIMES: usize = 15;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let records = arguments.next().map_or(1_000_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();

    let begun = Instant::now();
    history::write(&folder.join("journal"), records);
    println!("{records} records written in {:.1} s", begun.elapsed().as_secs_f64());
    configure(folder, "rate = 100000\n");
    let server = Server::start(serve(folder).args(["--script", "answers.toml"]));
    let token = token(folder, "bench", &["review"]);

    let begun = Instant::now();
    let newest = loop {
        let answer = server.get("/api/runs?limit=1", &token);
        if answer.status == 200 {
            break answer.json()["runs"][0].clone();
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    println!("indexed in {:.1} s", begun.elapsed().as_secs_f64());
    let index = folder.join("journal/index.sqlite").metadata().unwrap().len() >> 20;
    println!("the index has {index} MiB\n");

    let (last, time) = (newest["run"].as_u64().unwrap(), newest["time"].as_u64().unwrap());
    let middle = time - records * 40 / 2;
    let questions = [
        ("a file of the page (the peer)", "/assets/theme.js".into()),
        ("the newest", "/api/runs?limit=50".into()),
        ("a page in the middle", format!("/api/runs?limit=150&before={}", last / 2)),
        ("a word that most have", "/api/runs?limit=50&q=python".into()),
        ("a word that few have", "/api/runs?limit=50&q=overflow".into()),
        ("a word that none has", "/api/runs?limit=50&q=zebra".into()),
        (
            "letters that most have, a word that none has",
            "/api/runs?limit=50&q=returnedpython".into(),
        ),
        ("two words", "/api/runs?limit=50&q=python%20telegram".into()),
        ("two letters that none has", "/api/runs?limit=50&q=zq".into()),
        ("a letter that none has", "/api/runs?limit=50&q=%C3%9F".into()),
        ("a number", format!("/api/runs?limit=50&q={}", last / 3)),
        ("the beginning of a digest", "/api/runs?limit=50&component=11a4a6".into()),
        ("denied calls", "/api/runs?limit=50&denied=true".into()),
        ("an outcome", "/api/runs?limit=50&outcome=crashed".into()),
        ("an outcome that none has", "/api/runs?limit=50&outcome=given-up".into()),
        ("a session", "/api/runs?limit=50&session=humaneval-coder-00004".into()),
        ("an outcome of a component", "/api/runs?limit=50&outcome=crashed&component=clock".into()),
        (
            "denied calls of an outcome",
            "/api/runs?limit=50&denied=true&outcome=out-of-memory".into(),
        ),
        (
            "a word, denied, out of fuel",
            "/api/runs?limit=50&q=regress&denied=true&outcome=out-of-fuel".into(),
        ),
        ("since the middle", format!("/api/runs?limit=50&since={middle}")),
        ("until the middle", format!("/api/runs?limit=50&until={middle}")),
        ("a word, until the middle", format!("/api/runs?limit=50&q=overflow&until={middle}")),
        ("a run", format!("/api/runs/{last}")),
    ];
    println!("{:<48} {:>6} {:>10} {:>10}", "", "runs", "median", "slowest");
    for (name, path) in questions {
        let mut times = Vec::new();
        let mut found = String::new();
        for _ in 0..TIMES {
            let begun = Instant::now();
            let answer = server.get(&path, &token).with(200);
            times.push(begun.elapsed());
            if path.contains("/runs?") {
                let answer = answer.json();
                let more = if answer["more"] == true { "+" } else { "" };
                found = format!("{}{more}", answer["runs"].as_array().unwrap().len());
            }
        }
        times.sort_unstable();
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let (median, slowest) = (ms(times[TIMES / 2]), ms(times[TIMES - 1]));
        println!("{name:<48} {found:>6} {median:>10} {slowest:>10}");
    }
}
