//! A journal of which the last segment is arbitrary. Everything that reads a
//! journal comes to an end, and whatever is found sound can be written on.
//!
//! The first byte says what the rest of the folder is like, and whether the
//! other bytes are the file itself or a list of frames. Checksums and signatures
//! are made here for the frames in such a list, for a fuzzer finds neither.
#![no_main]

use std::fs;
use std::sync::OnceLock;

use june_journal::note::Checkpoint;
use june_journal::reader::{Item, Reader};
use june_journal::record::{Event, Record};
use june_journal::segment::{self, HEADER, Kind};
use june_journal::tree::Frontier;
use june_journal::verify::verify;
use june_journal::{Folder, Journal};
use june_journal_fuzz::{Input, clock, key, scratch};
use libfuzzer_sys::fuzz_target;

/// The other bytes are the file.
const RAW: usize = 1;
/// There is a segment before the last one.
const EARLIER: usize = 2;
/// A writer died.
const WRITING: usize = 4;
/// The file of hashes ends before the last segment.
const OLD_TREE: usize = 8;
/// The newest checkpoint is the one before the last segment.
const OLD_CHECKPOINT: usize = 16;

/// A journal before its last segment.
struct Before {
    segment: Vec<u8>,
    frontier: Frontier,
    tree: Vec<u8>,
    checkpoint: String,
}

/// The folder, with all that stays as it is in it.
fn folder() -> &'static Folder {
    static FOLDER: OnceLock<Folder> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Folder::new(scratch("segment"));
        fs::create_dir(folder.segments()).unwrap();
        let blobs = folder.blobs();
        fs::create_dir(folder.path().join("blobs")).unwrap();
        blobs.put(b"a value\n").unwrap();
        fs::write(folder.lock(), b"").unwrap();
        fs::write(folder.secret_key(), format!("{}\n", key().secret_text())).unwrap();
        fs::write(folder.public_key(), format!("{}\n", key().public())).unwrap();
        folder
    })
}

fn sign(frontier: &Frontier) -> String {
    Checkpoint { size: frontier.size(), root: frontier.root() }.sign(key()).unwrap()
}

fn push(frontier: &mut Frontier, tree: &mut Vec<u8>, record: &[u8]) {
    frontier.push(tlog_tiles::record_hash(record), |hash| tree.extend_from_slice(&hash.0));
}

/// Nothing, or a segment with a run of three records, which is the same always.
fn before(earlier: bool) -> &'static Before {
    static BEFORE: OnceLock<[Before; 2]> = OnceLock::new();
    let make = |records: &[Vec<u8>]| {
        let (mut frontier, mut tree) = (Frontier::default(), Vec::new());
        let mut bytes = segment::header(0, 0).to_vec();
        for record in records {
            let position = bytes.len() as u64;
            segment::frame(&mut bytes, position, Kind::Record, record);
            push(&mut frontier, &mut tree, record);
        }
        let checkpoint = sign(&frontier);
        let position = bytes.len() as u64;
        segment::frame(&mut bytes, position, Kind::Checkpoint, checkpoint.as_bytes());
        let segment = if records.is_empty() { Vec::new() } else { bytes };
        Before { segment, frontier, tree, checkpoint }
    };
    let made =
        BEFORE.get_or_init(|| [make(&[]), make(&june_journal_fuzz::records::run(0, clock()))]);
    &made[usize::from(earlier)]
}

/// What the frames in a list were made into.
struct Made {
    segment: Vec<u8>,
    tree: Vec<u8>,
    checkpoint: String,
}

