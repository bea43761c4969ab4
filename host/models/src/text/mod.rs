//! What every backend that runs a model itself shares: text to tokens, conversations to prompts,
//! and what the model writes to [`Delta`](crate::types::Delta)s.
//!
//! ```no_run
//! use june_models::text::{self, Decoder, Output};
//! use june_models::types::{FinishReason, Message, Request, Role, Usage};
//!
//! # fn generate(tokens: Vec<u32>) -> impl Iterator<Item = u32> { tokens.into_iter() }
//! # fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let (tokenizer, template) = text::load("models/qwen3".as_ref())?;
//! let messages = vec![Message::text(Role::User, "Who wrote Solaris?")];
//! let request = Request { messages, ..Request::default() };
//!
//! let prompt = template.render(&request)?;
//! let mut decoder = Decoder::new(&tokenizer);
//! let mut output = Output::new(&request, prompt.reasoning());
//! let mut deltas = Vec::new();
//! for token in generate(tokenizer.encode(&prompt)?) {
//!     if tokenizer.ends().contains(&token) || output.is_stopped() {
//!         break;
//!     }
//!     deltas.extend(output.push(&decoder.push(token)));
//! }
//! deltas.extend(output.push(&decoder.finish()));
//! deltas.extend(output.finish(FinishReason::Stop, Usage::default()));
//! # Ok(())
//! # }
//! ```
//!
//! A GGUF file has the tokenizer in its header: [`Tokenizer::from_vocabulary`], and the template
//! under `tokenizer.chat_template`: [`Template::new`] with [`Tokenizer::marks`]. For a server that
//! makes tokens itself, [`Prompt::to_text`] is the prompt, with [`Marks::chatml`] where its
//! tokenizer is not at hand.
//!
//! **What a person or a tool wrote is text, whatever it says.** A message with `<|im_end|>` in it
//! ends nothing: its letters are encoded, never the token. That holds for every mark, those of
//! reasoning and of tool calls included.

mod calls;
mod decoder;
mod error;
mod folder;
pub(crate) mod ids;
mod marks;
mod output;
mod prompt;
mod python;
mod stops;
mod template;
pub(crate) mod thinking;
mod tokenizer;
mod vocabulary;

pub use decoder::Decoder;
pub use error::TextError;
pub use folder::load;
pub use marks::Marks;
pub use output::Output;
pub use prompt::Prompt;
pub use template::Template;
pub use thinking::Reasoning;
pub use tokenizer::Tokenizer;
pub use vocabulary::{TokenKind, Vocabulary};
