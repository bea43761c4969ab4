//! `programs`: running programs, each in a runner that is granted nothing.

use wasmtime::component::Linker;

use super::import;
use crate::capability::{Caller, Decision, Worked, define_capability};
use crate::contract::programs::{self as wit, ProgramError};
use crate::state::{Spent, State};
use crate::workspace::{Entry, Tree};
use crate::{Error, Exit, Limits, Outcome, Output, Phase, Program, Recording, Runner};

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut to = linker.instance(&import("programs"))?;
    define_capability(&mut to, "june:agent/programs", "run", decide)
}

fn decide(
    state: &mut State,
    (program, asked): (wit::Program, wit::Limits),
    caller: Caller,
) -> Decision<Result<wit::Outcome, ProgramError>> {
    let authority = &state.authority;
    if !authority.grants.programs {
        return Decision::denied("no grant covers running programs");
    }
    let Some(depth) = authority.limits.depth.checked_sub(1) else {
        return Decision::limit("runs are nested as deeply as allowed");
    };
    let runner = authority.capabilities.programs.clone();
    let own = &authority.limits;
    let limits = Limits {
        fuel: asked.fuel.unwrap_or(u64::MAX).min(caller.fuel).min(own.fuel),
        memory: asked.memory.unwrap_or(u64::MAX).min(own.memory),
        output: asked.output.map_or(own.output, |output| own.output.min(output as usize)),
        depth,
        ..own.clone()
    };
    let seed = state.calls.count;
    let work = async move {
        let (Some(runner), Ok(program)) = (runner, program_of(program)) else {
            return Ok(Worked::free(Err(ProgramError::Unavailable(
                "there is no runner here, or a file's path is not a plain relative one".into(),
            ))));
        };
        run(&runner, &program, &limits, seed, caller).await
    };
    Decision::Granted { grant: "programs".into(), irrevocable: false, work: Box::pin(work) }
}

async fn run(
    runner: &Runner,
    program: &Program,
    limits: &Limits,
    seed: u64,
    caller: Caller,
) -> wasmtime::Result<Worked<Result<wit::Outcome, ProgramError>>> {
    let ended = match caller.place {
        None => runner.run(program, limits, seed).await,
        Some((journal, session, parent)) => {
            let recording =
                Recording { journal: &journal, session: &session, parent: Some(parent) };
            runner.record(program, limits, seed, &recording).await.map(|recorded| recorded.outcome)
        }
    };
    let answer = match ended {
        Ok(outcome) => Ok(outcome),
        Err(Error::Refused(why)) => Err(ProgramError::Unsupported(why)),
        Err(error @ Error::Instantiate { .. }) => Err(ProgramError::Unavailable(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let fuel = answer.as_ref().map_or(0, |outcome| outcome.fuel);
    let spent = Spent { programs: 1, ..Spent::default() };
    Ok(Worked { answer: answer.map(outcome_of), fuel, spent })
}

fn program_of(program: wit::Program) -> Result<Program, ()> {
    let wit::Program { language: wit::Language::Python, source, checks, stdin, files } = program;
    let mut tree = Tree::default();
    for file in files {
        let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if !file.path.split('/').all(plain) {
            return Err(());
        }
        tree.insert(&file.path, Entry::file(file.content)).map_err(|_too_many| ())?;
    }
    Ok(Program { source, checks, stdin, files: tree })
}

fn outcome_of(outcome: Outcome) -> wit::Outcome {
    let kept = |output: Output| wit::Output { bytes: output.bytes, truncated: output.truncated };
    wit::Outcome {
        exit: match outcome.exit {
            Exit::Returned => wit::Exit::Returned,
            Exit::Exited(status) => wit::Exit::Exited(status),
            Exit::OutOfFuel => wit::Exit::OutOfFuel,
            Exit::OutOfMemory => wit::Exit::OutOfMemory,
            Exit::TimedOut => wit::Exit::TimedOut,
            Exit::Crashed(trap) => wit::Exit::Crashed(trap),
            Exit::Raised(exception) => wit::Exit::Raised(wit::Exception {
                kind: exception.kind,
                message: exception.message,
                phase: match exception.phase {
                    Phase::Source => wit::Phase::Source,
                    Phase::Checks => wit::Phase::Checks,
                },
                line: exception.line,
                statement: exception.statement,
            }),
        },
        stdout: kept(outcome.stdout),
        stderr: kept(outcome.stderr),
        fuel: outcome.fuel,
        peak_memory: outcome.peak_memory,
    }
}
