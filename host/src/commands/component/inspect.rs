//! `june component inspect`: what a component is.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use june_sandbox::Digest;
use serde::Serialize;
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::exit::{Blame, Failure, print};
use crate::size::show_bytes;

/// Show what a component is: its digest, what it asks for and what it offers.
#[derive(Args)]
pub(crate) struct Inspect {
    /// The component's file.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Inspect) -> Result<ExitCode, Failure> {
    let Inspect { file, json } = command;
    let wasm = read(file)?;
    let inspected =
        inspect(&wasm).with_context(|| format!("{} is not a component", file.display())).input()?;
    if *json {
        let text = serde_json::to_string_pretty(&inspected).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        print(&table(&inspected, &file.display().to_string()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A component's bytes.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display())).input()
}

/// What can be said of a component without compiling it.
#[derive(Serialize)]
pub(super) struct Inspected {
    pub(super) sha256: String,
    bytes: usize,
    exports: Vec<String>,
    imports: Vec<String>,
}

pub(super) fn inspect(wasm: &[u8]) -> Result<Inspected> {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.context("it is damaged")? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                bail!(
                    "it is a core module\nhint: build it for wasm32-wasip2, or make a component of it with `wasm-tools component new`"
                )
            }
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Validator::new_with_features(WasmFeatures::all()).validate_all(wasm)?;
    Ok(Inspected { sha256: Digest::of(wasm).to_string(), bytes: wasm.len(), exports, imports })
}

fn table(component: &Inspected, name: &str) -> String {
    let mut text = format!(
        "{name}\n  sha256   {}\n  size     {}\n",
        component.sha256,
        show_bytes(component.bytes as u64)
    );
    for (title, names) in [("exports", &component.exports), ("imports", &component.imports)] {
        for (index, name) in names.iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            let _ = writeln!(text, "  {title:<8} {name}");
        }
    }
    text
}
