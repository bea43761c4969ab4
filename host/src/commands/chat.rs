//! `june chat` and `june code`: talking with an agent.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::Args;
use june_sandbox::contract::{Message, Role};
use june_sandbox::journal::Journal;
use june_sandbox::{Recording, Workspace};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Editor, Helper, Highlighter, Hinter};
use tokio::runtime::Runtime;

use super::run::{With, cost, failed, keep, runtime, whole};
use super::{interrupted, pressed};
use crate::agents::{Agent, Overrides, said};
use crate::disk;
use crate::exit::{Blame, Failure};
use crate::paths;
use crate::terminal::Terminal;

const HELP: &str = "\
Write, and press Enter. A line that ends in `\\`, or is within ``` fences, goes on.
Ctrl-C stops the answer; Ctrl-D or /exit ends the talk.
  /reset   begin a new conversation
  /tools   the tools that the agent has
  /diff    the changes to files that are not applied yet
  /apply   apply them
  /discard forget them
  /help    this";

/// Talk with an agent.
///
/// The conversation goes on until you end it; each turn is recorded as a run. The tools that the
/// agent uses are shown as it uses them.
#[derive(Args)]
pub(crate) struct Chat {
    /// The agent: one of june.toml, or direct, deliberate, coder.
    #[arg(default_value = "direct")]
    agent: String,
    #[command(flatten)]
    with: With,
}

/// Work on the files of a folder with an agent.
///
/// The agent works on a private copy of the folder. After each turn you see what it changed, and
/// say whether that is applied. Hidden files and what .gitignore leaves out are not copied.
#[derive(Args)]
pub(crate) struct Code {
    /// The folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The agent.
    #[arg(long, default_value = "coder")]
    agent: String,
    #[command(flatten)]
    with: With,
    /// Apply every change without asking.
    #[arg(long)]
    apply: bool,
}

pub(crate) fn chat(command: &Chat) -> Result<ExitCode, Failure> {
    let overrides = command.with.overrides();
    talk(&command.agent, &command.with, &overrides, false)
}

pub(crate) fn code(command: &Code) -> Result<ExitCode, Failure> {
    if !command.folder.is_dir() {
        let error = anyhow::anyhow!("{} is not a folder", command.folder.display());
        return Err(error).input();
    }
    let overrides = Overrides { folder: Some(&command.folder), ..command.with.overrides() };
    talk(&command.agent, &command.with, &overrides, command.apply)
}

