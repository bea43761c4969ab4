//! Conversations in chat platforms: nothing lost, nothing said twice.

mod incoming;
mod platform;

pub use incoming::{Attachment, Chat, Incoming, Person};
pub use june_speech::Voice;
pub use platform::{Inbox, Indicator, Limits, Platform, PlatformError, Post, Units};
