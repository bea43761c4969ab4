//! An index of the journal, for finding runs: a SQLite database beside the segments.
//!
//! It is derived. It takes in, whenever it is opened, the records that were written since, and it
//! is made anew when it does not fit to the journal, is damaged, of another form, or gone. Several
//! Junes may have it open at once.

mod find;
mod outcome;

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use june_sandbox::journal::reader::{self, Item, Place, Reader};
use june_sandbox::journal::record::{Event, Record};
use june_sandbox::journal::tree::TreeFile;
use june_sandbox::journal::writer::GROUP;
use june_sandbox::journal::{Error, Folder};
use rusqlite::{
    Connection, ErrorCode, InterruptHandle, OpenFlags, OptionalExtension, Row, Transaction,
    TransactionBehavior, params,
};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use find::Filter;
pub(crate) use outcome::Outcome;

/// Changes whenever the tables do.
const VERSION: i64 = 2;

/// `found` has the words of each run, as its trigrams; `runs.text` is what those were made of, to
/// look again at what they find. `spans` tells when the runs of neighbouring numbers began.
const TABLES: &str = "
    CREATE TABLE runs (
        run INTEGER PRIMARY KEY, time INTEGER NOT NULL, component TEXT NOT NULL,
        name TEXT NOT NULL, world TEXT NOT NULL, session TEXT NOT NULL, parent INTEGER,
        outcome TEXT NOT NULL DEFAULT 'unfinished', detail TEXT NOT NULL DEFAULT '',
        fuel INTEGER, memory INTEGER, calls INTEGER, denied INTEGER NOT NULL DEFAULT 0,
        allowed INTEGER NOT NULL DEFAULT 0, duration INTEGER, reviews TEXT NOT NULL DEFAULT '',
        text TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE places (
        run INTEGER NOT NULL, number INTEGER NOT NULL,
        segment INTEGER NOT NULL, offset INTEGER NOT NULL,
        PRIMARY KEY (run, number)
    ) WITHOUT ROWID;
    CREATE INDEX by_session ON runs (session);
    CREATE INDEX by_name ON runs (name);
    CREATE INDEX by_world ON runs (world);
    CREATE INDEX by_outcome ON runs (outcome);
    CREATE INDEX by_parent ON runs (parent) WHERE parent IS NOT NULL;
    CREATE INDEX by_denied ON runs (denied > 0);
    CREATE VIRTUAL TABLE found USING fts5 (
        text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram'
    );
    CREATE VIRTUAL TABLE letters USING fts5vocab (found, 'row');
    CREATE TABLE spans (
        span INTEGER PRIMARY KEY, earliest INTEGER NOT NULL, latest INTEGER NOT NULL
    );
    CREATE TABLE covered (
        size INTEGER NOT NULL, root TEXT NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL
    );
";

/// Forgets everything.
const CLEAR: &str = "
    DELETE FROM runs; DELETE FROM places; DELETE FROM covered; DELETE FROM spans;
    INSERT INTO found (found) VALUES ('delete-all');
";

/// How many numbers of runs a span has.
const SPAN: u64 = 4096;

/// About how many records are taken in before others may see them.
const CHUNK: u64 = 1 << 16;

/// The index of a journal.
pub(crate) struct Index {
    database: Connection,
    folder: Folder,
    /// The file that was opened, by its device and number; none where it is in memory.
    file: Option<(u64, u64)>,
    /// Why the journal could not be read to its end.
    pub(crate) broken: Option<String>,
}

/// The most bytes that the records of one run may have, to be read at once.
const MAX_RUN: usize = 256 << 20;

/// A run, as a list shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Run {
    pub(crate) run: u64,
    /// Milliseconds of Unix time.
    pub(crate) time: u64,
    pub(crate) component: String,
    pub(crate) name: String,
    pub(crate) world: String,
    pub(crate) session: String,
    pub(crate) parent: Option<u64>,
    pub(crate) outcome: String,
    pub(crate) detail: String,
    pub(crate) fuel: Option<u64>,
    pub(crate) peak_memory: Option<u64>,
    pub(crate) calls: Option<u64>,
    pub(crate) denied: u64,
    pub(crate) allowed: u64,
    /// Microseconds.
    pub(crate) duration: Option<u64>,
    /// The reviewers' verdicts, separated by spaces.
    pub(crate) reviews: String,
}

