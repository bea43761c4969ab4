//! What a run leaves in the journal, and what a replay makes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{echo_runner, program};
use june_sandbox::journal::reader::{Item, Reader};
use june_sandbox::journal::record::{Data, End, Event, Record, VirtualCall};
use june_sandbox::journal::verify::verify;
use june_sandbox::journal::{Folder, Journal};
use june_sandbox::{Exit, Limits, Recorded, Recording, Replay, ReplayError, Runner};

/// A new journal.
fn journal(temporary: &Path) -> (Folder, Journal) {
    let folder = Folder::new(temporary.join("journal"));
    folder.init("june/test").unwrap();
    let (journal, _) = Journal::open(&folder, || 0).unwrap();
    (folder, journal)
}

/// Records a run of the echo runner.
async fn record(journal: &Journal, source: &str, limits: &Limits) -> u64 {
    let recording = Recording { journal, session: "test", parent: None };
    let runner = echo_runner();
    let recorded = runner.record(&program(source), limits, 7, &recording).await.unwrap();
    journal.wait(recorded.last).unwrap();
    recorded.run
}

/// The records of a run.
fn records(folder: &Folder, run: u64) -> Vec<Record> {
    let mut reader = Reader::open(folder).unwrap();
    let mut records = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Record { bytes, .. } = item {
            records.push(Record::from_bytes(&bytes).unwrap());
        }
    }
    records.retain(|record| record.run == run);
    records
}

fn end(records: &[Record]) -> &End {
    match &records.last().unwrap().event {
        Event::End(end) => end,
        other => panic!("the last record is {other:?}"),
    }
}

/// How many calls the records tell of.
fn told(records: &[Record]) -> u64 {
    let told = records.iter().map(|record| match &record.event {
        Event::Virtual(calls) => calls.count,
        Event::Denial(_) | Event::Call(_) => 1,
        _ => 0,
    });
    told.sum()
}

async fn replay(runner: &Runner, folder: &Folder, run: u64) -> Result<Replay, ReplayError> {
    let recorded = Recorded::gather(records(folder, run), &folder.blobs())?;
    runner.replay(&recorded).await
}

#[tokio::test]
async fn every_kind_of_run_replays_as_identical() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    let limits = Limits { fuel: 200_000_000, wall: Duration::from_secs(60), ..Limits::default() };
    let sources = [
        "print hello\nread\nclock\nrandom 100\nsleep 3\nclock\nenvironment",
        "open /etc/passwd",
        "print to the end\nexit 3",
        "raise ValueError",
        "loop",
        "allocate 1000000000",
        "recurse",
        "write 100000",
        "handles 100",
        "handles 100000",
        "",
    ];
    for source in sources {
        let run = record(&journal, source, &limits).await;
        let all = records(&folder, run);
        let ended = end(&all);
        assert_eq!(told(&all), ended.calls, "{source}");
        match replay(echo_runner(), &folder, run).await.unwrap() {
            Replay::Identical { calls, fuel } => {
                assert_eq!((calls, fuel), (ended.calls, ended.fuel), "{source}");
            }
            Replay::Diverged(divergence) => panic!("{source}: {divergence}"),
        }
    }
    journal.close().unwrap();
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(report.is_sound(), "{report:#?}");
    assert_eq!((report.runs, report.unfinished), (sources.len() as u64, 0));
}

/// Each call into the host is one entry that wasmtime counts, and one in the
/// journal; a handle that is given back is looked up by the engine beside.
/// Nothing else that enters the host grows with the calls.
#[tokio::test]
async fn no_call_misses_the_journal() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    for command in ["clock", "sleep 1", "random 8", "environment", "print x", "open /x"] {
        let mut before: Option<(u64, u64)> = None;
        let given_back = |call: &VirtualCall| call.function.contains("[resource-drop]");
        for times in [10, 20, 30, 40] {
            let source = format!("{command}\n").repeat(times);
            let run = record(&journal, &source, &Limits::default()).await;
            let all = records(&folder, run);
            let End { calls, entries, .. } = *end(&all);
            let looked_up = all.iter().map(|record| match &record.event {
                Event::Virtual(calls) => calls.listed.iter().filter(|c| given_back(c)).count(),
                _ => 0,
            });
            let entries = entries - looked_up.sum::<usize>() as u64;
            assert_eq!(told(&all), calls, "{command}");
            assert!(entries >= calls, "{command}");
            if let Some((calls_before, entries_before)) = before {
                assert!(calls > calls_before || command == "open /x", "{command}");
                // Memory grows now and then, and each function is looked up once.
                let others = (entries - entries_before) - (calls - calls_before);
                assert!(others <= 8, "{command}: {others} entries are no calls");
            }
            before = Some((calls, entries));
        }
    }
}

#[tokio::test]
async fn very_many_calls_are_counted_and_compared_but_not_listed() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    let source = "clock\n".repeat(10_000);
    let run = record(&journal, &source, &Limits::default()).await;
    let all = records(&folder, run);
    assert_eq!(told(&all), end(&all).calls);
    assert!(end(&all).calls > 10_000);
    let bytes: usize = all.iter().map(|record| record.to_bytes().len()).sum();
    assert!(bytes < 600_000, "{bytes} bytes");
    let replayed = replay(echo_runner(), &folder, run).await.unwrap();
    assert!(matches!(replayed, Replay::Identical { .. }), "{replayed:?}");
    // One of the calls that are not listed.
    let mut changed = all.clone();
    let last = changed.iter_mut().rev().find_map(|record| match &mut record.event {
        Event::Virtual(calls) => calls.digest.as_mut(),
        _ => None,
    });
    *last.unwrap() = june_sandbox::Digest::of(b"other calls");
    let recorded = Recorded::gather(changed, &folder.blobs()).unwrap();
    match echo_runner().replay(&recorded).await.unwrap() {
        Replay::Diverged(divergence) => {
            assert!(divergence.to_string().contains("calls of which the digest is"));
        }
        Replay::Identical { .. } => panic!("not found"),
    }
}

