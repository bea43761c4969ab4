//! One answer, while it is being written.

use june_models::ModelError;
use june_models::types::FinishReason;
use tokio::sync::mpsc::UnboundedSender;

use crate::cache::Cache;
use crate::guidance::Constraint;
use crate::sampling::Sampler;

/// What an engine is asked.
pub(crate) struct Job {
    /// At least one token, and fewer than the context has.
    pub(crate) prompt: Vec<u32>,
    /// The most tokens to write, at least one.
    pub(crate) most: usize,
    pub(crate) sampler: Sampler,
    pub(crate) constraint: Option<Constraint>,
    /// Where the answer goes: at most as many events as tokens. Closed by whoever cancels.
    pub(crate) events: UnboundedSender<Event>,
}

/// What an engine answers: tokens, and then one of the others.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    /// A token that does not end the answer.
    Token(u32),
    /// The answer is over, with so many tokens written, the one included that ended it.
    End(FinishReason, usize),
    /// There is no more of it.
    Failed(ModelError),
}

/// See the module.
pub(crate) struct Answer {
    /// The prompt, and what was written.
    pub(super) tokens: Vec<u32>,
    /// None while it waits.
    pub(super) cache: Option<Cache>,
    written: usize,
    most: usize,
    sampler: Sampler,
    constraint: Option<Constraint>,
    events: UnboundedSender<Event>,
}

impl Answer {
    pub(super) fn new(job: Job) -> Answer {
        let Job { prompt: tokens, most, sampler, constraint, events } = job;
        Answer { tokens, cache: None, written: 0, most, sampler, constraint, events }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.events.is_closed()
    }

    /// Tokens that the network has not gone through.
    pub(super) fn missing(&self) -> usize {
        self.tokens.len().saturating_sub(self.cache.as_ref().map_or(0, Cache::len))
    }

    /// Draws the next token; true when the answer is over.
    pub(super) fn write(&mut self, mut scores: Vec<f32>, ends: &[u32]) -> bool {
        if let Some(constraint) = &mut self.constraint
            && let Err(error) = constraint.mask(&mut scores)
        {
            return self.send(Event::Failed(error));
        }
        let Some(token) = self.sampler.draw(&mut scores) else {
            let what = "the model's scores are not numbers\nhint: its file may be damaged: \
                        download or convert it again";
            return self.send(Event::Failed(ModelError::Unavailable(what.into())));
        };
        self.written += 1;
        if ends.contains(&token) {
            return self.send(Event::End(FinishReason::Stop, self.written));
        }
        self.tokens.push(token);
        self.send(Event::Token(token));
        match self.constraint.as_mut().map(|constraint| constraint.accept(token)) {
            Some(Ok(true)) => return self.send(Event::End(FinishReason::Stop, self.written)),
            Some(Err(error)) => return self.send(Event::Failed(error)),
            Some(Ok(false)) | None => {}
        }
        if self.written >= self.most {
            return self.end_for_room();
        }
        false
    }

    /// Ends it as there is no room for more; always true.
    pub(super) fn end_for_room(&mut self) -> bool {
        self.send(Event::End(FinishReason::Length, self.written))
    }

    pub(super) fn fail(mut self, error: ModelError) {
        self.send(Event::Failed(error));
    }

    /// Always true. Whoever does not listen any more is noticed at the next step.
    fn send(&mut self, event: Event) -> bool {
        let _ = self.events.send(event);
        true
    }
}
