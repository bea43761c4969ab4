//! What people set for a chat.

use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use crate::Chat;

/// What people set for a chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ChatSettings {
    /// The agent that answers; the first one if none is named.
    pub(crate) agent: Option<String>,
    /// Whether every answer is spoken.
    pub(crate) voice: bool,
    /// The conversation begins after this turn.
    pub(crate) since: u64,
}

impl ChatSettings {
    pub(crate) fn of(database: &Connection, chat: &Chat) -> Result<Self, StoreError> {
        let text = "SELECT agent, voice, since FROM settings WHERE platform = ? AND chat = ?";
        let found =
            database.prepare_cached(text)?.query_row(params![chat.platform, chat.id], |row| {
                Ok(Self { agent: row.get(0)?, voice: row.get(1)?, since: row.get(2)? })
            });
        Ok(found.optional()?.unwrap_or_default())
    }

    pub(super) fn write(&self, database: &Connection, chat: &Chat) -> Result<(), StoreError> {
        let text = "INSERT OR REPLACE INTO settings (platform, chat, agent, voice, since)
                    VALUES (?, ?, ?, ?, ?)";
        let Self { agent, voice, since } = self;
        database.prepare_cached(text)?.execute(params![
            chat.platform,
            chat.id,
            agent,
            voice,
            since
        ])?;
        Ok(())
    }
}
