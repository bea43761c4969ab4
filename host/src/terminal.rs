//! An agent's talk on a terminal: the answer on standard output, as it comes; its steps and the
//! tools that it uses on standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::PoisonError;

use june_sandbox::capabilities::{Reply, ToolUse};
use june_sandbox::contract::{Stage, Step};

use crate::words::{neutral, one_line};

/// The person at the terminal.
pub(crate) struct Terminal {
    /// Whether the answer is shown as it comes.
    answer: bool,
    /// Whether steps and tools are shown.
    work: bool,
    colour: bool,
    /// Whether the answer's last line has no end yet.
    open: Mutex<bool>,
    /// The tools whose answers were shown, and not noted yet by the strategy.
    shown: Mutex<Vec<String>>,
}

impl Terminal {
    /// Shows the answer where `answer` is true, and the work where somebody looks at it.
    pub(crate) fn new(answer: bool, work: bool) -> Self {
        let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { answer, work, colour, open: Mutex::new(false), shown: Mutex::default() }
    }

    /// Ends the answer's last line, if it has no end yet.
    pub(crate) fn end(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *open) {
            let _ = writeln!(io::stdout());
        }
    }

    fn work(&self, text: &str) {
        if !self.work {
            return;
        }
        if io::stdout().is_terminal() {
            self.end();
        }
        let (dim, plain) = if self.colour { ("\u{1b}[2m", "\u{1b}[0m") } else { ("", "") };
        let _ = writeln!(io::stderr(), "{dim}{text}{plain}");
    }
}

impl Reply for Terminal {
    fn say(&self, text: &str) {
        if !self.answer || text.is_empty() {
            return;
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = io::stdout();
        // What cannot be shown is still in the journal, and in the answer.
        let shown = match out.is_terminal() {
            true => out.write_all(neutral(text, true).as_bytes()),
            false => out.write_all(text.as_bytes()),
        };
        let _ = shown.and_then(|()| out.flush());
        *open = !text.ends_with('\n');
    }

    fn note(&self, step: &Step) {
        // What a strategy notes of a tool's answer is on the screen already.
        if step.stage == Stage::Execute {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let noted = |tool: &String| step.text.split(' ').next() == Some(tool);
            if let Some(at) = shown.iter().position(noted) {
                shown.remove(at);
                return;
            }
        }
        self.work(&format!("[{}] {}", step.stage.name(), neutral(&step.text, true)));
    }

    fn used(&self, use_: &ToolUse<'_>) {
        if let ToolUse::Answered { name, .. } = use_ {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.push((*name).to_owned());
        }
        match use_ {
            ToolUse::Called { name, arguments } => {
                self.work(&format!("→ {name} {}", one_line(arguments, 120)));
            }
            ToolUse::Answered { name, result: Ok(text) } => {
                self.work(&format!("← {name}: {}", one_line(text, 120)));
            }
            ToolUse::Answered { name, result: Err(why) } => {
                self.work(&format!("← {name} failed: {}", one_line(why, 200)));
            }
        }
    }
}
