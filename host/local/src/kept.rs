//! Caches of conversations that are over: the next turn begins like the last one ended.

use std::collections::VecDeque;

use crate::cache::Cache;

/// The most conversations that are kept, so that the search stays short.
const MOST: usize = 64;

/// Tokens, and the cache of what the network made of them.
pub(crate) struct Entry {
    pub(crate) tokens: Vec<u32>,
    pub(crate) cache: Cache,
}

/// Conversations, the one used last at the end.
#[derive(Default)]
pub(crate) struct Kept(VecDeque<Entry>);

impl Kept {
    /// Keeps a conversation, in place of those that it goes on from.
    pub(crate) fn keep(&mut self, entry: Entry) {
        if entry.tokens.is_empty() || self.0.iter().any(|old| old.tokens.starts_with(&entry.tokens))
        {
            return;
        }
        self.0.retain(|old| !entry.tokens.starts_with(&old.tokens));
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }

    /// The conversation that has the longest beginning in common with these tokens, and how long
    /// that is.
    pub(crate) fn like(&mut self, tokens: &[u32]) -> Option<(&Entry, usize)> {
        let lengths = self.0.iter().map(|entry| common(&entry.tokens, tokens)).enumerate();
        let (index, length) = lengths.max_by_key(|(_, length)| *length)?;
        if length == 0 {
            return None;
        }
        let entry = self.0.remove(index)?;
        self.0.push_back(entry);
        self.0.back().map(|entry| (entry, length))
    }

    /// Lets go of the conversation that was used longest ago; false when there is none.
    pub(crate) fn forget(&mut self) -> bool {
        self.0.pop_front().is_some()
    }

    /// Lets go of all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// How many tokens two conversations have in common from the start.
pub(crate) fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
