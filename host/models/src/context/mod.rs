//! Keeping a conversation within the model's window.
//!
//! What happens to a conversation that grew too long is the [`Policy`] that somebody chose; it is
//! never cut in silence, and [`Fitted`] tells what became of it. Whatever the policy:
//!
//! - the instructions (messages of the system) and the last message of the user stay,
//! - so does what the model is to answer: the last message, and the call that it answers,
//! - a tool call and its result stay together or go together,
//! - before the last message of the user whole turns go, a message of the user and all up to the
//!   next one, so that what is left begins as templates expect it; after it, which is one long
//!   turn of tools, each message of the assistant goes with the results of its calls.
//!
//! Tokens are estimated (see [`estimate`]), and corrected by what the server
//! counted last.

mod plan;
mod summary;

use serde::Deserialize;

pub use plan::{Overflow, Plan, plan};

use crate::Model;
use crate::error::ModelError;
use crate::estimate::{self, Scale};
use crate::types::{Request, Usage};

/// What to do with a conversation that does not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Say so, with [`ModelError::ContextOverflow`].
    #[default]
    Refuse,
    /// Leave out the oldest of it.
    DropOldest,
    /// Have the model summarise the oldest of it, and put the summary in its place.
    ///
    /// The summary is a message of the user: it tells of what others wrote, so it must not have
    /// the authority of instructions.
    Summarise,
}

/// How many tokens there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// All tokens, question and answer together.
    pub context: u32,
    /// Those that are kept free for the answer.
    pub answer: u32,
}

impl Window {
    /// The window for a request, where the model knows its own. The answer gets the request's
    /// `max_tokens`; without, a quarter of the window, and no more than 4096.
    pub fn new(model: &dyn Model, request: &Request) -> Option<Window> {
        let context = model.context()?;
        let answer = request.max_tokens.unwrap_or((context / 4).min(4096));
        Some(Window { context, answer })
    }

    /// The tokens that the question may have.
    pub fn question(self) -> u64 {
        u64::from(self.context.saturating_sub(self.answer))
    }
}

/// A request that fits, as far as can be known.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The request. A conversation that goes on should go on from its messages, or it is
    /// shortened, and summarised, again with every question.
    pub request: Request,
    /// How many of its messages were left out.
    pub dropped: usize,
    /// The summary that was put in their place.
    pub summary: Option<String>,
    /// What the summary cost.
    pub usage: Usage,
}

/// Makes a request fit the window. Only [`Policy::Summarise`] asks the model, and only when
/// something has to go. Where there is no room for a summary of useful size (64 tokens), it drops
/// like [`Policy::DropOldest`], and [`Fitted::summary`] is none.
///
/// # Errors
///
/// [`ModelError::ContextOverflow`] when the policy refuses, when what has to stay is too long, or
/// when the model gives no summary; any error of the model while it summarises.
pub async fn fit(
    model: &dyn Model,
    mut request: Request,
    window: Window,
    policy: Policy,
    scale: Scale,
) -> Result<Fitted, ModelError> {
    let budget = window.question();
    let needed = scale.apply(estimate::request(&request));
    if needed <= budget {
        return Ok(Fitted { request, dropped: 0, summary: None, usage: Usage::default() });
    }
    let too_long = |Overflow { needed }| too_long(model, window, needed);
    if policy == Policy::Refuse {
        return Err(too_long(Overflow { needed }));
    }
    let mut plan = plan(&request, budget, scale).map_err(too_long)?;
    let mut summary = None;
    let mut usage = Usage::default();
    if policy == Policy::Summarise {
        let room = (budget / 4).min(summary::MOST);
        let roomier = plan::plan(&request, budget.saturating_sub(room), scale);
        if let (Ok(roomier), true) = (roomier, room >= summary::LEAST) {
            plan = roomier;
            let gone = plan.dropped.iter().map(|place| &request.messages[*place]);
            let text = summary::transcript(gone);
            let made = summary::make(model, &text, budget, room, request.sampling.seed, scale);
            let (text, cost) = made.await?;
            (summary, usage) = (Some(text), cost);
        }
    }
    let dropped = plan.dropped.len();
    plan.apply(&mut request, summary.as_deref().map(summary::message));
    Ok(Fitted { request, dropped, summary, usage })
}

fn too_long(model: &dyn Model, window: Window, needed: u64) -> ModelError {
    let Window { context, answer } = window;
    ModelError::ContextOverflow(format!(
        "what has to be sent to {} has about {needed} tokens, and its window is {context}, of \
         which {answer} are kept for the answer\nhint: shorten the question or the tools' results, \
         ask for fewer tokens, or choose the policy drop-oldest or summarise",
        model.name()
    ))
}

#[cfg(test)]
mod tests;
