//! Telegram as a chat platform: the Bot API through teloxide.
//!
//! [`Telegram::connect`] makes a [`june_chats::Platform`] that sends;
//! [`Telegram::receive`] (long polling) or a [`Webhook`] puts what arrives into a
//! [`june_chats::Inbox`], always before Telegram is told that it arrived.
//!
//! Updates and answers are read by their few fields that matter here, not with teloxide's types:
//! those refuse a whole message for one unknown kind of entity, and a message that was sent would
//! be taken for one that was not.

mod call;
mod format;
mod platform;
mod poll;
mod update;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use june_chats::{MenuCommand, PlatformError, Token};
use reqwest::Url;
use reqwest::redirect::Policy;
use serde::Deserialize;
use teloxide_core::Bot;
use teloxide_core::payloads::{GetMe, SetMyCommands};
use teloxide_core::types::BotCommand;

pub use webhook::Webhook;

/// Telegram's own server.
pub const SERVER: &str = "https://api.telegram.org";

/// How a bot reaches Telegram.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What @BotFather gave.
    pub token: Token,
    /// Where the Bot API is: [`SERVER`], or a Bot API server of one's own.
    pub server: String,
    /// The commands that Telegram offers in its menu. In groups, these are for the bot even without
    /// its name.
    pub commands: Vec<MenuCommand>,
}

/// A bot on Telegram. Clones are the same bot.
#[derive(Clone)]
pub struct Telegram {
    bot: Bot,
    token: Token,
    me: Arc<Me>,
    commands: Arc<[MenuCommand]>,
}

/// Who the bot is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Me {
    id: i64,
    username: String,
}

impl Telegram {
    /// Asks Telegram who the bot is, and tells it the commands.
    ///
    /// # Errors
    ///
    /// When the token or the server is none, Telegram does not accept the token, or it cannot be
    /// reached.
    pub async fn connect(settings: Settings) -> Result<Telegram, PlatformError> {
        let Settings { token, server, commands } = settings;
        if !plausible(&token) {
            return Err(PlatformError::Unauthorized(format!(
                "this is no token of a Telegram bot\n{TOKEN_HINT}"
            )));
        }
        let server = server
            .parse()
            .ok()
            .filter(|url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                PlatformError::Refused(format!(
                    "the Bot API server is not an http or https address\nhint: Telegram's own is {SERVER}"
                ))
            })?;
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(90))
            .tcp_nodelay(true)
            // The token is in the address, so nobody else may get it.
            .redirect(Policy::none())
            .referer(false)
            .build()
            .map_err(|error| PlatformError::Refused(format!("cannot set up TLS: {error}")))?;
        let bot = Bot::with_client(token.expose(), client).set_api_url(server);
        let me = call::json(&bot, &token, &call::Reading::<_, Me>::of(GetMe::new())).await?;
        let telegram = Telegram { bot, token, me: Arc::new(me), commands: commands.into() };
        telegram.offer_commands().await?;
        Ok(telegram)
    }

    /// The bot's name, without the `@`.
    pub fn username(&self) -> &str {
        &self.me.username
    }

    async fn offer_commands(&self) -> Result<(), PlatformError> {
        let commands: Vec<_> = self
            .commands
            .iter()
            .map(|command| match &command.argument {
                None => BotCommand::new(&command.name, &command.about),
                Some(argument) => {
                    BotCommand::new(&command.name, format!("{}: {argument}", command.about))
                }
            })
            .collect();
        let set = call::Reading::<_, bool>::of(SetMyCommands::new(commands));
        call::json(&self.bot, &self.token, &set).await.map(drop)
    }

    /// A name of its own for each bot: identifiers of updates are only unique within one.
    fn own(&self, name: impl std::fmt::Display) -> String {
        format!("{}/{name}", self.me.id)
    }
}

/// Where a token comes from.
const TOKEN_HINT: &str = "hint: @BotFather on Telegram gives tokens, and shows that of a bot again; \
                          they look like 123456:ABC-DEF";

/// Whether it is written like a token: anything else would change the addresses it is put into.
fn plausible(token: &Token) -> bool {
    token.expose().split_once(':').is_some_and(|(id, key)| {
        !id.is_empty()
            && id.bytes().all(|byte| byte.is_ascii_digit())
            && !key.is_empty()
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_form() {
        assert!(plausible(&Token::new("123456:ABC-DEF1234_ghIkl")));
        for other in ["", ":", "123456", "123456:", ":abc", "12a:abc", "1:a/b", "1:a?b", "1:a b"] {
            assert!(!plausible(&Token::new(other)), "{other}");
        }
    }
}
