//! What the fuzz targets found, and what looking at them did.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{RECORDS, clock, journal, run, start};
use june_journal::note::{Checkpoint, PublicKey, SecretKey};
use june_journal::record::Data;
use june_journal::segment::{self, Kind, Segment};
use june_journal::tree::{self, TreeFile};
use june_journal::verify::verify;
use june_journal::{Error, Folder, Journal};

/// A journal in which one run was written.
fn written(temporary: &tempfile::TempDir) -> (Folder, PathBuf) {
    let (folder, journal) = journal(temporary.path());
    run(&journal, "one").unwrap();
    journal.close().unwrap();
    let path = segment::path(&folder.segments(), 0);
    (folder, path)
}

/// Opening refuses it, so verifying must find it, crash or not.
#[track_caller]
fn damaged(folder: &Folder, problem: &str) {
    for crashed in [false, true] {
        if crashed {
            fs::write(folder.writing(), b"").unwrap();
        }
        let report = verify(folder, None, |_| {}).unwrap();
        let told = report.problems.iter().any(|told| told.contains(problem));
        assert!(told, "crashed: {crashed}, {report:#?}");
        match Journal::open(folder, clock) {
            Err(Error::Damaged { .. }) => {}
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
}

/// A segment has its name only after its header and its first checkpoint are
/// durable, so no crash leaves one without them.
#[test]
fn a_last_segment_without_a_checkpoint_is_no_torn_end() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, first) = written(&temporary);
    let position = fs::metadata(first).unwrap().len();
    let next = segment::path(&folder.segments(), RECORDS);
    let header = segment::header(RECORDS, position);
    fs::write(&next, header).unwrap();
    damaged(&folder, "no checkpoint in the last segment");
    fs::write(&next, [&header[..], b"torn"].concat()).unwrap();
    damaged(&folder, "ends within a frame");
    fs::write(&next, &header[1..]).unwrap();
    damaged(&folder, "not a segment's header");
}

/// Whoever writes on there would write a journal that nobody can read.
#[test]
fn a_segment_in_the_wrong_place_is_not_written_on() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, path) = written(&temporary);
    let mut segment = Segment::open(&path).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = segment.next().unwrap() {
        frames.push((frame.kind, frame.payload));
    }
    for (first, position) in [(0, 1), (1, 0), (0, u64::MAX - 500_000)] {
        let mut bytes = segment::header(first, position).to_vec();
        for (kind, payload) in &frames {
            let position = position + bytes.len() as u64;
            segment::frame(&mut bytes, position, *kind, payload);
        }
        fs::write(&path, bytes).unwrap();
        damaged(&folder, "does not follow the segment before it");
    }
}

/// A checkpoint may name any number of records, whoever signed it.
#[test]
fn a_checkpoint_of_more_records_than_can_be() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, path) = written(&temporary);
    let key = folder.read_secret_key().unwrap();
    let root = TreeFile::open(&folder.tree()).unwrap().frontier(RECORDS).unwrap().root();
    let mut bytes = fs::read(&path).unwrap();
    for size in [(1 << 62) + 1, 1 << 63, u64::MAX] {
        let note = Checkpoint { size, root }.sign(&key).unwrap();
        let position = bytes.len() as u64;
        segment::frame(&mut bytes, position, Kind::Checkpoint, note.as_bytes());
        fs::write(&path, &bytes).unwrap();
        damaged(&folder, "is one of other records");

        let tree = TreeFile::open(&folder.tree()).unwrap();
        assert!(tree.frontier(size).is_err());
        assert!(tree::prove_record(&tree, size, 0).is_err());
        assert!(tree::prove_growth(&tree, size, 1).is_err());
        assert!(!tree::check_record(&[], size, root, 0, b""));
        assert!(!tree::check_growth(&[], (size, root), (RECORDS, root)));
        assert_eq!(TreeFile::length(size), u64::MAX);
    }
    assert!(tree::prove_record(&TreeFile::open(&folder.tree()).unwrap(), 1 << 62, 0).is_err());
}

/// They are there still, but the next writer cuts them off.
#[test]
fn records_that_lost_their_checkpoint_are_missed() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, path) = written(&temporary);
    let kept = fs::read_to_string(folder.checkpoint()).unwrap();
    let mut segment = Segment::open(&path).unwrap();
    let mut end = segment.offset();
    while let Some(frame) = segment.next().unwrap() {
        if frame.kind == Kind::Record {
            end = segment.offset();
        }
    }
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(end).unwrap();
    fs::write(folder.writing(), b"").unwrap();
    fs::write(folder.checkpoint(), b"").unwrap();
    let report = verify(&folder, Some(&kept), |_| {}).unwrap();
    assert!(report.records < RECORDS && report.tail > 0, "{report:?}");
    assert!(report.problems.iter().any(|told| told.contains("there were 10")), "{report:?}");
}

#[test]
fn a_blob_has_one_length() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    let data = journal.data(vec![b'x'; 5000]).unwrap();
    let Data::Blob { digest, .. } = data else { panic!("{data:?}") };
    journal.start(start("right", data)).unwrap();
    journal.start(start("wrong", Data::Blob { digest, length: 4999 })).unwrap();
    journal.close().unwrap();
    let report = verify(&folder, None, |_| {}).unwrap();
    assert!(report.problems.iter().any(|told| told.starts_with("record 1: blob")), "{report:?}");
}

/// Only the first signature of a key is looked at, so there must be no other.
#[test]
fn a_note_has_one_signature() {
    let key = SecretKey::generate("june/test").unwrap();
    let note = key.sign("text\n").unwrap();
    assert_eq!(key.public().verify(&note).unwrap(), "text\n");
    let line = note.lines().last().unwrap();
    let other = key.sign("other\n").unwrap();
    let stranger = SecretKey::generate("stranger").unwrap().sign("text\n").unwrap();
    for more in [line, other.lines().last().unwrap(), stranger.lines().last().unwrap()] {
        assert!(key.public().verify(&format!("{note}{more}\n")).is_err(), "{more}");
    }
}

#[test]
fn a_key_has_one_text() {
    let capital = |text: &str, at: usize| {
        let mut parts: Vec<String> = text.split('+').map(str::to_owned).collect();
        parts[at].make_ascii_uppercase();
        parts.join("+")
    };
    let key = SecretKey::parse(
        "PRIVATE+KEY+june/fuzz+b89f93e4+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
        "june/fuzz+b89f93e4+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
    )
    .unwrap();
    let (secret, public) = (key.secret_text(), key.public().to_string());
    assert!(PublicKey::parse(&capital(&public, 1)).is_err());
    assert!(SecretKey::parse(&capital(secret, 3), &public).is_err());
}
