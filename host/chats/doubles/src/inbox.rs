//! An inbox in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use june_chats::{Inbox, Incoming, PlatformError};

/// Keeps what arrives as long as it lives, and fails when told to.
#[derive(Default)]
pub struct InboxDouble {
    state: Mutex<State>,
    full: AtomicBool,
    failures: AtomicU64,
}

#[derive(Default)]
struct State {
    seen: BTreeSet<String>,
    messages: Vec<Incoming>,
    marks: BTreeMap<String, String>,
    paired: Vec<String>,
}

impl InboxDouble {
    /// What arrived, each update once.
    pub fn messages(&self) -> Vec<Incoming> {
        self.state.lock().unwrap().messages.clone()
    }

    /// All marks.
    pub fn marks(&self) -> BTreeMap<String, String> {
        self.state.lock().unwrap().marks.clone()
    }

    /// Lets a person be one who was paired.
    pub fn pair(&self, person: &str) {
        self.state.lock().unwrap().paired.push(person.to_owned());
    }

    /// Whether to fail, as with a full disk.
    pub fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// How often it failed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::SeqCst)
    }

    /// Waits until so many messages arrived, and returns them.
    pub async fn wait_for(&self, messages: usize) -> Vec<Incoming> {
        for _ in 0..1500 {
            let found = self.messages();
            if found.len() >= messages {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{messages} messages were expected: {:?}", self.messages());
    }

    fn write(
        &self,
        updates: &[Incoming],
        mark: Option<(&str, &str)>,
    ) -> Result<Vec<bool>, PlatformError> {
        if self.full.load(Ordering::SeqCst) {
            self.failures.fetch_add(1, Ordering::SeqCst);
            return Err(PlatformError::Store("the disk is full".to_owned()));
        }
        let mut state = self.state.lock().unwrap();
        if let Some((name, value)) = mark {
            state.marks.insert(name.to_owned(), value.to_owned());
        }
        Ok(updates
            .iter()
            .map(|update| {
                let new = state.seen.insert(update.update.clone());
                if new {
                    state.messages.push(update.clone());
                }
                new
            })
            .collect())
    }
}

impl Inbox for InboxDouble {
    fn record(&self, updates: &[Incoming]) -> Result<Vec<bool>, PlatformError> {
        self.write(updates, None)
    }

    fn mark(&self, name: &str) -> Result<Option<String>, PlatformError> {
        Ok(self.state.lock().unwrap().marks.get(name).cloned())
    }

    fn record_to(
        &self,
        updates: &[Incoming],
        name: &str,
        mark: &str,
    ) -> Result<Vec<bool>, PlatformError> {
        self.write(updates, Some((name, mark)))
    }

    fn paired(&self, _platform: &str) -> Result<Vec<String>, PlatformError> {
        Ok(self.state.lock().unwrap().paired.clone())
    }
}
