//! The cache of compiled components: whatever is in it, June works, and never runs damaged code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use june_tests::{bare, cheap_samples, eval, names, run, write_samples};
use tempfile::TempDir;

/// The smallest component: compiled in no time, but no runner.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

/// A folder with samples, and with the smallest component in the runner's place.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path(), "samples.jsonl", cheap_samples(10));
    fs::create_dir(folder.path().join("components")).unwrap();
    fs::write(folder.path().join("components/python.wasm"), EMPTY).unwrap();
    folder
}

/// Loads the smallest component, which has to work as far as it can.
#[track_caller]
fn load(folder: &Path) {
    let mut command = eval(folder, "samples.jsonl");
    command.env("JUNE_CACHE", "cache").env("JUNE_COMPONENTS", "components");
    run(&mut command).with(3).says("june: python does not fit the world `runner`: ");
}

/// The one compiled component in a cache; nothing else is there.
fn entry(folder: &Path) -> PathBuf {
    let compiled = folder.join("cache/compiled");
    let names = names(&compiled);
    assert_eq!(names.len(), 1, "{names:?}");
    compiled.join(&names[0])
}

#[test]
fn a_damaged_entry_is_replaced() {
    let folder = folder();
    load(folder.path());
    let entry = entry(folder.path());
    let good = fs::read(&entry).unwrap();
    let flipped = |place: usize| {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        bytes
    };
    let damaged = [
        ("first byte flipped", flipped(0)),
        ("middle byte flipped", flipped(good.len() / 2)),
        ("last byte of the code flipped", flipped(good.len() - 33)),
        ("first byte of the checksum flipped", flipped(good.len() - 32)),
        ("last byte flipped", flipped(good.len() - 1)),
        ("half", good[..good.len() / 2].into()),
        ("last byte missing", good[..good.len() - 1].into()),
        ("no checksum", good[..good.len() - 32].into()),
        ("31 bytes", good[..31].into()),
        ("32 bytes", good[..32].into()),
        ("empty", vec![]),
        ("one byte more", [&good[..], b"\0"].concat()),
        ("twice", [&good[..], &good[..]].concat()),
        ("zeros", vec![0; good.len()]),
        ("another file", EMPTY.into()),
    ];
    for (what, bytes) in damaged {
        fs::write(&entry, bytes).unwrap();
        load(folder.path());
        assert!(fs::read(&entry).unwrap() == good, "{what}: not compiled again");
    }
}

#[test]
fn many_processes_start_with_an_empty_cache() {
    let folder = folder();
    for _ in 0..5 {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| load(folder.path()));
            }
        });
        fs::remove_file(entry(folder.path())).unwrap();
    }
}

/// The same with the real runner, which takes seconds to compile.
#[test]
fn two_processes_compile_the_runner_at_once() {
    let folder = folder();
    let grade = |output: &str| {
        let mut command = eval(folder.path(), "samples.jsonl");
        // One June at a time writes to a journal.
        command.env("JUNE_CACHE", "cache").args(["--no-journal", "--output", output]);
        run(&mut command).with(0);
        fs::read_to_string(folder.path().join(output).join("results.jsonl")).unwrap()
    };
    let (a, b) = thread::scope(|scope| {
        let other = scope.spawn(|| grade("b"));
        (grade("a"), other.join().unwrap())
    });
    assert_eq!(a, b);
    entry(folder.path());
}

/// A cache that cannot be made is the machine's fault, and said so.
#[test]
fn a_cache_that_cannot_be_written() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").unwrap();
    let mut command = eval(folder.path(), "samples.jsonl");
    command.env("JUNE_CACHE", "file").env("JUNE_COMPONENTS", "components");
    let ended = run(&mut command).with(3);
    let ended = ended.says("june: cannot write the component cache file/compiled");
    assert_eq!(ended.stdout, "");
    let ended = run(bare(folder.path()).arg("doctor")).with(1);
    assert!(ended.stdout.contains("MISSING  cache folder"), "{ended}");
    assert!(ended.stdout.contains("hint: set JUNE_CACHE"), "{ended}");
}
