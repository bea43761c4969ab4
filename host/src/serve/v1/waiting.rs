//! Runs that wait for what tools of their clients say.
//!
//! A run goes on when its client sends the conversation that it was begun with, the calls that it
//! made, and an answer to each. It is kept for no longer than its agent's limit of time, of each
//! client only so many at once, and not beyond the server's end: a run that is given up says so in
//! the journal. A client whose run is gone, or who sends another conversation, loses nothing but
//! what the agent found out meanwhile: the agent then begins a new run, and reads in the
//! conversation what it called and what came of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use june_sandbox::contract::ToolSpec;

use super::messages::Conversation;
use super::talk::Talk;
use super::tools::Called;
use crate::serve::Server;

/// The most runs of one client that wait at once.
const OF_ONE: usize = 16;
/// The most runs that wait at once.
const OF_ALL: usize = 256;

/// What a run was begun with, or went on with last.
pub(super) struct Begun {
    /// The client's name.
    pub(super) caller: String,
    pub(super) agent: String,
    pub(super) conversation: Conversation,
    pub(super) tools: Vec<ToolSpec>,
}

/// A run that waits.
struct Waiter {
    begun: Begun,
    talk: Talk,
    calls: Vec<Called>,
}

/// The runs that wait, the oldest first.
#[derive(Default)]
pub(super) struct Waiting(Mutex<Runs>);

#[derive(Default)]
struct Runs {
    waiters: VecDeque<Waiter>,
    /// Whether somebody gives them up when the server stops.
    watched: bool,
}

impl Waiter {
    /// Answers the calls, where this is the conversation that the run waits for.
    fn go_on(self, asked: &Begun) -> Option<Talk> {
        let Waiter { begun, talk, calls } = self;
        let (asking, results) = asked.conversation.results()?;
        let goes_on = !talk.is_over()
            && begun.agent == asked.agent
            && begun.tools == asked.tools
            && begun.conversation.instructions == asked.conversation.instructions
            && begun.conversation.messages == asked.conversation.messages[..asking]
            && results.len() == calls.len();
        let result = |called: &Called| {
            let result = results.iter().find(|result| result.call_id == called.call.id)?;
            Some(result.content.clone())
        };
        let results: Vec<String> = calls.iter().map(result).collect::<Option<_>>()?;
        if !goes_on {
            return None;
        }
        for (called, result) in calls.into_iter().zip(results) {
            // The run may have come to its end just now; then it says so.
            let _ = called.answer.send(result);
        }
        Some(talk)
    }
}

impl Waiting {
    /// Keeps a run until its client answers these calls.
    pub(super) fn keep(
        self: &Arc<Self>,
        server: &Server,
        begun: Begun,
        talk: Talk,
        calls: Vec<Called>,
    ) {
        if server.stop.is_cancelled() {
            return;
        }
        let mut runs = self.lock();
        if !std::mem::replace(&mut runs.watched, true) {
            let (waiting, stop) = (self.clone(), server.stop.clone());
            server.tasks.spawn(async move {
                stop.cancelled().await;
                waiting.lock().waiters.clear();
            });
        }
        runs.waiters.retain(|waiter| !waiter.talk.is_over());
        let own = |waiter: &Waiter| waiter.begun.caller == begun.caller;
        if runs.waiters.iter().filter(|waiter| own(waiter)).count() >= OF_ONE
            && let Some(oldest) = runs.waiters.iter().position(own)
        {
            runs.waiters.remove(oldest);
        }
        if runs.waiters.len() >= OF_ALL {
            runs.waiters.pop_front();
        }
        runs.waiters.push_back(Waiter { begun, talk, calls });
    }

    /// The run that goes on with this conversation, its calls answered; or nothing but what was
    /// asked. A run that waits for calls in it and does not go on is given up: its client went
    /// another way.
    pub(super) fn resume(&self, asked: Begun) -> (Begun, Option<Talk>) {
        let waits = |waiter: &Waiter| {
            let of = |id: &str| waiter.calls.iter().any(|called| called.call.id == id);
            waiter.begun.caller == asked.caller && asked.conversation.calls().any(of)
        };
        let mut runs = self.lock();
        let waiter = runs.waiters.iter().position(waits);
        let waiter = waiter.and_then(|place| runs.waiters.remove(place));
        drop(runs);
        let talk = waiter.and_then(|waiter| waiter.go_on(&asked));
        (asked, talk)
    }

    fn lock(&self) -> MutexGuard<'_, Runs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
