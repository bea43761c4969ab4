//! Not a model: answers that a person wrote into a file, for tests and for demonstrations without
//! a network.
//!
//! # Format
//!
//! A transcript is a TOML file. Unknown keys are refused.
//!
//! ```
//! let transcript = r#"
//! context = 4096                        # the window to report; unknown if left out
//!
//! [[answer]]
//! when = { text = "weather" }           # what must hold; without it, anything does
//! reasoning = "They want a forecast."
//! calls = [{ name = "get_weather", arguments = { city = "Oslo" } }]
//!
//! [[answer]]
//! when = { result = "°C" }
//! text = ["It is ", "7 °C", " in Oslo."]  # a text, or the pieces to stream
//! delay = 50                            # milliseconds before each piece
//! finish = "stop"                       # stop, length, tool-calls, content-filter
//! usage = { input-tokens = 40, output-tokens = 9 }
//!
//! [[answer]]
//! when = { conversation = "HumanEval/7" }
//! repeat = true                         # may be given more than once
//! error = { unavailable = "the server is down" }
//! "#;
//! let model = june_models::scripted::Scripted::parse("weather.toml", transcript)?;
//! # Ok::<(), june_models::scripted::TranscriptError>(())
//! ```
//!
//! - `when.text`: what the user has said since the model's last answer contains this.
//! - `when.result`: a tool's result since the model's last answer contains this.
//! - `when.conversation`: any message contains this. For transcripts with several conversations.
//! - `calls`: `name`, `arguments` (a table, or JSON as text, which may be broken on purpose), and
//!   `id` (numbered through the conversation if left out).
//! - `finish`: if left out, `tool-calls` after calls and `stop` otherwise.
//! - `usage`: estimated from the text if left out.
//! - `error`: `invalid`, `context-overflow` or `unavailable`, with a text; comes after all that the
//!   answer says.
//!
//! # Which answer is given
//!
//! The first that matches and is not used up. An answer is used up within a conversation that
//! already holds a message of the assistant with the same text and calls, unless it has `repeat`;
//! one that ends in an error says nothing that a conversation could hold, and is never used up.
//!
//! So the answer depends on the request and on nothing else: neither on what was asked before nor
//! on what is asked at the same time. The tasks of an evaluation, asked at once and in any order,
//! get the same answers in every run; a request that is repeated gets the same answer again.

mod transcript;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

pub use transcript::TranscriptError;

use crate::error::ModelError;
use crate::estimate;
use crate::types::{Delta, FinishReason, Message, Request, Role, ToolCall, Usage};
use crate::words::quoted;
use crate::{Deltas, Model};

use transcript::{Answer, Transcript, When};

/// The answers of a transcript, behind the trait of models.
#[derive(Debug, Clone)]
pub struct Scripted {
    name: String,
    transcript: Arc<Transcript>,
}

impl Scripted {
    /// Reads a transcript from a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no transcript.
    pub fn load(path: impl AsRef<Path>) -> Result<Scripted, TranscriptError> {
        let (file, text) = transcript::read(path.as_ref())?;
        Scripted::parse(&file, &text)
    }

    /// Reads a transcript from its text; `file` stands for it in messages.
    ///
    /// # Errors
    ///
    /// The text is no transcript.
    pub fn parse(file: &str, text: &str) -> Result<Scripted, TranscriptError> {
        let transcript = Arc::new(Transcript::parse(file, text)?);
        Ok(Scripted { name: format!("transcript {file}"), transcript })
    }

    fn choose(&self, messages: &[Message]) -> Option<&Answer> {
        let answers = &self.transcript.answer;
        let mut used = vec![false; answers.len()];
        for message in messages.iter().filter(|message| message.role == Role::Assistant) {
            let unused = |place: &usize| !used[*place] && says(&answers[*place], message);
            if let Some(place) = (0..answers.len()).find(unused) {
                used[place] = true;
            }
        }
        let mut free = answers.iter().zip(used).filter(|(answer, used)| answer.repeat || !used);
        Some(free.find(|(answer, _)| matches(&answer.when, messages))?.0)
    }
}

