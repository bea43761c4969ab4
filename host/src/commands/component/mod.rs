//! `june component`: making components, looking at them and trying them.

mod build;
mod check;
mod environment;
mod inspect;
mod new;
mod templates;
#[path = "try.rs"]
mod try_;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use june_sandbox::{Component as Loaded, Engine, World};
use serde::Serialize;

use crate::exit::{Blame, Failure};
use crate::paths;

/// Make components, look at them and try them.
///
/// A component is a WebAssembly file: a strategy decides what an agent asks, calls and says; a tool
/// is something that an agent can use.
#[derive(Subcommand)]
#[command(
    after_long_help = "Exit status: 0 done; 1 the answer is no: the component does not fit, \
                             or gave no answer; 2 wrong usage, or a project that does not build; \
                             3 the machine or the set-up.\n\nExamples:\n  \
                             june component new strategy helper --lang rust\n  \
                             june component build helper\n  \
                             june component check helper/helper.wasm\n  \
                             june component try helper/helper.wasm \"Good morning\""
)]
pub(crate) enum Component {
    New(new::New),
    Build(build::Build),
    Check(check::Check),
    Inspect(inspect::Inspect),
    Try(try_::Try),
}

/// A language that components are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Language {
    /// Built by cargo, for wasm32-wasip2.
    Rust,
    /// Built by componentize-py.
    Python,
    /// Built by componentize-js.
    Js,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Language::Rust => "Rust",
            Language::Python => "Python",
            Language::Js => "JavaScript",
        }
    }
}

pub(crate) fn run(command: &Component) -> Result<ExitCode, Failure> {
    match command {
        Component::New(command) => new::run(command),
        Component::Build(command) => build::run(command),
        Component::Check(command) => check::run(command),
        Component::Inspect(command) => inspect::run(command),
        Component::Try(command) => try_::run(command),
    }
}

/// Parses a world's name.
fn world(name: &str) -> Result<World, String> {
    World::named(name).ok_or_else(|| "the worlds are strategy, tool and runner".into())
}

/// Reads a component, and compiles it.
fn load(engine: &Engine, file: &Path) -> Result<Loaded, Failure> {
    let wasm = inspect::read(file)?;
    inspect::inspect(&wasm)
        .with_context(|| format!("{} is not a component", file.display()))
        .input()?;
    let cache = paths::compiled().environment()?;
    Loaded::load(engine, file, &cache).input()
}

/// The world that a component is for: the one that was named, else the one that its exports tell;
/// none where they tell of none.
fn world_of(component: &Loaded, named: Option<World>) -> Result<Option<World>, Failure> {
    let worlds = component.worlds();
    match (named, worlds.as_slice()) {
        (Some(world), _) => Ok(Some(world)),
        (None, []) => Ok(None),
        (None, [world]) => Ok(Some(*world)),
        (None, several) => {
            let names: Vec<_> = several.iter().map(|world| world.name()).collect();
            let names = names.join(" and a ");
            Err(anyhow::anyhow!("it is a {names}\nhint: say with --world which one is meant"))
                .input()
        }
    }
}

/// What to export for each world.
fn exports() -> String {
    let exports = World::ALL.map(|world| format!("june:agent/{} (a {world})", world.export()));
    exports.join(", ")
}
