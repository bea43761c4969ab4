//! Where things are on this machine. The one place that reads the environment.

use std::env;
use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use june_sandbox::{Cache, Digest};

/// `june`'s folder for what can be made or fetched again: `$JUNE_CACHE`, else
/// `$XDG_CACHE_HOME/june`, else `~/.cache/june`.
pub(crate) fn cache() -> Result<PathBuf> {
    set("JUNE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("june")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/june")))
        .context("no cache folder: none of JUNE_CACHE, XDG_CACHE_HOME and HOME is set\nhint: set JUNE_CACHE")
}

/// The journal's folder: `$JUNE_JOURNAL`, else `june/journal` in `$XDG_STATE_HOME`, else in
/// `~/.local/state`.
pub(crate) fn journal() -> Result<PathBuf> {
    set("JUNE_JOURNAL")
        .or_else(|| set("XDG_STATE_HOME").map(|folder| folder.join("june/journal")))
        .or_else(|| set("HOME").map(|home| home.join(".local/state/june/journal")))
        .context("no journal: none of JUNE_JOURNAL, XDG_STATE_HOME and HOME is set\nhint: name its folder with --journal")
}

/// The file of the reviewer's key: `june/reviewer.key` in `$XDG_CONFIG_HOME`, else in `~/.config`.
pub(crate) fn reviewer_key() -> Result<PathBuf> {
    set("XDG_CONFIG_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".config")))
        .map(|folder| folder.join("june/reviewer.key"))
        .context("no reviewer's key: neither XDG_CONFIG_HOME nor HOME is set\nhint: name its file with --key")
}

/// The user's name, as far as it is known.
pub(crate) fn user() -> String {
    env::var("USER").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "reviewer".into())
}

/// Where compiled components are kept.
pub(crate) fn compiled() -> Result<Cache> {
    Ok(Cache::new(cache()?.join("compiled")))
}

fn set(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The folders in which June's own components may be, in the order in which they are tried.
fn component_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    folders.extend(env::var_os("JUNE_COMPONENTS").map(PathBuf::from));
    if let Some(bin) = env::current_exe().ok().as_deref().and_then(std::path::Path::parent) {
        folders.push(bin.join("components"));
        folders.push(bin.join("../share/june/components"));
    }
    // The clone that this binary was built in.
    folders.push(concat!(env!("CARGO_MANIFEST_DIR"), "/../components/dist").into());
    folders
}

/// One of June's own components, by name.
pub(crate) fn component(name: &str) -> Result<PathBuf> {
    let folders = component_folders();
    let file = format!("{name}.wasm");
    if let Some(path) = folders.iter().map(|folder| folder.join(&file)).find(|path| path.is_file())
    {
        return Ok(path);
    }
    let tried: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    bail!(
        "the component {file} is in none of {}\nhint: `make components` builds it, and JUNE_COMPONENTS names its folder",
        tried.join(", ")
    )
}

/// The file of a component of June's own that has this digest.
pub(crate) fn component_by_digest(digest: &Digest) -> Option<PathBuf> {
    let folders = component_folders();
    let files = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    let mut paths = files.map(|file| file.path());
    paths.find(|path| {
        path.extension().is_some_and(|extension| extension == "wasm")
            && File::open(path).and_then(Digest::of_reader).is_ok_and(|found| found == *digest)
    })
}
