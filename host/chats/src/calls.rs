//! Voice channels: places where people speak with each other, and with an agent.

use futures_util::future::BoxFuture;
use june_speech::Audio;

use crate::{Incoming, PlatformError};

/// A platform's voice channels. What people say in one that the bot is in arrives as a voice
/// message in the chat that belongs to it.
pub trait Calls: Send + Sync {
    /// Joins the channel that the person who gave this command is in, and returns its name.
    fn join<'a>(&'a self, command: &'a Incoming) -> BoxFuture<'a, Result<String, PlatformError>>;

    /// Leaves the channel of this chat, or of this person. False where the bot is in none.
    fn leave<'a>(&'a self, command: &'a Incoming) -> BoxFuture<'a, bool>;

    /// A way to answer aloud; none where this was not said in a channel that the bot is in.
    fn line(&self, said: &Incoming) -> Option<Box<dyn Line>>;
}

/// A way to speak in a channel, for one answer. Who drops it falls silent.
pub trait Line: Send {
    /// Says this, after what was said before; waits until it begins. False where nobody is to hear
    /// it: somebody else spoke since the line was there, or the bot left.
    fn say(&mut self, audio: Audio) -> BoxFuture<'_, bool>;

    /// Waits until all is said. False as above.
    fn end(&mut self) -> BoxFuture<'_, bool>;
}
