//! Servers in Python, which some tests talk with.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::{named, repository};

/// A running server. It prints its port when it listens, and ends with its standard input.
#[derive(Debug)]
pub struct PythonServer {
    child: Child,
    /// Where it listens, on the loopback address.
    pub port: u16,
}

/// The Python that the environment variable `name` says. Without it, says for this test that the
/// Python should have `package`.
pub fn python(test: &str, name: &str, package: &str) -> Option<PathBuf> {
    let python = named(name);
    if python.is_none() {
        eprintln!("SKIPPED {test}: {name} names no Python that has {package}");
    }
    python
}

impl PythonServer {
    /// Starts a script of this repository.
    #[track_caller]
    pub fn start(
        python: PathBuf,
        script: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> PythonServer {
        let mut child = Command::new(python)
            .arg(repository(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start Python");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("have its output");
        BufReader::new(stdout).read_line(&mut line).expect("read its output");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{script} has no port: {line}"));
        PythonServer { child, port }
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        // The script ends what it started, and then itself.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
