//! The code writes what `FORMAT.md` specifies: the test vectors beside it, which
//! other implementations are checked against too. They never change.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::clock;
use june_journal::note::{Checkpoint, SecretKey};
use june_journal::reader::{Item, Reader};
use june_journal::record::{
    Answer, Call, Data, Denial, End, Event, LimitHit, Opinion, Output, Parent, Returned, Review,
    Start, VirtualCall, VirtualCalls,
};
use june_journal::segment::{self, HEADER, Kind, Segment};
use june_journal::tree::{self, Frontier, TreeFile};
use june_journal::verify::verify;
use june_journal::{Exception, Exit, Folder, Journal, Phase, Record};
use tlog_tiles::Hash;

fn vectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

/// The lines of a file of vectors, each a name and what follows it.
fn lines(name: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(vectors(name)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pair = |line: &str| {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        (name.to_owned(), rest.to_owned())
    };
    lines.map(pair).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn hashes(hex: &str) -> Vec<Hash> {
    hex.split(' ').map(|hash| Hash(bytes(hash).try_into().unwrap())).collect()
}

/// What a record says, as the file of vectors has it.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.all(name);
        let one = all.next();
        assert_eq!(all.next(), None, "{name} is there twice");
        one
    }

    fn word(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("{name} is missing: {:?}", self.0))
    }

    fn text(&self, name: &str) -> String {
        unescape(self.word(name))
    }

    fn read<T: std::str::FromStr<Err: std::fmt::Debug>>(&self, name: &str) -> T {
        self.word(name).parse().unwrap()
    }

    fn data(&self, name: &str) -> Data {
        data(self.word(name))
    }

    fn pairs<T>(&self, name: &str, value: impl Fn(&str) -> T) -> BTreeMap<String, T> {
        let pair = |text: &str| {
            let (key, text) = text.split_once(' ').unwrap();
            (key.to_owned(), value(text))
        };
        self.all(name).map(pair).collect()
    }

    fn record(&self) -> Record {
        let event = self.event();
        Record {
            version: self.read("version"),
            run: self.read("run"),
            time: self.read("time"),
            event,
        }
    }

    fn event(&self) -> Event {
        match self.word("event") {
            "start" => Event::Start(Start {
                component: self.read("component"),
                name: self.text("name"),
                world: self.text("world"),
                session: self.text("session"),
                engine: self.text("engine"),
                configuration: self.read("configuration"),
                grants: self.all("grants").map(unescape).collect(),
                policy: self.read("policy"),
                limits: self.pairs("limits", |limit| limit.parse().unwrap()),
                seed: self.read("seed"),
                epoch: self.read("epoch"),
                input: self.pairs("input", data),
                parent: self.get("parent").map(|parent| {
                    let (run, call) = parent.split_once(' ').unwrap();
                    Parent { run: run.parse().unwrap(), call: call.parse().unwrap() }
                }),
            }),
            "virtual" => {
                let (arguments, answers) = (self.all("arguments"), self.all("answer"));
                let calls = self.all("function").zip(arguments).zip(answers);
                let call = |((function, arguments), answer)| VirtualCall {
                    function: unescape(function),
                    arguments: unescape(arguments),
                    answer: unescape(answer),
                };
                Event::Virtual(VirtualCalls {
                    first: self.read("first"),
                    count: self.read("count"),
                    listed: calls.map(call).collect(),
                    digest: self.get("digest").map(|digest| digest.parse().unwrap()),
                })
            }
            "call" => Event::Call(Call {
                number: self.read("number"),
                function: self.text("function"),
                arguments: self.data("arguments"),
                grant: self.text("grant"),
            }),
            "answer" => Event::Answer(Answer {
                number: self.read("number"),
                result: self.data("result"),
                fuel_before: self.read("fuel-before"),
                fuel_after: self.read("fuel-after"),
                duration: self.read("duration"),
            }),
            "denial" => Event::Denial(Denial {
                number: self.read("number"),
                function: self.text("function"),
                arguments: self.data("arguments"),
                reason: self.text("reason"),
                answer: self.text("answer"),
            }),
            "limit-hit" => {
                Event::LimitHit(LimitHit { limit: self.text("limit"), bound: self.read("bound") })
            }
            "output" => Event::Output(Output {
                stdout: self.data("stdout"),
                stdout_truncated: self.read("stdout-truncated"),
                stderr: self.data("stderr"),
                stderr_truncated: self.read("stderr-truncated"),
            }),
            "end" => Event::End(End {
                exit: self.get("exit").map(|exit| self.exit(exit)),
                fuel: self.read("fuel"),
                peak_memory: self.read("peak-memory"),
                calls: self.read("calls"),
                entries: self.read("entries"),
                denied: self.read("denied"),
                duration: self.read("duration"),
            }),
            "review" => Event::Review(Review {
                verdict: match self.word("verdict") {
                    "ok" => Opinion::Ok,
                    "flag" => Opinion::Flag,
                    other => panic!("{other}"),
                },
                comment: self.text("comment"),
                reviewer: self.text("reviewer"),
                note: self.text("note"),
            }),
            "returned" => Event::Returned(Returned {
                value: self.get("value").map(data),
                said: self.get("said").map(data),
            }),
            other => panic!("{other}"),
        }
    }

    fn exit(&self, exit: &str) -> Exit {
        match exit.split_once(' ').unwrap_or((exit, "")) {
            ("returned", "") => Exit::Returned,
            ("raised", "") => Exit::Raised(Exception {
                kind: self.text("kind"),
                message: self.text("message"),
                phase: match self.word("phase") {
                    "source" => Phase::Source,
                    "checks" => Phase::Checks,
                    other => panic!("{other}"),
                },
                line: self.read("line"),
                statement: self.get("statement").map(unescape),
            }),
            ("exited", status) => Exit::Exited(status.parse().unwrap()),
            ("out-of-fuel", "") => Exit::OutOfFuel,
            ("out-of-memory", "") => Exit::OutOfMemory,
            ("timed-out", "") => Exit::TimedOut,
            ("crashed", why) => Exit::Crashed(unescape(why)),
            other => panic!("{other:?}"),
        }
    }
}

