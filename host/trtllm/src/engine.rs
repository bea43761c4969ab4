//! An executor and the one thread that it belongs to.
//!
//! The thread takes commands, waits for steps and hands each to the request it belongs to. While
//! nothing is asked it sleeps on its commands; while something is computed it waits for steps, with
//! a timeout after which it looks for commands again. It never spins.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::{self, JoinHandle};

use cxx::UniquePtr;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::Error;
use crate::bridge::ffi::{Executor, Finish, Generation, Stats, Step};

/// How long a wait for steps may keep new requests and cancellations from being seen, in
/// milliseconds. A step of any request ends the wait at once.
const WAIT: u32 = 10;

/// An open engine. Dropping it cancels what it computes, frees its memory and returns when that is
/// done.
#[derive(Debug)]
pub struct Engine {
    commands: Sender<Command>,
    next: AtomicU64,
    thread: Option<JoinHandle<()>>,
}

/// A request that is being computed. Dropping it cancels what is left.
#[derive(Debug)]
pub struct Running {
    ticket: u64,
    commands: Sender<Command>,
    progress: UnboundedReceiver<Result<Progress, Error>>,
    over: bool,
}

/// How far a request has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The tokens since the last progress: one, none or several.
    pub tokens: Vec<u32>,
    /// Why it ended; `None` while it goes on.
    pub finish: Option<Finish>,
}

/// How busy an engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// What the executor says.
    pub executor: Stats,
    /// The requests that the executor has not ended yet.
    pub requests: usize,
}

enum Command {
    Submit(u64, Generation, UnboundedSender<Result<Progress, Error>>),
    Cancel(u64),
    Load(oneshot::Sender<Result<Load, Error>>),
    Close,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Command")
    }
}

impl Engine {
    /// Starts the thread and opens the executor on it. Returns when it is open, which takes minutes
    /// for a large engine.
    ///
    /// # Errors
    ///
    /// [`Error::Open`]: it does not open.
    pub fn start<F>(open: F) -> Result<Engine, Error>
    where
        F: FnOnce() -> Result<UniquePtr<Executor>, cxx::Exception> + Send + 'static,
    {
        let (commands, received) = mpsc::channel();
        let (opened, is_open) = mpsc::channel();
        let run = move || match open() {
            Ok(executor) if !executor.is_null() => {
                if opened.send(Ok(())).is_ok() {
                    serve(executor, &received);
                }
            }
            Ok(_null) => drop(opened.send(Err("there is no executor".to_owned()))),
            Err(error) => drop(opened.send(Err(error.what().to_owned()))),
        };
        let thread = thread::Builder::new().name("trtllm".to_owned()).spawn(run);
        let thread = thread.map_err(|error| Error::Open(error.to_string()))?;
        match is_open.recv() {
            Ok(Ok(())) => Ok(Engine { commands, next: AtomicU64::new(0), thread: Some(thread) }),
            Ok(Err(what)) => Err(Error::Open(what)),
            Err(_) => Err(Error::Open("its thread ended".to_owned())),
        }
    }

    /// Asks for a generation. Whatever goes wrong is told by [`Running::next`].
    pub fn submit(&self, generation: Generation) -> Running {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, progress) = unbounded_channel();
        let commands = self.commands.clone();
        // Where the thread has ended, the sender is dropped here, and the receiver knows.
        let over = commands.send(Command::Submit(ticket, generation, sender)).is_err();
        Running { ticket, commands, progress, over }
    }

    /// How busy it is.
    ///
    /// # Errors
    ///
    /// [`Error::Broken`]: it broke down.
    pub async fn load(&self) -> Result<Load, Error> {
        let (sender, load) = oneshot::channel();
        let _ = self.commands.send(Command::Load(sender));
        load.await.unwrap_or(Err(Error::Closed))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Running {
    /// Waits for progress; `None` after the end.
    ///
    /// # Errors
    ///
    /// The request failed, or the engine did; nothing comes after it.
    pub async fn next(&mut self) -> Option<Result<Progress, Error>> {
        if self.over {
            return self.progress.recv().await;
        }
        let progress = self.progress.recv().await.unwrap_or(Err(Error::Closed));
        self.over = !matches!(progress, Ok(Progress { finish: None, .. }));
        Some(progress)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            let _ = self.commands.send(Command::Cancel(self.ticket));
        }
    }
}

