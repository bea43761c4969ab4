//! Conversations in chat platforms: nothing lost, nothing said twice.

mod incoming;
mod platform;
mod receive;
mod table;
mod token;

pub use incoming::{Attachment, Chat, Incoming, Person};
pub use june_speech::Voice;
pub use platform::{Inbox, Indicator, Limits, Platform, PlatformError, Post, Units};
pub use receive::{Event, MenuCommand};
pub use table::even_columns;
pub use token::Token;
