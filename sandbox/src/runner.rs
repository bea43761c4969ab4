//! Running programs, each in a fresh instance of a runner component.

use std::path::Path;
use std::time::Instant;

use wasmtime::component::ResourceTableError;
use wasmtime::{Store, Trap};
use wasmtime_wasi::I32Exit;

use crate::bindings::runner::RunnerPre;
use crate::bindings::runner::june::agent::program_types as wit;
use crate::limits::Exceeded;
use crate::state::State;
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
        let start = Instant::now();
        let mut store = State::store(&self.engine, limits, seed, &program.stdin)?;
        let ended = tokio::time::timeout(limits.wall, self.call(&mut store, program)).await;
        let exit = match ended {
            Err(_elapsed) => Exit::TimedOut,
            Ok(Ok(wit::Completion::Refused(why))) => return Err(Error::Refused(why)),
            Ok(Ok(completion)) => exit_of_completion(completion),
            Ok(Err(Failure::Instantiate(source))) => {
                let name = self.component.name().to_owned();
                return Err(Error::Instantiate { name, source });
            }
            Ok(Err(Failure::Trap(error))) => exit_of_trap(&error),
        };
        let fuel = limits.fuel - store.get_fuel().unwrap_or(0).min(limits.fuel);
        let state = store.into_data();
        Ok(Outcome {
            exit,
            stdout: state.stdout.take(),
            stderr: state.stderr.take(),
            fuel,
            peak_memory: state.meter.peak_memory(),
            wall: start.elapsed(),
        })
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

fn exit_of_trap(error: &wasmtime::Error) -> Exit {
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return Exit::Exited(*status);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Exit::OutOfFuel,
        Some(trap) => Exit::Crashed(trap.to_string()),
        None if matches!(error.downcast_ref(), Some(Exceeded::Memory)) => Exit::OutOfMemory,
        None if error.is::<ResourceTableError>() => Exit::Crashed("too many handles".into()),
        None => Exit::Crashed(error.root_cause().to_string()),
    }
}
