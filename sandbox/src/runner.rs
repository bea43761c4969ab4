//! Running programs, each in a fresh instance of a runner component.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use june_journal::Journal;
use june_journal::record::{Data, Parent};
use wasmtime::Store;

use crate::Origin;
use crate::bindings::runner::RunnerPre;
use crate::calls::Ledger;
use crate::contract::programs as wit;
use crate::grants::{FileGrant, Mode};
use crate::replay::{Recorded, Replay, ReplayError, Subject};
use crate::run::{self, Closing, Failure, Job};
use crate::state::State;
use crate::workspace::Tree;
use crate::{
    Cache, Capabilities, Component, Engine, Error, Exception, Exit, Grants, Limits, Outcome, Phase,
};

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
    /// The files that it finds in its working folder. It may change its copy.
    pub files: Tree,
}

impl Program {
    /// A Python program without checks and with an empty standard input.
    pub fn python(source: impl Into<String>) -> Self {
        Self { source: source.into(), ..Self::default() }
    }

    /// A program is granted its own files, and nothing else.
    fn grants(&self) -> Arc<Grants> {
        let mut grants = Grants::default();
        if self.files.entries().next().is_some() {
            grants.files.push(FileGrant { path: String::new(), mode: Mode::ReadWrite });
        }
        Arc::new(grants)
    }

    /// The program as a start record has it.
    fn recorded(&self, journal: &Journal) -> Result<BTreeMap<String, Data>, june_journal::Error> {
        let mut input = BTreeMap::new();
        input.insert("source".into(), journal.data(self.source.clone().into_bytes())?);
        if let Some(checks) = &self.checks {
            input.insert("checks".into(), journal.data(checks.clone().into_bytes())?);
        }
        if !self.stdin.is_empty() {
            input.insert("stdin".into(), journal.data(self.stdin.clone())?);
        }
        Ok(input)
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
        let job = self.job(program, limits, Origin::seeded(seed));
        Ok(run::execute(job, Ledger::Count).await?.outcome)
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
        let job = self.job(program, limits, Origin::seeded(seed));
        let input = |journal: &Journal| program.recorded(journal);
        let (finished, place) = run::perform(job, Some(recording), input).await?;
        let (run, last) = place.unwrap_or_default();
        Ok(RecordedOutcome { outcome: finished.outcome, run, last })
    }

    /// Runs a recorded run again, and compares.
    ///
    /// # Errors
    ///
    /// When this is another component than the run's, or the sandbox fails.
    pub async fn replay(&self, recorded: &Recorded) -> Result<Replay, ReplayError> {
        recorded.is_of(&self.component)?;
        let Subject::Program(program) = &recorded.subject else {
            return Err(recorded.of_another_world());
        };
        let job = self.job(program, &recorded.limits, recorded.origin());
        Ok(recorded.compare(&run::execute(job, Ledger::Compare(recorded.expected())).await?))
    }

    /// The job of running this program.
    fn job<'a>(&'a self, program: &'a Program, limits: &'a Limits, origin: Origin) -> Job<'a> {
        let instance = self.instance.clone();
        let asked = wit::Program {
            language: wit::Language::Python,
            source: program.source.clone(),
            checks: program.checks.clone(),
            stdin: Vec::new(),
            files: Vec::new(),
        };
        Job {
            engine: &self.engine,
            component: &self.component,
            world: "runner",
            limits,
            origin,
            grants: program.grants(),
            capabilities: Capabilities::default(),
            files: program.files.clone(),
            stdin: &program.stdin,
            call: Box::new(move |store| Box::pin(call(instance, store, asked))),
        }
    }
}

async fn call(
    instance: RunnerPre<State>,
    store: &mut Store<State>,
    program: wit::Program,
) -> Result<Closing, Failure> {
    let instance = instance.instantiate_async(&mut *store).await.map_err(Failure::instantiate)?;
    let handler = instance.june_agent_program_handler();
    match handler.call_run(store, &program).await.map_err(Failure::Trap)? {
        wit::Completion::Refused(why) => Err(Failure::Refused(why)),
        completion => Ok(Closing { exit: exit_of_completion(completion), value: None }),
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
