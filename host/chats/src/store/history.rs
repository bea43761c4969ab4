//! What was received, and what was really sent.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};

use super::deliveries::{Delivery, of_turn};
use super::{State, Store, StoreError};
use crate::Incoming;

/// Which turns to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The platform's name.
    pub platform: Option<String>,
    /// The chat's identifier.
    pub chat: Option<String>,
    /// The person's identifier.
    pub person: Option<String>,
    /// The first time, in milliseconds of Unix time.
    pub since: Option<u64>,
    /// The last time.
    pub until: Option<u64>,
    /// The most turns.
    pub limit: Option<u64>,
    /// Those too that needed no answer.
    pub ignored: bool,
}

/// A turn: what was received, and what was sent in answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its number, which grows with the order of arrival.
    pub turn: u64,
    /// The platform's name.
    pub platform: String,
    /// The platform's identifier of the update.
    pub update: String,
    /// The chat's identifier.
    pub chat: String,
    /// The person's identifier.
    pub person: String,
    /// When it arrived: milliseconds of Unix time.
    pub time: u64,
    /// What arrived; none where it was not for the bot and was forgotten.
    pub received: Option<Incoming>,
    /// What was heard in a voice message.
    pub heard: Option<String>,
    /// How far it is.
    pub state: State,
    /// The agent that answered.
    pub agent: Option<String>,
    /// How the work ended, in words.
    pub outcome: Option<String>,
    /// What was sent, as the platform got it.
    pub sent: Vec<Delivery>,
}

impl Store {
    /// The newest turns that a filter lets through, the oldest of them first. Blocks for as long
    /// as the disk takes.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn history(&self, filter: &Filter) -> Result<Vec<Row>, StoreError> {
        self.with(|database| query(database, filter))
    }
}

fn query(database: &Connection, filter: &Filter) -> Result<Vec<Row>, StoreError> {
    let mut text = String::from(
        "SELECT number, platform, chat, person, received, incoming, heard, state, agent, outcome,
             update_id
         FROM turns WHERE TRUE",
    );
    let mut values: Vec<Value> = Vec::new();
    let mut and = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            text.push_str(" AND ");
            text.push_str(condition);
            values.push(value);
        }
    };
    and("platform = ?", filter.platform.clone().map(Value::Text));
    and("chat = ?", filter.chat.clone().map(Value::Text));
    and("person = ?", filter.person.clone().map(Value::Text));
    and("received >= ?", filter.since.map(number));
    and("received <= ?", filter.until.map(number));
    and("state != ?", (!filter.ignored).then(|| Value::Text(State::Ignored.name().into())));
    text.push_str(" ORDER BY number DESC LIMIT ?");
    values.push(filter.limit.map_or(Value::Integer(-1), number));
    let mut statement = database.prepare(&text)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let turn = row.get(0)?;
        let incoming: String = row.get(5)?;
        found.push(Row {
            turn,
            platform: row.get(1)?,
            update: row.get(10)?,
            chat: row.get(2)?,
            person: row.get(3)?,
            time: row.get(4)?,
            received: serde_json::from_str(&incoming).ok(),
            heard: row.get(6)?,
            state: row.get(7)?,
            agent: row.get(8)?,
            outcome: row.get(9)?,
            sent: of_turn(database, turn)?,
        });
    }
    found.reverse();
    Ok(found)
}

fn number(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}
