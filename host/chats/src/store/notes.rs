//! Notes that an agent keeps for a conversation.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};
use crate::Chat;

/// The most notes of one chat.
pub const MOST_NOTES: u64 = 256;
/// The longest name and value together, in bytes.
pub const LONGEST_NOTE: usize = 64 << 10;

/// The notes of one chat. Its functions block for as long as the disk takes.
#[derive(Debug, Clone)]
pub struct Notes {
    store: Store,
    chat: Chat,
}

/// Why a note could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum NotesError {
    /// There is no room.
    #[error("{0}")]
    Limit(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// The notes of a chat.
    pub fn notes(&self, chat: &Chat) -> Notes {
        Notes { store: self.clone(), chat: chat.clone() }
    }
}

impl Notes {
    /// The note of this name, if there is one.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn get(&self, name: &str) -> Result<Option<String>, NotesError> {
        Ok(self.store.with(|database| {
            let text = "SELECT value FROM notes WHERE platform = ? AND chat = ? AND name = ?";
            let values = params![self.chat.platform, self.chat.id, name];
            Ok(database.query_row(text, values, |row| row.get(0)).optional()?)
        })?)
    }

    /// Writes a note, replacing one of the same name.
    ///
    /// # Errors
    ///
    /// When there are [`MOST_NOTES`], it has more than [`LONGEST_NOTE`] bytes, or the store fails.
    pub fn set(&self, name: &str, value: &str) -> Result<(), NotesError> {
        if name.len().saturating_add(value.len()) > LONGEST_NOTE {
            return Err(NotesError::Limit(format!("a note has {LONGEST_NOTE} bytes at most")));
        }
        let written = self.store.with(|database| {
            // One statement: nobody comes between the count and the note.
            let text = "INSERT INTO notes SELECT ?1, ?2, ?3, ?4 WHERE
                (SELECT count(*) FROM notes WHERE platform = ?1 AND chat = ?2 AND name != ?3) < ?5
                ON CONFLICT (platform, chat, name) DO UPDATE SET value = excluded.value";
            let values = params![self.chat.platform, self.chat.id, name, value, MOST_NOTES];
            Ok(database.execute(text, values)?)
        })?;
        match written {
            0 => Err(NotesError::Limit(format!("there are {MOST_NOTES} notes already"))),
            _ => Ok(()),
        }
    }

    /// The names of all notes, sorted.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn list(&self) -> Result<Vec<String>, NotesError> {
        Ok(self.store.with(|database| {
            let text = "SELECT name FROM notes WHERE platform = ? AND chat = ? ORDER BY name";
            let mut statement = database.prepare_cached(text)?;
            let names =
                statement.query_map([&self.chat.platform, &self.chat.id], |row| row.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        })?)
    }

    /// Forgets a note; true when there was one.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn delete(&self, name: &str) -> Result<bool, NotesError> {
        Ok(self.store.with(|database| {
            let text = "DELETE FROM notes WHERE platform = ? AND chat = ? AND name = ?";
            Ok(database.execute(text, params![self.chat.platform, self.chat.id, name])? == 1)
        })?)
    }
}
