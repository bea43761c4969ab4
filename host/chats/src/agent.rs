//! Who answers.

use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::{Chat, Person};

/// The agents that people can speak with.
pub trait Agents: Send + Sync {
    /// Their names; the first one answers where nobody chose another. Not empty.
    fn names(&self) -> Vec<String>;

    /// Asks one. Nothing happens before the first poll; dropping the stream cancels what is left.
    /// After a crash the same turn may be asked again, as long as its answer is not on disk.
    fn ask(&self, agent: &str, request: Request) -> Events;
}

/// An answer that is still being worked on: any number of events, then one [`AgentEvent::Answer`] and
/// nothing after it; or a failure and nothing after it.
pub type Events = BoxStream<'static, Result<AgentEvent, AgentError>>;

/// What a person asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Where.
    pub chat: Chat,
    /// The turn's number, the same if it is asked again.
    pub turn: u64,
    /// Who asks.
    pub person: Person,
    /// What was said in this chat before, the oldest first.
    pub conversation: Vec<Message>,
    /// What is asked: the text, and what was heard.
    pub text: String,
    /// Files that came with it. Nothing was unpacked.
    pub files: Vec<File>,
}

/// What somebody said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who said it.
    pub by: Author,
    /// What was said.
    pub text: String,
}

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// A person of this name.
    Person(String),
    /// The agent.
    Agent,
}

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// A name that is no path: no separators, no control characters, not hidden, unique in its
    /// request, 100 bytes at most.
    pub name: String,
    /// What is in it.
    pub bytes: Bytes,
}

/// What an agent does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentEvent {
    /// It says this; pieces are joined as they come.
    Said(String),
    /// It is at this step. The person need not see it.
    Step(String),
    /// It is at its end: the rest of the answer, which was not said before.
    Answer(String),
}

/// Why an agent has no answer, in words for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AgentError(pub String);
