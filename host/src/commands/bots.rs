//! `june telegram` and `june discord`: talking with agents in chat platforms.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use june_chats::{CODE_LIFE, Store};
use tokio_util::sync::CancellationToken;

use super::journal::Recorded;
use super::run::runtime;
use super::{interrupted, pressed};
use crate::agents::{Host, Overrides};
use crate::chats::speech::Speech;
use crate::chats::{self, Chats};
use crate::config::{self, Config};
use crate::exit::{Blame, Failure, print};
use crate::ready::{Loaded, Ready};
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
    one(&command.bot, command.command.as_ref(), config::Bot::Telegram)
}

pub(crate) fn discord(command: &DiscordBot) -> Result<ExitCode, Failure> {
    one(&command.bot, command.command.as_ref(), config::Bot::Discord)
}

/// Answers until Ctrl-C, or says who may speak.
fn one(bot: &Bot, access: Option<&Access>, which: config::Bot) -> Result<ExitCode, Failure> {
    let config = Config::find(bot.config.as_deref()).input()?;
    if let Some(access) = access {
        return self::access(access, which.name(), &config);
    }
    let platform = chats::Bot::of(which, &config).input()?;
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
    let pressed_stop = interrupted()?;
    let loaded = runtime.block_on(Loaded::new(host, names, Vec::new(), &overrides)).input()?;
    let chats = Chats::new(Ready::new(loaded), store, speech, journal);
    let done = runtime.block_on(async {
        let tell = |what: &str| eprintln!("june: {what}");
        tokio::select! {
            ended = platform.run(&chats, tell, CancellationToken::new()) => ended,
            () = pressed(&pressed_stop) => Ok(()),
        }
    });
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
