//! Doubles of chat platforms for tests: servers of this machine that behave as the platforms'
//! published interfaces say, and are strict where those are. What was pushed into one arrives at
//! the bot; what the bot sent can be looked at; faults happen when a test asks for them.
//!
//! Each runs on a thread of its own until it is dropped, so that tests with and without a runtime
//! can use it.

// A guild has more members than a macro may have otherwise.
#![recursion_limit = "256"]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "only tests use it"
)]

pub mod discord;
mod fault;
mod inbox;
mod server;
pub mod telegram;

pub use discord::DiscordDouble;
pub use discord::{Encryption, VoiceDouble};
pub use fault::Fault;
pub use inbox::InboxDouble;
pub use telegram::TelegramDouble;