impl Run {
    /// Whether it goes on, as far as the journal knows.
    pub(crate) fn is_open(&self) -> bool {
        self.outcome == Outcome::Unfinished.name()
    }

    /// The run as it was when it had begun.
    pub(crate) fn begun(&self) -> Self {
        Self {
            outcome: Outcome::Unfinished.name().into(),
            detail: String::new(),
            fuel: None,
            peak_memory: None,
            calls: None,
            denied: 0,
            allowed: 0,
            duration: None,
            reviews: String::new(),
            ..self.clone()
        }
    }
}

impl Index {
    /// Opens the index and takes in what is new. `progress` is told how many records it has.
    pub(crate) fn open(folder: &Folder, rebuild: bool, progress: impl Fn(u64)) -> Result<Self> {
        let mut index = Self::begin(folder, rebuild)?;
        index.take_in(|records| {
            progress(records);
            true
        })?;
        Ok(index)
    }

    /// Opens the index as it is, to take in what is new later.
    pub(crate) fn begin(folder: &Folder, rebuild: bool) -> Result<Self> {
        // Also says so where there is no journal.
        folder.read_public_key()?;
        let path = path(folder);
        let (database, file) = match open_database(&path, rebuild) {
            Ok(database) => (database, identity(&path)),
            // Somebody else's journal: the index lives as long as the command.
            Err(_unwritable) => (prepare(Connection::open_in_memory()?)?, None),
        };
        Ok(Self { database, folder: folder.clone(), file, broken: None })
    }

