//! What builds components in Python and JavaScript: exactly one version of each tool, installed
//! into June's cache when it is first needed. `make components` uses the same folders.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};
use june_sandbox::Digest;

use crate::paths;

const REQUIREMENTS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../components/runners/python/requirements.txt"
));

const PACKAGE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../components/javascript/package.json"));

const LOCK: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../components/javascript/package-lock.json"
));

/// The program `componentize-py`.
pub(super) fn python() -> Result<PathBuf> {
    let folder = paths::cache()?.join("python");
    let environment = format!("componentize-{}", version(REQUIREMENTS));
    let folder = made(&folder, &environment, "Python", |folder| {
        said(
            Command::new("python3").args(["-m", "venv"]).arg(folder),
            "install Python 3.10 or newer, with its venv (python3-venv on Debian and Ubuntu)",
        )?;
        let requirements = folder.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS)?;
        said(
            Command::new(folder.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--require-hashes", "--only-binary", ":all:", "-r"])
                .arg(requirements),
            "pip fetches componentize-py; behind a proxy or a mirror, configure pip first",
        )
    })?;
    Ok(folder.join("bin/componentize-py"))
}

/// The program `componentize-js`.
pub(super) fn javascript() -> Result<PathBuf> {
    let folder = paths::cache()?.join("javascript");
    let folder = made(&folder, &version(LOCK), "JavaScript", |folder| {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("package.json"), PACKAGE)?;
        fs::write(folder.join("package-lock.json"), LOCK)?;
        said(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(folder),
            "install Node.js with npm (nodejs and npm on Debian and Ubuntu); behind a proxy or a mirror, configure npm first",
        )
    })?;
    Ok(folder.join("node_modules/.bin/componentize-js"))
}

/// Runs a program, and quotes all that it wrote where it fails.
pub(super) fn said(command: &mut Command, hint: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let name = Path::new(&name).file_name().map_or(name.clone(), |n| n.to_string_lossy().into());
    let ran = command.output().with_context(|| format!("cannot run {name}\nhint: {hint}"))?;
    if ran.status.success() {
        return Ok(());
    }
    let Output { stdout, stderr, status } = ran;
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let wrote: Vec<_> =
        [stdout.trim(), stderr.trim()].into_iter().filter(|t| !t.is_empty()).collect();
    bail!("{name} failed ({status}):\n{}\nhint: {hint}", wrote.join("\n"))
}

/// An environment's folder; made once, by one process, and used only when it was made to its end.
fn made(
    within: &Path,
    name: &str,
    language: &str,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let cannot = || format!("cannot make {}", within.display());
    let folder = within.join(name);
    let done = folder.join("done");
    if done.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(within).with_context(cannot)?;
    let lock = File::create(within.join(format!("{name}.lock"))).with_context(cannot)?;
    lock.lock().with_context(cannot)?;
    if done.exists() {
        return Ok(folder);
    }
    eprintln!(
        "june: installing what builds components in {language}, once, into {}",
        folder.display()
    );
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(cannot)?;
    }
    make(&folder).with_context(|| format!("cannot install what builds {language}"))?;
    File::create(&done).with_context(cannot)?;
    Ok(folder)
}

/// A short name for what is installed.
fn version(pinned: &str) -> String {
    let digest = Digest::of(pinned.as_bytes()).to_string();
    digest.chars().take(12).collect()
}
