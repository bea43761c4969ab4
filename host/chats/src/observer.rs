//! What happens in a turn, for whoever keeps a journal or counts.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::Chat;

/// A part of a turn that takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// From the arrival until the work begins.
    Wait,
    /// Fetching a voice message or a file.
    Download,
    /// Reading a voice message, finding speech in it and writing down what was said.
    Hear,
    /// From the request until the agent says its first word.
    FirstWord,
    /// From the request until the first sentence is complete.
    FirstSentence,
    /// From the request until the answer is complete.
    Agent,
    /// Saying a sentence, or a few.
    Speak,
    /// From the last spoken sentence until the voice message is made: most of it was before.
    Encode,
    /// Sending the voice message.
    Upload,
    /// Sending the complete text, message by message.
    Delivery,
}

impl Stage {
    /// All of them, in the order of a turn.
    pub const ALL: [Self; 10] = [
        Self::Wait,
        Self::Download,
        Self::Hear,
        Self::FirstWord,
        Self::FirstSentence,
        Self::Agent,
        Self::Speak,
        Self::Encode,
        Self::Upload,
        Self::Delivery,
    ];

    /// The name, as metrics have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Download => "download",
            Self::Hear => "hear",
            Self::FirstWord => "first-word",
            Self::FirstSentence => "first-sentence",
            Self::Agent => "agent",
            Self::Speak => "speak",
            Self::Encode => "encode",
            Self::Upload => "upload",
            Self::Delivery => "delivery",
        }
    }
}

/// What passed through a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passed {
    /// Nothing.
    Nothing,
    /// Text.
    Text(String),
    /// Bytes: how many, and their SHA-256.
    Bytes(u64, [u8; 32]),
}

impl Passed {
    /// Describes bytes.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Bytes(u64::try_from(bytes.len()).unwrap_or(u64::MAX), Sha256::digest(bytes).into())
    }
}

/// Is told what happens. Its functions are called on the threads that answer: they must be quick.
pub trait Observer: Send + Sync {
    /// A stage of a turn begins.
    fn began(&self, chat: &Chat, turn: u64, stage: Stage);

    /// A stage ended after this time, with what passed through it, or why it failed.
    fn ended(
        &self,
        chat: &Chat,
        turn: u64,
        stage: Stage,
        took: Duration,
        passed: Result<Passed, String>,
    );

    /// A turn is at its end, and all that it had to send was sent.
    fn done(&self, chat: &Chat, turn: u64);
}
