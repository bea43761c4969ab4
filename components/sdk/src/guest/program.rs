//! Programs: how to make one, and how to tell a model what came of it.

use super::program_types::{Exit, Language, Limits, Outcome, Output, Program};
use super::programs::ProgramError;

impl Program {
    /// A program in Python, without checks, input and files.
    #[must_use]
    pub fn python(source: impl Into<String>) -> Self {
        Self {
            language: Language::Python,
            source: source.into(),
            checks: None,
            stdin: Vec::new(),
            files: Vec::new(),
        }
    }
}

impl Default for Limits {
    /// The host's.
    fn default() -> Self {
        Self { fuel: None, memory: None, output: None }
    }
}

impl Outcome {
    /// What came of the program, in words for a model; an error unless it ended as it should.
    ///
    /// # Errors
    ///
    /// The program ended before its end, or with another status than 0.
    pub fn report(&self) -> Result<String, String> {
        let (well, end) = match &self.exit {
            Exit::Returned | Exit::Exited(0) => (true, "The program ran to its end.".into()),
            Exit::Exited(status) => (false, format!("The program exited with status {status}.")),
            Exit::Raised(error) => {
                (false, format!("Line {} raised {}: {}", error.line, error.kind, error.message))
            }
            Exit::OutOfFuel => {
                (false, "The program was stopped: it took too many instructions.".into())
            }
            Exit::OutOfMemory => {
                (false, "The program was stopped: it took too much memory.".into())
            }
            Exit::TimedOut => (false, "The program was stopped: it took too long.".into()),
            Exit::Crashed(trap) => (false, format!("The interpreter crashed: {trap}")),
        };
        let mut text = end;
        section(&mut text, "stdout", &self.stdout);
        section(&mut text, "stderr", &self.stderr);
        if well && self.stdout.bytes.is_empty() && self.stderr.bytes.is_empty() {
            text.push_str(" It printed nothing.");
        }
        if well { Ok(text) } else { Err(text) }
    }
}

impl ProgramError {
    /// What happened, in words for a model.
    #[must_use]
    pub fn explanation(&self) -> String {
        match self {
            Self::Denied(text) => format!("running programs was denied: {text}"),
            Self::Unsupported(text) => format!("the program cannot be run: {text}"),
            Self::Limit(text) => format!("a limit is used up: {text}"),
            Self::Unavailable(text) => format!("programs cannot be run: {text}"),
        }
    }
}

fn section(text: &mut String, name: &str, output: &Output) {
    if output.bytes.is_empty() {
        return;
    }
    let written = String::from_utf8_lossy(&output.bytes);
    text.push_str(&format!("\n{name}:\n{}", written.trim_end()));
    if output.truncated {
        text.push_str("\n(and more)");
    }
}
