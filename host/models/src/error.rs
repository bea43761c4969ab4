//! Why a model gave no answer.

use thiserror::Error;

/// Why a model gave no answer. Each text says what happened and, after `hint:`, what to do; none
/// holds a secret. The variants are those of `llm-error` in `wit/llm.wit` that a model can cause;
/// the other two, `denied` and `limit`, are the host's own.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The request is malformed or the model cannot serve it. Asking again gives the same.
    #[error("{0}")]
    Invalid(String),
    /// The conversation does not fit the model's context.
    #[error("{0}")]
    ContextOverflow(String),
    /// The model could not be reached, did not let June in, or broke off.
    #[error("{0}")]
    Unavailable(String),
}

/// An error and its causes, each said once.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
