//! What goes between a platform that receives and its host, besides the messages.

/// What a platform tells while it receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// There are new messages in the inbox.
    New,
    /// Something does not work, in words; it goes on, and tries again where that helps.
    Trouble(String),
}

/// A command that a platform shows people to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuCommand {
    /// The name, without the slash: lower-case letters, digits and underscores.
    pub name: String,
    /// What it does, in a few words.
    pub about: String,
    /// What may follow it, for example `on or off`; none where nothing may.
    pub argument: Option<String>,
}
