//! How fast the journal is: appending through group commit, and verifying.
//!
//! `cargo bench --profile dev --workspace --bench journal -- [RECORDS] [FOLDER]`; with a folder,
//! the journal is left there. The peer
//! of appending is the least that any journal does: writing the same bytes in
//! the same groups, each followed by `fdatasync`.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use june_journal::record::{Call, Data, End, Event, Start};
use june_journal::verify::verify;
use june_journal::{Digest, Exit, Folder, Journal, Record};

fn start() -> Event {
    Event::Start(Start {
        component: Digest::of(b"component"),
        name: "python".into(),
        world: "runner".into(),
        session: "bench".into(),
        engine: "wasmtime".into(),
        configuration: Digest::of(b"configuration"),
        grants: vec![],
        policy: Digest::of(b"policy"),
        limits: [("fuel".into(), 1 << 40)].into(),
        seed: 0,
        epoch: 0,
        input: [("source".into(), Data::Inline(vec![b'x'; 500]))].into(),
        parent: None,
    })
}

fn call(number: u64) -> Event {
    Event::Call(Call {
        number,
        function: "june:agent/llm.chat".into(),
        arguments: Data::Inline(vec![b'a'; 100]),
        grant: "model small".into(),
    })
}

fn end(calls: u64) -> Event {
    let exit = Some(Exit::Returned);
    Event::End(End { exit, fuel: 1, peak_memory: 1, calls, entries: calls, denied: 0, duration: 1 })
}

/// CPU seconds of this process, all threads.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / 100.0
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let records: u64 = words.iter().find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let kept = words.iter().find(|word| word.parse::<u64>().is_err());
    let temporary = tempfile::tempdir_in(std::env::var_os("TMPDIR").unwrap_or(".".into())).unwrap();
    let path = kept.map_or_else(|| temporary.path().join("journal"), Into::into);
    let folder = Folder::new(path);
    folder.init("june/bench").unwrap();

    let (journal, _) = Journal::open(&folder, || 0).unwrap();
    let (clock, before) = (Instant::now(), cpu());
    for _ in 0..records / 10 {
        let Event::Start(start) = start() else { return };
        let run = journal.start(start).unwrap();
        for number in 0..8 {
            journal.append(run, call(number)).unwrap();
        }
        journal.append(run, end(8)).unwrap();
    }
    journal.flush().unwrap();
    let (append, appending) = (clock.elapsed(), cpu() - before);
    journal.close().unwrap();

    let bytes = Record::new(0, 0, call(0)).to_bytes();
    let mut file = File::create(temporary.path().join("peer")).unwrap();
    let group = bytes.repeat(1024);
    let clock = Instant::now();
    for _ in 0..records / 1024 {
        file.write_all(&group).unwrap();
        file.sync_data().unwrap();
    }
    let peer = clock.elapsed();

    let clock = Instant::now();
    let report = verify(&folder, None, |_| {}).unwrap();
    let verifying = clock.elapsed();
    assert!(report.is_sound(), "{:?}", report.problems);

    let rate = |time: Duration| records as f64 / time.as_secs_f64();
    println!("{records} records, {} checkpoints", report.checkpoints);
    println!("append, durable   {:>10.0} records/s, {:.2} CPU s", rate(append), appending);
    println!("  per CPU second  {:>10.0} records/s", records as f64 / appending);
    println!(
        "  write + fdatasync {:>8.0} records/s: June / peer {:.2}",
        rate(peer),
        rate(append) / rate(peer)
    );
    println!(
        "verify            {:>10.0} records/s, {:.2} s",
        rate(verifying),
        verifying.as_secs_f64()
    );
}
