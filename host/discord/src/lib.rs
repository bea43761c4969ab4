//! Discord as a chat platform: its gateway through serenity, its HTTP interface directly.
//!
//! [`Discord::connect`] makes a [`june_chats::Platform`] that sends; [`Discord::receive`] puts what
//! arrives into a [`june_chats::Inbox`]. The gateway does not wait for a word that a message
//! arrived, so with each one its channel's place is kept, and what came in the meantime is fetched
//! when the gateway is connected anew.

#[cfg(feature = "voice-channels")]
mod calls;
mod format;
mod incoming;
mod marks;
mod platform;
mod receive;
mod rest;

use std::sync::Arc;
use std::time::Duration;

use june_chats::{Access, MenuCommand, PlatformError, Token};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use rest::{Body, Rest};

/// Discord's own server.
pub const SERVER: &str = "https://discord.com";

/// How a bot reaches Discord.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the developer portal gave.
    pub token: Token,
    /// Where the interface is: [`SERVER`], or a server in front of it. Files are downloaded from
    /// there too, besides from Discord's own servers for files.
    pub server: String,
    /// The slash commands.
    pub commands: Vec<MenuCommand>,
    /// Who may speak with the agents, besides who was paired: the first private message of somebody
    /// who is named here is found even if it came while the bot was away.
    pub access: Access,
}

/// A bot on Discord. Clones are the same bot.
#[derive(Clone)]
pub struct Discord {
    rest: Rest,
    token: Token,
    server: Arc<str>,
    me: u64,
    name: Arc<str>,
    access: Access,
    #[cfg(feature = "voice-channels")]
    calls: calls::VoiceChannels,
}

impl Discord {
    /// Asks Discord who the bot is, and tells it the commands.
    ///
    /// # Errors
    ///
    /// When the token or the server is none, Discord does not accept the token, or it cannot be
    /// reached.
    pub async fn connect(settings: Settings) -> Result<Discord, PlatformError> {
        let Settings { token, server, commands, access } = settings;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if token.expose().is_empty() || !token.expose().bytes().all(fits) {
            return Err(PlatformError::Unauthorized(format!(
                "this is no token of a Discord bot\n{TOKEN_HINT}"
            )));
        }
        let known = Url::parse(&server)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !known {
            return Err(PlatformError::Refused(format!(
                "the server is not an http or https address\nhint: Discord's own is {SERVER}"
            )));
        }
        let client = reqwest::Client::builder()
            .user_agent(concat!("DiscordBot (june, ", env!("CARGO_PKG_VERSION"), ")"))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .redirect(Policy::none())
            .build()
            .map_err(|error| PlatformError::Refused(format!("cannot set up TLS: {error}")))?;
        let rest = Rest::new(client, &server, token.clone());
        let me = rest.call(Method::GET, "users/@me", &Body::Nothing).await?;
        let application = rest.call(Method::GET, "applications/@me", &Body::Nothing).await?;
        let id = |value: &Value| value["id"].as_str().and_then(|id| id.parse().ok());
        let (Some(own), Some(application)) = (id(&me), id(&application)) else {
            return Err(PlatformError::Unavailable(
                "what came from Discord does not say who the bot is".to_owned(),
            ));
        };
        let discord = Discord {
            rest,
            token,
            server: server.into(),
            me: own,
            name: me["username"].as_str().unwrap_or_default().into(),
            #[cfg(feature = "voice-channels")]
            calls: calls::VoiceChannels::new(own, access.clone()),
            access,
        };
        #[cfg(feature = "voice-channels")]
        let commands = [commands, june_chats::call_commands()].concat();
        discord.offer_commands(application, &commands).await?;
        Ok(discord)
    }

    /// The bot's name.
    pub fn username(&self) -> &str {
        &self.name
    }

    /// The same, with something that finds speech in the noise of voice channels. Without it, what
    /// Discord sends is taken for speech: people's own clients leave out what they take for silence.
    #[cfg(feature = "voice-channels")]
    pub fn with_speech_finder(self, finder: impl june_speech::FindSpeech + 'static) -> Discord {
        self.calls.set_finder(finder);
        self
    }

    async fn offer_commands(
        &self,
        application: u64,
        commands: &[MenuCommand],
    ) -> Result<(), PlatformError> {
        let commands: Vec<_> = commands
            .iter()
            .map(|command| {
                let options: Vec<_> = command
                    .argument
                    .iter()
                    .map(|about| {
                        // 3: a string.
                        json!({"type": 3, "name": "argument", "description": about, "required": false})
                    })
                    .collect();
                json!({"type": 1, "name": command.name, "description": command.about, "options": options})
            })
            .collect();
        let path = format!("applications/{application}/commands");
        self.rest.call(Method::PUT, &path, &Body::Json(commands.into())).await.map(drop)
    }
}

/// Where a token comes from.
const TOKEN_HINT: &str = "hint: the page \"Bot\" of the application in Discord's developer portal \
                          gives tokens";
