//! Where things are on this machine. The one place that reads the environment.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// `june`'s folder for what can be made or fetched again: `$JUNE_CACHE`, else
/// `$XDG_CACHE_HOME/june`, else `~/.cache/june`.
pub(crate) fn cache() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("JUNE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("june")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/june")))
        .context("no cache folder: none of JUNE_CACHE, XDG_CACHE_HOME and HOME is set\nhint: set JUNE_CACHE")
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
