//! What June says of itself on standard error: as text for people, or as JSON lines for what
//! collects logs.

use std::io::Write;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::commands::journal::now;
use crate::words::time;

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// `june: what it is`, and a hint on a line of its own.
    #[default]
    Text,
    /// An object a line.
    Json,
}

static FORMAT: OnceLock<Format> = OnceLock::new();

/// From now on lines are written so.
pub(crate) fn write_as(format: Format) {
    // Only the first choice counts; `june serve` makes the one.
    let _ = FORMAT.set(format);
}

/// Whether a server runs, whose lines somebody may read later.
pub(crate) fn is_kept() -> bool {
    FORMAT.get().is_some()
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Info,
    Warn,
    Error,
}

/// A line, and what it is about.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    time: String,
    level: Level,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    /// The run in the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<u64>,
    /// The trace that the collector has.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

/// Something happened, as it should.
pub(crate) fn info(what: &str) -> Line<'_> {
    Line::new(Level::Info, what)
}

/// Something went wrong, and June goes on.
pub(crate) fn warn(what: &str) -> Line<'_> {
    Line::new(Level::Warn, what)
}

/// Something went wrong, and June ends.
pub(crate) fn error(what: &str) -> Line<'_> {
    Line::new(Level::Error, what)
}

impl<'a> Line<'a> {
    fn new(level: Level, what: &'a str) -> Self {
        let (message, hint) = match what.split_once("\nhint: ") {
            Some((message, hint)) => (message, Some(hint)),
            None => (what, None),
        };
        Line { time: time(now()), level, message, hint, run: None, trace_id: None }
    }

    /// Of this run.
    pub(crate) fn run(self, run: Option<u64>) -> Self {
        Line { run, ..self }
    }

    /// Of this trace.
    pub(crate) fn trace(self, trace_id: Option<String>) -> Self {
        Line { trace_id, ..self }
    }

    /// Says it.
    pub(crate) fn say(self) {
        let text = match FORMAT.get().copied().unwrap_or_default() {
            Format::Text => self.as_text(),
            Format::Json => serde_json::to_string(&self).unwrap_or_else(|_| self.as_text()) + "\n",
        };
        // In one piece, so that lines of several threads do not mix. Nobody is left to be told
        // that it failed.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    fn as_text(&self) -> String {
        let mut text = format!("june: {}", self.message);
        if let Some(run) = self.run {
            text += &format!(" (run {run})");
        }
        if let Some(trace_id) = &self.trace_id {
            text += &format!(" (trace {trace_id})");
        }
        text.push('\n');
        if let Some(hint) = self.hint {
            text += &format!("hint: {hint}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_of_json_whatever_it_says() {
        let line = warn("it is \"away\"\nas ever\nhint: start it").run(Some(7));
        let json = serde_json::to_string(&line).unwrap();
        assert_eq!(json.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["message"], "it is \"away\"\nas ever");
        assert_eq!((&value["level"], &value["hint"]), (&"warn".into(), &"start it".into()));
        assert_eq!(value["run"], 7);
        assert!(value.get("trace_id").is_none());
        assert_eq!(line.as_text(), "june: it is \"away\"\nas ever (run 7)\nhint: start it\n");
    }
}
