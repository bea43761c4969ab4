//! How long a stage takes.

use std::sync::Arc;

use tokio::time::Instant;

use super::Parts;
use crate::{Chat, Observer, Passed, Stage};

/// A stage that began. Dropped without an end, it was cut off.
pub(super) struct Span(Option<Begun>);

struct Begun {
    observer: Arc<dyn Observer>,
    chat: Chat,
    turn: u64,
    stage: Stage,
    at: Instant,
}

impl Parts {
    pub(super) fn span(&self, chat: &Chat, turn: u64, stage: Stage) -> Span {
        Span(self.observer.clone().map(|observer| {
            observer.began(chat, turn, stage);
            Begun { observer, chat: chat.clone(), turn, stage, at: Instant::now() }
        }))
    }
}

impl Span {
    /// Ends it; what passed is worked out only if somebody listens.
    pub(super) fn end(mut self, passed: impl FnOnce() -> Result<Passed, String>) {
        if let Some(begun) = self.0.take() {
            begun.end(passed());
        }
    }
}

impl Begun {
    fn end(self, passed: Result<Passed, String>) {
        self.observer.ended(&self.chat, self.turn, self.stage, self.at.elapsed(), passed);
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(begun) = self.0.take() {
            begun.end(Err("cut off".into()));
        }
    }
}
