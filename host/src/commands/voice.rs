//! `june voice try`: the whole way of a voice message, without a bot.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use june_chats::{Access, Inbox, Settings, Store};
use serde_json::json;

use super::run::{With, runtime};
use super::until_interrupted;
use crate::chats::speech::Speech;
use crate::chats::{self, Chats, Console};
use crate::exit::{Blame, Failure, print};
use crate::ready::{Loaded, Ready};

/// Try out voice messages.
#[derive(Subcommand)]
pub(crate) enum Command {
    Try(Try),
}

/// Let an agent answer a voice message in a file, as a bot would.
///
/// The file is decoded, what is said in it is written down, the agent answers, and its answer is
/// spoken. What was heard and answered goes to standard output, the spoken answer to a file.
#[derive(Args)]
#[command(
    after_long_help = "Exit status: 0 there is an answer, 1 there is none, 2 wrong usage or \
                             configuration, 3 the machine or the set-up, 130 interrupted.\n\n\
                             Examples:\n  june model pull whisper-base\n  \
                             june voice try question.ogg\n  \
                             june voice try question.ogg --agent coder --output answer.ogg"
)]
pub(crate) struct Try {
    /// The voice message: OGG with Opus, or MP3, AAC, FLAC, WAV or WebM.
    file: PathBuf,
    /// The agent [default: the first one of [chats] in june.toml].
    #[arg(long)]
    agent: Option<String>,
    /// Where the spoken answer is written, as OGG with Opus.
    #[arg(long, short, value_name = "FILE", default_value = "answer.ogg")]
    output: PathBuf,
    #[command(flatten)]
    with: With,
    /// Print JSON: what was heard and answered, and how long each stage took.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, Failure> {
    let Command::Try(command) = command;
    let file = fs::read(&command.file);
    let file = file.with_context(|| format!("cannot read {}", command.file.display())).input()?;
    let host = command.with.host()?;
    let speech = Speech::of(&host.config).input()?;
    if speech.ears.is_none() {
        let lacks: Vec<&str> = speech.lacks().collect();
        return Err(anyhow!("{}", lacks.join("\n"))).environment();
    }
    for what in speech.lacks() {
        eprintln!("june: {what}");
    }
    let names = match &command.agent {
        Some(agent) => vec![agent.clone()],
        None => chats::names(&host.config),
    };
    let store = Store::in_memory().environment()?;
    let journal = command.with.recorded.open()?;
    let runtime = runtime()?;
    let overrides = command.with.overrides();
    let settings = host.config.tables.chats.settings(&Default::default());
    let loaded = runtime.block_on(Loaded::new(host, names, Vec::new(), &overrides)).input()?;
    let chats = Chats::new(Ready::new(loaded), store, speech, journal);
    let console = Arc::new(Console::new(file.into()));
    let name = command.file.file_name().unwrap_or_default().to_string_lossy();
    chats.store.record(&[console.incoming(&name)]).environment()?;
    let settings = Settings { access: Access::Everyone, ..settings };
    let engine = chats.engine(console.clone(), settings);
    let answered = async {
        tokio::select! {
            ended = engine.run() => ended.environment(),
            () = chats.turns.wait_for(1) => Ok(()),
        }
    };
    until_interrupted(&runtime, answered, None)?;
    chats.turns.close().environment()?;
    report(command, &chats, &console)
}

fn report(command: &Try, chats: &Chats, console: &Console) -> Result<ExitCode, Failure> {
    let rows = chats.store.history(&Default::default()).environment()?;
    let row = rows.last();
    let heard = row.and_then(|row| row.heard.as_deref()).unwrap_or_default();
    let sent = console.sent();
    let texts: Vec<&str> = sent.texts.values().map(String::as_str).collect();
    let answer = texts.join("\n\n");
    let voice = sent.voices.last();
    if let Some(voice) = voice {
        let written = fs::write(&command.output, &voice.ogg);
        written.with_context(|| format!("cannot write {}", command.output.display())).input()?;
    }
    let times = chats.turns.times();
    let outcome = row.and_then(|row| row.outcome.as_deref()).unwrap_or_default();
    let done = outcome == "answered";
    if command.json {
        let stages: serde_json::Map<_, _> = times
            .iter()
            .map(|(stage, median, ..)| (stage.name().to_owned(), json!(milliseconds(*median))))
            .collect();
        let value = json!({
            "heard": heard,
            "answer": answer,
            "outcome": outcome,
            "voice": voice.map(|_| &command.output),
            "voice_seconds": voice.map(|voice| voice.duration.as_secs_f64()),
            "milliseconds": stages,
        });
        print(&format!("{value:#}\n"))?;
    } else {
        print(&format!("> {heard}\n{answer}\n"))?;
        for (stage, median, _, count) in &times {
            let times = if *count > 1 { format!(" (median of {count})") } else { String::new() };
            eprintln!("{:<15} {:>9.1} ms{times}", stage.name(), milliseconds(*median));
        }
        if let Some(voice) = voice {
            let seconds = voice.duration.as_secs_f64();
            eprintln!("june: {seconds:.1} s of speech in {}", command.output.display());
        }
    }
    Ok(ExitCode::from(u8::from(!done)))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
