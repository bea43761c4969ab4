//! Running programs, each in a fresh instance of a runner component.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use june_journal::record::{End, Event, LimitHit, Parent, Start};
use june_journal::{self as journal, Digest, Journal};
use wasmtime::component::ResourceTableError;
use wasmtime::{Store, Trap};

use crate::bindings::runner::RunnerPre;
use crate::bindings::runner::june::agent::program_types as wit;
use crate::calls::{Calls, Ledger, Trace};
use crate::engine;
use crate::limits::Exceeded;
use crate::replay::{Recorded, Replay, ReplayError};
use crate::state::State;
use crate::wasi::{EPOCH, Exited};
use crate::{Cache, Component, Engine, Error, Exception, Exit, Limits, Outcome, Phase};

/// A program to run, untrusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The program's text.
    pub source: String,
    /// A second program, run after `source` in the same global namespace, that
    /// judges the first and is defended against it. With checks, only a run
    /// that completes both is [`Exit::Returned`].
    pub checks: Option<String>,
    /// What the program reads from its standard input.
    pub stdin: Vec<u8>,
}

impl Program {
    /// A Python program without checks and with an empty standard input.
    pub fn python(source: impl Into<String>) -> Self {
        Self { source: source.into(), ..Self::default() }
    }
}

/// A component of `world runner`, ready to run programs. Clones share it, and
/// it may run many programs at once.
#[derive(Clone)]
pub struct Runner {
    engine: Engine,
    component: Component,
    instance: RunnerPre<State>,
}

impl Runner {
    /// Loads a runner component.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not a component of `world runner`.
    pub fn load(engine: &Engine, path: &Path, cache: &Cache) -> Result<Self, Error> {
        let component = Component::load(engine, path, cache)?;
        let instance = RunnerPre::new(component.link("runner")?).map_err(|source| {
            Error::World { name: component.name().to_owned(), world: "runner", source }
        })?;
        Ok(Self { engine: engine.clone(), component, instance })
    }

    /// The component that runs the programs.
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// Runs one program to its end in an instance of its own. Must be called
    /// within a tokio runtime that has its timer enabled. Dropping the future
    /// stops the program.
    ///
    /// # Errors
    ///
    /// When no instance could be made, or the runner refuses the program.
    /// Whatever the program itself does is an [`Outcome`].
    pub async fn run(
        &self,
        program: &Program,
        limits: &Limits,
        seed: u64,
    ) -> Result<Outcome, Error> {
        Ok(self.execute(program, limits, seed, Ledger::Count).await?.0)
    }

    /// Runs one program as [`run`](Self::run) does, and records it. Returns the
    /// run's number in the journal, and the number of its last record beside the
    /// outcome: once [`Journal::wait`] has returned for that, all of the run is
    /// durable.
    ///
    /// # Errors
    ///
    /// Also when the run cannot be recorded; it does not go on then.
    pub async fn record(
        &self,
        program: &Program,
        limits: &Limits,
        seed: u64,
        recording: &Recording<'_>,
    ) -> Result<RecordedOutcome, Error> {
        let Recording { journal, session, parent } = *recording;
        let mut input = BTreeMap::new();
        input.insert("source".into(), journal.data(program.source.clone().into_bytes())?);
        if let Some(checks) = &program.checks {
            input.insert("checks".into(), journal.data(checks.clone().into_bytes())?);
        }
        if !program.stdin.is_empty() {
            input.insert("stdin".into(), journal.data(program.stdin.clone())?);
        }
        let run = journal.start(Start {
            component: self.component.digest(),
            name: self.component.name().into(),
            world: "runner".into(),
            session: session.into(),
            engine: engine::NAME.into(),
            configuration: engine::configuration(),
            // A runner is granted nothing.
            grants: Vec::new(),
            policy: Digest::of(b""),
            limits: limits.to_map(),
            seed,
            epoch: EPOCH,
            input,
            parent,
        })?;
        let open = Open { journal, run, start: Instant::now() };
        let ledger = Ledger::Record(Trace::new(journal.clone(), run));
        let (outcome, mut calls) = self.execute(program, limits, seed, ledger).await?;
        let count = calls.count;
        if let Ledger::Record(trace) = &mut calls.ledger {
            trace.flush(count)?;
        }
        let last = open.end(&outcome, &calls, limits)?;
        Ok(RecordedOutcome { outcome, run, last })
    }

    /// Runs a recorded run again, and compares.
    ///
    /// # Errors
    ///
    /// When this is another component than the run's, or the sandbox fails.
    pub async fn replay(&self, recorded: &Recorded) -> Result<Replay, ReplayError> {
        let (needed, found) = (recorded.start.component, self.component.digest());
        if needed != found {
            return Err(ReplayError::Component { needed, found });
        }
        let (program, limits) = (&recorded.program, &recorded.limits);
        let ledger = Ledger::Compare(recorded.expected());
        let (outcome, calls) = self.execute(program, limits, recorded.start.seed, ledger).await?;
        Ok(recorded.compare(&outcome, &calls))
    }

