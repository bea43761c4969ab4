//! `june component check`: does a component fit?

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use june_sandbox::contract::ToolSpec;
use june_sandbox::fit::{Item, REBUILD, told};
use june_sandbox::{
    Component, Engine, Error, Fit, GrantedTool, Grants, Limits, Misfit, Runner, Strategy, Tool,
    World,
};
use serde::Serialize;
use serde_json::Value;

use super::super::run::runtime;
use super::{exports, load, world, world_of};
use crate::exit::{Blame, Failure, print};
use crate::paths;
use crate::words::neutral;

/// Check that a component fits this June.
///
/// Every import and export is held against the contract, by name, version and type, and what to do
/// is said where one does not fit. A tool is also asked to describe itself. Nothing else is run.
#[derive(Args)]
#[command(after_long_help = "Exit status: 0 it fits, 1 it does not, 2 it is no component.")]
pub(crate) struct Check {
    /// The component's file.
    file: PathBuf,
    /// The world to hold it against: strategy, tool or runner [default: the one that it has an
    /// export for].
    #[arg(long, value_parser = world)]
    world: Option<World>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    sha256: String,
    world: Option<World>,
    fits: bool,
    exports: Vec<Item>,
    imports: Vec<Item>,
    tool: Option<Value>,
    /// All that does not fit: of the items above, and what else there is.
    problems: Vec<Misfit>,
}

pub(super) fn run(command: &Check) -> Result<ExitCode, Failure> {
    let Check { file, world, json } = command;
    let engine = Engine::new().environment()?;
    let component = load(&engine, file)?;
    let world = world_of(&component, *world)?;
    let checked = match world {
        Some(world) => check(&engine, file, &component, world)?,
        None => Checked::new(file, &component, None, vec![without_world()]),
    };
    if *json {
        let text = serde_json::to_string_pretty(&checked).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        print(&neutral(&table(&checked), true))?;
    }
    Ok(if checked.fits { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

impl Checked {
    fn new(file: &Path, component: &Component, fit: Option<Fit>, problems: Vec<Misfit>) -> Self {
        let sha256 = component.digest().to_string();
        let (world, exports, imports) = match fit {
            Some(Fit { world, exports, imports }) => (Some(world), exports, imports),
            None => (None, Vec::new(), Vec::new()),
        };
        let fits = problems.is_empty();
        Self { file: file.into(), sha256, world, fits, exports, imports, tool: None, problems }
    }
}

fn without_world() -> Misfit {
    Misfit {
        why: "it exports nothing that June asks for, and so is for no world".into(),
        fix: format!("export one of {}", exports()),
    }
}

fn check(
    engine: &Engine,
    file: &Path,
    component: &Component,
    world: World,
) -> Result<Checked, Failure> {
    let fit = component.fit(world);
    let mut problems: Vec<_> = fit.misfits().cloned().collect();
    if !problems.is_empty() {
        return Ok(Checked::new(file, component, Some(fit), problems));
    }
    let cache = paths::compiled().environment()?;
    let mut described = None;
    let loaded = match world {
        World::Strategy => Strategy::load(engine, file, &cache).map(|_| ()),
        World::Runner => Runner::load(engine, file, &cache).map(|_| ()),
        World::Tool => runtime()?.block_on(Tool::load(engine, file, &cache)).map(|tool| {
            problems = of_spec(tool.spec());
            described = serde_json::to_value(tool.spec()).ok();
            let name = &tool.spec().name.clone();
            let granted = GrantedTool::component(tool, name, Grants::default(), Limits::default());
            problems.extend(granted.err().and_then(of_error));
        }),
    };
    if let Err(error) = loaded {
        let text = error.to_string();
        problems.push(of_error(error).ok_or_else(|| anyhow::anyhow!(text)).environment()?);
    }
    Ok(Checked { tool: described, ..Checked::new(file, component, Some(fit), problems) })
}

/// The problem that loading met; none where that is not the component's.
fn of_error(error: Error) -> Option<Misfit> {
    let (why, fix) = match error {
        Error::World { source, .. } => (format!("{source:#}"), REBUILD),
        Error::Undescribed { why, .. } => {
            (format!("the tool does not describe itself: {why}"), "see `describe` in wit/tools.wit")
        }
        Error::Instantiate { source, .. } => (
            format!("it cannot be instantiated: {source:#}"),
            "make it smaller: fewer core modules, memories and tables",
        ),
        _ => return None,
    };
    Some(Misfit { why, fix: fix.into() })
}

/// What is wrong with a tool's own description.
fn of_spec(spec: &ToolSpec) -> Vec<Misfit> {
    let mut problems = Vec::new();
    let mut wrong = |why: String, fix: &str| problems.push(Misfit { why, fix: fix.into() });
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let ToolSpec { name, description, parameters } = spec;
    if name.is_empty() || name.len() > 64 || !name.chars().all(usual) {
        let why = format!("`{}` cannot be a tool's name", name.escape_debug());
        wrong(why, "take lower-case letters, digits, `-` and `_`, 64 at most");
    }
    if description.trim().is_empty() {
        wrong("the tool has no description".into(), "tell the model when to use it");
    }
    let schema: Option<Value> = serde_json::from_str(parameters).ok();
    if schema.is_some_and(|schema| schema["type"] != "object") {
        let why = "the schema of its arguments is not that of an object".into();
        wrong(why, "write `\"type\": \"object\"` into it: models take no other");
    }
    problems
}

fn table(checked: &Checked) -> String {
    let Checked { file, world, fits, exports, imports, tool, problems, .. } = checked;
    let fits = if *fits { "fits" } else { "does not fit" };
    let world = world.map_or("any world".into(), |world| format!("the world {world}"));
    let mut text = format!("{} {fits} {world}\n", file.display());
    for (title, items) in [("exports", exports), ("imports", imports)] {
        for (index, item) in items.iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            let Item { name, found, offered, misfit } = item;
            let mark = match (misfit, offered) {
                (Some(_), _) => "MISFIT",
                (None, Some(_)) => "ok",
                (None, None) => "-",
            };
            let found = found.as_deref().unwrap_or("-");
            let offered = offered.map_or("-".into(), |version| format!("June has {version}"));
            let line = format!("  {title:<8} {mark:<7} {name:<32} {found:<10} {offered}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    if let Some(tool) = tool {
        let of = |key: &str| tool[key].as_str().unwrap_or_default();
        let _ = writeln!(text, "  tool     {}: {}", of("name"), of("description"));
        let _ = writeln!(text, "           {}", of("parameters"));
    }
    if !problems.is_empty() {
        let _ = writeln!(text, "\n{}", told(problems));
    }
    text
}
