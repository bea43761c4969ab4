//! How a run ended.

use std::time::Duration;

pub use june_journal::{Exception, Exit, Phase};

/// What a component wrote to one of its output streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The first bytes, up to [`Limits::output`](crate::Limits::output).
    pub bytes: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
}

/// All that can be said of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output.
    pub stdout: Output,
    /// Its standard error.
    pub stderr: Output,
    /// Fuel that it used.
    pub fuel: u64,
    /// The most bytes of linear memory it held at once.
    pub peak_memory: u64,
    /// Wall-clock time from instantiation to the end. The one part that
    /// differs from run to run.
    pub wall: Duration,
}
