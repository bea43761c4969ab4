//! `june serve`: what runs all day.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::journal::{folder, open_journal};
use super::run::runtime;
use crate::chats::speech::Speech;
use crate::chats::{self, Bot, Chats};
use crate::config::Config;
use crate::exit::{Blame, Failure, print, said};
use crate::log;
use crate::paths;
use crate::ready::Ready;
use crate::serve::runs::Runs;
use crate::serve::token::{self, Role, Tokens};
use crate::serve::{self, Begun, Reviewers, Server};
use crate::telemetry::metrics;
use crate::telemetry::traces::Sending;
use crate::words::time;

/// How long a bot that failed waits before it is started again.
const AGAIN: Duration = Duration::from_secs(30);
/// How long a bot has run once it counts as well.
const WELL: Duration = Duration::from_secs(5);

/// Serve the review page, the API and the bots.
///
/// Runs until Ctrl-C or SIGTERM, and lets what it began come to its end first. SIGHUP reads the
/// configuration anew. Clients need a token; the table [serve] of june.toml has the rest.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_long_help = "Examples:\n  june serve token create ada --role review --role talk\n  \
                       june serve\n  curl -H \"authorization: Bearer $TOKEN\" \
                       http://127.0.0.1:7878/v1/models"
)]
pub(crate) struct Serve {
    /// The configuration [default: june.toml here, else in the user's folder for configuration].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answers written beforehand, instead of a model: for tests and demonstrations.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// The journal that runs are recorded in, made if it is not there
    /// [default: $JUNE_JOURNAL, else june/journal in the user's folder for state].
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// The tokens of clients.
    #[command(subcommand)]
    Token(Token),
}

/// The tokens by which clients are known.
#[derive(Subcommand)]
enum Token {
    /// Make a token, and print it: it is shown this once.
    Create {
        /// Whose it is.
        name: String,
        /// What it is good for; several may be given.
        #[arg(long, value_enum, default_values_t = [Role::Talk])]
        role: Vec<Role>,
    },
    /// List the tokens, without themselves.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a token back; it is good for nothing from now on.
    Revoke {
        /// Whose it is.
        name: String,
    },
}

pub(crate) fn run(command: &Serve) -> Result<ExitCode, Failure> {
    let tokens = paths::tokens().environment()?;
    if let Some(Command::Token(command)) = &command.command {
        return token(command, &tokens);
    }
    let config = Config::find(command.config.as_deref()).input()?;
    let table = config.tables.serve.clone();
    log::write_as(table.log);
    if token::load(&tokens).environment()?.is_empty() {
        let hint = "june serve token create NAME --role admin";
        log::warn(&format!("nobody has a token yet\nhint: {hint}")).say();
    }
    let tokens = Tokens::new(tokens, table.rate).input()?;
    let bots = table.bots.iter().map(|bot| Ok((bot.name(), Bot::of(*bot, &config)?)));
    let bots: Vec<_> = bots.collect::<anyhow::Result<_>>().input()?;
    let speech = Speech::of(&config).input()?;
    for what in speech.lacks() {
        log::warn(what).say();
    }
    let store = chats::store(&config).environment()?;
    let runtime = runtime()?;
    let traces = table.traces.as_ref().map(|table| Sending::begin(table, runtime.handle()));
    let traces = traces.transpose().input()?;
    let script = command.script.clone();
    let ready = runtime.block_on(serve::load(config, script.as_deref())).input()?;
    let ready = Ready::new(ready);
    let journal = open_journal(command.journal.as_deref())?;
    journal.on_commit(|records, took| metrics().committed(records, took));
    let folder = folder(command.journal.as_deref()).environment()?;
    let chats = Chats::new(ready.clone(), store, speech.clone(), Some(journal.clone()));
    let stop = CancellationToken::new();
    let server = Arc::new(Server {
        runs: Runs::new(folder.clone(), journal.clone(), stop.clone()),
        reviewers: Reviewers::new(paths::reviewers()),
        at_length: Arc::new(Semaphore::new(serve::AT_LENGTH)),
        folder,
        journal: journal.clone(),
        tokens,
        stop,
        tasks: TaskTracker::new(),
        ready,
        speech,
        begun: Begun::default(),
        script,
        troubles: Mutex::default(),
        away: serve::Away::default(),
    });
    let served = runtime.block_on(until_stopped(server, Arc::new(chats), bots));
    // The last spans are sent while there is a runtime to send them.
    drop(traces);
    // What was broken off is dropped here, and its runs say so in the journal.
    drop(runtime);
    journal.flush().environment()?;
    served.map(|()| ExitCode::SUCCESS)
}

