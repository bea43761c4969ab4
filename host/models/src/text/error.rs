//! Why a tokenizer or a template cannot be used.

use std::path::PathBuf;

use thiserror::Error;

/// Why a tokenizer or a template cannot be used. Each message names the cause and, after `hint:`,
/// what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextError {
    /// A file of the model cannot be read.
    #[error("{}: {source}\nhint: {hint}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// The tokenizer is malformed, or of a kind that June does not read.
    #[error(
        "the tokenizer cannot be used: {0}\nhint: use a model with a byte-level BPE tokenizer (Qwen, Llama 3, GPT-2), or download its files again"
    )]
    Tokenizer(String),
    /// The chat template is malformed.
    #[error(
        "the chat template cannot be used: {0}\nhint: take the template from the model's page; without one, ChatML is used"
    )]
    Template(String),
    /// The text could not be made into tokens.
    #[error("the text could not be made into tokens: {0}\nhint: report this, with the text")]
    Encode(String),
}
