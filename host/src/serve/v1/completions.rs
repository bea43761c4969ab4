//! `/v1/chat/completions`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::stream;
use june_sandbox::contract;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Ending, Finish, Piece, Usage};
use super::messages::{CallKind, Conversation, FunctionCall, ToolCall};
use super::models::offered;
use super::refused::{Body, Refusals, Refused};
use super::request::Request;
use super::talk::Talk;
use super::tools::id;
use super::waiting::{Begun, Waiting};
use crate::agents::origin;
use crate::serve::Server;
use crate::serve::refusal::Refusal;
use crate::serve::token::Caller;

/// An answer.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Completion)]
pub(super) struct Completion {
    #[serde(flatten)]
    head: Head,
    choices: [Choice; 1],
    usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    june: Option<Recorded>,
}

/// A piece of an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Chunk)]
pub(super) struct Chunk {
    #[serde(flatten)]
    head: Head,
    /// One; none in the event that says what the answer took.
    choices: Vec<ChunkChoice>,
    /// In the last event but one, where the client asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    june: Option<Recorded>,
}

/// What an answer is known by.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = openai::Head)]
struct Head {
    id: String,
    /// `chat.completion`, or `chat.completion.chunk` for a piece.
    object: &'static str,
    /// In seconds of Unix time.
    created: u64,
    /// The agent.
    model: String,
}

/// Where the turn is in the journal, once it is at its end.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = openai::Recorded)]
struct Recorded {
    /// The run's number.
    run: u64,
}

/// The one answer.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Choice)]
struct Choice {
    index: u32,
    message: Said,
    finish_reason: Finish,
    /// None: there are none.
    #[schema(value_type = Option<Object>)]
    logprobs: (),
}

/// What the agent says.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Said)]
struct Said {
    #[schema(example = "assistant")]
    role: &'static str,
    /// None where there are calls and nothing else.
    content: Option<String>,
    /// Tools of the client, which it is to call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
}

/// A piece of the one answer.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::ChunkChoice)]
struct ChunkChoice {
    index: u32,
    delta: Delta,
    /// In the last piece.
    finish_reason: Option<Finish>,
}

/// What a piece adds.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = openai::Delta)]
struct Delta {
    /// In the first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallDelta; 1]>,
}

/// A call, whole.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::CallDelta)]
struct CallDelta {
    /// Its place among the answer's calls.
    index: usize,
    #[serde(flatten)]
    call: ToolCall,
}

impl From<contract::ToolCall> for ToolCall {
    fn from(call: contract::ToolCall) -> Self {
        let contract::ToolCall { id, name, arguments } = call;
        Self { id, kind: CallKind::Function, function: FunctionCall { name, arguments } }
    }
}

/// Ask an agent
///
/// With `stream`, the answer comes as events: a piece each, one with its usage if that is asked
/// for, and `[DONE]`. An answer that fails on its way ends with an event that has an `error`.
#[utoipa::path(
    post, path = "/v1/chat/completions", tag = "talk", operation_id = "ask",
    request_body = Request,
    responses(
        (status = 200, description = "The answer", content(
            (Completion = "application/json"),
            (Chunk = "text/event-stream"),
        )),
        Refusals,
    )
)]
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Extension(waiting): Extension<Arc<Waiting>>,
    Body(request): Body<Request>,
) -> Result<Response, Refused> {
    let agent = offered(&server.loaded(), &request.model)?.clone();
    let terms = request.terms()?;
    let (streamed, with_usage) = (request.stream.unwrap_or(false), request.usage());
    let several = request.parallel_tool_calls.unwrap_or(true);
    let head = Head {
        id: id("chatcmpl-")?,
        object: if streamed { "chat.completion.chunk" } else { "chat.completion" },
        created: origin(0).epoch,
        model: request.model.clone(),
    };
    let asked = Begun {
        caller: caller.name.clone(),
        agent: request.model,
        conversation: Conversation::of(request.messages)?,
        tools: terms.tools.clone(),
    };
    let (asked, talk) = waiting.resume(asked);
    let talk = match talk {
        Some(talk) => talk,
        None => Talk::begin(&server, &agent, &caller.name, &asked.conversation, &terms)?,
    };
    let answer = Answer::new(server, waiting, asked, talk, several);
    match streamed {
        true => Ok(events(answer, head, with_usage)),
        false => Ok(Json(whole(answer, head).await?).into_response()),
    }
}