fn talk(
    name: &str,
    with: &With,
    overrides: &Overrides<'_>,
    apply: bool,
) -> Result<ExitCode, Failure> {
    let host = with.host()?;
    let runtime = runtime()?;
    let agent = runtime.block_on(host.agent(name, overrides)).input()?;
    let journal = with.recorded.open()?;
    let terminal = Arc::new(Terminal::new(true, true));
    let mut session = Session {
        agent,
        journal,
        terminal: terminal.clone(),
        runtime,
        conversation: Vec::new(),
        stop: interrupted()?,
        apply,
        failed: false,
    };
    session.agent.authority.capabilities.reply = Some(terminal);
    let mut lines = Lines::new()?;
    if lines.is_terminal() {
        let models = session.agent.models.join(", ");
        eprintln!("{name}, model {models}. /help for help.");
    }
    while let Some(line) = lines.next()? {
        match line.trim() {
            "" => {}
            "/exit" | "/quit" => break,
            command if command.starts_with('/') => session.command(command)?,
            request => session.turn(request, &mut lines)?,
        }
    }
    lines.save();
    if let Some(journal) = session.journal {
        journal.close().environment()?;
    }
    // Without a person, whether every turn was answered is all there is to say.
    Ok(if session.failed && !lines.is_terminal() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

struct Session {
    agent: Agent,
    journal: Option<Journal>,
    terminal: Arc<Terminal>,
    runtime: Runtime,
    conversation: Vec<Message>,
    stop: Arc<AtomicBool>,
    apply: bool,
    failed: bool,
}

impl Session {
    fn turn(&mut self, request: &str, lines: &mut Lines) -> Result<(), Failure> {
        let Self { agent, journal, stop, .. } = self;
        stop.store(false, Ordering::Relaxed);
        let (turn, authority) = (agent.turn(self.conversation.clone(), request), agent.now());
        let session = agent.name.clone();
        let recording =
            journal.as_ref().map(|journal| Recording { journal, session: &session, parent: None });
        let answered = self.runtime.block_on(async {
            tokio::select! {
                answered = agent.respond(&turn, &authority, recording.as_ref()) => {
                    Some(answered)
                }
                () = pressed(stop) => None,
            }
        });
        self.terminal.end();
        let Some(answered) = answered else {
            eprintln!("june: stopped; the turn is forgotten");
            return Ok(());
        };
        let answered = answered.environment()?;
        if let Some(Ok(answer)) = &answered.answer
            && !answer.text.is_empty()
        {
            june_sandbox::capabilities::Reply::say(&*self.terminal, &answer.text);
            self.terminal.end();
        }
        if let Some(why) = failed(&answered) {
            eprintln!("june: {why}");
            self.failed = true;
        }
        eprintln!("{}", cost(&answered));
        if let Some(text) = whole(&answered) {
            self.conversation.push(said(Role::User, request));
            self.conversation.push(said(Role::Assistant, &text));
        }
        self.review(lines)
    }

    /// Shows what changed, and asks what is to become of it.
    fn review(&mut self, lines: &mut Lines) -> Result<(), Failure> {
        let after = self.runtime.block_on(self.agent.files());
        let changes = self.agent.before.changes(&after);
        if changes.is_empty() {
            return Ok(());
        }
        eprint!("{}", disk::diff(&changes));
        if self.apply {
            return self.keep();
        }
        if !lines.is_terminal() {
            eprintln!("june: nothing was applied\nhint: --apply does so");
            return Ok(());
        }
        match lines.ask("Apply? [y]es, [n]o and forget it, [l]ater: ")?.as_str() {
            "y" | "yes" => self.keep(),
            "n" | "no" => {
                self.forget();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self) -> Result<(), Failure> {
        let after = self.runtime.block_on(self.agent.files());
        let changes = self.agent.before.changes(&after);
        let applied = keep(&self.agent, &changes)?;
        eprintln!("june: applied {} of {} changes", applied.done, changes.len());
        // What was refused is still a change.
        let refused = |path: &str| applied.refused.iter().any(|(other, _why)| other == path);
        for change in changes.into_iter().filter(|change| !refused(&change.path)) {
            match change.after {
                Some(entry) => self.agent.before.insert(&change.path, entry).environment()?,
                None => drop(self.agent.before.remove(&change.path)),
            }
        }
        Ok(())
    }

    fn forget(&mut self) {
        let before = Workspace::new(self.agent.before.clone());
        let workspace = &mut self.agent.authority.capabilities.workspace;
        *workspace = workspace.is_some().then_some(before);
    }

    fn command(&mut self, command: &str) -> Result<(), Failure> {
        match command {
            "/help" => eprintln!("{HELP}"),
            "/reset" => {
                self.conversation.clear();
                eprintln!("june: a new conversation");
            }
            "/tools" => {
                for (name, tool) in self.agent.authority.capabilities.tools.iter() {
                    let purpose = crate::words::one_line(&tool.spec().description, 90);
                    eprintln!("{name:<16} {purpose}");
                }
            }
            "/diff" => {
                let after = self.runtime.block_on(self.agent.files());
                eprint!("{}", disk::diff(&self.agent.before.changes(&after)));
            }
            "/apply" => self.keep()?,
            "/discard" => self.forget(),
            other => eprintln!("june: there is no command {other}\nhint: /help lists them"),
        }
        Ok(())
    }
}

/// What the person writes: with a line editor on a terminal, else line by line.
enum Lines {
    Terminal(Box<Editor<Prompt, FileHistory>>, Option<PathBuf>),
    Input(io::Lines<io::StdinLock<'static>>),
}

impl Lines {
    fn new() -> Result<Self, Failure> {
        if !io::stdin().is_terminal() {
            return Ok(Lines::Input(io::stdin().lock().lines()));
        }
        let mut editor = Editor::new().environment()?;
        editor.set_helper(Some(Prompt));
        let history = paths::history();
        if let Some(history) = &history {
            // None the first time.
            let _ = editor.load_history(history);
        }
        Ok(Lines::Terminal(Box::new(editor), history))
    }

    fn is_terminal(&self) -> bool {
        matches!(self, Lines::Terminal(..))
    }

    /// What is written next; nothing at the end.
    fn next(&mut self) -> Result<Option<String>, Failure> {
        match self {
            Lines::Input(lines) => {
                lines.next().transpose().context("cannot read standard input").input()
            }
            Lines::Terminal(editor, _) => loop {
                match editor.readline("> ") {
                    Ok(line) => {
                        let _ = editor.add_history_entry(line.as_str());
                        return Ok(Some(line.replace("\\\n", "\n")));
                    }
                    // Ctrl-C forgets the line.
                    Err(ReadlineError::Interrupted) => {}
                    Err(ReadlineError::Eof) => return Ok(None),
                    Err(error) => return Err(error).environment(),
                }
            },
        }
    }

    /// The person's answer to a question, in small letters; empty for none.
    fn ask(&mut self, question: &str) -> Result<String, Failure> {
        let Lines::Terminal(editor, _) = self else { return Ok(String::new()) };
        match editor.readline(question) {
            Ok(line) => Ok(line.trim().to_lowercase()),
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => Ok(String::new()),
            Err(error) => Err(error).environment(),
        }
    }

    fn save(&mut self) {
        if let Lines::Terminal(editor, Some(history)) = self {
            if let Some(folder) = history.parent() {
                let _ = std::fs::create_dir_all(folder);
            }
            if let Err(error) = editor.save_history(history) {
                eprintln!("june: cannot keep the history: {error}");
            }
        }
    }
}

/// Knows when what is written goes on.
#[derive(Completer, Helper, Highlighter, Hinter)]
struct Prompt;

impl Validator for Prompt {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match goes_on(context.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

fn goes_on(text: &str) -> bool {
    text.ends_with('\\') || text.lines().filter(|line| line.starts_with("```")).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_and_backslashes_go_on() {
        assert!(!goes_on("hello"));
        assert!(goes_on("hello \\"));
        assert!(goes_on("see:\n```python\nx = 1"));
        assert!(!goes_on("see:\n```python\nx = 1\n```"));
    }
}
