//! How a run ended.

use std::time::Duration;

/// Which of a program's two texts was running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The program itself.
    Source,
    /// The checks that judge it.
    Checks,
}

/// An exception that nothing in the program caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its type's name, such as `AssertionError`.
    pub kind: String,
    /// Its message, shortened by the runner.
    pub message: String,
    /// Where it surfaced.
    pub phase: Phase,
    /// The line of that text, counted from 1; 0 when unknown.
    pub line: u32,
    /// The failing statement of the checks, as written.
    pub statement: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ran to its end: every statement of the program and of its checks.
    Returned,
    /// An exception left it.
    Raised(Exception),
    /// It asked to exit with this status.
    Exited(i32),
    /// It used up its fuel.
    OutOfFuel,
    /// It asked for more memory than its limit.
    OutOfMemory,
    /// The wall-clock fuse blew. Says something of the machine, not of the
    /// program.
    TimedOut,
    /// The interpreter itself trapped, or hit a limit that ends a run. The
    /// text names which.
    Crashed(String),
}

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
