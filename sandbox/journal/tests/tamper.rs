//! Whatever is changed in a journal, verifying finds it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{clock, journal, run};
use june_journal::note::SecretKey;
use june_journal::record::{Event, Opinion, Review};
use june_journal::segment::{Kind, Segment};
use june_journal::verify::verify;
use june_journal::{Folder, Journal};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// How many tamperings are tried.
const TRIALS: u32 = 10_000;

/// A change to the bytes of a file.
#[derive(Clone, Debug)]
enum Change {
    /// Bits of one byte.
    Flip(u8),
    /// A byte that was not there.
    Insert(u8),
    /// A byte left out.
    Remove,
    /// A stretch written twice.
    Repeat(usize),
    /// A stretch left out.
    Cut(usize),
    /// Everything from here on left out.
    Truncate,
    /// Two stretches in each other's place.
    Swap(usize),
}

/// A change to the frames of a segment, with their checksums as they were.
#[derive(Clone, Debug)]
enum Shuffle {
    Drop,
    Repeat,
    SwapWithNext,
    MoveToEnd,
}

#[derive(Clone, Debug)]
enum Tampering {
    /// Of a file and a place in it.
    Bytes(prop::sample::Index, prop::sample::Index, Change),
    /// Of a segment and a frame in it.
    Frames(prop::sample::Index, prop::sample::Index, Shuffle),
    /// A whole file that is gone.
    Remove(prop::sample::Index),
    /// A whole file in the place of another.
    Exchange(prop::sample::Index, prop::sample::Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let change = prop_oneof![
        4 => (1..=255_u8).prop_map(Change::Flip),
        1 => any::<u8>().prop_map(Change::Insert),
        1 => Just(Change::Remove),
        1 => (1..300_usize).prop_map(Change::Repeat),
        1 => (2..300_usize).prop_map(Change::Cut),
        1 => Just(Change::Truncate),
        1 => (1..100_usize).prop_map(Change::Swap),
    ];
    let shuffle = prop_oneof![
        Just(Shuffle::Drop),
        Just(Shuffle::Repeat),
        Just(Shuffle::SwapWithNext),
        Just(Shuffle::MoveToEnd),
    ];
    let index = any::<prop::sample::Index>;
    prop_oneof![
        8 => (index(), index(), change).prop_map(|(f, p, c)| Tampering::Bytes(f, p, c)),
        3 => (index(), index(), shuffle).prop_map(|(f, p, s)| Tampering::Frames(f, p, s)),
        1 => index().prop_map(Tampering::Remove),
        1 => (index(), index()).prop_map(|(a, b)| Tampering::Exchange(a, b)),
    ]
}

/// Every file of which the journal consists.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::metadata(&path).unwrap().len() > 0 {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn change(bytes: &[u8], at: usize, change: &Change) -> Vec<u8> {
    let (head, rest) = bytes.split_at(at);
    let stretch = |length: usize| &rest[..length.min(rest.len())];
    match *change {
        Change::Flip(bits) => [head, &[rest[0] ^ bits], &rest[1..]].concat(),
        Change::Insert(byte) => [head, &[byte], rest].concat(),
        Change::Remove => [head, &rest[1..]].concat(),
        Change::Repeat(length) => [head, stretch(length), rest].concat(),
        Change::Cut(length) => [head, &rest[stretch(length).len()..]].concat(),
        Change::Truncate => head.to_vec(),
        Change::Swap(length) => {
            let (one, rest) = rest.split_at(length.min(rest.len() / 2));
            let (two, rest) = rest.split_at(one.len());
            [head, two, one, rest].concat()
        }
    }
}

/// The frames of a segment, as bytes, and its header.
fn frames(path: &Path) -> (Vec<u8>, Vec<Vec<u8>>) {
    let bytes = fs::read(path).unwrap();
    let mut segment = Segment::open(path).unwrap();
    let (mut frames, mut start) = (Vec::new(), segment.offset() as usize);
    let header = bytes[..start].to_vec();
    while segment.next().unwrap().is_some() {
        let end = segment.offset() as usize;
        frames.push(bytes[start..end].to_vec());
        start = end;
    }
    (header, frames)
}

/// A journal that was written to three times, with blobs and reviews, closed.
fn example(temporary: &Path) -> Folder {
    let (folder, mut log) = journal(temporary);
    for number in 0..6 {
        let first = run(&log, &format!("run {number}")).unwrap();
        log.flush().unwrap();
        if number % 2 == 0 {
            let key = SecretKey::generate("reviewer").unwrap();
            let review = Review::sign(&key, "june/test", first, Opinion::Flag, "look").unwrap();
            log.append(first, Event::Review(review)).unwrap();
            log.close().unwrap();
            log = Journal::open(&folder, clock).unwrap().0;
        }
    }
    log.close().unwrap();
    folder
}

