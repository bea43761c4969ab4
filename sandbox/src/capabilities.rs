//! What the host lends to a component, as far as its [`Grants`](crate::Grants)
//! go: small traits, one for each thing that only the host has.
//!
//! A grant without the means answers `unavailable`; means without a grant are
//! out of reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use crate::contract::{Delta, LlmError, MemoryError, Request, Step, ToolError, ToolSpec};
use crate::tool::GrantedTool;
use crate::{Runner, Workspace};

/// Language models.
pub trait Llm: Send + Sync {
    /// Asks a model, and returns its answer piece by piece. The last piece is
    /// [`Delta::Finish`]. Dropping the stream cancels the rest.
    fn stream(&self, request: Request) -> BoxFuture<'static, Result<Deltas, LlmError>>;
}

/// An answer as it is written.
pub type Deltas = BoxStream<'static, Result<Delta, LlmError>>;

/// Notes of a conversation.
pub trait Memory: Send + Sync {
    /// The note of this name, if there is one.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn get(&self, name: &str) -> Result<Option<String>, MemoryError>;
    /// Writes a note, replacing one of the same name.
    ///
    /// # Errors
    ///
    /// When the store fails, or there is no room.
    fn set(&self, name: &str, value: &str) -> Result<(), MemoryError>;
    /// The names of all notes, sorted.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn list(&self) -> Result<Vec<String>, MemoryError>;
    /// Forgets a note; true when there was one.
    ///
    /// # Errors
    ///
    /// When the store fails.
    fn delete(&self, name: &str) -> Result<bool, MemoryError>;
}

/// The person (or program) that an agent talks to.
pub trait Reply: Send + Sync {
    /// More of the answer.
    fn say(&self, text: &str);
    /// A step of the agent's work.
    fn note(&self, step: &Step);
    /// A tool was called, and what came of it.
    fn used(&self, use_: &ToolUse<'_>) {
        let _ = use_;
    }
}

/// A call of a tool, as it is shown to a person.
#[derive(Clone, Copy, Debug)]
pub enum ToolUse<'a> {
    /// The call begins.
    Called {
        /// The tool.
        name: &'a str,
        /// A JSON object.
        arguments: &'a str,
    },
    /// It has ended.
    Answered {
        /// The tool.
        name: &'a str,
        /// The tool's text, or why there is none.
        result: Result<&'a str, &'a str>,
    },
}

/// Sending a request that a grant covers.
pub trait Http: Send + Sync {
    /// Sends one request and follows no redirect. Only an address of the public
    /// internet may be asked, unless `private` is true.
    fn send(&self, request: HttpRequest) -> BoxFuture<'static, Result<HttpResponse, HttpError>>;
}

/// A request, complete.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method, in capitals.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// The secrets to add, which the grants cover.
    pub secrets: Vec<crate::grants::SecretGrant>,
    /// Whether an address of the host's own network may be asked.
    pub private: bool,
    /// The most bytes that the answer's body may have.
    pub limit: usize,
}

/// The answer to a request, without the secrets that were in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers, in order.
    pub headers: Vec<(String, Text)>,
    /// The body.
    pub body: Text,
}

/// Bytes, which the journal has as text where they are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// UTF-8.
    Utf8(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Text::Bytes(error.into_bytes()), Text::Utf8)
    }
}

impl From<Text> for Vec<u8> {
    fn from(text: Text) -> Self {
        match text {
            Text::Utf8(text) => text.into_bytes(),
            Text::Bytes(bytes) => bytes,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum HttpError {
    /// No grant covers the request.
    Denied(String),
    /// The address is not of the public internet.
    Private(String),
    /// The name has no address.
    Dns(String),
    /// No connection.
    Connect(String),
    /// It took too long.
    Timeout,
    /// The body is longer than this limit.
    TooLong(u64),
    /// Anything else.
    Other(String),
}

/// A tool that is no component, such as one of an MCP server.
pub trait ForeignTool: Send + Sync {
    /// The tool's name, purpose and arguments.
    fn spec(&self) -> ToolSpec;
    /// Does the work. The text is an error's where the second value is true.
    fn call(&self, arguments: String) -> BoxFuture<'static, Result<(String, bool), ToolError>>;
}

/// Everything that is lent. The default lends nothing.
#[derive(Clone, Default)]
pub struct Capabilities {
    /// Language models.
    pub llm: Option<Arc<dyn Llm>>,
    /// Tools, by their names.
    pub tools: Arc<BTreeMap<String, GrantedTool>>,
    /// A runner of Python programs.
    pub programs: Option<Runner>,
    /// Notes.
    pub memory: Option<Arc<dyn Memory>>,
    /// The person.
    pub reply: Option<Arc<dyn Reply>>,
    /// The network.
    pub http: Option<Arc<dyn Http>>,
    /// Files.
    pub workspace: Option<Workspace>,
}