/// Serves until the server is told to stop, and lets what was begun come to its end.
async fn until_stopped(
    server: Arc<Server>,
    chats: Arc<Chats>,
    bots: Vec<(&'static str, Bot)>,
) -> Result<(), Failure> {
    let table = server.loaded().host.config.tables.serve.clone();
    let listener = TcpListener::bind(table.listen).await;
    let listener =
        listener.with_context(|| format!("cannot listen at {}", table.listen)).environment()?;
    let address = listener.local_addr().environment()?;
    for (name, bot) in bots {
        server.tasks.spawn(keep_running(server.clone(), chats.clone(), name, bot));
    }
    let following = server.clone();
    let trouble = move |why| following.trouble("journal", why);
    server.tasks.spawn(server.runs.clone().follow(trouble));
    let routes = serve::routes(&server);
    let told = told_to_stop(server.clone());
    log::info(&format!("http://{address}; Ctrl-C ends it")).say();
    let served = serve::listen(server.clone(), listener, routes, table.connections);
    tokio::select! {
        () = served => {}
        told = told => told?,
    }
    server.stop.cancel();
    server.tasks.close();
    if tokio::time::timeout(table.grace(), server.tasks.wait()).await.is_err() {
        let still = server.tasks.len();
        let what = format!("broke off what did not end in time: {still} connections and bots");
        log::warn(&what).say();
    }
    Ok(())
}

/// Runs a bot until the server stops, and starts it again when it fails: its platform may only be
/// away for a while.
async fn keep_running(server: Arc<Server>, chats: Arc<Chats>, name: &'static str, bot: Bot) {
    let tell = |what: &str| log::info(what).say();
    let trouble = |why| server.trouble(name, why);
    while !server.stop.is_cancelled() {
        let ended = bot.clone().run(&chats, tell, server.stop.clone());
        // It is well as long as it runs.
        let ended = tokio::select! {
            ended = ended => ended,
            () = async {
                tokio::time::sleep(WELL).await;
                trouble(None);
                std::future::pending::<()>().await;
            } => Ok(()),
        };
        if let Err(error) = ended {
            let why = said(&error);
            log::warn(&format!("{name}: {why}")).say();
            trouble(Some(why));
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = server.stop.cancelled() => {}
        }
    }
}

/// Returns when the server is told to stop; reads the configuration anew when it is told so.
async fn told_to_stop(server: Arc<Server>) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).environment()?;
    let mut terminate = signal(SignalKind::terminate()).environment()?;
    let mut hang_up = signal(SignalKind::hangup()).environment()?;
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            _ = hang_up.recv() => match server.reload().await {
                Ok(()) => log::info("the configuration was read anew").say(),
                Err(error) => {
                    log::warn(&format!("the configuration is as it was: {}", said(&error))).say();
                }
            },
        }
    }
}

fn token(command: &Token, file: &Path) -> Result<ExitCode, Failure> {
    match command {
        Token::Create { name, role } => {
            let token = token::create(file, name, role).input()?;
            eprintln!("june: this is shown once; whoever has it may do what its roles may");
            print(&format!("{token}\n"))?;
        }
        Token::List { json } => {
            for known in token::load(file).environment()? {
                let roles: Vec<&str> = known.roles.iter().map(|role| role.name()).collect();
                let text = match json {
                    true => json!({ "name": known.name, "roles": roles, "time": known.time })
                        .to_string(),
                    false => format!("{:<20} {} {}", known.name, time(known.time), roles.join(" ")),
                };
                print(&format!("{text}\n"))?;
            }
        }
        Token::Revoke { name } => {
            if !token::revoke(file, name).environment()? {
                eprintln!("june: there is no token `{name}`\nhint: june serve token list");
                return Ok(ExitCode::from(1));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
