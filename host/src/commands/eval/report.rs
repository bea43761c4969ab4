//! `june eval report`: a run as a page for a browser.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use june_benchmarks::report;
use june_benchmarks::run::Stored;

use crate::evaluations::REPORT;
use crate::exit::{Blame, Failure, print};

/// Write a run's report: one HTML file, which opens from disk and fetches nothing.
///
/// A run that is complete has one already. This writes it anew, or for a run that is not complete,
/// and prints the file's name.
#[derive(Args)]
pub(super) struct Report {
    /// The run's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The file to write [default: report.html in the run's folder].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(command: &Report) -> Result<ExitCode, Failure> {
    let run = Stored::read(&command.folder).input()?;
    let path = command.output.clone().unwrap_or_else(|| command.folder.join(REPORT));
    report::write(&run, &path).environment()?;
    print(&format!("{}\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}
