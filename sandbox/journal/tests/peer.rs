//! Another implementation, in another language, agrees: Go's packages for notes
//! and transparent logs verify what this crate wrote and proved, this crate
//! verifies what they proved, and neither accepts anything that was changed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{RECORDS, clock, journal, run};
use june_journal::note::Checkpoint;
use june_journal::reader::{Item, Reader};
use june_journal::tree::{self, TreeFile};
use june_journal::{Folder, Journal};
use tlog_tiles::Hash;

/// Where Debian and Ubuntu put Go's packages.
const PACKAGES: &str = "/usr/share/gocode";

/// Why Go cannot be asked.
fn missing() -> Option<&'static str> {
    let go = Command::new("go").arg("version").stdout(Stdio::null()).status();
    if !go.is_ok_and(|status| status.success()) {
        return Some("there is no go: install golang-go");
    }
    let package = Path::new(PACKAGES).join("src/golang.org/x/mod/sumdb/tlog");
    (!package.is_dir()).then_some("golang.org/x/mod is missing: install golang-golang-x-mod-dev")
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn proof_hex(proof: &[Hash]) -> String {
    hex(proof.iter().flat_map(|hash| hash.0))
}

fn proof(text: &str) -> Vec<Hash> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..text.len()).step_by(2).map(byte).collect();
    bytes.chunks(32).map(|hash| Hash(hash.try_into().unwrap())).collect()
}

fn records(folder: &Folder) -> Vec<Vec<u8>> {
    let mut reader = Reader::open(folder).unwrap();
    let mut records = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Record { bytes, .. } = item {
            records.push(bytes);
        }
    }
    records
}

#[test]
fn go_verifies_the_journal_and_its_proofs() {
    if let Some(why) = missing() {
        println!("skipped: go_verifies_the_journal_and_its_proofs ({why})");
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let (folder, journal) = journal(temporary.path());
    for number in 0..7 {
        run(&journal, &format!("{number}")).unwrap();
    }
    journal.close().unwrap();
    let kept = fs::read_to_string(folder.checkpoint()).unwrap();
    let (journal, _) = Journal::open(&folder, clock).unwrap();
    for number in 7..20 {
        run(&journal, &format!("{number}")).unwrap();
    }
    journal.close().unwrap();

    let key = folder.read_public_key().unwrap();
    let newest = fs::read_to_string(folder.checkpoint()).unwrap();
    let (then, now) =
        (Checkpoint::open(&kept, &key).unwrap(), Checkpoint::open(&newest, &key).unwrap());
    assert_eq!((then.size, now.size), (7 * RECORDS, 20 * RECORDS));
    let (records, tree) = (records(&folder), TreeFile::open(&folder.tree()).unwrap());
    let growth = tree::prove_growth(&tree, now.size, then.size).unwrap();
    let mut facts = format!("growth {}\n", proof_hex(&growth));
    let mut proofs = BTreeMap::new();
    // Both ends, both sides of a power of two, the earlier end, and within.
    for number in [0, 1, 63, 64, 69, 70, 127, 128, 198, 199_u64] {
        let (record, proof) =
            (&records[number as usize], tree::prove_record(&tree, now.size, number).unwrap());
        let _ = writeln!(facts, "record {number} {}", hex(record.iter().copied()));
        let _ = writeln!(facts, "inclusion {number} {}", proof_hex(&proof));
        proofs.insert(number, proof);
    }
    let (earlier, told) = (temporary.path().join("earlier"), temporary.path().join("facts"));
    fs::write(&earlier, kept).unwrap();
    fs::write(&told, facts).unwrap();

    let mut go = Command::new("go");
    go.args(["run", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go/main.go")])
        .args([folder.path(), &earlier, &told])
        .current_dir(temporary.path())
        // No modules, so nothing is asked of a network.
        .envs([("GO111MODULE", "off"), ("GOPATH", PACKAGES), ("GOTOOLCHAIN", "local")])
        .env("GOCACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/go"))
        .env_remove("GOFLAGS");
    let output = go.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let mut changed = fs::read(folder.tree()).unwrap();
    changed[0] ^= 1;
    fs::write(folder.tree(), changed).unwrap();
    let output = go.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("June's proof of record"), "{error}");

    let (mut proven, mut refused) = (0, 0);
    for line in said.lines() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["growth", by_go] => {
                assert_eq!(proof(by_go), growth);
                let (now, then) = ((now.size, now.root), (then.size, then.root));
                assert!(tree::check_growth(&proof(by_go), now, then));
            }
            ["inclusion", number, by_go] => {
                let (number, by_go): (u64, _) = (number.parse().unwrap(), proof(by_go));
                assert_eq!(by_go, proofs[&number]);
                let record = &records[number as usize];
                assert!(tree::check_record(&by_go, now.size, now.root, number, record));
                refused += refuses(&by_go, &now, number, record);
                proven += 1;
            }
            ["sizes", then, now] => assert_eq!((then, now), ("70", "200")),
            ["refused", count] => {
                let count: usize = count.parse().unwrap();
                // Two notes, and ten records with their proofs: every bit.
                assert!(count > 20_000, "{count}");
                refused += count;
            }
            _ => panic!("{line}"),
        }
    }
    assert_eq!(proven, proofs.len());
    println!("{proven} records proven on both sides, {refused} changes refused");
}

/// How many changes of one bit this crate refuses, which is all of them.
fn refuses(proof: &[Hash], now: &Checkpoint, number: u64, record: &[u8]) -> usize {
    for bit in 0..record.len() * 8 {
        let mut record = record.to_vec();
        record[bit / 8] ^= 1 << (bit % 8);
        assert!(!tree::check_record(proof, now.size, now.root, number, &record), "bit {bit}");
    }
    for bit in 0..proof.len() * 256 {
        let mut proof = proof.to_vec();
        proof[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
        assert!(!tree::check_record(&proof, now.size, now.root, number, record), "bit {bit}");
    }
    (record.len() + proof.len() * 32) * 8
}