/// The answer at its end.
async fn whole(mut answer: Answer, head: Head) -> Result<Completion, Refusal> {
    let (mut content, mut tool_calls) = (String::new(), Vec::new());
    while let Some(piece) = answer.next().await {
        let Ending { finish, usage, run } = match piece? {
            Piece::Text(text) => {
                content += &text;
                continue;
            }
            Piece::Call(call) => {
                tool_calls.push(call.into());
                continue;
            }
            Piece::End(ending) => ending,
        };
        let content = (!content.is_empty() || tool_calls.is_empty()).then_some(content);
        let message = Said { role: "assistant", content, tool_calls };
        let choice = Choice { index: 0, message, finish_reason: finish, logprobs: () };
        let june = run.map(|run| Recorded { run });
        return Ok(Completion { head, choices: [choice], usage, june });
    }
    Err(Refusal::from(anyhow::anyhow!("the answer has no end")))
}

/// The answer as it comes.
fn events(answer: Answer, head: Head, with_usage: bool) -> Response {
    let writer = Writer { answer, head, with_usage, begun: false, calls: 0 };
    let events = stream::unfold(writer, |mut writer| async move {
        let events = writer.next().await?;
        Some((stream::iter(events), writer))
    });
    let events = futures_util::StreamExt::flatten(events);
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// Writes an answer as events.
struct Writer {
    answer: Answer,
    head: Head,
    with_usage: bool,
    begun: bool,
    calls: usize,
}

type Events = Vec<Result<Event, Infallible>>;

impl Writer {
    /// The next events; none after the end.
    async fn next(&mut self) -> Option<Events> {
        if !std::mem::replace(&mut self.begun, true) {
            let delta = Delta { role: Some("assistant"), ..Delta::default() };
            return Some(vec![self.delta(delta, None, None)]);
        }
        Some(match self.answer.next().await? {
            Ok(Piece::Text(text)) => {
                let delta = Delta { content: Some(text), ..Delta::default() };
                vec![self.delta(delta, None, None)]
            }
            Ok(Piece::Call(call)) => {
                let call = CallDelta { index: self.calls, call: call.into() };
                self.calls += 1;
                let delta = Delta { tool_calls: Some([call]), ..Delta::default() };
                vec![self.delta(delta, None, None)]
            }
            Ok(Piece::End(Ending { finish, usage, run })) => {
                let june = run.map(|run| Recorded { run });
                let last = self.delta(Delta::default(), Some(finish), june);
                let head = self.head.clone();
                let usage = self.with_usage.then(|| {
                    event(&Chunk { head, choices: Vec::new(), usage: Some(usage), june: None })
                });
                let done = Ok(Event::default().data("[DONE]"));
                [last].into_iter().chain(usage).chain([done]).collect()
            }
            Err(refusal) => vec![event(&refusal.openai())],
        })
    }

    fn delta(
        &self,
        delta: Delta,
        finish_reason: Option<Finish>,
        june: Option<Recorded>,
    ) -> Result<Event, Infallible> {
        let choices = vec![ChunkChoice { index: 0, delta, finish_reason }];
        event(&Chunk { head: self.head.clone(), choices, usage: None, june })
    }
}

fn event(value: &impl Serialize) -> Result<Event, Infallible> {
    // What is written here has no map whose keys are not text, and no number that JSON lacks.
    Ok(Event::default().json_data(value).unwrap_or_default())
}