impl Model for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn context(&self) -> Option<u32> {
        self.transcript.context
    }

    fn stream(&self, request: Request) -> Deltas {
        let Some(answer) = self.choose(&request.messages) else {
            let error = ModelError::Invalid(format!(
                "the {} has no answer left for {}\nhint: add an [[answer]] that matches it, or \
                 give one of them `repeat = true`",
                self.name,
                asked(&request.messages)
            ));
            return stream::iter([Err(error)]).boxed();
        };
        let delay = answer.delay.map(Duration::from_millis);
        let pieces = stream::iter(pieces(answer, &request));
        pieces
            .then(move |piece| async move {
                if let Some(delay) = delay {
                    tokio::time::sleep(delay).await;
                }
                piece
            })
            .boxed()
    }
}

/// All that the answer streams.
fn pieces(answer: &Answer, request: &Request) -> Vec<Result<Delta, ModelError>> {
    let mut pieces = Vec::new();
    let full = |piece: &&String| !piece.is_empty();
    pieces.extend(answer.reasoning.0.iter().filter(full).cloned().map(Delta::Reasoning));
    pieces.extend(answer.text.0.iter().filter(full).cloned().map(Delta::Text));
    let earlier = request.messages.iter().flat_map(Message::calls).count();
    for (place, call) in answer.calls.iter().enumerate() {
        let id = call.id.clone().unwrap_or_else(|| format!("call-{}", earlier + place + 1));
        let (name, arguments) = (call.name.clone(), call.arguments.0.clone());
        pieces.push(Delta::Call(ToolCall { id, name, arguments }));
    }
    let mut pieces: Vec<_> = pieces.into_iter().map(Ok).collect();
    if let Some(error) = &answer.error {
        pieces.push(Err(error.clone().into()));
        return pieces;
    }
    let called = if answer.calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls };
    let usage = match answer.usage {
        Some(usage) => usage.into(),
        None => Usage {
            input_tokens: estimate::request(request),
            output_tokens: written(answer),
            approximate: true,
        },
    };
    pieces.push(Ok(Delta::Finish(answer.finish.unwrap_or(called), usage)));
    pieces
}

fn written(answer: &Answer) -> u64 {
    let said = answer.reasoning.0.iter().chain(&answer.text.0);
    let asked = answer.calls.iter().map(|call| &call.arguments.0);
    said.chain(asked).map(|text| estimate::text(text)).sum()
}

/// Whether the message is this answer, as far as a conversation keeps it: hosts and strategies
/// leave out reasoning, trim text and write JSON anew.
fn says(answer: &Answer, message: &Message) -> bool {
    if answer.error.is_some() {
        return false;
    }
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let same = |call: &ToolCall, said: &transcript::Call| {
        let (asked, wanted) = (call.arguments.as_str(), said.arguments.0.as_str());
        call.name == said.name
            && (asked == wanted || (json(asked).is_some() && json(asked) == json(wanted)))
    };
    message.to_text().trim() == answer.text.0.concat().trim()
        && message.calls().count() == answer.calls.len()
        && message.calls().zip(&answer.calls).all(|(call, said)| same(call, said))
}

fn matches(when: &When, messages: &[Message]) -> bool {
    let answered = messages.iter().rposition(|message| message.role == Role::Assistant);
    let new = &messages[answered.map_or(0, |place| place + 1)..];
    let results = |messages: &[Message], wanted: &str| {
        let mut outcomes = messages.iter().flat_map(Message::outcomes);
        outcomes.any(|outcome| outcome.content.contains(wanted))
    };
    let users = |message: &&Message| message.role == Role::User;
    let text = |wanted: &String| {
        new.iter().filter(users).any(|message| message.to_text().contains(wanted.as_str()))
    };
    let anywhere = |wanted: &String| {
        messages.iter().any(|message| message.to_text().contains(wanted.as_str()))
            || results(messages, wanted)
    };
    when.text.as_ref().is_none_or(text)
        && when.result.as_ref().is_none_or(|wanted| results(new, wanted))
        && when.conversation.as_ref().is_none_or(anywhere)
}

/// The last message, in short.
fn asked(messages: &[Message]) -> String {
    let Some(message) = messages.last() else { return "an empty conversation".to_owned() };
    match message.outcomes().last() {
        Some(outcome) => format!("the tool's result {}", quoted(&outcome.content, 100)),
        None => quoted(&message.to_text(), 100),
    }
}

#[cfg(test)]
mod tests;
