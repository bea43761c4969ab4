//! `[chats]`, `[telegram]` and `[discord]`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use june_chats::{Access, Settings};
use serde::Deserialize;
use toml::Spanned;

use super::units::{Bytes, Time};

/// What holds for conversations on all platforms.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ChatsTable {
    /// The agents that people can choose from; the first one answers where nobody chose.
    pub(crate) agents: Vec<Spanned<String>>,
    /// The file of the conversations, relative to the configuration's folder; in the user's folder
    /// for state, if left out.
    pub(crate) store: Option<PathBuf>,
    /// Whether conversations are forgotten when June ends.
    pub(crate) forget: bool,
    patience: Option<Time>,
    longest: Option<Time>,
    voice: Option<Time>,
    bytes: Option<Bytes>,
    parallel: Option<usize>,
}

impl Default for ChatsTable {
    fn default() -> Self {
        let agents = vec![Spanned::new(0..0, "direct".to_owned())];
        let (store, forget) = (None, false);
        let (patience, longest, voice, bytes, parallel) = (None, None, None, None, None);
        Self { agents, store, forget, patience, longest, voice, bytes, parallel }
    }
}

impl ChatsTable {
    /// These settings, for people who may speak.
    pub(crate) fn settings(&self, people: &People) -> Settings {
        let own = Settings::default();
        Settings {
            access: people.access(),
            patience: self.patience.map_or(own.patience, |Time(time)| time),
            longest: self.longest.map_or(own.longest, |Time(time)| time),
            voice: self.voice.map_or(own.voice, |Time(time)| time),
            bytes: self.bytes.map_or(own.bytes, |Bytes(bytes)| bytes),
            parallel: self.parallel.unwrap_or(own.parallel).max(1),
            ..own
        }
    }
}

/// Who may speak with the agents: `"everyone"`, or people by the platform's identifiers. Whoever
/// was paired with a code may, too.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "\"everyone\", or a list of identifiers")]
pub(crate) enum People {
    Everyone(Everyone),
    These(BTreeSet<String>),
}

/// The word.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Everyone {
    Everyone,
}

impl Default for People {
    fn default() -> Self {
        People::These(BTreeSet::new())
    }
}

impl People {
    fn access(&self) -> Access {
        match self {
            People::Everyone(Everyone::Everyone) => Access::Everyone,
            People::These(people) => Access::People(people.clone()),
        }
    }
}

/// A bot on Telegram.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TelegramTable {
    /// The environment variable that holds the bot's token.
    pub(crate) token: String,
    /// Who may speak with it.
    pub(crate) people: People,
    /// The Bot API's address.
    pub(crate) server: String,
    /// Where Telegram brings updates; they are fetched, if left out.
    pub(crate) webhook: Option<WebhookTable>,
}

impl Default for TelegramTable {
    fn default() -> Self {
        let (token, server) = ("TELEGRAM_TOKEN".into(), june_telegram::SERVER.into());
        Self { token, people: People::default(), server, webhook: None }
    }
}

/// Where Telegram brings updates.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookTable {
    /// The address that Telegram sends to, with HTTPS.
    pub(crate) url: String,
    /// Where June listens, behind what ends the HTTPS.
    pub(crate) listen: std::net::SocketAddr,
    /// The environment variable that holds what only Telegram and June know.
    pub(crate) secret: String,
}

/// A bot on Discord.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DiscordTable {
    /// The environment variable that holds the bot's token.
    pub(crate) token: String,
    /// Who may speak with it.
    pub(crate) people: People,
    /// The address of Discord's API.
    pub(crate) server: String,
}

impl Default for DiscordTable {
    fn default() -> Self {
        let (token, server) = ("DISCORD_TOKEN".into(), june_discord::SERVER.into());
        Self { token, people: People::default(), server }
    }
}
