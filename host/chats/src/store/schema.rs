//! The tables, and which version of them a file has.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{StoreError, random};

/// The version of the tables. Whoever changes them writes a step from the version before.
const VERSION: i64 = 1;

/// What SQLite's header says whose file this is: `June` in ASCII.
const APPLICATION: i64 = 0x4a75_6e65;

const TABLES: &str = "
    -- What arrived, in the order of arrival, and what came of it. A number is never used again.
    CREATE TABLE turns (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        platform TEXT NOT NULL, update_id TEXT NOT NULL,
        chat TEXT NOT NULL, person TEXT NOT NULL, message TEXT NOT NULL, edit INTEGER NOT NULL,
        incoming TEXT NOT NULL, received INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'recorded',
        attempts INTEGER NOT NULL DEFAULT 0, stopped INTEGER NOT NULL DEFAULT 0,
        heard TEXT, language TEXT, agent TEXT, answer TEXT, speak INTEGER NOT NULL DEFAULT 0,
        outcome TEXT, ended INTEGER,
        UNIQUE (platform, update_id)
    );
    CREATE INDEX turns_open ON turns (platform, number) WHERE state NOT IN ('done', 'ignored');
    CREATE INDEX turns_of_chat ON turns (platform, chat, number);
    CREATE INDEX turns_of_message ON turns (platform, chat, message);
    CREATE INDEX turns_by_time ON turns (received);

    -- What is sent in answer, message by message.
    CREATE TABLE deliveries (
        turn INTEGER NOT NULL REFERENCES turns (number), kind TEXT NOT NULL, part INTEGER NOT NULL,
        key TEXT NOT NULL UNIQUE, markdown TEXT, state TEXT NOT NULL, message TEXT,
        attempts INTEGER NOT NULL DEFAULT 0, error TEXT, time INTEGER NOT NULL,
        PRIMARY KEY (turn, kind, part)
    ) WITHOUT ROWID;

    CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE settings (
        platform TEXT NOT NULL, chat TEXT NOT NULL,
        agent TEXT, voice INTEGER NOT NULL DEFAULT 0, since INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (platform, chat)
    ) WITHOUT ROWID;

    CREATE TABLE people (
        platform TEXT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (platform, person)
    ) WITHOUT ROWID;

    CREATE TABLE codes (
        platform TEXT PRIMARY KEY, digest BLOB NOT NULL, expires INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;

    CREATE TABLE notes (
        platform TEXT NOT NULL, chat TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (platform, chat, name)
    ) WITHOUT ROWID;

    CREATE TABLE own (tag TEXT NOT NULL);
";

/// Makes the tables where there are none, and returns the tag of this store.
pub(super) fn prepare(database: &mut Connection, path: &Path) -> Result<String, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { path: path.into(), reason };
    let work = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let pragma = |name: &str| work.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = work.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, version, tables) {
        (0, 0, 0) => {
            work.execute_batch(TABLES)?;
            work.pragma_update(None, "application_id", APPLICATION)?;
            work.pragma_update(None, "user_version", VERSION)?;
            let tag: String = random::<4>()?.iter().map(|byte| format!("{byte:02x}")).collect();
            work.execute("INSERT INTO own VALUES (?)", [tag])?;
        }
        (APPLICATION, VERSION, _) => {
            let check: String = work.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if check != "ok" {
                return Err(damaged(check));
            }
        }
        (APPLICATION, found, _) if found > VERSION => {
            return Err(StoreError::Newer { path: path.into(), found, known: VERSION });
        }
        _ => return Err(damaged("it is a database, but not one of June's conversations".into())),
    }
    let tag = work
        .query_row("SELECT tag FROM own", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    work.commit()?;
    Ok(tag)
}
