//! What arrives from a platform.

use serde::{Deserialize, Serialize};

/// A place where people and the bot write to each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Chat {
    /// `telegram` or `discord`.
    pub platform: String,
    /// The platform's identifier: a chat, with its topic where it has one, or a channel.
    pub id: String,
}

/// Who wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The platform's identifier.
    pub id: String,
    /// The name that people see.
    pub name: String,
}

/// A message that somebody sent to the bot, or where it can read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// The platform's identifier of this update: the same one twice is the same update.
    pub update: String,
    /// Where it was written.
    pub chat: Chat,
    /// Whether nobody but this person and the bot is there.
    pub private: bool,
    /// Who wrote it. Messages by bots do not get here.
    pub person: Person,
    /// The platform's identifier of the message.
    pub message: String,
    /// Whether this is a new text for a message that arrived before.
    pub edit: bool,
    /// Whether it mentions the bot, answers one of its messages, or is a command for it. Mentions
    /// of the bot are not in the text.
    pub addressed: bool,
    /// The text, or the caption; empty for none. Commands are `/name arguments` on every platform.
    pub text: String,
    /// A voice message, or audio sent as one.
    pub voice: Option<Attachment>,
    /// Other files.
    pub files: Vec<Attachment>,
    /// The platform's time: seconds of Unix time.
    pub time: u64,
}

/// A file of a message, which can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What the platform downloads it by.
    pub id: String,
    /// The name that the sender gave it; not to be trusted as a path.
    pub name: String,
    /// The media type that the sender claims (RFC 6838).
    pub media_type: Option<String>,
    /// Its size in bytes, where the platform tells it.
    pub bytes: Option<u64>,
    /// How long it plays, in seconds, where the platform tells it.
    pub seconds: Option<u32>,
}
