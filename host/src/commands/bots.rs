//! `june telegram` and `june discord`: talking with agents in chat platforms.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use june_chats::{CODE_LIFE, Event, PlatformError, Settings, Store, Token, commands};
use june_discord::Discord;
use june_telegram::Telegram;
use tokio::net::TcpListener;

use super::journal::Recorded;
use super::run::runtime;
use super::{interrupted, pressed};
use crate::agents::{Host, Overrides};
use crate::chats::speech::Speech;
use crate::chats::{self, Chats};
use crate::config::{Config, WebhookTable};
use crate::exit::{Blame, Failure, print};
use crate::paths;
use crate::words::one_line;

/// Let people talk with agents on Telegram, in text and by voice.
///
/// Runs until Ctrl-C. Whatever was not answered then is answered when it runs again, and nothing
/// is answered twice. The bot's token is in the environment variable that `token` of [telegram]
/// names, TELEGRAM_TOKEN if nothing does.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TelegramBot {
    #[command(flatten)]
    bot: Bot,
    #[command(subcommand)]
    command: Option<Access>,
}

/// Let people talk with agents on Discord, in text and by voice message.
///
/// Runs until Ctrl-C. Whatever was not answered then is answered when it runs again, and nothing
/// is answered twice. The bot's token is in the environment variable that `token` of [discord]
/// names, DISCORD_TOKEN if nothing does.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DiscordBot {
    #[command(flatten)]
    bot: Bot,
    #[command(subcommand)]
    command: Option<Access>,
}

#[derive(Args)]
struct Bot {
    /// The configuration [default: june.toml here, else in the user's folder for configuration].
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Answers written beforehand, instead of a model: for tests and demonstrations.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    #[command(flatten)]
    recorded: Recorded,
}

/// Who may speak with the bot.
#[derive(Subcommand)]
enum Access {
    /// Make a code; whoever sends it to the bot within ten minutes may speak with it.
    Pair,
    /// List the people who were paired.
    People {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Forget that a person was paired.
    Forget {
        /// The person, by the platform's identifier.
        person: String,
    },
}

pub(crate) fn telegram(command: &TelegramBot) -> Result<ExitCode, Failure> {
    let config = Config::find(command.bot.config.as_deref()).input()?;
    if let Some(access) = &command.command {
        return self::access(access, "telegram", &config);
    }
    let table = config.tables.telegram.clone();
    let token = token(&table.token, "@BotFather on Telegram gives one").input()?;
    let settings = config.tables.chats.settings(&table.people);
    run(&command.bot, config, settings, async |chats, settings, stop| {
        let of = june_telegram::Settings { token, server: table.server, commands: commands() };
        let telegram = Telegram::connect(of).await.map_err(said)?;
        eprintln!("june: @{} on Telegram; Ctrl-C ends it", telegram.username());
        let engine = chats.engine(Arc::new(telegram.clone()), settings);
        let inbox = Arc::new(chats.store.clone());
        let receive = async {
            match table.webhook {
                None => telegram.receive(inbox, told, stop).await,
                Some(webhook) => {
                    let (listener, secret, path) = listen(&webhook).await?;
                    let hook = telegram.webhook(&webhook.url, secret, inbox, told).await;
                    hook.map_err(said)?.serve(listener, &path, stop).await
                }
            }
            .map_err(said)
        };
        tokio::select! {
            ended = engine.run() => Ok(ended?),
            ended = receive => ended,
        }
    })
}

pub(crate) fn discord(command: &DiscordBot) -> Result<ExitCode, Failure> {
    let config = Config::find(command.bot.config.as_deref()).input()?;
    if let Some(access) = &command.command {
        return self::access(access, "discord", &config);
    }
    let table = config.tables.discord.clone();
    let portal = "https://discord.com/developers gives one, under Bot";
    let token = token(&table.token, portal).input()?;
    let settings = config.tables.chats.settings(&table.people);
    run(&command.bot, config, settings, async |chats, settings, stop| {
        let of = june_discord::Settings { token, server: table.server, commands: commands() };
        let discord = Discord::connect(of).await.map_err(said)?;
        eprintln!("june: {} on Discord; Ctrl-C ends it", discord.username());
        let engine = chats.engine(Arc::new(discord.clone()), settings);
        let inbox = Arc::new(chats.store.clone());
        tokio::select! {
            ended = engine.run() => Ok(ended?),
            ended = discord.receive(inbox, told, stop) => ended.map_err(said),
        }
    })
}

/// Answers until Ctrl-C.
fn run(
    bot: &Bot,
    config: Config,
    settings: Settings,
    serve: impl AsyncFnOnce(&Chats, Settings, Stop) -> Result<()>,
) -> Result<ExitCode, Failure> {
    let names = chats::names(&config);
    let store = chats::store(&config).environment()?;
    let speech = Speech::of(&config).input()?;
    for what in speech.lacks() {
        eprintln!("june: {what}");
    }
    let host = Host::new(config).input()?;
    let overrides = Overrides { script: bot.script.as_deref(), ..Overrides::default() };
    let journal = bot.recorded.open()?;
    let runtime = runtime()?;
    let stop = interrupted()?;
    let chats = Chats::new(&host, names, &overrides, store, speech, journal);
    let chats = runtime.block_on(chats).input()?;
    let stop: Stop = Box::pin(async move { pressed(&stop).await });
    let done = runtime.block_on(serve(&chats, settings, stop));
    // What is on the way may take its time; it is taken up again when June runs again.
    runtime.shutdown_background();
    chats.turns.close().environment()?;
    for (stage, median, most, count) in chats.turns.times() {
        let (median, most) = (median.as_secs_f64() * 1e3, most.as_secs_f64() * 1e3);
        eprintln!("{:<15} {median:>9.1} ms, 95 % under {most:>9.1} ms ({count})", stage.name());
    }
    done.environment()?;
    Ok(ExitCode::SUCCESS)
}

type Stop = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the person at the terminal of troubles.
fn told(event: Event) {
    if let Event::Trouble(why) = event {
        eprintln!("june: {why}");
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

/// Says who may speak with a bot.
fn access(command: &Access, platform: &str, config: &Config) -> Result<ExitCode, Failure> {
    let store: Store = chats::store(config).environment()?;
    match command {
        Access::Pair => {
            let code = store.new_code(platform).environment()?;
            let minutes = CODE_LIFE.as_secs() / 60;
            eprintln!("june: send the bot this within {minutes} minutes:");
            print(&format!("/start {code}\n"))?;
        }
        Access::People { json } => {
            let people = store.people().environment()?.into_iter();
            let people: Vec<_> = people.filter(|known| known.platform == platform).collect();
            if *json {
                print(&format!("{}\n", serde_json::to_string_pretty(&people).environment()?))?;
            }
            for known in people.iter().filter(|_| !json) {
                let name = one_line(&known.person.name, 60);
                print(&format!("{:<20} {name}\n", known.person.id))?;
            }
        }
        Access::Forget { person } => {
            if !store.unpair(platform, person).environment()? {
                eprintln!("june: nobody with the identifier {person} was paired");
                return Ok(ExitCode::from(1));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
