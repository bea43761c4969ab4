//! One run of one component, in whatever world: from its instance to its end,
//! recorded or compared with a record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use june_journal::record::{self, Data, End, Event, LimitHit, Parent, Returned, Start};
use june_journal::{Digest, Journal};
use wasmtime::component::ResourceTableError;
use wasmtime::{Store, Trap};

use crate::Origin;
use crate::calls::{Calls, Ledger, Trace};
use crate::capability::Authority;
use crate::engine;
use crate::limits::Exceeded;
use crate::state::{Spent, State};
use crate::wasi::{Exited, Files};
use crate::workspace::Tree;
use crate::{Capabilities, Component, Engine, Error, Exit, Grants, Limits, Outcome, Recording};

/// What a component is to do.
pub(crate) struct Job<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) component: &'a Component,
    pub(crate) world: &'static str,
    pub(crate) limits: &'a Limits,
    pub(crate) origin: Origin,
    pub(crate) grants: Arc<Grants>,
    pub(crate) capabilities: Capabilities,
    pub(crate) files: Tree,
    pub(crate) stdin: &'a [u8],
    /// Instantiates the component and calls its export.
    pub(crate) call: Call,
}

/// Instantiates a component in a store and calls its export.
pub(crate) type Call =
    Box<dyn for<'s> FnOnce(&'s mut Store<State>) -> BoxFuture<'s, Result<Closing, Failure>> + Send>;

/// What the export returned.
pub(crate) struct Closing {
    pub(crate) exit: Exit,
    /// The value, as JSON, where it is more than the exit.
    pub(crate) value: Option<String>,
}

/// Why it did not return.
pub(crate) enum Failure {
    /// There is no instance.
    Instantiate(wasmtime::Error),
    /// A trap, or what the host failed at meanwhile.
    Trap(wasmtime::Error),
    /// The runner cannot do what it was asked for.
    Refused(String),
}

impl Failure {
    /// Why there is no instance. A limit too small for even the start is the
    /// caller's choice, and a way to end.
    pub(crate) fn instantiate(error: wasmtime::Error) -> Self {
        match error.is::<Trap>() || error.is::<Exceeded>() {
            true => Failure::Trap(error),
            false => Failure::Instantiate(error),
        }
    }
}

/// What became of a run.
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    /// What the export returned, as JSON.
    pub(crate) value: Option<String>,
    /// What was said to the person.
    pub(crate) said: String,
    /// What the run took beside fuel.
    pub(crate) spent: Spent,
    /// The files as it left them.
    pub(crate) files: Tree,
    pub(crate) calls: Calls,
}

/// A run's numbers in the journal: its own, and that of its last record.
pub(crate) type Place = (u64, u64);

/// Does a job and, where there is a journal, records it.
pub(crate) async fn perform(
    job: Job<'_>,
    recording: Option<&Recording<'_>>,
    input: impl FnOnce(&Journal) -> Result<BTreeMap<String, Data>, june_journal::Error>,
) -> Result<(Finished, Option<Place>), Error> {
    let Some(&Recording { journal, session, parent }) = recording else {
        return Ok((execute(job, Ledger::Count).await?, None));
    };
    let mut input = input(journal)?;
    if !job.grants.files.is_empty() || job.files.entries().next().is_some() {
        input.insert("files".into(), job.files.record(journal)?);
    }
    let run = journal.start(start(&job, session, input, parent))?;
    let open = Open { journal, run, start: Instant::now() };
    let limits = job.limits.clone();
    let ledger = Ledger::Record(Trace::new(journal.clone(), run, session.into()));
    let mut finished = execute(job, ledger).await?;
    let count = finished.calls.count;
    if let Ledger::Record(trace) = &mut finished.calls.ledger {
        trace.flush(count)?;
    }
    let last = open.end(&finished, &limits)?;
    Ok((finished, Some((run, last))))
}

fn start(
    job: &Job<'_>,
    session: &str,
    input: BTreeMap<String, Data>,
    parent: Option<Parent>,
) -> Start {
    let grants = job.grants.to_texts();
    Start {
        component: job.component.digest(),
        name: job.component.name().into(),
        world: job.world.into(),
        session: session.into(),
        engine: engine::NAME.into(),
        configuration: engine::configuration(),
        policy: Digest::of(grants.join("\n").as_bytes()),
        grants,
        limits: job.limits.to_map(),
        seed: job.origin.seed,
        epoch: job.origin.epoch,
        input,
        parent,
    }
}

/// Does a job.
pub(crate) async fn execute(job: Job<'_>, ledger: Ledger) -> Result<Finished, Error> {
    let start = Instant::now();
    let Job { engine, component, limits, origin, grants, capabilities, files, stdin, call, .. } =
        job;
    let files = Files { tree: files, grants: grants.files.clone(), limit: limits.files };
    let authority = Authority::new(grants, capabilities, limits.clone());
    let mut store = State::store(engine, origin, stdin, files, authority, ledger)?;
    let ended = tokio::time::timeout(limits.wall, call(&mut store)).await;
    let Closing { exit, value } = match ended {
        Err(_elapsed) => Closing { exit: Exit::TimedOut, value: None },
        Ok(Ok(closing)) => closing,
        Ok(Err(Failure::Refused(why))) => return Err(Error::Refused(why)),
        Ok(Err(Failure::Instantiate(source))) => {
            return Err(Error::Instantiate { name: component.name().to_owned(), source });
        }
        Ok(Err(Failure::Trap(error))) => Closing { exit: exit_of_trap(error)?, value: None },
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
    let Authority { spent, said, .. } = state.authority;
    Ok(Finished { outcome, value, said, spent, files: state.files.tree, calls: state.calls })
}

/// A run in the journal that has no end yet. Dropped, it was given up.
struct Open<'a> {
    journal: &'a Journal,
    run: u64,
    start: Instant,
}

impl Open<'_> {
    /// Records what the run wrote and how it ended.
    fn end(self, finished: &Finished, limits: &Limits) -> Result<u64, Error> {
        let (journal, run) = (self.journal, self.run);
        // From here on the end is told below, or cannot be told.
        std::mem::forget(self);
        let Finished { outcome, value, said, calls, .. } = finished;
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
            let output = record::Output {
                stdout: journal.data(stdout.bytes.clone())?,
                stdout_truncated: stdout.truncated,
                stderr: journal.data(stderr.bytes.clone())?,
                stderr_truncated: stderr.truncated,
            };
            journal.append(run, Event::Output(output))?;
        }
        if value.is_some() || !said.is_empty() {
            let data = |text: &str| journal.data(text.as_bytes().to_vec());
            let returned = Returned {
                value: value.as_deref().map(data).transpose()?,
                said: (!said.is_empty()).then(|| data(said)).transpose()?,
            };
            journal.append(run, Event::Returned(returned))?;
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

/// What ended the run from within; or what the host itself failed at meanwhile.
fn exit_of_trap(error: wasmtime::Error) -> Result<Exit, Error> {
    if let Some(Exited(status)) = error.downcast_ref() {
        return Ok(Exit::Exited(*status));
    }
    let error = match error.downcast::<june_journal::Error>() {
        Ok(unrecorded) => return Err(Error::Journal(unrecorded)),
        Err(error) => error,
    };
    // A run in this one's service that could not be had is the host's fault.
    let error = match error.downcast::<Error>() {
        Ok(failed) => return Err(failed),
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
