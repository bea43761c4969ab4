//! An answer: what a turn says from one request to the next.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use june_sandbox::contract::{FinishReason, LlmError, ToolCall};
use june_sandbox::{Answered, Error, Spent};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::talk::{Event, Talk, Told};
use super::tools::Called;
use super::waiting::{Begun, Waiting};
use crate::commands::run::failed;
use crate::serve::Server;
use crate::serve::refusal::Refusal;

/// How long an answer waits for more calls once it has one: an agent that calls several tools at
/// once does so in a moment. A call that comes later is in the next answer.
const AT_ONCE: Duration = Duration::from_millis(20);

/// A piece of an answer.
pub(super) enum Piece {
    /// More text.
    Text(String),
    /// A call of a tool of the client.
    Call(ToolCall),
    /// The end.
    End(Ending),
}

/// How an answer ended.
pub(super) struct Ending {
    pub(super) finish: Finish,
    pub(super) usage: Usage,
    /// The run in the journal, where it is at its end.
    pub(super) run: Option<u64>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = openai::Finish)]
#[serde(rename_all = "snake_case")]
pub(super) enum Finish {
    /// The agent said all.
    Stop,
    /// The tokens were used up.
    Length,
    /// The client is to call tools.
    ToolCalls,
    /// The model's server withheld the rest.
    ContentFilter,
}

/// The tokens that the agent's models read and wrote for an answer, all their rounds together.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = openai::Usage)]
pub(super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl Usage {
    fn between(before: &Spent, after: &Spent) -> Self {
        let prompt_tokens = after.input_tokens - before.input_tokens;
        let completion_tokens = after.output_tokens - before.output_tokens;
        let total_tokens = prompt_tokens + completion_tokens;
        Self { prompt_tokens, completion_tokens, total_tokens }
    }
}

/// An answer that is on its way. Dropped before its end, the run is given up.
pub(super) struct Answer {
    server: Arc<Server>,
    waiting: Arc<Waiting>,
    state: State,
    calls: Vec<Called>,
    /// Whether there may be several calls.
    several: bool,
    /// What the turn had taken before.
    before: Spent,
}

enum State {
    /// The turn goes on.
    Going(Begun, Talk),
    /// All is said but how it ended.
    Said(Ending),
    Over,
}

impl Answer {
    /// The answer of a turn, from here to its end or to where the client has to do something.
    pub(super) fn new(
        server: Arc<Server>,
        waiting: Arc<Waiting>,
        begun: Begun,
        talk: Talk,
        several: bool,
    ) -> Self {
        let before = talk.told().spent;
        let (state, calls) = (State::Going(begun, talk), Vec::new());
        Self { server, waiting, state, calls, several, before }
    }

    /// The next piece; none after the end.
    pub(super) async fn next(&mut self) -> Option<Result<Piece, Refusal>> {
        let State::Going(_, talk) = &mut self.state else {
            let State::Said(ending) = std::mem::replace(&mut self.state, State::Over) else {
                return None;
            };
            return Some(Ok(Piece::End(ending)));
        };
        let event = match (self.calls.is_empty(), self.several) {
            (true, _) => talk.events.recv().await,
            (false, true) => match timeout(AT_ONCE, talk.events.recv()).await {
                Ok(event) => event,
                Err(_no_more) => return self.hand_over().map(Ok),
            },
            (false, false) => return self.hand_over().map(Ok),
        };
        Some(match event {
            Some(Event::Said(text)) => Ok(Piece::Text(text)),
            Some(Event::Called(called)) => {
                let call = called.call.clone();
                self.calls.push(called);
                Ok(Piece::Call(call))
            }
            Some(Event::Ended(answered)) => {
                let told = talk.told();
                self.state = State::Over;
                self.end(*answered, &told)
            }
            None => {
                self.state = State::Over;
                Err(failure("the run broke off"))
            }
        })
    }

    /// The client is to answer the calls.
    fn hand_over(&mut self) -> Option<Piece> {
        let State::Going(begun, talk) = std::mem::replace(&mut self.state, State::Over) else {
            return None;
        };
        let usage = Usage::between(&self.before, &talk.told().spent);
        let calls = std::mem::take(&mut self.calls);
        self.waiting.keep(&self.server, begun, talk, calls);
        Some(Piece::End(Ending { finish: Finish::ToolCalls, usage, run: None }))
    }

    /// The run is at its end.
    fn end(&mut self, answered: Result<Answered, Error>, told: &Told) -> Result<Piece, Refusal> {
        let answered = answered.map_err(|error| failure(error.to_string()))?;
        let run = answered.recorded.map(|(run, _last)| run);
        let (text, finish) = match (&answered.answer, told.finish) {
            (Some(Ok(answer)), Some(FinishReason::Length)) => (&*answer.text, Finish::Length),
            (Some(Ok(answer)), Some(FinishReason::ContentFilter)) => {
                (&*answer.text, Finish::ContentFilter)
            }
            (Some(Ok(answer)), _) => (&*answer.text, Finish::Stop),
            // The agent could not ask any more.
            (Some(Err(_)), _) if told.spent.output_tokens >= told.tokens => ("", Finish::Length),
            _ => return Err(no_answer(&answered, told, run)),
        };
        let ending = Ending { finish, usage: Usage::between(&self.before, &told.spent), run };
        if text.is_empty() {
            return Ok(Piece::End(ending));
        }
        self.state = State::Said(ending);
        Ok(Piece::Text(text.to_owned()))
    }
}

fn failure(why: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, why)
}

/// Why an agent gave no answer.
fn no_answer(answered: &Answered, told: &Told, run: Option<u64>) -> Refusal {
    let why = failed(answered).unwrap_or_default();
    let refusal = match &told.failed {
        Some(LlmError::ContextOverflow(_)) => {
            Refusal::bad(why).about("messages").code("context_length_exceeded")
        }
        Some(_) => Refusal::new(StatusCode::BAD_GATEWAY, why),
        None => failure(why),
    };
    match run {
        Some(run) if refusal.hint.is_none() && !refusal.error.contains("hint: ") => {
            refusal.hint(format!("june journal show {run}"))
        }
        _ => refusal,
    }
}