fn make(input: &mut Input, before: &Before) -> Made {
    let mut start = before.segment.len() as u64;
    let mut frontier = before.frontier.clone();
    let mut made = Made {
        segment: segment::header(frontier.size(), start).to_vec(),
        tree: before.tree.clone(),
        checkpoint: before.checkpoint.clone(),
    };
    let mut run = 0;
    while !input.is_empty() {
        let (what, length) = (input.byte(), input.short());
        let payload = input.take(length);
        let position = start.wrapping_add(made.segment.len() as u64);
        let out = &mut made.segment;
        match what {
            // A record.
            0 => {
                segment::frame(out, position, Kind::Record, payload);
                push(&mut frontier, &mut made.tree, payload);
            }
            // A record of the run that began last.
            1 => {
                let mut payload = payload.to_vec();
                if let Ok(mut record) = Record::from_bytes(&payload) {
                    if let Event::Start(_) = record.event {
                        run = frontier.size();
                    }
                    record.run = run;
                    payload = record.to_bytes();
                }
                segment::frame(out, position, Kind::Record, &payload);
                push(&mut frontier, &mut made.tree, &payload);
            }
            // A checkpoint that is right.
            2 => {
                made.checkpoint = sign(&frontier);
                segment::frame(out, position, Kind::Checkpoint, made.checkpoint.as_bytes());
            }
            // A checkpoint of another size.
            3 => {
                let size = Input(payload).long();
                let checkpoint = Checkpoint { size, root: frontier.root() }.sign(key()).unwrap();
                segment::frame(out, position, Kind::Checkpoint, checkpoint.as_bytes());
                made.checkpoint = checkpoint;
            }
            // A checkpoint that says anything.
            4 => segment::frame(out, position, Kind::Checkpoint, payload),
            // A frame in another's place.
            5 => {
                let moved = position.wrapping_add(Input(payload).long());
                segment::frame(out, moved, Kind::Record, payload);
            }
            // Another header, which the frames from here on follow.
            6 => {
                let mut numbers = Input(payload);
                let first = numbers.long();
                start = numbers.long();
                out[..HEADER as usize].copy_from_slice(&segment::header(first, start));
            }
            // No frame.
            _ => out.extend_from_slice(payload),
        }
    }
    made
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let flags = input.byte();
    let (folder, before) = (folder(), before(flags & EARLIER != 0));
    let mut made = match flags & RAW {
        0 => make(&mut input, before),
        _ => Made {
            segment: input.0.to_vec(),
            tree: before.tree.clone(),
            checkpoint: before.checkpoint.clone(),
        },
    };
    if flags & OLD_TREE != 0 {
        made.tree.clone_from(&before.tree);
    }
    if flags & OLD_CHECKPOINT != 0 {
        made.checkpoint.clone_from(&before.checkpoint);
    }
    let segments = folder.segments();
    for first in segment::list(&segments).unwrap() {
        fs::remove_file(segment::path(&segments, first)).unwrap();
    }
    if !before.segment.is_empty() {
        fs::write(segment::path(&segments, 0), &before.segment).unwrap();
    }
    fs::write(segment::path(&segments, before.frontier.size()), &made.segment).unwrap();
    fs::write(folder.tree(), &made.tree).unwrap();
    fs::write(folder.checkpoint(), &made.checkpoint).unwrap();
    let _ = fs::remove_file(folder.writing());
    if flags & WRITING != 0 {
        fs::write(folder.writing(), b"").unwrap();
    }

    let mut reader = Reader::open(folder).unwrap();
    let mut records = 0;
    while let Ok(Some(item)) = reader.next() {
        if let Item::Record { number, place, bytes } = item {
            assert_eq!(number, records);
            records += 1;
            assert_eq!(june_journal::reader::read(folder, place).unwrap(), bytes);
        }
    }
    let report = verify(folder, None, |_| {}).unwrap();
    assert!(report.records <= records || !report.is_sound());
    assert_eq!(report.is_sound(), report.problems.is_empty());

    // A journal that is not sound may be refused. One that is sound must not be,
    // and must stay so.
    let opened = Journal::open(folder, clock);
    assert!(opened.is_ok() || !report.is_sound(), "{report:?}: {:?}", opened.err());
    let Ok((journal, tail)) = opened else { return };
    if report.is_sound() {
        assert_eq!(tail.map_or(0, |tail| tail.bytes), report.tail, "{report:?}");
    }
    let appended = journal.start(june_journal_fuzz::records::start()).unwrap();
    let closed = journal.close();
    let kept = report.is_sound().then_some(made.checkpoint.as_str());
    let after = verify(folder, kept, |_| {}).unwrap();
    if report.is_sound() {
        closed.unwrap();
        assert_eq!(appended, report.records);
        assert!(after.is_sound(), "{after:?}");
        assert_eq!((after.records, after.tail), (report.records + 1, 0));
    }
});