    async fn execute(
        &self,
        program: &Program,
        limits: &Limits,
        seed: u64,
        ledger: Ledger,
    ) -> Result<(Outcome, Calls), Error> {
        let start = Instant::now();
        let mut store = State::store(&self.engine, limits, seed, &program.stdin, ledger)?;
        let ended = tokio::time::timeout(limits.wall, self.call(&mut store, program)).await;
        let exit = match ended {
            Err(_elapsed) => Exit::TimedOut,
            Ok(Ok(wit::Completion::Refused(why))) => return Err(Error::Refused(why)),
            Ok(Ok(completion)) => exit_of_completion(completion),
            Ok(Err(Failure::Instantiate(source))) => {
                let name = self.component.name().to_owned();
                return Err(Error::Instantiate { name, source });
            }
            Ok(Err(Failure::Trap(error))) => exit_of_trap(error)?,
        };
        let fuel = limits.fuel - store.get_fuel().unwrap_or(0).min(limits.fuel);
        let state = store.into_data();
        let outcome = Outcome {
            exit,
            stdout: state.streams.stdout,
            stderr: state.streams.stderr,
            fuel,
            peak_memory: state.meter.peak_memory(),
            wall: start.elapsed(),
        };
        Ok((outcome, state.calls))
    }

    async fn call(
        &self,
        store: &mut Store<State>,
        program: &Program,
    ) -> Result<wit::Completion, Failure> {
        let instance = match self.instance.instantiate_async(&mut *store).await {
            Ok(instance) => instance,
            // A limit too small for even the start is the caller's choice.
            Err(error) if error.is::<Trap>() || error.is::<Exceeded>() => {
                return Err(Failure::Trap(error));
            }
            Err(error) => return Err(Failure::Instantiate(error)),
        };
        let program = wit::Program {
            language: wit::Language::Python,
            source: program.source.clone(),
            checks: program.checks.clone(),
            stdin: Vec::new(),
            files: Vec::new(),
        };
        let handler = instance.june_agent_program_handler();
        handler.call_run(store, &program).await.map_err(Failure::Trap)
    }
}

/// Where a run is recorded.
#[derive(Clone, Copy)]
pub struct Recording<'a> {
    /// The journal.
    pub journal: &'a Journal,
    /// What the run belongs to, for whoever looks for it; may be empty.
    pub session: &'a str,
    /// The call of another run that this run answers.
    pub parent: Option<Parent>,
}

/// What became of a run that was recorded.
#[derive(Clone, Debug)]
pub struct RecordedOutcome {
    /// How it ended.
    pub outcome: Outcome,
    /// Its number in the journal.
    pub run: u64,
    /// The number of its last record.
    pub last: u64,
}

/// A run in the journal that has no end yet. Dropped, it was given up.
struct Open<'a> {
    journal: &'a Journal,
    run: u64,
    start: Instant,
}

impl Open<'_> {
    /// Records what the run wrote and how it ended.
    fn end(self, outcome: &Outcome, calls: &Calls, limits: &Limits) -> Result<u64, Error> {
        let (journal, run) = (self.journal, self.run);
        // From here on the end is told below, or cannot be told.
        std::mem::forget(self);
        let limit = match outcome.exit {
            Exit::OutOfFuel => Some(("fuel", limits.fuel)),
            Exit::OutOfMemory => Some(("memory", limits.memory)),
            Exit::TimedOut => Some(("wall-ms", limits.wall.as_millis() as u64)),
            _ => None,
        };
        if let Some((limit, bound)) = limit {
            journal.append(run, Event::LimitHit(LimitHit { limit: limit.into(), bound }))?;
        }
        let Outcome { stdout, stderr, .. } = outcome;
        if !(stdout.bytes.is_empty() && stderr.bytes.is_empty()) {
            let output = journal::record::Output {
                stdout: journal.data(stdout.bytes.clone())?,
                stdout_truncated: stdout.truncated,
                stderr: journal.data(stderr.bytes.clone())?,
                stderr_truncated: stderr.truncated,
            };
            journal.append(run, Event::Output(output))?;
        }
        let end = End {
            exit: Some(outcome.exit.clone()),
            fuel: outcome.fuel,
            peak_memory: outcome.peak_memory,
            calls: calls.count,
            entries: calls.entries,
            denied: calls.denied,
            duration: outcome.wall.as_micros() as u64,
        };
        Ok(journal.append(run, Event::End(end))?)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let duration = self.start.elapsed().as_micros() as u64;
        let end =
            End { exit: None, fuel: 0, peak_memory: 0, calls: 0, entries: 0, denied: 0, duration };
        // A journal that takes nothing more is told of elsewhere.
        let _ = self.journal.append(self.run, Event::End(end));
    }
}

enum Failure {
    Instantiate(wasmtime::Error),
    Trap(wasmtime::Error),
}

fn exit_of_completion(completion: wit::Completion) -> Exit {
    match completion {
        wit::Completion::Returned => Exit::Returned,
        wit::Completion::Refused(why) => Exit::Crashed(why),
        wit::Completion::Exited(status) => Exit::Exited(status),
        wit::Completion::Raised(exception) => Exit::Raised(Exception {
            kind: exception.kind,
            message: exception.message,
            phase: match exception.phase {
                wit::Phase::Source => Phase::Source,
                wit::Phase::Checks => Phase::Checks,
            },
            line: exception.line,
            statement: exception.statement,
        }),
    }
}

/// What ended the run from within; or what the host itself failed at meanwhile.
fn exit_of_trap(error: wasmtime::Error) -> Result<Exit, Error> {
    if let Some(Exited(status)) = error.downcast_ref() {
        return Ok(Exit::Exited(*status));
    }
    let error = match error.downcast::<june_journal::Error>() {
        Ok(unrecorded) => return Err(Error::Journal(unrecorded)),
        Err(error) => error,
    };
    Ok(match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Exit::OutOfFuel,
        Some(trap) => Exit::Crashed(trap.to_string()),
        None if matches!(error.downcast_ref(), Some(Exceeded::Memory)) => Exit::OutOfMemory,
        None if error.is::<ResourceTableError>() => Exit::Crashed("too many handles".into()),
        None => Exit::Crashed(error.root_cause().to_string()),
    })
}
