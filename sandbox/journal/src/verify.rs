//! Is everything as it was written?
//!
//! Every byte of the journal is looked at: each frame's checksum, each record's
//! form and its place in its run, each signed checkpoint against the Merkle
//! tree over the records before it, every blob that a record names, the file of
//! hashes, the newest checkpoint, and the key.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use tlog_tiles::Hash;

use crate::Digest;
use crate::folder::{Error, Folder, read_short};
use crate::note::{Checkpoint, PublicKey};
use crate::reader::{Item, Reader};
use crate::record::{Data, Event, Record};
use crate::segment::{self, Damage};
use crate::tree::Frontier;

/// The most problems that are told one by one.
const TOLD: usize = 100;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How many records are proven by the last checkpoint.
    pub records: u64,
    /// The root over them.
    pub root: Hash,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// How many runs began.
    pub runs: u64,
    /// How many of them have no end: the host died, or they still run.
    pub unfinished: u64,
    /// How many blobs the records name.
    pub blobs: u64,
    /// Bytes after the last checkpoint, which a writer that lives or died had
    /// begun to write. They are not part of the journal.
    pub tail: u64,
    /// Somebody writes at this moment.
    pub live: bool,
    /// What is not as it was written; nothing if all is well.
    pub problems: Vec<String>,
    /// How many problems there are in all.
    pub problem_count: usize,
}

impl Report {
    /// Whether everything is as it was written.
    pub fn is_sound(&self) -> bool {
        self.problem_count == 0
    }
}

/// Verifies a journal. With `since`, a checkpoint that was kept elsewhere, also
/// that the journal still begins with what it was then. `progress` is told, now
/// and then, how many records were looked at.
///
/// # Errors
///
/// When there is no journal to look at. What is wrong *in* it is reported.
pub fn verify(
    folder: &Folder,
    since: Option<&str>,
    mut progress: impl FnMut(u64),
) -> Result<Report, Error> {
    let all = verify_while(folder, since, |records| {
        progress(records);
        ControlFlow::<Infallible>::Continue(())
    });
    let ControlFlow::Continue(report) = all?;
    Ok(report)
}

/// Verifies a journal as [`verify`] does, for as long as `go_on` says so, which
/// is told now and then how many records were looked at.
///
/// # Errors
///
/// As [`verify`].
pub fn verify_while<B>(
    folder: &Folder,
    since: Option<&str>,
    mut go_on: impl FnMut(u64) -> ControlFlow<B>,
) -> Result<ControlFlow<B, Report>, Error> {
    let key = folder.read_public_key()?;
    let live = is_live(folder);
    // Read first: what is published later is not needed.
    let published = read_short(&folder.checkpoint());
    let mut check = Check::new(folder, &key, live || folder.writing().exists());

    let since = since.and_then(|note| match Checkpoint::open(note, &key) {
        Ok(since) => Some(since),
        Err(error) => {
            check.problem(format!("the checkpoint to compare with: {error}"));
            None
        }
    });
    check.since = since;
    let mut published_seen = false;
    let (mut last, mut tail, mut committed) = (None, 0, false);
    let mut reader = Reader::open(folder)?;
    loop {
        check.compare();
        match reader.next() {
            Ok(None) => {
                if !committed {
                    check.problem("there is no checkpoint in the last segment".into());
                }
                break;
            }
            Ok(Some(Item::Record { number, bytes, .. })) => {
                tail += bytes.len() as u64 + segment::FRAME;
                check.record(number, &bytes);
                if number.is_multiple_of(1024)
                    && let ControlFlow::Break(why) = go_on(number)
                {
                    return Ok(ControlFlow::Break(why));
                }
            }
            Ok(Some(Item::Checkpoint(note))) => {
                tail = 0;
                committed = reader.is_last();
                published_seen |= published.as_ref().is_ok_and(|published| *published == note);
                if let Some(checkpoint) = check.checkpoint(&note) {
                    last = Some((note, checkpoint));
                }
            }
            Err(broken) => {
                // In the last segment, the end of what somebody was writing. They
                // began with a checkpoint, which was durable before the segment
                // had its name.
                let torn = committed && check.unfinished;
                tail += reader.left();
                if !torn || matches!(broken.damage, Damage::Io(_)) {
                    check.problem(broken.to_string());
                }
                break;
            }
        }
    }
    let none = Checkpoint { size: 0, root: tlog_tiles::EMPTY_HASH };
    let (note, checkpoint) = last.unwrap_or((Vec::new(), none));
    if tail > 0 && !check.unfinished {
        check.problem(format!("{tail} bytes follow the last checkpoint"));
    }
    // Records that follow the last checkpoint do not count: nobody said that they
    // are durable, and the next writer cuts them off.
    if let Some(since) = since.filter(|since| since.size > checkpoint.size) {
        check.problem(format!(
            "there are {} records, and there were {} when the checkpoint to compare with was made",
            checkpoint.size, since.size
        ));
    }
    match published {
        Err(error) => check.problem(error.to_string()),
        Ok(text) if text == note => {}
        // As a power failure leaves it, and as a writer does: a checkpoint is published once its
        // records are durable.
        Ok(text) if check.unfinished && (published_seen || text.is_empty()) => {}
        Ok(text) => {
            let size = Checkpoint::open(&String::from_utf8_lossy(&text), &key);
            check.problem(match size {
                Ok(published) if published.size > checkpoint.size => format!(
                    "the journal ends after {} records, and {} were durable",
                    checkpoint.size, published.size
                ),
                Ok(_) | Err(_) => {
                    format!("{}: is not the last checkpoint", folder.checkpoint().display())
                }
            });
        }
    }
    if folder.secret_key().exists()
        && let Err(error) = folder.read_secret_key()
    {
        check.problem(error.to_string());
    }
    check.hashes_end();
    Ok(ControlFlow::Continue(check.report(checkpoint, tail, live)))
}

