//! What a platform can do.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use june_speech::Voice;

use crate::{Attachment, Calls, Chat, Incoming};

/// Where a platform puts what arrives.
pub trait Inbox: Send + Sync {
    /// Writes updates to disk, all or none, and says which are new. Only then may the platform be
    /// told that they arrived; what it sends again after that is not new.
    fn record(&self, updates: &[Incoming]) -> Result<Vec<bool>, PlatformError>;
    /// A mark that a platform keeps over restarts, for example its place in the stream of updates.
    fn mark(&self, name: &str) -> Result<Option<String>, PlatformError>;
    /// Writes updates and a mark, all or none.
    fn record_to(
        &self,
        updates: &[Incoming],
        name: &str,
        mark: &str,
    ) -> Result<Vec<bool>, PlatformError>;
    /// The people of a platform who were paired with a code.
    fn paired(&self, platform: &str) -> Result<Vec<String>, PlatformError>;
}

/// A chat platform's own service, seen from the bot. Calls wait where the platform says that there
/// were too many, as long as that takes less than a minute.
pub trait Platform: Send + Sync {
    /// `telegram` or `discord`.
    fn name(&self) -> &'static str;

    /// What a message may hold.
    fn limits(&self) -> Limits;

    /// Sends a new message, and returns the platform's identifier of it.
    fn post(&self, post: Post) -> BoxFuture<'_, Result<String, PlatformError>>;

    /// Replaces the text of a message that the bot sent. The same text twice is no error.
    fn edit<'a>(
        &'a self,
        chat: &'a Chat,
        message: &'a str,
        markdown: &'a str,
    ) -> BoxFuture<'a, Result<(), PlatformError>>;

    /// Sends a voice message (OGG with Opus), and returns the platform's identifier of it.
    fn voice(&self, post: Post, voice: Voice) -> BoxFuture<'_, Result<String, PlatformError>>;

    /// Shows what the bot is doing, for a few seconds.
    fn indicate<'a>(
        &'a self,
        chat: &'a Chat,
        indicator: Indicator,
    ) -> BoxFuture<'a, Result<(), PlatformError>>;

    /// Voice channels, where the platform has any.
    fn calls(&self) -> Option<&dyn Calls> {
        None
    }

    /// Fetches a file; refused when it has more bytes than `most`.
    fn download<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> BoxFuture<'a, Result<Bytes, PlatformError>>;
}

/// A new message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Where.
    pub chat: Chat,
    /// The text, in Markdown; the platform writes it in its own way, and plainly where it cannot.
    /// Empty for a voice message without a caption.
    pub markdown: String,
    /// The message that it answers.
    pub answers: Option<String>,
    /// The same for every attempt to send this message: 1 to 25 letters and digits. A platform
    /// that can tells two attempts from two messages by it.
    pub key: String,
}

/// What the bot is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indicator {
    /// Writing.
    Typing,
    /// Recording a voice message.
    Recording,
}

/// What a message may hold, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest text after it was written in the platform's way.
    pub text: usize,
    /// What lengths are counted in.
    pub units: Units,
    /// The largest file that the bot may download, in bytes.
    pub download: u64,
    /// The largest file that it may send, in bytes.
    pub upload: u64,
    /// The least time between two edits of a message.
    pub edits: Duration,
    /// Whether two attempts to post with the same key make one message.
    pub keyed: bool,
}

/// What a platform counts lengths in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// Unicode scalar values.
    Scalars,
    /// UTF-16 code units.
    Utf16,
}

/// Why a platform did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// The platform cannot be reached, or has a fault; the same may work later. Whether a message
    /// was sent is not known.
    #[error("{0}")]
    Unavailable(String),
    /// The platform asks to wait; nothing was done.
    #[error("{0}")]
    TooMany(String, Duration),
    /// The platform refuses, and will again: the bot was removed from the chat, the message is
    /// gone, the file is too large.
    #[error("{0}")]
    Refused(String),
    /// The token is not accepted.
    #[error("{0}")]
    Unauthorized(String),
    /// What arrived could not be written to disk.
    #[error("{0}")]
    Store(String),
}

impl PlatformError {
    /// A file has more bytes than `most`, which the bot may download.
    pub fn too_large(most: u64) -> PlatformError {
        let most = most / 1000;
        PlatformError::Refused(format!("the file is larger than the {most} kB that are downloaded"))
    }
}
