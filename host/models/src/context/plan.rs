//! What stays of a conversation and what goes. Pure: the same question gives the same plan.

use std::collections::HashMap;

use crate::estimate::{self, Scale};
use crate::types::{Message, Request, Role};

/// What goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The places of the messages that go, in order.
    pub dropped: Vec<usize>,
    /// Tokens of what stays, estimated.
    pub tokens: u64,
}

/// What has to stay does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow {
    /// Tokens of what has to stay, estimated.
    pub needed: u64,
}

/// Finds out which messages have to go, the oldest first, so that the request has no more than
/// `budget` tokens.
///
/// # Errors
///
/// What has to stay is too long by itself.
pub fn plan(request: &Request, budget: u64, scale: Scale) -> Result<Plan, Overflow> {
    let messages = &request.messages;
    let groups = groups(messages);
    let mut sizes = vec![0; messages.len()];
    let mut pinned = vec![false; messages.len()];
    let last_user = last_user(messages);
    for (place, message) in messages.iter().enumerate() {
        sizes[groups[place]] += estimate::message(message);
        pinned[groups[place]] |=
            message.role == Role::System || Some(place) == last_user || place + 1 == messages.len();
    }
    let mut tokens = estimate::frame(request) + sizes.iter().sum::<u64>();
    let mut gone = vec![false; messages.len()];
    for (group, size) in sizes.iter().enumerate() {
        if scale.apply(tokens) <= budget {
            break;
        }
        if groups[group] == group && !pinned[group] {
            gone[group] = true;
            tokens -= size;
        }
    }
    let tokens = scale.apply(tokens);
    if tokens > budget {
        return Err(Overflow { needed: tokens });
    }
    let dropped = (0..messages.len()).filter(|place| gone[groups[*place]]).collect();
    Ok(Plan { dropped, tokens })
}

impl Plan {
    /// Takes the messages out, and puts another in their place, but before the last message of
    /// the user, which must stay the last one.
    pub(super) fn apply(self, request: &mut Request, instead: Option<Message>) {
        let Some(first) = self.dropped.first() else { return };
        let place = last_user(&request.messages).map_or(*first, |last| last.min(*first));
        let mut dropped = self.dropped.iter().peekable();
        let messages = std::mem::take(&mut request.messages).into_iter().enumerate();
        let mut instead = instead;
        for (index, message) in messages {
            if index == place {
                request.messages.extend(instead.take());
            }
            if dropped.next_if(|gone| **gone == index).is_none() {
                request.messages.push(message);
            }
        }
    }
}

fn last_user(messages: &[Message]) -> Option<usize> {
    messages.iter().rposition(|message| message.role == Role::User)
}

/// For each message, the place of the first message of its group: what goes or stays together.
fn groups(messages: &[Message]) -> Vec<usize> {
    let last_user = last_user(messages).unwrap_or_default();
    let mut group: Vec<usize> = Vec::with_capacity(messages.len());
    // Whose turn it is; instructions stand apart from it.
    let mut turn = None;
    let mut calls = HashMap::new();
    for (place, message) in messages.iter().enumerate() {
        let begins = match message.role {
            Role::System => {
                group.push(place);
                continue;
            }
            Role::User => true,
            Role::Assistant => place > last_user,
            Role::Tool => false,
        };
        if begins {
            turn = Some(place);
        }
        group.push(*turn.get_or_insert(place));
        if place == last_user {
            turn = None;
        }
        for outcome in message.outcomes() {
            if let Some(call) = calls.get(outcome.call_id.as_str()) {
                join(&mut group, *call, place);
            }
        }
        calls.extend(message.calls().map(|call| (call.id.as_str(), place)));
    }
    (0..messages.len()).map(|place| root(&mut group, place)).collect()
}

/// The first message of a group. Shortens the way for the next time.
fn root(group: &mut [usize], mut place: usize) -> usize {
    while group[place] != place {
        group[place] = group[group[place]];
        place = group[place];
    }
    place
}

fn join(group: &mut [usize], one: usize, other: usize) {
    let (one, other) = (root(group, one), root(group, other));
    group[one.max(other)] = one.min(other);
}