/// Whatever differs from the record is found, and the first of it is named.
#[tokio::test]
async fn the_first_difference_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    let run = record(&journal, "clock\nprint 42\nclock", &Limits::default()).await;
    let all = records(&folder, run);
    type Change = fn(&mut Event);
    let changes: [(&str, Change); 8] = [
        ("call 0: expected ", |event| {
            if let Event::Virtual(calls) = event {
                calls.listed[0].answer.push('!');
            }
        }),
        ("expected the end of the run, found ", |event| {
            if let Event::Virtual(calls) = event {
                calls.listed.pop();
            }
        }),
        ("found the end of the run", |event| {
            if let Event::Virtual(calls) = event {
                calls.listed.push(calls.listed[0].clone());
            }
        }),
        ("standard output: expected \"\\n", |event| {
            if let Event::Output(output) = event
                && let Data::Inline(bytes) = &mut output.stdout
            {
                let end = bytes.len() - 2;
                bytes[end] = b'\n';
            }
        }),
        ("exit: expected exited status 1, found returned", |event| {
            if let Event::End(end) = event {
                end.exit = Some(Exit::Exited(1));
            }
        }),
        ("fuel: expected 7, found ", |event| {
            if let Event::End(end) = event {
                end.fuel = 7;
            }
        }),
        ("peak memory: expected 1, found ", |event| {
            if let Event::End(end) = event {
                end.peak_memory = 1;
            }
        }),
        ("entries into the host: expected 0, found ", |event| {
            if let Event::End(end) = event {
                end.entries = 0;
            }
        }),
    ];
    for (message, change) in changes {
        let mut changed = all.clone();
        changed.iter_mut().for_each(|record| change(&mut record.event));
        let recorded = Recorded::gather(changed, &folder.blobs()).unwrap();
        match echo_runner().replay(&recorded).await.unwrap() {
            Replay::Diverged(divergence) => {
                let found = divergence.to_string();
                assert!(found.contains(message), "{message}: {found}");
            }
            Replay::Identical { .. } => panic!("not found: {message}"),
        }
    }
    // Another program makes other calls.
    let mut changed = all.clone();
    if let Event::Start(start) = &mut changed[0].event {
        start.input.insert("source".into(), Data::Inline(b"clock\nclock".to_vec()));
    }
    let recorded = Recorded::gather(changed, &folder.blobs()).unwrap();
    assert!(matches!(echo_runner().replay(&recorded).await.unwrap(), Replay::Diverged(_)));
}

#[tokio::test]
async fn what_cannot_be_replayed_is_said() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    let run = record(&journal, "print x", &Limits::default()).await;
    let all = records(&folder, run);
    let gather = |records: Vec<Record>| Recorded::gather(records, &folder.blobs());
    let error = |records: Vec<Record>| gather(records).unwrap_err().to_string();
    assert!(error(vec![]).contains("no record"));
    assert!(error(all[1..].to_vec()).contains("first record is no start"));
    assert!(error(all[..all.len() - 1].to_vec()).contains("has no end"));
    let mut changed = all.clone();
    if let Event::Start(start) = &mut changed[0].event {
        start.component = june_sandbox::Digest::of(b"gone");
    }
    let replayed = echo_runner().replay(&gather(changed).unwrap()).await;
    let message = replayed.unwrap_err().to_string();
    assert!(message.contains(&june_sandbox::Digest::of(b"gone").to_string()), "{message}");
    let mut changed = all.clone();
    if let Event::Start(start) = &mut changed[0].event {
        start.limits.remove("fuel");
    }
    assert!(error(changed).contains("limits"));
}

#[tokio::test]
async fn a_run_that_is_given_up_says_so() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    let recording = Recording { journal: &journal, session: "", parent: None };
    let limits = Limits { fuel: 1 << 50, ..Limits::default() };
    let program = program("print x\nloop");
    let run = echo_runner().record(&program, &limits, 0, &recording);
    assert!(tokio::time::timeout(Duration::from_millis(50), run).await.is_err());
    journal.close().unwrap();
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(report.is_sound() && report.unfinished == 0, "{report:#?}");
    let all = records(&folder, 0);
    assert_eq!(end(&all).exit, None);
    let error = Recorded::gather(all, &folder.blobs()).unwrap_err().to_string();
    assert!(error.contains("given up"), "{error}");
}

#[tokio::test]
async fn nothing_runs_unrecorded() {
    let temporary = tempfile::tempdir().unwrap();
    let (_, journal) = journal(temporary.path());
    let other = journal.clone();
    journal.close().unwrap();
    let recording = Recording { journal: &other, session: "", parent: None };
    let run = echo_runner().record(&program("print x"), &Limits::default(), 0, &recording).await;
    assert!(matches!(run, Err(june_sandbox::Error::Journal(_))), "{run:?}");
}
