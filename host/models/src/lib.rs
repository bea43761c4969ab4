//! Language models behind one trait.
//!
//! A [`Model`] takes a [`Request`] and answers with a stream of
//! [`Delta`]s. Whoever drops the stream cancels the answer.
//!
//! - [`openai`]: any server that speaks OpenAI's chat completions.
//! - [`text`]: tokenizer, chat template and parsers, for backends that run a model themselves.
//! - [`triton`]: models of a Triton server, which it loads and unloads.
//! - [`scripted`]: answers from a file, for tests and demonstrations.
//! - [`header`]: what a model is, read before any weight is.
//! - [`guard`]: whether a machine can run it.
//! - [`repository`]: model repositories for Triton, on disk.
//! - [`context`]: what to do with a conversation that outgrows the model's window.
//!
//! This crate knows no component, no grant and no configuration file: the host decides who may ask
//! which model, and hands the model over ready made.

pub mod collect;
pub mod context;
pub mod error;
pub mod estimate;
pub mod guard;
pub mod header;
pub mod hub;
pub mod openai;
pub mod repository;
pub mod scripted;
mod secret;
mod stepwise;
pub mod text;
pub mod tls;
pub mod triton;
mod turns;
pub mod types;
mod words;

use futures_util::stream::BoxStream;

pub use collect::collect;
pub use error::ModelError;
pub use secret::Secret;
pub use stepwise::stepwise;
pub use words::quoted;

use types::{Delta, Request};

/// An answer that is still being written: any number of deltas, then one
/// [`Finish`](Delta::Finish) and nothing after it; or an error and nothing after it.
///
/// Nothing happens before the first poll. Dropping it cancels what is left: a connection is
/// closed, a computation stopped.
pub type Deltas = BoxStream<'static, Result<Delta, ModelError>>;

/// A language model that can be asked.
pub trait Model: Send + Sync {
    /// What the model is called, for messages to people and for the journal.
    fn name(&self) -> &str;

    /// How many tokens its window holds, question and answer together, where that is known.
    fn context(&self) -> Option<u32>;

    /// Asks. Every failure, a malformed request included, arrives through the stream. Must be
    /// polled within a Tokio runtime that has its time and I/O drivers enabled.
    fn stream(&self, request: Request) -> Deltas;
}
