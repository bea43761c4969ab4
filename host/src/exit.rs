//! How a command ends.

/// Whose fault a failure is; the number is the exit status. (Status 1 is no failure: the question
/// was understood, and its answer is no.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line or an input file.
    Input = 2,
    /// The machine or the set-up.
    Environment = 3,
    /// Nobody's: the person pressed Ctrl-C.
    Interrupted = 130,
}

/// Why a command did not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) error: anyhow::Error,
}

/// Says whose fault an error is.
pub(crate) trait Blame<T> {
    /// The command line or an input file.
    fn input(self) -> Result<T, Failure>;
    /// The machine or the set-up.
    fn environment(self) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Blame<T> for Result<T, E> {
    fn input(self) -> Result<T, Failure> {
        self.map_err(|error| Failure { kind: Kind::Input, error: error.into() })
    }

    fn environment(self) -> Result<T, Failure> {
        self.map_err(|error| Failure { kind: Kind::Environment, error: error.into() })
    }
}

/// An error and its causes, each said once: most messages quote their cause.
pub(crate) fn said(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text += if text.is_empty() { "" } else { ": " };
            text += &cause;
        }
    }
    text
}

/// Writes a command's result. A reader that has gone away (`june … | head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.environment(),
    }
}
