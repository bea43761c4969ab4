//! What arrives is written down before the platform is told that it arrived.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Store, StoreError, now};
use crate::{Inbox, Incoming, PlatformError};

impl Inbox for Store {
    fn record(&self, updates: &[Incoming]) -> Result<Vec<bool>, PlatformError> {
        self.take_in(updates, None)
    }

    /// Marks are shared by all platforms of a store: a platform begins their names with its own.
    fn mark(&self, name: &str) -> Result<Option<String>, PlatformError> {
        let value = self.with(|database| {
            let text = "SELECT value FROM marks WHERE name = ?";
            Ok(database.query_row(text, [name], |row| row.get(0)).optional()?)
        });
        value.map_err(failed)
    }

    fn record_to(
        &self,
        updates: &[Incoming],
        name: &str,
        mark: &str,
    ) -> Result<Vec<bool>, PlatformError> {
        self.take_in(updates, Some((name, mark)))
    }

    fn paired(&self, platform: &str) -> Result<Vec<String>, PlatformError> {
        let people = self.people().map_err(failed)?.into_iter();
        Ok(people.filter(|known| known.platform == platform).map(|it| it.person.id).collect())
    }
}

impl Store {
    fn take_in(
        &self,
        updates: &[Incoming],
        mark: Option<(&str, &str)>,
    ) -> Result<Vec<bool>, PlatformError> {
        let new = self.with(|database| insert(database, updates, mark)).map_err(failed)?;
        if new.contains(&true) {
            self.arrived();
        }
        Ok(new)
    }
}

fn insert(
    database: &mut Connection,
    updates: &[Incoming],
    mark: Option<(&str, &str)>,
) -> Result<Vec<bool>, StoreError> {
    let work = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut new = Vec::with_capacity(updates.len());
    {
        let mut statement = work.prepare_cached(
            "INSERT INTO turns
                 (platform, update_id, chat, person, message, edit, incoming, received)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (platform, update_id) DO NOTHING",
        )?;
        for update in updates {
            let text = serde_json::to_string(update)
                .map_err(|error| StoreError::Senseless(error.to_string()))?;
            let rows = statement.execute(params![
                update.chat.platform,
                update.update,
                update.chat.id,
                update.person.id,
                update.message,
                update.edit,
                text,
                now()
            ])?;
            new.push(rows == 1);
        }
        if let Some((name, value)) = mark {
            work.prepare_cached("INSERT OR REPLACE INTO marks VALUES (?, ?)")?
                .execute([name, value])?;
        }
    }
    work.commit()?;
    Ok(new)
}

fn failed(error: StoreError) -> PlatformError {
    PlatformError::Store(error.to_string())
}
