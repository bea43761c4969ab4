//! What a model writes, as an answer.

use crate::text::Reasoning;
use crate::text::calls::Calls;
use crate::text::stops::Stops;
use crate::text::thinking::{Piece, Splitter};
use crate::types::{Delta, FinishReason, Request, Usage};

/// Turns the text that a model generates into [`Delta`]s, while it comes: reasoning told from
/// text, tool calls whole, and nothing from a stop string on. It does not matter into which pieces
/// the text is cut, but for where the deltas are cut; none is empty.
///
/// Stop strings count wherever they appear, in reasoning and in calls too, as with the servers
/// that June talks to.
///
/// ```
/// use june_models::text::{Output, Reasoning};
/// use june_models::types::{Delta, FinishReason, Request, Usage};
///
/// let mut output = Output::new(&Request::default(), Reasoning::Auto);
/// let mut deltas = output.push("<think>\nso it ");
/// deltas.extend(output.push("is\n</think>\n\nYes."));
/// deltas.extend(output.finish(FinishReason::Stop, Usage::default()));
/// assert_eq!(deltas, [
///     Delta::Reasoning("so it".into()),
///     Delta::Reasoning(" is".into()),
///     Delta::Text("Yes.".into()),
///     Delta::Finish(FinishReason::Stop, Usage::default()),
/// ]);
/// ```
#[derive(Debug)]
pub struct Output {
    stops: Stops,
    splitter: Splitter,
    calls: Calls,
    /// A stop string came.
    stopped: bool,
    /// The model asked for a tool.
    called: bool,
}

impl Output {
    /// For the answer to this request; `reasoning` is what the prompt says of it.
    pub fn new(request: &Request, reasoning: Reasoning) -> Output {
        Output {
            stops: Stops::new(&request.stop),
            splitter: Splitter::new(reasoning),
            calls: Calls::new(request),
            stopped: false,
            called: false,
        }
    }

    /// Takes more text. After a stop string, nothing comes of it.
    pub fn push(&mut self, text: &str) -> Vec<Delta> {
        if self.stopped {
            return Vec::new();
        }
        let (text, stopped) = self.stops.push(text);
        self.stopped = stopped;
        let pieces = self.splitter.push(&text);
        self.read(pieces)
    }

    /// Whether a stop string came: the model need not go on.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The answer is over, for this reason: [`FinishReason::Stop`] or [`FinishReason::Length`].
    /// The last delta says so; after a stop string it is always `Stop`, and an answer that came to
    /// its own end with calls in it ends for [`FinishReason::ToolCalls`].
    pub fn finish(mut self, reason: FinishReason, usage: Usage) -> Vec<Delta> {
        let held = self.stops.end();
        let mut pieces = self.splitter.push(&held);
        pieces.extend(self.splitter.end());
        let mut deltas = self.read(pieces);
        let rest = self.calls.end();
        self.called |= rest.iter().any(|delta| matches!(delta, Delta::Call(_)));
        deltas.extend(rest);
        let reason = match reason {
            FinishReason::Length if !self.stopped => FinishReason::Length,
            _ if self.called => FinishReason::ToolCalls,
            FinishReason::Length | FinishReason::ToolCalls => FinishReason::Stop,
            reason => reason,
        };
        deltas.push(Delta::Finish(reason, usage));
        deltas
    }

    fn read(&mut self, pieces: Vec<Piece>) -> Vec<Delta> {
        let mut deltas = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Thought(thought) => deltas.push(Delta::Reasoning(thought)),
                Piece::Text(text) => deltas.extend(self.calls.push(&text)),
            }
        }
        self.called |= deltas.iter().any(|delta| matches!(delta, Delta::Call(_)));
        deltas
    }
}

#[cfg(test)]
#[path = "output/tests.rs"]
mod tests;
