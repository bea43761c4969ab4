//! The values of the contract `june:agent`: what a component and its host say
//! to each other. Generated from `wit/`, where each is documented.

use crate::bindings::{strategy, tool};

pub use strategy::exports::june::agent::turn_handler::{Answer, StrategyError, Turn};
pub use strategy::june::agent::llm::{
    Completion, Delta, LlmError, Request, ResponseFormat, Sampling,
};
pub use strategy::june::agent::memory::MemoryError;
pub use strategy::june::agent::program_types as programs;
pub use strategy::june::agent::reply::{Stage, Step};
pub use strategy::june::agent::tools::ToolError;
pub use strategy::june::agent::types::{
    FinishReason, Message, Part, Role, ToolCall, ToolResult, ToolSpec, Usage,
};
pub use tool::exports::june::agent::tool_handler::CallError;

/// A text that a component chose, short enough for a message.
pub(crate) fn short(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// An error that can say that a call was not made, and why.
pub(crate) trait Refusal {
    /// No grant covers the call.
    fn denied(why: String) -> Self;
    /// A limit is used up.
    fn limit(why: String) -> Self;
}

macro_rules! refusals {
    ($($error:ty),*) => {$(
        impl Refusal for $error {
            fn denied(why: String) -> Self {
                Self::Denied(why)
            }

            fn limit(why: String) -> Self {
                Self::Limit(why)
            }
        }
    )*};
}

refusals!(LlmError, ToolError, MemoryError, programs::ProgramError);

impl Stage {
    /// The stage's name.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Think => "think",
            Stage::Plan => "plan",
            Stage::Execute => "execute",
            Stage::Reflect => "reflect",
        }
    }
}

impl StrategyError {
    /// The reason, in words.
    pub fn why(&self) -> String {
        match self {
            StrategyError::Llm(why) => format!("the model failed: {why}"),
            StrategyError::Failed(why) => why.clone(),
        }
    }
}
