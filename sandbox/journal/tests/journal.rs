//! What is written is there, in order, for everybody.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use common::{RECORDS, child, clock, journal, run, start};
use june_journal::note::{Checkpoint, SecretKey};
use june_journal::reader::{self, Item, Reader};
use june_journal::record::{Data, Event, Opinion, Record, Review};
use june_journal::verify::verify;
use june_journal::{Error, Folder, Journal};

fn records(folder: &Folder) -> Vec<Record> {
    let mut reader = Reader::open(folder).unwrap();
    let mut records = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Record { number, place, bytes } = item {
            assert_eq!(number, records.len() as u64);
            assert_eq!(reader::read(folder, place).unwrap(), bytes);
            records.push(Record::from_bytes(&bytes).unwrap());
        }
    }
    records
}

#[test]
fn a_new_journal_is_sound_and_its_key_is_secret() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().join("deep/journal"));
    let key = folder.init("june/test").unwrap();
    assert_eq!(folder.read_public_key().unwrap().to_string(), key.to_string());
    let mode = fs::metadata(folder.secret_key()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.records, report.runs, report.tail), (0, 0, 0));
    assert!(matches!(folder.init("june/test"), Err(Error::Exists(_))));
    let none = Folder::new(temporary.path().join("none"));
    assert!(matches!(Journal::open(&none, clock), Err(Error::Missing(_))));
    assert!(matches!(verify(&none, None, |_| {}), Err(Error::Missing(_))));
}

/// Damage is not taken for the end of what is being written.
#[test]
fn a_journal_that_is_written_to_is_verified_too() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    run(&journal, "before").unwrap();
    journal.close().unwrap();
    let (journal, _) = Journal::open(&folder, clock).unwrap();
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(report.is_sound() && report.live, "{report:?}");
    let segment = folder.segments().join(format!("{:020}.segment", 0));
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(!report.is_sound() && report.live, "{report:?}");
    drop(journal);
}

#[test]
fn many_write_at_once() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    thread::scope(|scope| {
        for writer in 0..4 {
            let journal = journal.clone();
            scope.spawn(move || {
                for number in 0..50 {
                    run(&journal, &format!("{writer} {number}")).unwrap();
                }
            });
        }
    });
    journal.close().unwrap();
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.runs, report.unfinished, report.records), (200, 0, 200 * RECORDS));
    assert_eq!(report.blobs, 201);
    let mut kinds: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for record in records(&folder) {
        kinds.entry(record.run).or_default().push(record.event);
    }
    assert_eq!(kinds.len(), 200);
    for events in kinds.values() {
        assert!(matches!(events[0], Event::Start(_)) && matches!(events[9], Event::End(_)));
    }
}

#[test]
fn writing_goes_on_where_it_ended() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    let first = run(&journal, "first").unwrap();
    let parent = journal.start(start("open", Data::Inline(vec![]))).unwrap();
    child(&journal, parent).unwrap();
    journal.close().unwrap();
    let checkpoint = fs::read_to_string(folder.checkpoint()).unwrap();
    for time in 0..3 {
        let (journal, tail) = Journal::open(&folder, clock).unwrap();
        assert_eq!(tail, None);
        if time == 1 {
            // Derived, and made anew.
            drop(journal);
            fs::write(folder.tree(), b"rubbish").unwrap();
            continue;
        }
        let key = SecretKey::generate("reviewer").unwrap();
        let review = Review::sign(&key, "june/test", first, Opinion::Ok, "fine").unwrap();
        let number = journal.append(first, Event::Review(review)).unwrap();
        journal.wait(number).unwrap();
        journal.close().unwrap();
    }
    let report = verify(&folder, Some(&checkpoint), |_| {}).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.records, report.runs, report.unfinished), (RECORDS + 4, 3, 2));
}

#[test]
fn a_journal_has_one_writer() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    assert!(matches!(Journal::open(&folder, clock), Err(Error::Locked(_))));
    run(&journal, "live").unwrap();
    journal.flush().unwrap();
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(report.live && report.is_sound(), "{report:?}");
    drop(journal);
    assert!(!folder.writing().exists());
    Journal::open(&folder, clock).unwrap();
}

#[test]
fn a_closed_journal_takes_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let (_, journal) = journal(temporary.path());
    let other = journal.clone();
    journal.close().unwrap();
    assert!(matches!(run(&other, "late"), Err(Error::Failed(_))));
}

#[test]
fn a_record_too_long_is_refused_and_nothing_else() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    let long = start(&"x".repeat(2 << 20), Data::Inline(vec![]));
    assert!(matches!(journal.start(long), Err(Error::Long(_))));
    run(&journal, "short").unwrap();
    journal.close().unwrap();
    assert!(verify(&folder, None, |_| {}).unwrap().is_sound());
}

