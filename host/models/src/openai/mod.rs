//! Models behind a server that speaks OpenAI's chat completions: trtllm-serve, vLLM, SGLang,
//! llama.cpp, and hosted ones.
//!
//! ```no_run
//! use june_models::openai::{OpenAi, Settings};
//! use june_models::types::{Message, Request, Role};
//! use june_models::{Model, collect};
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let model = OpenAi::new(Settings::new("http://127.0.0.1:8000/v1", "qwen3"))?;
//! let messages = vec![Message::text(Role::User, "Who wrote Solaris?")];
//! let answer = collect(model.stream(Request { messages, ..Request::default() })).await?;
//! println!("{}", answer.message.to_text());
//! # Ok(())
//! # }
//! ```
//!
//! The server is taken for an adversary: what it sends is bounded in size and in time, and every
//! reply ends in an answer or in an error that says what was wrong. The order of an answer is
//! reasoning and text as they come, then the tool calls.

mod answer;
pub(crate) mod asking;
mod body;
mod calls;
mod chunk;
pub(crate) mod client;
pub(crate) mod failure;
mod listing;
mod reply;
mod retry;
mod settings;
pub(crate) mod sse;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::{StreamExt, stream};

pub use client::{SettingsError, connect};
pub use listing::{Listed, list};
pub use retry::Retries;
pub use settings::{Deadlines, Grammar, Limits, Proxy, Settings, TokenLimit};

pub use crate::text::Reasoning;

use crate::types::{Delta, Request};
use crate::{Deltas, Model};

use asking::{Asking, Server};

/// A model behind an OpenAI-compatible server. Clones share its connections.
#[derive(Clone)]
pub struct OpenAi(Arc<Server>);

impl OpenAi {
    /// A model with these settings. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// The settings hold what no request could: see [`SettingsError`].
    pub fn new(settings: Settings) -> Result<OpenAi, SettingsError> {
        let (url, client) = client::open(&settings)?;
        let name = format!("{} at {}", settings.model, url.origin().ascii_serialization());
        let counts = AtomicBool::new(true);
        Ok(OpenAi(Arc::new(Server { settings, client, url, name, counts })))
    }
}

impl std::fmt::Debug for OpenAi {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("OpenAi").field(&self.0.settings).finish()
    }
}

impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn context(&self) -> Option<u32> {
        self.0.settings.context
    }

    fn stream(&self, request: Request) -> Deltas {
        let asking = Some(Asking::new(self.0.clone(), request));
        stream::unfold(asking, |asking| async {
            let mut asking = asking?;
            let delta = asking.next().await;
            let over = matches!(delta, Ok(Delta::Finish(..)) | Err(_));
            Some((delta, (!over).then_some(asking)))
        })
        .boxed()
    }
}
