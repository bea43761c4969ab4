//! Messages that are sent in answer, and what is known of each.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, now};

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A message of text.
    Text,
    /// A voice message.
    Voice,
}

/// What is known of a message that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It will be sent.
    Planned,
    /// It may have been sent: the platform did not say yet.
    Intended,
    /// Its placeholder is there; the text may be.
    Posted,
    /// The platform has all of it.
    Sent,
    /// Nobody knows whether it was sent, and to try again might say it twice.
    Uncertain,
    /// It was not sent, and will not be.
    Failed,
}

macro_rules! names {
    ($type:ty { $($variant:ident = $name:literal),* $(,)? }) => {
        impl $type {
            /// The name in the database.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.name().into())
            }
        }
        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_str()? {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(FromSqlError::InvalidType),
                }
            }
        }
    };
}
pub(super) use names;

names!(Kind { Text = "text", Voice = "voice" });
names!(DeliveryState {
    Planned = "planned",
    Intended = "intended",
    Posted = "posted",
    Sent = "sent",
    Uncertain = "uncertain",
    Failed = "failed",
});

/// A message that is sent in answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// What is sent.
    pub kind: Kind,
    /// Its place among the messages of this kind, from 0.
    pub part: u32,
    /// The same for every attempt.
    pub key: String,
    /// The text as the platform was given it; none before the answer is complete.
    pub markdown: Option<String>,
    /// What is known of it.
    pub state: DeliveryState,
    /// The platform's identifier of the message, once it said one.
    pub message: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed, or why nothing is known.
    pub error: Option<String>,
    /// When its state changed: milliseconds of Unix time.
    pub time: u64,
}

const COLUMNS: &str = "kind, part, key, markdown, state, message, attempts, error, time";

fn of_row(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        kind: row.get(0)?,
        part: row.get(1)?,
        key: row.get(2)?,
        markdown: row.get(3)?,
        state: row.get(4)?,
        message: row.get(5)?,
        attempts: row.get(6)?,
        error: row.get(7)?,
        time: row.get(8)?,
    })
}

/// The messages of a turn: texts, then voice, in their order.
pub(super) fn of_turn(database: &Connection, turn: u64) -> Result<Vec<Delivery>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM deliveries WHERE turn = ? ORDER BY kind, part");
    let mut statement = database.prepare_cached(&text)?;
    let deliveries = statement.query_map([turn], of_row)?;
    Ok(deliveries.collect::<Result<_, _>>()?)
}

impl Store {
    /// The messages of a turn: texts, then voice, in their order.
    pub(crate) async fn deliveries(&self, turn: u64) -> Result<Vec<Delivery>, StoreError> {
        self.call(move |database| of_turn(database, turn)).await
    }

    /// Writes down that a message may be sent from now on. Returns what was known before.
    pub(crate) async fn intend(
        &self,
        turn: u64,
        kind: Kind,
        part: u32,
    ) -> Result<String, StoreError> {
        let key = self.key(turn, kind, part);
        self.call(move |database| {
            database
                .prepare_cached(
                    "INSERT INTO deliveries (turn, kind, part, key, state, attempts, time)
                     VALUES (?, ?, ?, ?, 'intended', 1, ?)
                     ON CONFLICT (turn, kind, part) DO UPDATE SET state = 'intended',
                         message = NULL, attempts = attempts + 1, time = excluded.time",
                )?
                .execute(params![turn, kind, part, key, now()])?;
            Ok(key)
        })
        .await
    }

    /// Writes down what became of a message.
    pub(crate) async fn became(
        &self,
        turn: u64,
        kind: Kind,
        part: u32,
        state: DeliveryState,
        message: Option<String>,
        error: Option<String>,
    ) -> Result<(), StoreError> {
        self.call(move |database| {
            database
                .prepare_cached(
                    "UPDATE deliveries SET state = ?, message = coalesce(?, message), error = ?,
                     time = ? WHERE turn = ? AND kind = ? AND part = ?",
                )?
                .execute(params![state, message, error, now(), turn, kind, part])?;
            Ok(())
        })
        .await
    }
}
