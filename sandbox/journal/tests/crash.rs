//! A writer that dies, or that finds the disk full, loses nothing that was
//! acknowledged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{RECORDS, clock, run};
use june_journal::reader::{Item, Reader};
use june_journal::record::{Event, Record};
use june_journal::verify::verify;
use june_journal::{Folder, Journal};

/// How often the writer is killed, in all.
const KILLS: u64 = 200;

/// How many journals share the kills.
const JOURNALS: u64 = 10;

/// Where the child writes; set for the child alone.
const CHILD: &str = "JUNE_JOURNAL_TEST_CHILD";

/// Not a test by itself: the process that is killed. Four threads write runs,
/// and say of each when it is durable.
#[test]
fn child() {
    let Some(folder) = env::var_os(CHILD).map(PathBuf::from) else { return };
    let (journal, _) = Journal::open(&Folder::new(folder), clock).unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let journal = journal.clone();
            scope.spawn(move || {
                for number in 0.. {
                    let session = format!("{} {writer} {number}", std::process::id());
                    let first = run(&journal, &session).unwrap();
                    // Its end is the ninth of this run's records, and somewhere.
                    journal.flush().unwrap();
                    let line = format!("durable {first} {session}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

#[test]
fn kill_9_at_any_moment() {
    let (mut acknowledged, mut torn) = (0, 0);
    for journal in 0..JOURNALS {
        let found = kill_a_writer(journal * KILLS / JOURNALS..(journal + 1) * KILLS / JOURNALS);
        acknowledged += found.0;
        torn += found.1;
    }
    println!("{acknowledged} runs acknowledged, {torn} of {KILLS} kills left a torn end");
    assert!(acknowledged > KILLS, "{acknowledged}");
}

/// Kills writers of one journal, and counts the runs that were acknowledged and
/// the kills that left a torn end.
fn kill_a_writer(kills: std::ops::Range<u64>) -> (u64, u64) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().join("journal"));
    folder.init("june/test").unwrap();
    let mut acknowledged: BTreeMap<u64, String> = BTreeMap::new();
    let mut torn = 0;
    for kill in kills {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let reader = thread::spawn(move || {
            // A line that the kill tore is no acknowledgement.
            output.split(b'\n').map_while(Result::ok).collect::<Vec<_>>()
        });
        // From before the journal is open to the middle of writing.
        thread::sleep(Duration::from_micros(kill * 331 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in reader.join().unwrap() {
            let line = String::from_utf8_lossy(&line).into_owned();
            let Some(rest) = line.split("durable ").nth(1) else { continue };
            let mut words = rest.splitn(2, ' ');
            let (number, session) = (words.next().unwrap(), words.next());
            if let (Ok(number), Some(session)) = (number.parse(), session)
                && session.split(' ').count() == 3
            {
                acknowledged.insert(number, session.to_owned());
            }
        }
        let report = verify(&folder, None, |_| {}).unwrap();
        assert!(report.is_sound(), "after kill {kill}: {report:#?}");
        torn += u64::from(report.tail > 0);
    }
    // The next start works, and everything acknowledged is there, to its end.
    let (journal, _) = Journal::open(&folder, clock).unwrap();
    run(&journal, "after all").unwrap();
    journal.close().unwrap();
    assert!(verify(&folder, None, |_| {}).unwrap().is_sound());
    let (mut sessions, mut ended) = (BTreeMap::new(), Vec::new());
    let mut reader = Reader::open(&folder).unwrap();
    while let Some(item) = reader.next().unwrap() {
        let Item::Record { bytes, .. } = item else { continue };
        let record = Record::from_bytes(&bytes).unwrap();
        match record.event {
            Event::Start(start) => drop(sessions.insert(record.run, start.session)),
            Event::End(_) => ended.push(record.run),
            _ => {}
        }
    }
    ended.sort_unstable();
    for (run, session) in &acknowledged {
        // The last line of a killed child may be torn within its last number.
        assert!(sessions[run].starts_with(session.as_str()), "{run}: {session}");
        assert!(ended.binary_search(run).is_ok(), "run {run} has no end");
    }
    (acknowledged.len() as u64, torn)
}

/// A file system that is full, wherever one can be had.
#[test]
fn a_full_disk_stops_the_writer_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("skipped: a_full_disk_stops_the_writer_and_loses_nothing (may not mount)");
        return;
    }
    let (journal_folder, journal) = common::journal(folder.path());
    let mut durable = 0;
    let error = loop {
        let ended = run(&journal, "more").and_then(|_| journal.flush());
        match ended {
            Ok(()) => durable += 1,
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("takes no more records"), "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");
    assert!(run(&journal, "after").is_err(), "nothing goes on unrecorded");
    drop(journal);
    let report = verify(&journal_folder, None, |_| {}).unwrap();
    assert!(report.is_sound() && report.records >= durable * RECORDS, "{durable}: {report:#?}");
    // With room again, the next start works.
    let options = ["-o", "remount,size=8m"];
    assert!(Command::new("mount").args(options).arg(folder.path()).status().unwrap().success());
    let (journal, _) = Journal::open(&journal_folder, clock).unwrap();
    run(&journal, "again").unwrap();
    journal.close().unwrap();
    let report = verify(&journal_folder, None, |_| {}).unwrap();
    assert!(Command::new("umount").arg(folder.path()).status().unwrap().success());
    assert!(report.is_sound() && durable > 3, "{durable}: {report:#?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_at_once() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = common::journal(temporary.path());
    run(&journal, "one").unwrap();
    journal.close().unwrap();
    // A folder in the place of a file: nobody, root included, can write there.
    fs::create_dir(folder.writing()).unwrap();
    assert!(Journal::open(&folder, clock).is_err());
    fs::remove_dir(folder.writing()).unwrap();
    fs::remove_file(folder.lock()).unwrap();
    assert!(Journal::open(&folder, clock).is_err());
    OpenOptions::new().create(true).truncate(false).write(true).open(folder.lock()).unwrap();
    Journal::open(&folder, clock).unwrap();
}
