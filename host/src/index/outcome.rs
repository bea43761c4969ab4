//! How runs end.

use clap::ValueEnum;
use serde::Deserialize;
use utoipa::ToSchema;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// It came to its end.
    Returned,
    /// Its code raised an error.
    Raised,
    /// It called for its end.
    Exited,
    /// It had used up its fuel.
    OutOfFuel,
    /// It asked for more memory than it might have.
    OutOfMemory,
    /// It took too long.
    TimedOut,
    /// It did what the sandbox stops.
    Crashed,
    /// Its host gave it up.
    GivenUp,
    /// It goes on, or its host died.
    Unfinished,
}

impl Outcome {
    /// As the journal's index has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Outcome::Returned => "returned",
            Outcome::Raised => "raised",
            Outcome::Exited => "exited",
            Outcome::OutOfFuel => "out-of-fuel",
            Outcome::OutOfMemory => "out-of-memory",
            Outcome::TimedOut => "timed-out",
            Outcome::Crashed => "crashed",
            Outcome::GivenUp => "given-up",
            Outcome::Unfinished => "unfinished",
        }
    }
}