fn unescape(text: &str) -> String {
    let parts: Vec<_> = text.split("\\\\").map(|part| part.replace("\\n", "\n")).collect();
    parts.join("\\")
}

fn data(text: &str) -> Data {
    let words: Vec<_> = text.split(' ').collect();
    match words[..] {
        ["inline"] => Data::Inline(vec![]),
        ["inline", hex] => Data::Inline(bytes(hex)),
        ["blob", digest, length] => {
            Data::Blob { digest: digest.parse().unwrap(), length: length.parse().unwrap() }
        }
        _ => panic!("{text}"),
    }
}

#[test]
fn records_are_written_as_their_vectors_say() {
    let (mut written, mut refused) = (Vec::new(), 0);
    let mut check = |fields: &mut Vec<(String, String)>| {
        let fields = Fields(std::mem::take(fields));
        if fields.0.is_empty() {
            return;
        }
        let (record, expected) = (fields.record(), bytes(fields.word("record")));
        assert_eq!(record.to_bytes(), expected, "{record:?}");
        assert_eq!(Record::from_bytes(&expected).unwrap(), record);
        written.push(fields.word("event").to_owned());
    };
    let mut fields = Vec::new();
    for (name, value) in lines("records.txt") {
        if name == "record" || name == "refused" {
            check(&mut fields);
        }
        if name == "refused" {
            let (hex, why) = value.split_once(' ').unwrap();
            assert!(Record::from_bytes(&bytes(hex)).is_err(), "{why}");
            refused += 1;
        } else {
            fields.push((name, value));
        }
    }
    check(&mut fields);
    assert_eq!((written.len(), refused), (26, 16));
    written.sort();
    written.dedup();
    assert_eq!(written.len(), 10, "an event has no vector: {written:?}");
}

#[test]
fn segments_are_written_as_their_vectors_say() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("segment");
    let mut checked = BTreeMap::new();
    for (name, value) in lines("segment.txt") {
        let words: Vec<_> = value.split(' ').collect();
        *checked.entry(name.clone()).or_insert(0) += 1;
        match (name.as_str(), &words[..]) {
            ("header", [hex, first, position]) => {
                let (first, position) = (first.parse().unwrap(), position.parse().unwrap());
                assert_eq!(segment::header(first, position).to_vec(), bytes(hex));
                fs::write(&path, bytes(hex)).unwrap();
                let segment = Segment::open(&path).unwrap();
                assert_eq!((segment.first, segment.position), (first, position));
            }
            ("frame", [hex, position, kind, payload @ ..]) => {
                let position: u64 = position.parse().unwrap();
                let payload = bytes(payload.first().copied().unwrap_or(""));
                let kind = match *kind {
                    "record" => Kind::Record,
                    "checkpoint" => Kind::Checkpoint,
                    other => panic!("{other}"),
                };
                let mut frame = Vec::new();
                segment::frame(&mut frame, position, kind, &payload);
                assert_eq!(frame, bytes(hex), "{value}");
                let header = segment::header(0, position - HEADER);
                fs::write(&path, [&header[..], &frame].concat()).unwrap();
                let read = Segment::open(&path).unwrap().next().unwrap().unwrap();
                assert_eq!((read.position, read.kind, read.payload), (position, kind, payload));
            }
            _ => panic!("{name} {value}"),
        }
    }
    assert_eq!(checked.into_values().collect::<Vec<_>>(), [8, 2]);
}