    /// The same index, to be asked beside this one; it takes in nothing.
    pub(crate) fn reader(&self) -> Result<Self> {
        ensure!(self.is_there(), "{} cannot be written", path(&self.folder).display());
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path(&self.folder), flags)?;
        database.busy_timeout(PATIENCE)?;
        Ok(Self { database, folder: self.folder.clone(), file: self.file, broken: None })
    }

    /// Whether the file is still the one that was opened: anybody may delete it.
    pub(crate) fn is_there(&self) -> bool {
        self.file.is_some() && identity(&path(&self.folder)) == self.file
    }

    /// What ends the question that is being asked, from another thread.
    pub(crate) fn interrupt(&self) -> InterruptHandle {
        self.database.get_interrupt_handle()
    }

    /// Takes in what was written since. `go_on` is told how many records there are, and whether
    /// they are to become more.
    pub(crate) fn take_in(&mut self, mut go_on: impl FnMut(u64) -> bool) -> Result<()> {
        self.broken = None;
        let mut rebuilt = false;
        loop {
            match self.take_in_some(&mut go_on) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                // What a crash of the machine left.
                Err(error) if !rebuilt && is_damage(&error) => {
                    *self = Self::begin(&self.folder, true)?;
                    rebuilt = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes in some records, and says whether there may be more.
    fn take_in_some(&mut self, go_on: &mut impl FnMut(u64) -> bool) -> Result<bool> {
        // Another June may do the same at this moment: it waits here.
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut covered = covered(&transaction)?;
        if !fits(&self.folder, covered.as_ref()) {
            transaction.execute_batch(CLEAR)?;
            covered = None;
        }
        let (next, place) = covered.map_or((0, None), |(size, _, place)| (size, Some(place)));
        let mut reader = Reader::from(&self.folder, next, place)?;
        let mut group: Vec<(u64, Place, Vec<u8>)> = Vec::new();
        let mut changed = BTreeSet::new();
        let (mut newest, mut more) = (None, false);
        // What follows the last checkpoint is not yet part of the journal.
        loop {
            let item = match reader.next() {
                Ok(Some(item)) => item,
                Ok(None) => break,
                Err(broken) => {
                    // The end of what is being written is no damage.
                    if !(reader.is_last() && self.folder.writing().exists()) {
                        self.broken = Some(broken.to_string());
                    }
                    break;
                }
            };
            match item {
                Item::Record { .. } if group.len() >= GROUP => {
                    self.broken = Some("too many records follow a checkpoint".into());
                    break;
                }
                Item::Record { number, place, bytes } => group.push((number, place, bytes)),
                Item::Checkpoint(_) => {
                    for (number, place, bytes) in group.drain(..) {
                        let record =
                            Record::from_bytes(&bytes).map_err(|error| Error::Damaged {
                                path: self.folder.path().into(),
                                reason: format!("record {number}: {error}"),
                            })?;
                        insert(&transaction, number, place, &record, &mut changed)?;
                    }
                    newest = reader.place().map(|place| (reader.records(), place));
                    if !go_on(reader.records()) {
                        break;
                    }
                    if reader.records() - next >= CHUNK {
                        more = true;
                        break;
                    }
                }
            }
        }
        find::words(&transaction, &changed)?;
        if let Some((size, place)) = newest.filter(|(size, _)| *size > next) {
            let root = TreeFile::open(&self.folder.tree())
                .ok()
                .and_then(|tree| tree.frontier(size).ok())
                .map_or_else(String::new, |frontier| frontier.root().to_string());
            transaction.execute("DELETE FROM covered", [])?;
            transaction.execute(
                "INSERT INTO covered VALUES (?, ?, ?, ?)",
                params![sql(size), root, sql(place.segment), sql(place.offset)],
            )?;
        }
        transaction.commit()?;
        Ok(more)
    }

    /// How many records it has.
    pub(crate) fn size(&self) -> Result<u64> {
        Ok(covered(&self.database)?.map_or(0, |(size, _, _)| size))
    }

    /// The records of a run with their numbers, in their order; none where there is no such run.
    pub(crate) fn records(&self, run: u64) -> Result<Vec<(u64, Record)>> {
        let text = "SELECT number, segment, offset FROM places WHERE run = ? ORDER BY number";
        let mut statement = self.database.prepare_cached(text)?;
        let places = statement.query_map([sql(run)], |row| {
            let place = Place { segment: number(row, 1)?, offset: number(row, 2)? };
            Ok((number(row, 0)?, place))
        })?;
        let (mut records, mut total) = (Vec::new(), 0);
        for found in places {
            let (number, place) = found?;
            let bytes = reader::read(&self.folder, place)?;
            total += bytes.len();
            ensure!(total <= MAX_RUN, "run {run} has more than {MAX_RUN} bytes of records");
            let record = Record::from_bytes(&bytes)
                .ok()
                .filter(|record| record.run == run)
                .with_context(|| {
                    format!(
                        "record {number} is not what the index says\nhint: `june journal verify`"
                    )
                })?;
            records.push((number, record));
        }
        Ok(records)
    }
}

fn covered(database: &Connection) -> Result<Option<(u64, String, Place)>> {
    let row = database.query_row("SELECT * FROM covered", [], |row| {
        let place = Place { segment: number(row, 2)?, offset: number(row, 3)? };
        Ok((number(row, 0)?, row.get(1)?, place))
    });
    Ok(row.optional()?)
}

/// Whether the journal still begins with what was taken in.
fn fits(folder: &Folder, covered: Option<&(u64, String, Place)>) -> bool {
    let Some((size, root, _)) = covered else { return true };
    let Ok(tree) = TreeFile::open(&folder.tree()) else { return false };
    tree.frontier(*size).is_ok_and(|frontier| frontier.root().to_string() == *root)
}

fn path(folder: &Folder) -> PathBuf {
    folder.path().join("index.sqlite")
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn is_damage(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref().and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// How long one June waits for another.
const PATIENCE: Duration = Duration::from_secs(60);

fn open_database(path: &Path, rebuild: bool) -> rusqlite::Result<Connection> {
    if rebuild {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            let _ = std::fs::remove_file(PathBuf::from(name));
        }
    }
    match Connection::open(path).and_then(prepare) {
        // Not a database, or one of another June.
        Err(error) if !rebuild && error.sqlite_error_code() != Some(ErrorCode::ReadOnly) => {
            open_database(path, true)
        }
        opened => opened,
    }
}

fn prepare(database: Connection) -> rusqlite::Result<Connection> {
    database.busy_timeout(PATIENCE)?;
    // What is lost in a crash is made anew.
    database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")?;
    let version: i64 = database.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 =
        database.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (version, tables) {
        (VERSION, _) => Ok(database),
        (0, 0) => {
            database.execute_batch(&format!(
                "BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
            ))?;
            Ok(database)
        }
        _ => Err(rusqlite::Error::InvalidQuery),
    }
}

/// Takes in a record; `changed` are the runs whose words it changes.
fn insert(
    to: &Transaction<'_>,
    number: u64,
    place: Place,
    record: &Record,
    changed: &mut BTreeSet<u64>,
) -> Result<()> {
    to.prepare_cached("INSERT INTO places VALUES (?, ?, ?, ?)")?.execute(params![
        sql(record.run),
        sql(number),
        sql(place.segment),
        sql(place.offset)
    ])?;
    let run = sql(record.run);
    if matches!(record.event, Event::Start(_) | Event::End(_) | Event::Denial(_)) {
        changed.insert(record.run);
    }
    match &record.event {
        Event::Start(start) => {
            to.prepare_cached(
                "INSERT OR REPLACE INTO runs (run, time, component, name, world, session, parent)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                run,
                sql(record.time),
                start.component.to_string(),
                start.name,
                start.world,
                start.session,
                start.parent.map(|parent| sql(parent.run))
            ])?;
            to.prepare_cached(
                "INSERT INTO spans VALUES (?1, ?2, ?2) ON CONFLICT (span) DO UPDATE SET
                 earliest = min(earliest, excluded.earliest), latest = max(latest, excluded.latest)",
            )?
            .execute(params![sql(record.run / SPAN), sql(record.time)])?;
        }
        Event::End(end) => {
            let (outcome, detail) = match &end.exit {
                Some(exit) => (exit.name(), exit.detail()),
                None => ("given-up", String::new()),
            };
            to.prepare_cached(
                "UPDATE runs SET outcome = ?, detail = ?, fuel = ?, memory = ?, calls = ?,
                 denied = max(denied, ?), duration = ? WHERE run = ?",
            )?
            .execute(params![
                outcome,
                detail,
                sql(end.fuel),
                sql(end.peak_memory),
                sql(end.calls),
                sql(end.denied),
                sql(end.duration),
                run
            ])?;
        }
        Event::Denial(_) => {
            to.prepare_cached("UPDATE runs SET denied = denied + 1 WHERE run = ?")?
                .execute([run])?;
        }
        Event::Call(_) => {
            to.prepare_cached("UPDATE runs SET allowed = allowed + 1 WHERE run = ?")?
                .execute([run])?;
        }
        Event::Review(review) => {
            to.prepare_cached("UPDATE runs SET reviews = trim(reviews || ' ' || ?) WHERE run = ?")?
                .execute(params![review.verdict.name(), run])?;
        }
        Event::Virtual(_)
        | Event::Answer(_)
        | Event::LimitHit(_)
        | Event::Output(_)
        | Event::Returned(_) => {}
    }
    Ok(())
}

fn run_of_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    let maybe = |column| row.get::<_, Option<i64>>(column).map(|value| value.map(|v| v as u64));
    Ok(Run {
        run: number(row, 0)?,
        time: number(row, 1)?,
        component: row.get(2)?,
        name: row.get(3)?,
        world: row.get(4)?,
        session: row.get(5)?,
        parent: maybe(6)?,
        outcome: row.get(7)?,
        detail: row.get(8)?,
        fuel: maybe(9)?,
        peak_memory: maybe(10)?,
        calls: maybe(11)?,
        denied: number(row, 12)?,
        allowed: number(row, 13)?,
        duration: maybe(14)?,
        reviews: row.get(15)?,
    })
}

/// SQLite's integers have a sign; ours keep their bits.
fn sql(number: u64) -> i64 {
    number as i64
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| number as u64)
}
