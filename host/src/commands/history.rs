//! `june history`: what was received in chats, and what was sent.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use june_chats::{DeliveryState, Filter, Kind, Row};

use crate::chats;
use crate::config::Config;
use crate::exit::{Blame, Failure, print};
use crate::words::{neutral, time};

/// Show what was received in chats, and what was really sent in answer.
///
/// Each message is shown as the platform got it, with what is known of its delivery.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  june history --limit 5\n  \
                             june history --platform telegram --chat 12345 --json")]
pub(crate) struct History {
    /// Only this platform: telegram or discord.
    #[arg(long)]
    platform: Option<String>,
    /// Only this chat, by the platform's identifier.
    #[arg(long)]
    chat: Option<String>,
    /// Only this person, by the platform's identifier.
    #[arg(long)]
    person: Option<String>,
    /// Only what arrived since: 2026-11-24, or 2026-11-24T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = super::journal::list::point)]
    since: Option<u64>,
    /// The most messages.
    #[arg(long, default_value_t = 50)]
    limit: u64,
    /// Those too that were not for the bot, or not answered.
    #[arg(long)]
    ignored: bool,
    /// The configuration [default: june.toml here, else in the user's folder for configuration].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON, an object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &History) -> Result<ExitCode, Failure> {
    let config = Config::find(command.config.as_deref()).input()?;
    let file = chats::file(&config).environment()?;
    if !file.is_file() {
        eprintln!(
            "june: nobody wrote yet: there is no {}\nhint: june telegram, or june discord",
            file.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let filter = Filter {
        platform: command.platform.clone(),
        chat: command.chat.clone(),
        person: command.person.clone(),
        since: command.since,
        until: None,
        limit: Some(command.limit),
        ignored: command.ignored,
    };
    let rows = chats::store(&config).environment()?.history(&filter).environment()?;
    if rows.is_empty() {
        eprintln!("june: there are no such messages");
    }
    for row in rows {
        match command.json {
            true => print(&format!("{}\n", serde_json::to_string(&row).environment()?))?,
            false => print(&in_words(&row))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn in_words(row: &Row) -> String {
    let time = time(row.time);
    let who = row.received.as_ref().map_or(row.person.as_str(), |got| got.person.name.as_str());
    let mut text = format!("{time}  {}/{}  {}\n", row.platform, row.chat, neutral(who, false));
    let mut line = |mark: &str, what: &str| {
        for part in neutral(what, true).lines() {
            text += &format!("  {mark} {part}\n");
        }
    };
    if let Some(received) = &row.received {
        line(">", &received.text);
        for file in &received.files {
            line(">", &format!("[file {}]", file.name));
        }
        if received.voice.is_some() {
            line(">", &format!("[voice] {}", row.heard.as_deref().unwrap_or_default()));
        }
    }
    for sent in &row.sent {
        let state = match sent.state {
            DeliveryState::Sent => String::new(),
            other => format!(" ({})", other.name()),
        };
        match sent.kind {
            Kind::Text => {
                line("<", &format!("{}{state}", sent.markdown.as_deref().unwrap_or("…")));
            }
            Kind::Voice => line("<", &format!("[voice]{state}")),
        }
    }
    if let Some(outcome) = &row.outcome {
        line(" ", &format!("({outcome})"));
    }
    text
}
