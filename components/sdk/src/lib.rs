//! Writing strategies and tools for June in Rust.
//!
//! A tool is a type with a name, a purpose and arguments. What is written about the arguments is
//! what the model reads, and becomes their JSON Schema:
//!
//! ```ignore
//! use june_sdk::{CallError, Tool, arguments, tool};
//!
//! arguments! {
//!     struct Greeting {
//!         /// Whom to greet.
//!         name: String,
//!     }
//! }
//!
//! struct Greet;
//!
//! impl Tool for Greet {
//!     const NAME: &str = "greet";
//!     const DESCRIPTION: &str = "Greets a person by name.";
//!     type Arguments = Greeting;
//!
//!     fn call(greeting: Greeting) -> Result<String, CallError> {
//!         Ok(format!("Hello, {}!", greeting.name))
//!     }
//! }
//!
//! tool!(Greet);
//! ```
//!
//! A strategy is a type that answers a turn. [`Chat`] knows how to ask a model, how to stream what
//! it says and how to call the tools that it asks for:
//!
//! ```ignore
//! use june_sdk::{Chat, Strategy, StrategyError, Turn, reply, strategy};
//!
//! struct Helper;
//!
//! impl Strategy for Helper {
//!     fn respond(turn: Turn) -> Result<String, StrategyError> {
//!         let mut chat = Chat::new(turn)?.with_granted_tools();
//!         chat.work(8, reply::say)?.conclude()
//!     }
//! }
//!
//! strategy!(Helper);
//! ```
//!
//! All else that the host offers is in the modules [`llm`], [`memory`], [`programs`], [`reply`] and
//! [`tools`], as the files in `wit/` describe it. Build with
//! `cargo build --release --target wasm32-wasip2`.

#![warn(missing_docs, unreachable_pub)]

mod arguments;
pub use arguments::{Schema, object, one_of};

#[doc(hidden)]
pub use serde;
pub use serde_json;

#[cfg(target_arch = "wasm32")]
mod guest {
    #[doc(hidden)]
    pub mod bindings;
    mod chat;
    mod message;
    mod program;
    mod strategy;
    mod tool;

    pub use bindings::imports::june::agent::{
        llm, memory, program_types, programs, reply, tools, types,
    };
    pub use chat::{Chat, Reply, note};
    pub use program_types::{Limits, Outcome, Program};
    pub use strategy::{Exported as ExportedStrategy, Strategy, StrategyError, Turn};
    pub use tool::{CallError, Exported as ExportedTool, Tool};
    pub use types::{FinishReason, Message, Part, Role, ToolCall, ToolResult, ToolSpec, Usage};
}
#[cfg(target_arch = "wasm32")]
pub use guest::*;
