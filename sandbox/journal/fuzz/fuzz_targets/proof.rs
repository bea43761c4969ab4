//! Proofs, notes and keys that anybody may have made: only what is so is
//! accepted.
#![no_main]

use std::fs;
use std::sync::OnceLock;

use june_journal::note::{Checkpoint, PublicKey, SecretKey};
use june_journal::tree::{self, Frontier, TreeFile};
use june_journal_fuzz::{Input, key, scratch};
use libfuzzer_sys::fuzz_target;
use tlog_tiles::Hash;

/// How many records the tree has.
const RECORDS: u64 = 40;

struct Tree {
    file: TreeFile,
    hashes: Vec<Hash>,
    /// The roots of the trees of 0, 1, 2… records.
    roots: Vec<Hash>,
    /// The checkpoints of these trees, and a text that is none.
    notes: Vec<String>,
}

fn record(number: u64) -> Vec<u8> {
    format!("record {number}").into_bytes()
}

fn tree() -> &'static Tree {
    static TREE: OnceLock<Tree> = OnceLock::new();
    TREE.get_or_init(|| {
        let (mut frontier, mut hashes) = (Frontier::default(), Vec::new());
        let mut roots = vec![frontier.root()];
        for number in 0..RECORDS {
            frontier.push(tlog_tiles::record_hash(&record(number)), |hash| hashes.push(*hash));
            roots.push(frontier.root());
        }
        let path = scratch("proof").join("tree");
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        fs::write(&path, bytes).unwrap();
        let checkpoint = |(size, root): (usize, &Hash)| {
            Checkpoint { size: size as u64, root: *root }.sign(key()).unwrap()
        };
        let mut notes: Vec<String> = roots.iter().enumerate().map(checkpoint).collect();
        notes.push(key().sign("some\n\ntext\n").unwrap());
        Tree { file: TreeFile::open(&path).unwrap(), hashes, roots, notes }
    })
}

/// A hash out of the tree, or any.
fn hash(input: &mut Input) -> Hash {
    let tree = tree();
    match input.byte() {
        0 => Hash(input.array()),
        1 => tree.roots[input.byte() % tree.roots.len()],
        2 => tlog_tiles::record_hash(input.take(8)),
        _ => tree.hashes[input.byte() % tree.hashes.len()],
    }
}

fn proof(input: &mut Input) -> Vec<Hash> {
    (0..input.byte()).map(|_| hash(input)).collect()
}

/// How many records: few, or any number.
fn number(input: &mut Input) -> u64 {
    match input.byte() {
        255 => input.long(),
        few => few as u64 % (RECORDS + 1),
    }
}

/// The root of the tree of this size; any where there is no such tree.
fn root(input: &mut Input, size: u64) -> Hash {
    let known = usize::try_from(size).ok().and_then(|size| tree().roots.get(size));
    known.copied().unwrap_or_else(|| hash(input))
}

/// A text with one stretch replaced by bytes, or by another stretch of it.
fn splice(input: &mut Input, text: &str) -> String {
    let bytes = text.as_bytes();
    let at = input.short() % (bytes.len() + 1);
    let end = (at + input.short()).min(bytes.len());
    let new = match input.byte() {
        0 => {
            let from = input.short() % (bytes.len() + 1);
            &bytes[from..(from + input.short()).min(bytes.len())]
        }
        length => input.take(length),
    };
    String::from_utf8_lossy(&[&bytes[..at], new, &bytes[end..]].concat()).into_owned()
}

/// Whatever the text is, only what was signed is accepted.
fn note(text: &str) {
    let (tree, public) = (tree(), key().public());
    if let Ok(verified) = public.verify(text) {
        assert!(tree.notes.iter().any(|note| note == text), "{text:?}");
        assert!(text.starts_with(&verified));
    }
    if let Ok(checkpoint) = Checkpoint::open(text, public) {
        assert_eq!(tree.roots[checkpoint.size as usize], checkpoint.root, "{text:?}");
        assert_eq!(checkpoint.sign(key()).unwrap(), text);
    }
}

/// A key has one text.
fn keys(public: &str, secret: &str) {
    let (own_public, own_secret) = (key().public().to_string(), key().secret_text());
    if let Ok(public) = PublicKey::parse(public) {
        let same = public.verify(&tree().notes[0]).is_ok();
        assert!(!same || public.to_string() == own_public, "{public:?}");
    }
    if SecretKey::parse(secret, &own_public).is_ok() {
        assert_eq!(secret, own_secret);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let input = &mut input;
    match input.byte() {
        0 => {
            let (size, at) = (number(input), number(input));
            let (root, of) = (root(input, size), number(input));
            let accepted = tree::check_record(&proof(input), size, root, at, &record(of));
            if accepted && size <= RECORDS {
                assert!(at < size && at == of, "{of} at {at} of {size}");
            }
        }
        1 => {
            let (size, earlier) = (number(input), number(input));
            let (root, was) = (root(input, size), hash(input));
            let accepted = tree::check_growth(&proof(input), (size, root), (earlier, was));
            if accepted && size <= RECORDS {
                assert!(earlier <= size && tree().roots[earlier as usize] == was, "{earlier}");
            }
        }
        2 => {
            let (size, other) = (number(input), number(input));
            let proof = tree::prove_record(&tree().file, size, other);
            assert_eq!(proof.is_ok(), other < size && size <= RECORDS, "{other} of {size}");
            let proof = tree::prove_growth(&tree().file, size, other);
            assert!(proof.is_err() || other <= size, "{other} of {size}");
            let frontier = tree().file.frontier(size);
            assert_eq!(frontier.is_ok(), size <= RECORDS, "{size}");
            let _ = TreeFile::length(size);
        }
        3 => {
            let text = String::from_utf8_lossy(input.0);
            note(&text);
            keys(&text, &text);
            // Whatever can be signed can be verified.
            if let Ok(note) = key().sign(&text) {
                assert_eq!(key().public().verify(&note).unwrap(), text);
                if let Ok(checkpoint) = Checkpoint::open(&note, key().public()) {
                    assert_eq!(checkpoint.sign(key()).unwrap(), note);
                }
            }
        }
        4 => {
            let notes = &tree().notes;
            let signed = &notes[input.byte() % notes.len()];
            note(&splice(input, signed));
        }
        _ => {
            let public = splice(input, &key().public().to_string());
            let secret = splice(input, key().secret_text());
            keys(&public, &secret);
        }
    }
});