#[test]
fn a_torn_end_is_cut_off_and_told() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    run(&journal, "whole").unwrap();
    journal.close().unwrap();
    let segment = june_journal::segment::path(&folder.segments(), 0);
    let whole = fs::read(&segment).unwrap();
    // As a writer leaves it that dies within a group: frames without checkpoint.
    let mut torn = whole.clone();
    let record =
        Record::new(RECORDS, 0, Event::Start(start("lost", Data::Inline(vec![])))).to_bytes();
    june_journal::segment::frame(
        &mut torn,
        whole.len() as u64,
        june_journal::segment::Kind::Record,
        &record,
    );
    torn.extend_from_within(whole.len()..whole.len() + 20);
    fs::write(&segment, &torn).unwrap();
    fs::write(folder.writing(), b"").unwrap();
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.tail, (torn.len() - whole.len()) as u64);
    let (journal, tail) = Journal::open(&folder, clock).unwrap();
    let tail = tail.unwrap();
    assert_eq!((tail.bytes, tail.records), ((torn.len() - whole.len()) as u64, 1));
    journal.close().unwrap();
    assert_eq!(fs::read(&segment).unwrap(), whole);
    assert!(verify(&folder, None, |_| {}).unwrap().is_sound());
}

#[test]
fn a_shorter_journal_is_no_torn_one() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    run(&journal, "one").unwrap();
    journal.flush().unwrap();
    let segment = june_journal::segment::path(&folder.segments(), 0);
    let before = fs::metadata(&segment).unwrap().len();
    run(&journal, "two").unwrap();
    journal.close().unwrap();
    fs::write(folder.writing(), b"").unwrap();
    fs::OpenOptions::new().write(true).open(&segment).unwrap().set_len(before).unwrap();
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(
        report.problems[0].contains("ends after 10 records, and 20 were durable"),
        "{report:?}"
    );
    match Journal::open(&folder, clock) {
        Err(Error::Damaged { reason, .. }) => assert!(reason.contains("20 were durable")),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

#[test]
fn a_kept_checkpoint_proves_that_the_journal_only_grew() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, mut log) = journal(temporary.path());
    let mut kept = vec![fs::read_to_string(folder.checkpoint()).unwrap()];
    for time in 0..3 {
        run(&log, &format!("{time}")).unwrap();
        log.close().unwrap();
        kept.push(fs::read_to_string(folder.checkpoint()).unwrap());
        log = Journal::open(&folder, clock).unwrap().0;
    }
    log.close().unwrap();
    for checkpoint in &kept {
        assert!(verify(&folder, Some(checkpoint), |_| {}).unwrap().is_sound());
    }
    // A journal that the same key signed, with another past.
    let key = folder.read_secret_key().unwrap();
    let other = Checkpoint { size: RECORDS, root: tlog_tiles::record_hash(b"other") };
    for (checkpoint, problem) in [
        (other.sign(&key).unwrap(), "the first 10 records are not those"),
        (Checkpoint { size: 99, ..other }.sign(&key).unwrap(), "there were 99"),
        ("nonsense".into(), "the checkpoint to compare with"),
        (kept[1].replace("june/test\n10", "june/test\n9"), "the checkpoint to compare with"),
    ] {
        let report = verify(&folder, Some(&checkpoint), |_| {}).unwrap();
        assert!(report.problems.iter().any(|found| found.contains(problem)), "{report:?}");
    }
}

#[test]
fn segments_are_rotated() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    for number in 0..10_000_u64 {
        let source = Data::Inline(vec![number as u8; 4000]);
        journal.start(start("long", source)).unwrap();
    }
    journal.close().unwrap();
    let firsts = june_journal::segment::list(&folder.segments()).unwrap();
    assert!(firsts.len() >= 3);
    for gone in [firsts[0], firsts[1], firsts[firsts.len() - 1]] {
        let path = june_journal::segment::path(&folder.segments(), gone);
        let away = temporary.path().join("away");
        fs::rename(&path, &away).unwrap();
        assert!(!verify(&folder, None, |_| {}).unwrap().is_sound());
        fs::rename(&away, &path).unwrap();
    }
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(records(&folder).len(), 10_000);
    fs::remove_file(folder.tree()).unwrap();
    assert!(!verify(&folder, None, |_| {}).unwrap().is_sound());
    Journal::open(&folder, clock).unwrap().0.close().unwrap();
    assert!(verify(&folder, None, |_| {}).unwrap().is_sound());
}
