//! `june doctor`: is everything here that June needs?

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use june_benchmarks::dataset::known;
use june_sandbox::{Exit, Limits, Program};
use serde::Serialize;

use super::{dataset, eval};
use crate::exit::{Blame, Failure, print, said};
use crate::paths;

/// Check that everything is here that June needs, and say what to do where it is not.
///
/// Exit status: 0 all is well, 1 something that June needs is missing.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Check {
    name: String,
    /// Whether June works without it.
    optional: bool,
    ok: bool,
    detail: String,
}

pub(crate) fn run(command: &Doctor) -> Result<ExitCode, Failure> {
    let mut checks = vec![
        check("cache folder", false, paths::cache().and_then(writable)),
        check("python runner", false, run_python().map_err(|failure| failure.error)),
    ];
    for data in known() {
        let found = dataset::find(data).map(|path| path.display().to_string());
        checks.push(check(&format!("data set {}", data.name), true, found));
    }
    let well = checks.iter().all(|check| check.ok || check.optional);
    if command.json {
        let text = serde_json::to_string_pretty(&checks).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        for check in &checks {
            let mark = match (check.ok, check.optional) {
                (true, _) => "ok",
                (false, true) => "absent",
                (false, false) => "MISSING",
            };
            print(&format!(
                "{mark:<8} {:<24} {}\n",
                check.name,
                check.detail.replace('\n', "\n                                  ")
            ))?;
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn check(name: &str, optional: bool, found: Result<String>) -> Check {
    let ok = found.is_ok();
    let detail = found.unwrap_or_else(|error| said(&error));
    Check { name: name.into(), optional, ok, detail }
}

fn writable(folder: PathBuf) -> Result<String> {
    std::fs::create_dir_all(&folder)?;
    tempfile::tempfile_in(&folder)?;
    Ok(folder.display().to_string())
}

/// Runs a program, for nothing less shows that programs run.
fn run_python() -> Result<String, Failure> {
    let runner = eval::load_runner()?;
    let program = Program::python("import sys; print(sys.version.split()[0])");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().environment()?;
    let outcome = runtime.block_on(runner.run(&program, &Limits::default(), 0)).environment()?;
    if outcome.exit != Exit::Returned {
        return Err(anyhow::anyhow!("a first program ended with {:?}", outcome.exit)).environment();
    }
    let version = String::from_utf8_lossy(&outcome.stdout.bytes);
    Ok(format!("CPython {}, component {}", version.trim(), runner.component().digest()))
}
