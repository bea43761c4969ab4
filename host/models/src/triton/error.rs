//! What goes wrong with a Triton server.

use std::time::Duration;

use thiserror::Error;

use crate::openai::SettingsError;

/// Why a Triton server did not do what it was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TritonError {
    /// The settings hold what no request could.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The server cannot be reached.
    #[error(
        "{server} cannot be reached: {why}\nhint: check that it runs, and its address (the HTTP port is 8000 unless set)"
    )]
    Unreachable {
        /// The server.
        server: String,
        /// Why.
        why: String,
    },
    /// The server's repository has no such model.
    #[error("{server} has no model \"{model}\"\nhint: it has {there}")]
    Unknown {
        /// The server.
        server: String,
        /// The model.
        model: String,
        /// The names of the models that are there.
        there: String,
    },
    /// The server refused, or could not.
    #[error("{server} could not {what}: {reason}\nhint: {hint}")]
    Failed {
        /// The server.
        server: String,
        /// What it was asked for.
        what: String,
        /// What it says.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// The server is not done yet. What it was asked for goes on.
    #[error("{server} did not {what} within {limit:?}, and may go on with it\nhint: {hint}")]
    TooSlow {
        /// The server.
        server: String,
        /// What it was asked for.
        what: String,
        /// How long was waited.
        limit: Duration,
        /// What to do.
        hint: &'static str,
    },
}
