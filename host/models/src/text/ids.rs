//! Identifiers of tool calls, unique within a conversation.

use std::collections::HashSet;

use crate::types::Request;

/// The most calls that one answer may ask for.
pub(crate) const MOST_CALLS: usize = 256;

/// Gives the calls of an answer identifiers.
#[derive(Debug)]
pub(crate) struct Ids {
    /// Those that the conversation uses already.
    taken: HashSet<String>,
    /// How many calls the conversation has.
    count: usize,
}

impl Ids {
    /// For the answer to this request.
    pub(crate) fn new(request: &Request) -> Ids {
        let earlier = request.messages.iter().flat_map(|message| message.calls());
        let ids: Vec<String> = earlier.map(|call| call.id.clone()).collect();
        Ids { count: ids.len(), taken: ids.into_iter().collect() }
    }

    /// The identifier of the next call: the one proposed, or `call-N` if that is empty or taken,
    /// where N counts the conversation's calls.
    pub(crate) fn give(&mut self, proposed: String) -> String {
        self.count += 1;
        let (mut id, mut number) = (proposed, self.count);
        while id.is_empty() || !self.taken.insert(id.clone()) {
            id = format!("call-{number}");
            number += 1;
        }
        id
    }
}
