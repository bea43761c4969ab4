//! Language models of GGUF files, run in this process.
//!
//! [`Local`] is a [`Model`](june_models::Model): Qwen3, dense on the processor, and as a mixture of
//! experts on an NVIDIA GPU too. Weights stay quantised as they are in the file (F32, F16, BF16,
//! Q4_0 to Q8_0, Q2_K to Q6_K), the tokenizer and the chat template come from the file.
//!
//! ```no_run
//! use june_local::{Local, Settings};
//!
//! let model = Local::open("Qwen3-0.6B-Q8_0.gguf".as_ref(), &Settings::default())?;
//! # Ok::<(), june_local::OpenError>(())
//! ```
//!
//! - Several conversations are answered at once, in batches; one long prompt does not stall the
//!   others.
//! - What the last turn went through is not gone through again: conversations that begin alike
//!   share their keys and values.
//! - An answer is cancelled by dropping its stream: at the next token, or the next piece of prompt.
//! - An answer of a given form (JSON Schema, Lark grammar) cannot have another one; it may only be
//!   cut short by `max_tokens`. A model whose template opens its reasoning thinks freely first.
//! - With a seed, the same scores draw the same tokens. Scores may differ in their last bits by
//!   what else is in the batch, as sums are taken in another order.
//!
//! Products of matrices are candle's; attention and what is between the products is June's own, for
//! the processor's vectors. Candle keeps a second copy of quantised matrices, in the order that the
//! processor's instructions want: count on twice the file's size in memory.

mod attention;
mod cache;
mod config;
mod engine;
mod error;
mod file;
#[cfg(test)]
mod fixtures;
mod guidance;
mod kept;
mod matrix;
mod model;
mod network;
mod ops;
mod parallel;
mod sampling;
mod settings;
mod simd;

pub use error::OpenError;
pub use model::Local;
pub use sampling::Penalties;
pub use settings::{Place, Settings};
