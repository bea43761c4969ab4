//! The thread that owns a network and answers everybody who asks.
//!
//! Each step takes one batch through the network: the last token of every answer that is being
//! written, and a piece of the prompts that are still being read, so that a long prompt delays the
//! others' next token by a moment only. Who drops the receiving end of an answer has it cancelled
//! at the next step. What a conversation leaves is kept for its next turn, as long as there is
//! memory.

mod answer;
mod batch;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, TryRecvError};

use june_models::ModelError;

use crate::cache::{Cache, Meter};
use crate::kept::{Entry, Kept, common};
use crate::network::Network;

use answer::Answer;
pub(crate) use answer::{Event, Job};

/// What an engine may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of all caches.
    pub(crate) cache_bytes: usize,
    /// Answers that are written at the same time.
    pub(crate) at_once: usize,
}

/// See the module.
pub(crate) struct Engine {
    network: Network,
    /// Tokens that end an answer.
    ends: Vec<u32>,
    limits: Limits,
    meter: Meter,
    jobs: Receiver<Job>,
    waiting: VecDeque<Answer>,
    running: Vec<Answer>,
    kept: Kept,
}

impl Engine {
    pub(crate) fn new(
        network: Network,
        ends: Vec<u32>,
        limits: Limits,
        jobs: Receiver<Job>,
    ) -> Engine {
        let (waiting, running) = (VecDeque::new(), Vec::new());
        let (meter, kept) = (Meter::default(), Kept::default());
        Engine { network, ends, limits, meter, jobs, waiting, running, kept }
    }

    /// Answers until nobody can ask any more and every answer has ended.
    pub(crate) fn run(mut self) {
        while self.receive() {
            // A fault in one batch must not leave anybody waiting for ever.
            let step = catch_unwind(AssertUnwindSafe(|| self.step()));
            let why = match step {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the engine panicked".to_owned(),
            };
            let why: String = why.lines().next().unwrap_or_default().chars().take(400).collect();
            self.kept.clear();
            for answer in self.running.drain(..) {
                answer.fail(ModelError::Unavailable(format!(
                    "the model could not be run: {why}\nhint: ask again; if that does not help, \
                     download or convert the model's file again"
                )));
            }
        }
    }

    /// Takes what was asked; waits for it when there is nothing else to do. False when there is
    /// nothing to do any more.
    fn receive(&mut self) -> bool {
        if self.running.is_empty() && self.waiting.is_empty() {
            match self.jobs.recv() {
                Ok(job) => self.waiting.push_back(Answer::new(job)),
                Err(_) => return false,
            }
        }
        loop {
            match self.jobs.try_recv() {
                Ok(job) => self.waiting.push_back(Answer::new(job)),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return true,
            }
        }
    }

    /// One batch.
    fn step(&mut self) -> candle_core::Result<()> {
        self.waiting.retain(|answer| !answer.is_cancelled());
        for index in (0..self.running.len()).rev() {
            if self.running.get(index).is_some_and(Answer::is_cancelled) {
                let answer = self.running.remove(index);
                self.keep(answer);
            }
        }
        self.admit()?;
        self.advance()
    }

    /// Keeps what an answer that is over has in its cache.
    fn keep(&mut self, answer: Answer) {
        let Answer { mut tokens, cache, .. } = answer;
        if let Some(cache) = cache {
            tokens.truncate(cache.len());
            self.kept.keep(Entry { tokens, cache });
        }
    }

    /// Lets those who wait begin, in their order, as long as there is room.
    fn admit(&mut self) -> candle_core::Result<()> {
        while self.running.len() < self.limits.at_once {
            let Some(mut answer) = self.waiting.pop_front() else { break };
            let cache = self.begin(&answer.tokens)?;
            let missing = answer.tokens.len().saturating_sub(cache.len());
            // With nobody to wait for, it gets what there is.
            if !self.make_room(cache.growth(missing)) && !self.running.is_empty() {
                self.waiting.push_front(answer);
                break;
            }
            answer.cache = Some(cache);
            self.running.push(answer);
        }
        Ok(())
    }

    /// A cache with as much of these tokens as some conversation has gone through already; without
    /// the last one, whose scores are wanted.
    fn begin(&mut self, tokens: &[u32]) -> candle_core::Result<Cache> {
        let most = tokens.len().saturating_sub(1);
        let running = self.running.iter().filter_map(|answer| {
            let cache = answer.cache.as_ref()?;
            Some((cache, common(&answer.tokens, tokens).min(cache.len())))
        });
        let running = running.max_by_key(|(_, length)| *length);
        let kept = self.kept.like(tokens).map(|(entry, length)| (&entry.cache, length));
        match running.into_iter().chain(kept).max_by_key(|(_, length)| *length) {
            Some((cache, length)) if length > 0 => cache.fork(length.min(most)),
            _ => Ok(self.network.new_cache(&self.meter)),
        }
    }

    /// Lets go of kept conversations until there is room for so many bytes more; false when there
    /// is none even then.
    fn make_room(&mut self, bytes: usize) -> bool {
        while self.meter.bytes().saturating_add(bytes) > self.limits.cache_bytes {
            if !self.kept.forget() {
                return false;
            }
        }
        true
    }
}
