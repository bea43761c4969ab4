//! `june component`: looking at components.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use june_sandbox::{Cache, Component as Loaded, Engine};
use serde_json::json;

use crate::exit::{Blame, Failure, print};
use crate::size::show_bytes;

/// Look at WebAssembly components.
#[derive(Subcommand)]
pub(crate) enum Component {
    Inspect(Inspect),
}

/// Show what a component is: its digest, what it asks for and what it offers.
#[derive(Args)]
pub(crate) struct Inspect {
    /// The component's file.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Component) -> Result<ExitCode, Failure> {
    let Component::Inspect(Inspect { file, json }) = command;
    let engine = Engine::new().environment()?;
    let component = Loaded::load(&engine, file, &Cache::none()).input()?;
    if *json {
        let value = json!({
            "name": component.name(),
            "sha256": component.digest().to_string(),
            "bytes": component.size(),
            "imports": component.imports(),
            "exports": component.exports(),
        });
        print(&format!("{value:#}\n"))?;
    } else {
        let mut text = format!(
            "{}\n  sha256   {}\n  size     {}\n",
            component.name(),
            component.digest(),
            show_bytes(component.size())
        );
        for (title, names) in [("exports", component.exports()), ("imports", component.imports())] {
            for (index, name) in names.iter().enumerate() {
                let title = if index == 0 { title } else { "" };
                let _ = writeln!(text, "  {title:<8} {name}");
            }
        }
        print(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}