#[test]
fn every_tampering_is_found_and_nothing_else() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = example(temporary.path());
    let untouched = verify(&folder, None, |_| {}).unwrap();
    assert!(untouched.is_sound(), "{untouched:?}");
    let files = files(folder.path());
    let segments: Vec<_> =
        files.iter().filter(|path| path.extension().is_some_and(|e| e == "segment")).collect();
    let tried = std::cell::Cell::new(0);
    let mut runner =
        TestRunner::new(Config { cases: TRIALS, failure_persistence: None, ..Config::default() });
    let result = runner.run(&tampering(), |tampering| {
        let mut undo: Vec<(&Path, Vec<u8>)> = Vec::new();
        match &tampering {
            Tampering::Bytes(file, place, kind) => {
                let path = &files[file.index(files.len())];
                let good = fs::read(path).unwrap();
                let bad = change(&good, place.index(good.len()), kind);
                prop_assume!(bad != good);
                fs::write(path, bad).unwrap();
                undo.push((path, good));
            }
            Tampering::Frames(file, place, kind) => {
                let path = segments[file.index(segments.len())];
                let (header, mut frames) = frames(path);
                let at = place.index(frames.len());
                match kind {
                    Shuffle::Drop => drop(frames.remove(at)),
                    Shuffle::Repeat => frames.insert(at, frames[at].clone()),
                    Shuffle::SwapWithNext => {
                        let next = (at + 1) % frames.len();
                        frames.swap(at, next);
                    }
                    Shuffle::MoveToEnd => {
                        let frame = frames.remove(at);
                        frames.push(frame);
                    }
                }
                let good = fs::read(path).unwrap();
                let bad = [header, frames.concat()].concat();
                prop_assume!(bad != good);
                fs::write(path, bad).unwrap();
                undo.push((path, good));
            }
            Tampering::Remove(file) => {
                let path = &files[file.index(files.len())];
                // A reviewer's copy has no secret key, and is as sound.
                prop_assume!(*path != folder.secret_key());
                undo.push((path, fs::read(path).unwrap()));
                fs::remove_file(path).unwrap();
            }
            Tampering::Exchange(one, other) => {
                let (one, other) =
                    (&files[one.index(files.len())], &files[other.index(files.len())]);
                let (good, bad) = (fs::read(one).unwrap(), fs::read(other).unwrap());
                prop_assume!(good != bad);
                fs::write(one, bad).unwrap();
                undo.push((one, good));
            }
        }
        tried.set(tried.get() + 1);
        let found = verify(&folder, None, |_| {});
        for (path, good) in undo {
            fs::write(path, good).unwrap();
        }
        // A key that cannot be read is an error, anything else a problem.
        let found = found.is_err() || found.is_ok_and(|report| !report.is_sound());
        prop_assert!(found, "not found");
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    assert!(tried.get() >= TRIALS, "{tried:?}");
    assert_eq!(verify(&folder, None, |_| {}).unwrap(), untouched);
}

/// Somebody who can write checksums, but not sign.
#[test]
fn right_checksums_do_not_help() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = example(temporary.path());
    let path = june_journal::segment::path(&folder.segments(), 0);
    let mut segment = Segment::open(&path).unwrap();
    let mut all = Vec::new();
    while let Some(frame) = segment.next().unwrap() {
        all.push(frame);
    }
    let write = |frames: &mut dyn Iterator<Item = (Kind, Vec<u8>)>| {
        let mut bytes = june_journal::segment::header(0, 0).to_vec();
        for (kind, payload) in frames {
            let position = bytes.len() as u64;
            june_journal::segment::frame(&mut bytes, position, kind, &payload);
        }
        fs::write(&path, bytes).unwrap();
        !verify(&folder, None, |_| {}).unwrap().is_sound()
    };
    let frames = || all.iter().map(|frame| (frame.kind, frame.payload.clone()));
    assert!(!write(&mut frames()), "as it was");
    for left_out in 0..all.len() {
        // A checkpoint between others proves nothing that the others do not.
        let alone = all[left_out].kind == Kind::Record || left_out + 1 == all.len();
        let rest = frames().enumerate().filter(|(at, _)| *at != left_out);
        assert_eq!(write(&mut rest.map(|(_, frame)| frame)), alone, "frame {left_out}");
    }
    for changed in 0..all.len() {
        let changed = frames().enumerate().map(|(at, (kind, mut payload))| {
            if at == changed {
                let last = payload.len() - 1;
                payload[last] ^= 1;
            }
            (kind, payload)
        });
        assert!(write(&mut { changed }));
    }
}