/// The requests that the executor has not ended.
#[derive(Default)]
struct Requests {
    /// By the executor's number: whom to tell.
    live: HashMap<u64, (u64, UnboundedSender<Result<Progress, Error>>)>,
    /// The executor's number of a ticket.
    numbers: HashMap<u64, u64>,
}

/// The thread: serves until the engine is closed.
fn serve(mut executor: UniquePtr<Executor>, commands: &Receiver<Command>) {
    let mut requests = Requests::default();
    let broken = loop {
        let command = match requests.live.is_empty() {
            true => commands.recv().map_err(|_| TryRecvError::Disconnected),
            false => commands.try_recv(),
        };
        let done = match command {
            Ok(Command::Close) | Err(TryRecvError::Disconnected) => return,
            Ok(command) => obey(command, &mut executor, &mut requests),
            Err(TryRecvError::Empty) => match executor.pin_mut().await_steps(WAIT) {
                Ok(steps) => {
                    steps.into_iter().for_each(|step| deliver(step, &mut requests));
                    Ok(())
                }
                Err(error) => Err(error.what().to_owned()),
            },
        };
        if let Err(what) = done {
            break Error::Broken(what);
        }
    };
    // The memory is freed; whoever asks from now on is told what happened.
    drop(executor);
    for (_number, (_ticket, sender)) in requests.live.drain() {
        let _ = sender.send(Err(broken.clone()));
    }
    while let Ok(command) = commands.recv() {
        match command {
            Command::Submit(_, _, sender) => drop(sender.send(Err(broken.clone()))),
            Command::Load(sender) => drop(sender.send(Err(broken.clone()))),
            Command::Cancel(_) => {}
            Command::Close => return,
        }
    }
}

/// Carries out a command. The error says how the executor broke down.
fn obey(
    command: Command,
    executor: &mut UniquePtr<Executor>,
    requests: &mut Requests,
) -> Result<(), String> {
    match command {
        Command::Submit(ticket, generation, sender) => {
            match executor.pin_mut().submit(&generation) {
                Ok(number) => {
                    requests.live.insert(number, (ticket, sender));
                    requests.numbers.insert(ticket, number);
                }
                // A request that is refused breaks nothing.
                Err(error) => drop(sender.send(Err(Error::Request(error.what().to_owned())))),
            }
        }
        Command::Cancel(ticket) => {
            if let Some(number) = requests.numbers.get(&ticket) {
                // Its last step is yet to come, and removes it.
                executor.pin_mut().cancel(*number).map_err(|error| error.what().to_owned())?;
            }
        }
        Command::Load(sender) => {
            let executor = executor.pin_mut().stats().map_err(|error| error.what().to_owned())?;
            let _ = sender.send(Ok(Load { executor, requests: requests.live.len() }));
        }
        Command::Close => {}
    }
    Ok(())
}

/// Hands a step to the request that it belongs to.
fn deliver(step: Step, requests: &mut Requests) {
    let Step { request, tokens, finish, error } = step;
    let tokens: Result<Vec<u32>, _> = tokens.into_iter().map(u32::try_from).collect();
    let progress = match tokens {
        _ if finish == Finish::Failed => Err(Error::Request(error)),
        Ok(tokens) if finish == Finish::NotYet => Ok(Progress { tokens, finish: None }),
        Ok(tokens) => Ok(Progress { tokens, finish: Some(finish) }),
        Err(_) => Err(Error::Request("it generated a token with a negative number".to_owned())),
    };
    // A request whose answer nobody waits for is cancelled already, or about to be.
    if finish == Finish::NotYet {
        if let Some((_, sender)) = requests.live.get(&request) {
            let _ = sender.send(progress);
        }
    } else if let Some((ticket, sender)) = requests.live.remove(&request) {
        requests.numbers.remove(&ticket);
        let _ = sender.send(progress);
    }
}
