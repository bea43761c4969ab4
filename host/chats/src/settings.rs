//! What the owner decides.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::Rate;

/// What the owner decides. Everything has a bound.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may speak with the agents.
    pub access: Access,
    /// What one person may ask.
    pub person: Rate,
    /// What may be asked in one chat.
    pub chat: Rate,
    /// The most turns at once, in different chats.
    pub parallel: usize,
    /// The most messages of a chat that wait for the one before.
    pub waiting: usize,
    /// When the person is told that it takes longer, if the agent said nothing yet.
    pub patience: Duration,
    /// When a turn ends with the answer so far.
    pub longest: Duration,
    /// How often the agent is asked the same, if June is killed meanwhile.
    pub attempts: u32,
    /// How long June tries to reach the platform with an answer.
    pub delivery: Duration,
    /// The most turns of the conversation that the agent is given.
    pub turns: usize,
    /// The most bytes of the conversation that the agent is given.
    pub conversation: usize,
    /// The longest answer in bytes; the rest is cut off, and said to be.
    pub answer: usize,
    /// The most files of a message.
    pub files: usize,
    /// The most bytes of the files of a message together; also the most of a voice message.
    pub bytes: u64,
    /// The longest voice message that is listened to.
    pub voice: Duration,
    /// How many bytes of an answer are spoken at most.
    pub spoken: usize,
}

/// Who may speak with the agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Whoever finds the bot.
    Everyone,
    /// People with these identifiers of the platform, and who was paired with a code.
    People(BTreeSet<String>),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access: Access::People(BTreeSet::new()),
            person: Rate { burst: 10, every: Duration::from_secs(3) },
            chat: Rate { burst: 20, every: Duration::from_secs(1) },
            parallel: 64,
            waiting: 8,
            patience: Duration::from_secs(8),
            longest: Duration::from_secs(300),
            attempts: 3,
            delivery: Duration::from_secs(3600),
            turns: 40,
            conversation: 256 << 10,
            answer: 128 << 10,
            files: 8,
            bytes: 20 << 20,
            voice: Duration::from_secs(600),
            spoken: 4000,
        }
    }
}
