//! An index of the journal, for finding runs: a SQLite database beside the segments.
//!
//! It is derived. It takes in, whenever it is opened, the records that were written since, and it
//! is made anew when it does not fit to the journal, or is gone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use june_sandbox::journal::reader::{self, Item, Place, Reader};
use june_sandbox::journal::record::{Event, Record};
use june_sandbox::journal::tree::TreeFile;
use june_sandbox::journal::writer::GROUP;
use june_sandbox::journal::{Error, Folder};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use serde::Serialize;

/// Changes whenever the tables do.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE runs (
        run INTEGER PRIMARY KEY, time INTEGER NOT NULL, component TEXT NOT NULL,
        name TEXT NOT NULL, world TEXT NOT NULL, session TEXT NOT NULL, parent INTEGER,
        outcome TEXT NOT NULL DEFAULT 'unfinished', detail TEXT NOT NULL DEFAULT '',
        fuel INTEGER, memory INTEGER, calls INTEGER, denied INTEGER NOT NULL DEFAULT 0,
        allowed INTEGER NOT NULL DEFAULT 0, duration INTEGER, reviews TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE places (
        run INTEGER NOT NULL, number INTEGER NOT NULL,
        segment INTEGER NOT NULL, offset INTEGER NOT NULL,
        PRIMARY KEY (run, number)
    ) WITHOUT ROWID;
    CREATE INDEX by_session ON runs (session);
    CREATE INDEX by_time ON runs (time);
    CREATE INDEX by_parent ON runs (parent) WHERE parent IS NOT NULL;
    CREATE INDEX by_denied ON runs (denied) WHERE denied > 0;
    CREATE TABLE covered (
        size INTEGER NOT NULL, root TEXT NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL
    );
";

/// The index of a journal.
pub(crate) struct Index {
    database: Connection,
    folder: Folder,
    /// Why the journal could not be read to its end.
    pub(crate) broken: Option<String>,
}

/// The most bytes that the records of one run may have, to be read at once.
const MAX_RUN: usize = 256 << 20;

/// A run, as a list shows it.
#[derive(Debug, Serialize)]
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

/// Which runs to list.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Milliseconds of Unix time, the first and the last.
    pub(crate) since: Option<u64>,
    pub(crate) until: Option<u64>,
    /// The beginning of the component's digest, or its name.
    pub(crate) component: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) outcome: Option<String>,
    /// With calls that were denied (`true`), or allowed (`false`).
    pub(crate) denied: Option<bool>,
    pub(crate) limit: Option<u64>,
}

impl Index {
    /// Opens the index and takes in what is new. `progress` is told how many records it has.
    pub(crate) fn open(folder: &Folder, rebuild: bool, progress: impl Fn(u64)) -> Result<Self> {
        // Also says so where there is no journal.
        folder.read_public_key()?;
        let path = folder.path().join("index.sqlite");
        let database = match open_database(&path, rebuild) {
            Ok(database) => database,
            // Somebody else's journal: the index lives as long as the command.
            Err(_unwritable) => prepare(Connection::open_in_memory()?)?,
        };
        let mut index = Self { database, folder: folder.clone(), broken: None };
        if !index.fits()? {
            index
                .database
                .execute_batch("DELETE FROM runs; DELETE FROM places; DELETE FROM covered;")?;
        }
        index.take_in(progress)?;
        Ok(index)
    }

    fn covered(&self) -> Result<Option<(u64, String, Place)>> {
        let row = self.database.query_row("SELECT * FROM covered", [], |row| {
            let place = Place { segment: number(row, 2)?, offset: number(row, 3)? };
            Ok((number(row, 0)?, row.get(1)?, place))
        });
        Ok(row.optional()?)
    }

    /// Whether the journal still begins with what was taken in.
    fn fits(&self) -> Result<bool> {
        let Some((size, root, _)) = self.covered()? else { return Ok(true) };
        let Ok(tree) = TreeFile::open(&self.folder.tree()) else { return Ok(false) };
        Ok(tree.frontier(size).is_ok_and(|frontier| frontier.root().to_string() == root))
    }

    fn take_in(&mut self, progress: impl Fn(u64)) -> Result<()> {
        let covered = self.covered()?;
        let (next, place) = covered.map_or((0, None), |(size, _, place)| (size, Some(place)));
        let mut reader = Reader::from(&self.folder, next, place)?;
        let transaction = self.database.transaction()?;
        let mut group: Vec<(u64, Place, Vec<u8>)> = Vec::new();
        let mut newest = None;
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
                        insert(&transaction, number, place, &record)?;
                    }
                    newest = reader.place().map(|place| (reader.records(), place));
                    progress(reader.records());
                }
            }
        }
        if let Some((size, place)) = newest {
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
        Ok(())
    }

    /// The newest runs that a filter lets through, the newest first.
    pub(crate) fn runs(&self, filter: &Filter) -> Result<Vec<Run>> {
        let mut sql_text = String::from("SELECT * FROM runs WHERE TRUE");
        let mut values: Vec<Value> = Vec::new();
        let mut and = |condition: &str, value: Value| {
            sql_text.push_str(" AND ");
            sql_text.push_str(condition);
            values.push(value);
        };
        if let Some(since) = filter.since {
            and("time >= ?", sql(since).into());
        }
        if let Some(until) = filter.until {
            and("time <= ?", sql(until).into());
        }
        if let Some(component) = &filter.component {
            let hex = component.len() >= 4 && component.bytes().all(|b| b.is_ascii_hexdigit());
            if hex {
                and("component GLOB ?", format!("{}*", component.to_lowercase()).into());
            } else {
                and("name = ?", component.clone().into());
            }
        }
        if let Some(session) = &filter.session {
            and("session = ?", session.clone().into());
        }
        if let Some(outcome) = &filter.outcome {
            and("outcome = ?", outcome.clone().into());
        }
        match filter.denied {
            Some(true) => and("denied > ?", Value::Integer(0)),
            Some(false) => and("allowed > ?", Value::Integer(0)),
            None => {}
        }
        sql_text.push_str(" ORDER BY run DESC LIMIT ?");
        values.push(filter.limit.map_or(Value::Integer(-1), |limit| sql(limit).into()));
        let mut statement = self.database.prepare(&sql_text)?;
        let runs = statement.query_map(params_from_iter(values), run_of_row)?;
        Ok(runs.collect::<Result<_, _>>()?)
    }

    /// The runs that a run made, in their order.
    pub(crate) fn children(&self, run: u64) -> Result<Vec<Run>> {
        let text = "SELECT * FROM runs WHERE parent = ? ORDER BY run";
        let mut statement = self.database.prepare(text)?;
        let runs = statement.query_map([sql(run)], run_of_row)?;
        Ok(runs.collect::<Result<_, _>>()?)
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
        Err(error)
            if !rebuild && error.sqlite_error_code() != Some(rusqlite::ErrorCode::ReadOnly) =>
        {
            open_database(path, true)
        }
        opened => opened,
    }
}

fn prepare(database: Connection) -> rusqlite::Result<Connection> {
    database.busy_timeout(std::time::Duration::from_secs(60))?;
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

fn insert(to: &Transaction<'_>, number: u64, place: Place, record: &Record) -> Result<()> {
    to.prepare_cached("INSERT INTO places VALUES (?, ?, ?, ?)")?.execute(params![
        sql(record.run),
        sql(number),
        sql(place.segment),
        sql(place.offset)
    ])?;
    let run = sql(record.run);
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
