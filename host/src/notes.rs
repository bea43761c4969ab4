//! Notes of a conversation, kept as long as this process runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use june_sandbox::capabilities::Memory;
use june_sandbox::contract::MemoryError;

/// The most notes of one conversation.
const MOST: usize = 256;

/// Notes in memory.
#[derive(Default)]
pub(crate) struct Notes(Mutex<BTreeMap<String, String>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory for Notes {
    fn get(&self, name: &str) -> Result<Option<String>, MemoryError> {
        Ok(self.lock().get(name).cloned())
    }

    fn set(&self, name: &str, value: &str) -> Result<(), MemoryError> {
        let mut notes = self.lock();
        if notes.len() >= MOST && !notes.contains_key(name) {
            return Err(MemoryError::Limit(format!("there are {MOST} notes already")));
        }
        notes.insert(name.into(), value.into());
        Ok(())
    }

    fn list(&self) -> Result<Vec<String>, MemoryError> {
        Ok(self.lock().keys().cloned().collect())
    }

    fn delete(&self, name: &str) -> Result<bool, MemoryError> {
        Ok(self.lock().remove(name).is_some())
    }
}
