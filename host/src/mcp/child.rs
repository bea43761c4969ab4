//! A server as a child process.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::config::McpTable;
use crate::paths;
use crate::words::neutral;

/// What every server sees of June's environment.
const USUAL: [&str; 3] = ["PATH", "HOME", "LANG"];

/// How many bytes of a server's talk are kept.
const KEPT: usize = 2048;

/// How long a server has to end after it was asked to.
const GRACE: Duration = Duration::from_millis(500);

/// A running server. Dropping it ends the server and all that it started in its process group.
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
    said: Arc<Mutex<VecDeque<u8>>>,
}

impl Process {
    /// Starts the server, in this folder. Returns also what it writes and what it reads.
    pub(super) fn start(table: &McpTable, folder: &Path) -> Result<(Self, Receiver, Sender)> {
        let [program, arguments @ ..] = table.command.as_slice() else {
            anyhow::bail!("its command is empty");
        };
        let mut command = match program.contains('/') {
            true => Command::new(std::path::absolute(folder.join(program))?),
            false => Command::new(program),
        };
        let passed = USUAL.into_iter().chain(table.pass.iter().map(String::as_str));
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(passed.filter_map(|name| Some((name, paths::variable(name)?))))
            .envs(&table.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start `{program}`"))?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Self { child, group, said: Arc::default() };
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            anyhow::bail!("`{program}` has no pipes");
        };
        let talk = Receiver::from_owned_fd(OwnedFd::from(stderr))?;
        tokio::spawn(listen(talk, process.said.clone()));
        let output = Receiver::from_owned_fd(OwnedFd::from(stdout))?;
        let input = Sender::from_owned_fd(OwnedFd::from(stdin))?;
        Ok((process, output, input))
    }

    /// How the server ended, and what it said before; none while it runs.
    pub(super) async fn ended(&self) -> Option<String> {
        let status = self.status()?;
        // What it said last may still be in the pipe.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let how = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => format!("ended with exit status {code}"),
            (_, Some(signal)) => format!("was ended by signal {signal}"),
            _ => "ended".into(),
        };
        Some(match self.said() {
            Some(said) => format!("{how}; it said: {said}"),
            None => how,
        })
    }

    /// The end of what the server wrote to standard error.
    pub(super) fn said(&self) -> Option<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = said.iter().copied().collect();
        let text = neutral(String::from_utf8_lossy(&bytes).trim(), true);
        (!text.is_empty()).then_some(text)
    }

    /// How the process ended; it stays there to be reaped, so its number is nobody else's.
    fn status(&self) -> Option<WaitIdStatus> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(self.group?), options).ok().flatten()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // An error means that nobody is left.
            let _ = kill_process_group(group, Signal::TERM);
            let asked = Instant::now();
            while self.status().is_none() && asked.elapsed() < GRACE {
                thread::sleep(Duration::from_millis(2));
            }
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// Keeps the end of what is said.
async fn listen(mut talk: Receiver, said: Arc<Mutex<VecDeque<u8>>>) -> io::Result<()> {
    let mut piece = [0; 4096];
    loop {
        let read = talk.read(&mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(&piece[..read]);
        let over = said.len().saturating_sub(KEPT);
        said.drain(..over);
    }
}
