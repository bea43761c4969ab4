//! How a run ended.

use minicbor::{Decode, Encode};

/// Which of a program's two texts was running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Phase {
    /// The program itself.
    #[n(0)]
    Source,
    /// The checks that judge it.
    #[n(1)]
    Checks,
}

/// An exception that nothing in the program caught.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Exception {
    /// Its type's name, such as `AssertionError`.
    #[n(0)]
    pub kind: String,
    /// Its message, shortened by the runner.
    #[n(1)]
    pub message: String,
    /// Where it surfaced.
    #[n(2)]
    pub phase: Phase,
    /// The line of that text, counted from 1; 0 when unknown.
    #[n(3)]
    pub line: u32,
    /// The failing statement of the checks, as written.
    #[n(4)]
    pub statement: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Exit {
    /// It ran to its end: every statement of the program and of its checks.
    #[n(0)]
    Returned,
    /// An exception left it.
    #[n(1)]
    Raised(#[n(0)] Exception),
    /// It asked to exit with this status.
    #[n(2)]
    Exited(#[n(0)] i32),
    /// It used up its fuel.
    #[n(3)]
    OutOfFuel,
    /// It asked for more memory than its limit.
    #[n(4)]
    OutOfMemory,
    /// The wall-clock fuse blew. Says something of the machine, not of the
    /// program.
    #[n(5)]
    TimedOut,
    /// The interpreter itself trapped, or hit a limit that ends a run. The
    /// text names which.
    #[n(6)]
    Crashed(#[n(0)] String),
}

impl Exit {
    /// The kind of exit, in a word.
    pub fn name(&self) -> &'static str {
        match self {
            Exit::Returned => "returned",
            Exit::Raised(_) => "raised",
            Exit::Exited(_) => "exited",
            Exit::OutOfFuel => "out-of-fuel",
            Exit::OutOfMemory => "out-of-memory",
            Exit::TimedOut => "timed-out",
            Exit::Crashed(_) => "crashed",
        }
    }

    /// What there is to say beyond the name; empty where that says it all.
    pub fn detail(&self) -> String {
        match self {
            Exit::Raised(exception) if exception.message.is_empty() => exception.kind.clone(),
            Exit::Raised(exception) => format!("{}: {}", exception.kind, exception.message),
            Exit::Exited(status) => format!("status {status}"),
            Exit::Crashed(text) => text.clone(),
            Exit::Returned | Exit::OutOfFuel | Exit::OutOfMemory | Exit::TimedOut => String::new(),
        }
    }
}