/// Whether somebody writes to the journal at this moment.
pub fn is_live(folder: &Folder) -> bool {
    let lock = File::open(folder.lock()).map(|file| file.try_lock_shared());
    matches!(lock, Ok(Err(fs::TryLockError::WouldBlock)))
}

struct Check<'a> {
    folder: &'a Folder,
    key: &'a PublicKey,
    /// Somebody writes, or died while writing.
    unfinished: bool,
    /// The checkpoint to compare with, until that was done.
    since: Option<Checkpoint>,
    frontier: Frontier,
    tree: Option<BufReader<File>>,
    /// The runs that have begun and not ended.
    open: HashMap<u64, Run>,
    /// One bit for each record: whether a run began there.
    began: Vec<u64>,
    /// The blobs that were looked at, with their lengths.
    blobs: HashSet<(Digest, u64)>,
    runs: u64,
    checkpoints: u64,
    problems: Vec<String>,
    problem_count: usize,
}

/// How far a run is.
#[derive(Default)]
struct Run {
    calls: u64,
    denied: u64,
    unanswered: BTreeSet<u64>,
}

impl<'a> Check<'a> {
    fn new(folder: &'a Folder, key: &'a PublicKey, unfinished: bool) -> Self {
        let mut check = Self {
            folder,
            key,
            unfinished,
            since: None,
            frontier: Frontier::default(),
            tree: None,
            open: HashMap::new(),
            began: Vec::new(),
            blobs: HashSet::new(),
            runs: 0,
            checkpoints: 0,
            problems: Vec::new(),
            problem_count: 0,
        };
        match File::open(folder.tree()) {
            Ok(file) => check.tree = Some(BufReader::with_capacity(1 << 16, file)),
            Err(error) => check.problem(format!("{}: {error}", folder.tree().display())),
        }
        check
    }

    fn problem(&mut self, text: String) {
        self.problem_count += 1;
        if self.problems.len() < TOLD {
            self.problems.push(text);
        }
    }

    /// Compares with the earlier checkpoint, when as many records were read.
    fn compare(&mut self) {
        if let Some(since) = self.since
            && since.size == self.frontier.size()
        {
            self.since = None;
            if since.root != self.frontier.root() {
                let size = since.size;
                self.problem(format!(
                    "the first {size} records are not those of the checkpoint to compare with"
                ));
            }
        }
    }

    fn record(&mut self, number: u64, bytes: &[u8]) {
        let hash = tlog_tiles::record_hash(bytes);
        let (mut differs, mut short, unfinished) = (None, false, self.unfinished);
        let tree = &mut self.tree;
        self.frontier.push(hash, |hash| {
            let mut kept = [0; tlog_tiles::HASH_SIZE];
            if let Some(file) = tree {
                match file.read_exact(&mut kept) {
                    Ok(()) if kept == hash.0 => {}
                    Ok(()) => differs = Some("it holds another hash"),
                    Err(_) if unfinished => short = true,
                    Err(_) => differs = Some("it is too short"),
                }
            }
        });
        if short {
            self.tree = None;
        }
        if let Some(why) = differs {
            self.tree = None;
            let path = self.folder.tree();
            self.problem(format!("{}: {why}, at record {number}", path.display()));
        }
        if number.is_multiple_of(64) {
            self.began.push(0);
        }
        match Record::from_bytes(bytes) {
            Ok(record) => {
                if let Err(why) = self.event(number, &record) {
                    self.problem(format!("record {number}: {why}"));
                }
            }
            Err(why) => self.problem(format!("record {number}: {why}")),
        }
    }

