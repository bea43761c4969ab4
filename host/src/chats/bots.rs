//! The bots: what connects a platform with the agents.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use june_chats::{Event, PlatformError, Settings, Token, commands};
use june_discord::Discord;
use june_telegram::Telegram;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Chats;
use crate::config::{self, Config, DiscordTable, TelegramTable, WebhookTable};
use crate::paths;

/// A bot that has its token.
#[derive(Clone)]
pub(crate) struct Bot {
    platform: Platform,
    token: Token,
    settings: Settings,
    /// The model that finds speech in voice channels.
    #[cfg(feature = "voice-channels")]
    finder: Option<std::path::PathBuf>,
}

#[derive(Clone)]
enum Platform {
    Telegram(TelegramTable),
    Discord(DiscordTable),
}

impl Bot {
    /// The bot that a configuration describes.
    pub(crate) fn of(bot: config::Bot, config: &Config) -> Result<Self> {
        let tables = &config.tables;
        let (platform, variable, from, people) = match bot {
            config::Bot::Telegram => {
                let table = tables.telegram.clone();
                let (variable, people) = (table.token.clone(), table.people.clone());
                let from = "@BotFather on Telegram gives one";
                (Platform::Telegram(table), variable, from, people)
            }
            config::Bot::Discord => {
                let table = tables.discord.clone();
                let (variable, people) = (table.token.clone(), table.people.clone());
                let from = "https://discord.com/developers gives one, under Bot";
                (Platform::Discord(table), variable, from, people)
            }
        };
        let token = token(&variable, from)?;
        Ok(Self {
            platform,
            token,
            settings: tables.chats.settings(&people),
            #[cfg(feature = "voice-channels")]
            finder: crate::pulled::find(crate::pulled::VAD, &config.folder()).ok(),
        })
    }

    /// Answers until `stop`; then what is being answered is finished, and the rest is answered
    /// when the bot runs again. `tell` is told who it is, and of troubles.
    pub(crate) async fn run(
        self,
        chats: &Chats,
        tell: impl Fn(&str) + Clone + Send + Sync + 'static,
        stop: CancellationToken,
    ) -> Result<()> {
        let Self { platform, token, settings, .. } = self;
        let troubles = {
            let tell = tell.clone();
            move |event| {
                if let Event::Trouble(why) = event {
                    tell(&why);
                }
            }
        };
        let inbox = Arc::new(chats.store.clone());
        let stopped = || stop.clone().cancelled_owned();
        // When one ends by itself, so does the other: an error, most often.
        let ends = stop.child_token();
        match platform {
            Platform::Telegram(table) => {
                let TelegramTable { server, webhook, .. } = table;
                let of = june_telegram::Settings { token, server, commands: commands() };
                let telegram = Telegram::connect(of).await.map_err(said)?;
                tell(&format!("@{} on Telegram", telegram.username()));
                let engine = chats.engine(Arc::new(telegram.clone()), settings);
                let receive = async {
                    let _ends = ends.clone().drop_guard();
                    match webhook {
                        None => telegram.receive(inbox, troubles, stopped()).await,
                        Some(webhook) => {
                            let (listener, secret, path) = listen(&webhook).await?;
                            let hook = telegram.webhook(&webhook.url, secret, inbox, troubles);
                            hook.await.map_err(said)?.serve(listener, &path, stopped()).await
                        }
                    }
                    .map_err(said)
                };
                let answer = async { Ok(engine.run_until(ends.cancelled()).await?) };
                tokio::try_join!(receive, answer).map(|_| ())
            }
            Platform::Discord(table) => {
                let server = table.server;
                let access = settings.access.clone();
                let of = june_discord::Settings { token, server, commands: commands(), access };
                let discord = Discord::connect(of).await.map_err(said)?;
                #[cfg(feature = "voice-channels")]
                let discord = match self.finder {
                    Some(path) => discord.with_speech_finder(june_speech::Vad::open(&path)?),
                    None => discord,
                };
                tell(&format!("{} on Discord", discord.username()));
                let engine = chats.engine(Arc::new(discord.clone()), settings);
                let receive = async {
                    let _ends = ends.clone().drop_guard();
                    discord.receive(inbox, troubles, stopped()).await.map_err(said)
                };
                let answer = async { Ok(engine.run_until(ends.cancelled()).await?) };
                tokio::try_join!(receive, answer).map(|_| ())
            }
        }
    }
}

fn said(error: PlatformError) -> anyhow::Error {
    anyhow!(error.to_string())
}

fn token(variable: &str, from: &str) -> Result<Token> {
    let token = paths::secret(variable).with_context(|| {
        format!("the bot has no token: {variable} is not set\nhint: {from}; `export {variable}=…`")
    })?;
    Ok(Token::new(token))
}

/// Where a webhook's updates arrive: the listener, the secret and the path.
async fn listen(webhook: &WebhookTable) -> Result<(TcpListener, Token, String)> {
    let WebhookTable { url, listen, secret } = webhook;
    let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    let Some(path) = path.map(|path| path.split(['?', '#']).next().unwrap_or(path)) else {
        bail!(
            "the webhook's url {url} has no path\nhint: such as https://bot.example.org/telegram"
        );
    };
    let secret = token(secret, "make up 32 letters and digits")?;
    let listener = TcpListener::bind(listen).await;
    Ok((listener.with_context(|| format!("cannot listen at {listen}"))?, secret, path.to_owned()))
}
