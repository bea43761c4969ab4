//! `june-flatten IN.wasm -o OUT.wasm`: merges a component's core modules.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;

/// Merge the core modules of a component into one.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The component.
    input: PathBuf,
    /// Where to write the flattened component.
    #[arg(short, long)]
    output: PathBuf,
    /// Also make the objects immortal that a CPython snapshot lists in its
    /// memory.
    #[arg(long)]
    immortal: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let bytes = std::fs::read(&args.input)
        .with_context(|| format!("cannot read {}", args.input.display()))?;
    let start = Instant::now();
    let mut flat = june_flatten::flatten(&bytes)
        .with_context(|| format!("cannot flatten {}", args.input.display()))?;
    let june_flatten::Report { instances, functions, globals } = flat.report;
    eprintln!(
        "instances {} to {}, functions {} to {}, globals {} to {}, bytes {} to {}, in {:.2?}",
        instances.0,
        instances.1,
        functions.0,
        functions.1,
        globals.0,
        globals.1,
        bytes.len(),
        flat.component.len(),
        start.elapsed(),
    );
    if args.immortal {
        let objects = june_flatten::make_immortal(&mut flat.component)
            .with_context(|| format!("no immortal objects in {}", args.input.display()))?;
        eprintln!("objects made immortal: {objects}");
    }
    std::fs::write(&args.output, flat.component)
        .with_context(|| format!("cannot write {}", args.output.display()))
}