#[test]
fn the_tree_grows_as_its_vectors_say() {
    let (mut frontier, mut known, mut written) = (Frontier::default(), Vec::new(), Vec::new());
    let (mut leaves, mut roots) = (Vec::new(), Vec::new());
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("tree");
    let mut proofs = 0;
    for (name, value) in lines("tree.txt") {
        match name.as_str() {
            "leaf" => {
                let leaf = bytes(&value);
                frontier.push(tlog_tiles::record_hash(&leaf), |hash| known.push(*hash));
                written.extend(known.iter().flat_map(|hash| hash.0));
                leaves.push(leaf);
            }
            "hash" => assert_eq!(vec![known.remove(0)], hashes(&value)),
            "root" => {
                assert_eq!(vec![frontier.root()], hashes(&value));
                assert!(known.is_empty());
                roots.push(frontier.root());
            }
            "inclusion" | "growth" => {
                fs::write(&path, &written).unwrap();
                let (tree, size) = (TreeFile::open(&path).unwrap(), frontier.size());
                let (number, proof) = value.split_once(' ').unwrap();
                let (number, proof): (u64, _) = (number.parse().unwrap(), hashes(proof));
                let (at, root) = (number as usize, frontier.root());
                if name == "growth" {
                    assert_eq!(tree::prove_growth(&tree, size, number).unwrap(), proof);
                    assert!(tree::check_growth(&proof, (size, root), (number, roots[at])));
                } else {
                    assert_eq!(tree::prove_record(&tree, size, number).unwrap(), proof);
                    assert!(tree::check_record(&proof, size, root, number, &leaves[at]));
                }
                proofs += 1;
            }
            _ => panic!("{name}"),
        }
    }
    assert_eq!((leaves.len(), roots.len(), proofs), (7, 8, 6));
}

#[test]
fn a_checkpoint_is_signed_as_its_vector_says() {
    let read = |name| fs::read_to_string(vectors(name)).unwrap();
    let (secret, public) = (read("key"), read("journal/key.pub"));
    let key = SecretKey::parse(secret.trim_end(), public.trim_end()).unwrap();
    for name in ["kept", "journal/checkpoint"] {
        let note = read(name);
        let checkpoint = Checkpoint::open(&note, key.public()).unwrap();
        assert_eq!(checkpoint.sign(&key).unwrap(), note);
    }
}

/// A journal as this version wrote it when it was new. Whatever comes later
/// must be able to read it, and to write on.
#[test]
fn the_journal_among_the_vectors_is_sound() {
    let original = Folder::new(vectors("journal"));
    let kept = fs::read_to_string(vectors("kept")).unwrap();
    let report = verify(&original, Some(&kept), |_| {}).unwrap();
    assert!(report.is_sound(), "{report:#?}");
    assert_eq!((report.records, report.runs, report.blobs), (10, 1, 1));

    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().join("journal"));
    copy(original.path(), folder.path());
    fs::copy(vectors("key"), folder.secret_key()).unwrap();
    fs::write(folder.lock(), b"").unwrap();
    let mut reader = Reader::open(&folder).unwrap();
    let mut last = None;
    while let Some(item) = reader.next().unwrap() {
        if let Item::Record { bytes, .. } = item {
            last = Some(Record::from_bytes(&bytes).unwrap());
        }
    }
    let Some(Record { run, event, .. }) = last else { panic!("no record") };
    let (journal, tail) = Journal::open(&folder, clock).unwrap();
    assert_eq!(tail, None);
    journal.append(run, event).unwrap();
    journal.close().unwrap();
    let report = verify(&folder, Some(&kept), |_| {}).unwrap();
    assert!(report.is_sound() && report.records == 11, "{report:#?}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}