    /// Whether a record fits to those before it.
    fn event(&mut self, number: u64, record: &Record) -> Result<(), String> {
        for data in record.data() {
            self.blob(data)?;
        }
        if let Event::Start(start) = &record.event {
            if record.run != number {
                return Err(format!("it begins a run of another number, {}", record.run));
            }
            if start.parent.is_some_and(|parent| !self.has_begun(parent.run)) {
                return Err("the run that made this one has not begun".into());
            }
            if let Some(bits) = self.began.last_mut() {
                *bits |= 1 << (number % 64);
            }
            self.runs += 1;
            self.open.insert(number, Run::default());
            return Ok(());
        }
        if let Event::Review(review) = &record.event {
            return match self.has_begun(record.run) {
                true => {
                    review.check(self.key.name(), record.run).map_err(|error| error.to_string())
                }
                false => Err(format!("run {} has not begun", record.run)),
            };
        }
        let run = self.open.get_mut(&record.run);
        let run = run.ok_or_else(|| format!("run {} is not running", record.run))?;
        let mut called = |first: u64, count: u64| {
            let expected = run.calls;
            run.calls = first.saturating_add(count);
            match first == expected {
                true => Ok(()),
                false => Err(format!("its call is number {first}, and not {expected}")),
            }
        };
        match &record.event {
            Event::Virtual(calls) => {
                let listed = calls.listed.len() as u64;
                if listed > calls.count || (listed < calls.count) != calls.digest.is_some() {
                    return Err("it does not list the calls that it counts".into());
                }
                called(calls.first, calls.count)?;
            }
            Event::Call(call) => {
                called(call.number, 1)?;
                run.unanswered.insert(call.number);
            }
            Event::Denial(denial) => {
                called(denial.number, 1)?;
                run.denied += 1;
            }
            Event::Answer(answer) if !run.unanswered.remove(&answer.number) => {
                return Err(format!("it answers call {}, which waits for none", answer.number));
            }
            Event::End(end) => {
                let (calls, denied) = (run.calls, run.denied);
                self.open.remove(&record.run);
                // A run that was given up could not count.
                if end.exit.is_some() && (end.calls != calls || end.denied != denied) {
                    return Err(format!(
                        "the run ends with {} calls, {} of them denied, and there were {calls} and {denied}",
                        end.calls, end.denied
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn has_begun(&self, run: u64) -> bool {
        let bits = usize::try_from(run / 64).ok().and_then(|index| self.began.get(index));
        bits.is_some_and(|bits| bits >> (run % 64) & 1 == 1)
    }

    fn blob(&mut self, data: &Data) -> Result<(), String> {
        match data {
            Data::Blob { digest, length } if self.blobs.insert((*digest, *length)) => {
                let found = self.folder.blobs().get(digest, *length);
                found.map(|_value| ()).map_err(|error| error.to_string())
            }
            _ => Ok(()),
        }
    }

    fn checkpoint(&mut self, note: &[u8]) -> Option<Checkpoint> {
        self.checkpoints += 1;
        let size = self.frontier.size();
        let opened = std::str::from_utf8(note).map_err(|error| error.to_string());
        let opened =
            opened.and_then(|note| Checkpoint::open(note, self.key).map_err(|e| e.to_string()));
        match opened {
            Ok(checkpoint)
                if checkpoint.size == size && checkpoint.root == self.frontier.root() =>
            {
                Some(checkpoint)
            }
            Ok(_) => {
                self.problem(format!(
                    "the checkpoint after {size} records is one of other records"
                ));
                None
            }
            Err(why) => {
                self.problem(format!("the checkpoint after {size} records: {why}"));
                None
            }
        }
    }

    /// The file of hashes must end with the records. After a crash it may have
    /// more, or less: it is made to fit when the journal is next opened.
    fn hashes_end(&mut self) {
        let Some(mut tree) = self.tree.take() else { return };
        let more = matches!(tree.read(&mut [0]), Ok(1..) | Err(_));
        if more && !self.unfinished {
            let path = self.folder.tree();
            self.problem(format!("{}: it goes on after the last record", path.display()));
        }
    }

    fn report(self, checkpoint: Checkpoint, tail: u64, live: bool) -> Report {
        Report {
            records: checkpoint.size,
            root: checkpoint.root,
            checkpoints: self.checkpoints,
            runs: self.runs,
            unfinished: self.open.len() as u64,
            blobs: self.blobs.len() as u64,
            tail,
            live,
            problems: self.problems,
            problem_count: self.problem_count,
        }
    }
}
