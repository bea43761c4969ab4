//! `june component new`: a project to begin with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use june_sandbox::World;
use serde_json::json;

use super::{Language, templates};
use crate::exit::{Blame, Failure, print};

/// The longest name.
const LONGEST: usize = 64;

/// Begin a new strategy or tool.
///
/// Makes a folder of the component's name with all that it is built from: the code, the contract
/// (wit) and, for Rust, the SDK. It builds wherever it lies, also without `june component build`:
/// its README.md says how.
#[derive(Args)]
pub(crate) struct New {
    /// What to make.
    #[arg(value_parser = ["strategy", "tool"])]
    kind: String,
    /// Its name: lower-case letters, digits, `-` and `_`.
    name: String,
    /// The language to write it in.
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    /// The folder to make it in.
    #[arg(long = "in", value_name = "DIR", default_value = ".")]
    within: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &New) -> Result<ExitCode, Failure> {
    let New { kind, name, lang, within, json } = command;
    check_name(name).input()?;
    let world = World::named(kind).unwrap_or(World::Strategy);
    let files = templates::project(world, *lang, name);
    let folder = if within == Path::new(".") { name.into() } else { within.join(name) };
    if folder.symlink_metadata().is_ok() {
        let error = anyhow::anyhow!(
            "{} is there already\nhint: choose another name, or another folder with --in",
            folder.display()
        );
        return Err(error).input();
    }
    write(within, &folder, &files).environment()?;
    if *json {
        let paths: Vec<_> = files.iter().map(|(path, _)| path).collect();
        let value = json!({"folder": folder, "name": name, "world": world, "language": lang, "files": paths});
        print(&format!("{value:#}\n"))?;
    } else {
        print(&told(world, *lang, name, &folder))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the name can be a folder's, a package's and a tool's.
fn check_name(name: &str) -> Result<()> {
    let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(usual) {
        bail!(
            "`{}` cannot be a component's name\nhint: begin with a lower-case letter, and go on with lower-case letters, digits, `-` and `_`",
            name.escape_debug()
        );
    }
    if name.len() > LONGEST {
        bail!("the name is too long\nhint: it can have {LONGEST} letters");
    }
    if name == "june-sdk" {
        bail!("june-sdk is the name of what components are written with\nhint: choose another");
    }
    Ok(())
}

/// Writes all files or none.
fn write(within: &Path, folder: &Path, files: &[(String, String)]) -> Result<()> {
    let cannot = |path: &Path| format!("cannot make {}", path.display());
    fs::create_dir_all(within).with_context(|| cannot(within))?;
    let unfinished = tempfile::Builder::new().prefix(".june-new-").tempdir_in(within);
    let unfinished = unfinished.with_context(|| cannot(within))?;
    let project = unfinished.path().join("project");
    for (path, text) in files {
        let path = project.join(path);
        let parent = path.parent().unwrap_or(&project);
        fs::create_dir_all(parent).with_context(|| cannot(parent))?;
        fs::write(&path, text).with_context(|| cannot(&path))?;
    }
    fs::rename(&project, folder).with_context(|| cannot(folder))
}

fn told(world: World, language: Language, name: &str, folder: &Path) -> String {
    let source = match language {
        Language::Rust => "src/lib.rs",
        Language::Python => "app.py",
        Language::Js => "component.js",
    };
    let (does, example) = match world {
        World::Tool => ("what it does", r#"'{"text": "How many words are these?"}'"#),
        _ => ("how it answers", r#""Good morning""#),
    };
    let folder = folder.display();
    format!(
        "{folder}: a {world} in {}\n\n{folder}/{source} says {does}. Then:\n  \
         june component build {folder}\n  \
         june component check {folder}/{name}.wasm\n  \
         june component try {folder}/{name}.wasm {example}\n",
        language.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_that_every_language_takes_them() {
        for name in ["a", "helper", "word-count_2", "fn"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(LONGEST + 1);
        for name in
            ["", "-a", "2a", "A", "a b", "a/b", "..", ".a", "ä", "a\n", "a\"", "june-sdk", &long]
        {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
