//! How a server is asked.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::openai::retry::Retries;
use crate::secret::Secret;
use crate::text::thinking::Reasoning;

/// Which server is asked, for which model, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address before `/chat/completions`, such as `http://127.0.0.1:8000/v1`.
    pub base: String,
    /// The server's name for the model.
    pub model: String,
    /// Sent as `Authorization: Bearer …`. Over plain HTTP too, which is for servers of one's own
    /// network.
    pub key: Option<Secret>,
    /// The model's window in tokens, where it is known.
    pub context: Option<u32>,
    /// Where the model's reasoning is in the text.
    pub reasoning: Reasoning,
    /// What the server calls the most tokens to write.
    pub token_limit: TokenLimit,
    /// How the server takes a grammar.
    pub grammar: Grammar,
    /// More fields for the body of every request, such as `chat_template_kwargs`. None of those
    /// that a request sets itself.
    pub extra: Map<String, Value>,
    /// By which way the server is reached.
    pub proxy: Proxy,
    /// How long to wait for what.
    pub deadlines: Deadlines,
    /// How often to ask again.
    pub retries: Retries,
    /// How much to take.
    pub limits: Limits,
}

impl Settings {
    /// The usual settings for a model of the server at `base`.
    pub fn new(base: impl Into<String>, model: impl Into<String>) -> Settings {
        Settings {
            base: base.into(),
            model: model.into(),
            key: None,
            context: None,
            reasoning: Reasoning::default(),
            token_limit: TokenLimit::default(),
            grammar: Grammar::default(),
            extra: Map::new(),
            proxy: Proxy::default(),
            deadlines: Deadlines::default(),
            retries: Retries::default(),
            limits: Limits::default(),
        }
    }
}

/// What a server calls the most tokens to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLimit {
    /// `max_tokens`, which nearly every server knows.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, as OpenAI's own newer models need it.
    MaxCompletionTokens,
}

/// How a server takes a grammar. The grammar's text goes there as it is: which syntax the server
/// reads (Lark, GBNF, EBNF) depends on how it was built and started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grammar {
    /// In the field `grammar`.
    #[default]
    LlamaCpp,
    /// In the field `structured_outputs.grammar`.
    Vllm,
    /// In the field `ebnf`.
    Sglang,
    /// Not at all: a request with a grammar is refused, since most servers pass over a field that
    /// they do not know and would answer anything.
    None,
}

/// By which way a server is reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// As the environment says (`HTTPS_PROXY`, `NO_PROXY`, …) when the model is made. A server on
    /// this machine (`localhost`, 127.0.0.0/8, `::1`) is always reached directly.
    #[default]
    System,
    /// Directly.
    None,
    /// Through the proxy at this URL; it may hold a user and a password.
    Url(String),
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Proxy::System => "System",
            Proxy::None => "None",
            Proxy::Url(_) => "Url(…)",
        })
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// To be connected, TLS included. Ten seconds unless set.
    pub connect: Duration,
    /// From the question, connecting included, to the first byte of an answer; a server may have
    /// to load the model and read a long prompt. Five minutes unless set.
    pub first: Duration,
    /// Between two pieces of an answer. One minute unless set.
    pub between: Duration,
    /// For all of an answer, retries included. Half an hour unless set.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Deadlines {
            connect: seconds(10),
            first: seconds(300),
            between: seconds(60),
            total: seconds(1800),
        }
    }
}

/// How much to take from a server, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One event of a stream. 1 MiB unless set.
    pub event: usize,
    /// A reply that is no stream. 4 MiB unless set.
    pub reply: usize,
    /// All of a stream: some 300 bytes come for every token. 64 MiB unless set.
    pub stream: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { event: 1 << 20, reply: 4 << 20, stream: 64 << 20 }
    }
}
