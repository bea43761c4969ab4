//! Where things are on this machine. The one place that reads the environment.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

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
        .or_else(|| state().map(|folder| folder.join("june/journal")))
        .context("no journal: none of JUNE_JOURNAL, XDG_STATE_HOME and HOME is set\nhint: name its folder with --journal")
}

/// The file of the reviewer's key: `june/reviewer.key` in `$XDG_CONFIG_HOME`, else in `~/.config`.
pub(crate) fn reviewer_key() -> Result<PathBuf> {
    settings()
        .map(|folder| folder.join("june/reviewer.key"))
        .context("no reviewer's key: neither XDG_CONFIG_HOME nor HOME is set\nhint: name its file with --key")
}

/// The keys with which the server signs reviews, one for each token's name: `june/reviewers` in
/// `$XDG_CONFIG_HOME`, else in `~/.config`.
pub(crate) fn reviewers() -> Option<PathBuf> {
    settings().map(|folder| folder.join("june/reviewers"))
}

/// The user's configuration: `june/june.toml` in `$XDG_CONFIG_HOME`, else in `~/.config`.
pub(crate) fn config() -> Option<PathBuf> {
    settings().map(|folder| folder.join("june/june.toml"))
}

/// What a person wrote to agents: `june/history` in `$XDG_STATE_HOME`, else in `~/.local/state`.
pub(crate) fn history() -> Option<PathBuf> {
    state().map(|folder| folder.join("june/history"))
}

/// The conversations in chats: `june/chats.db` in `$XDG_STATE_HOME`, else in `~/.local/state`.
pub(crate) fn chats() -> Result<PathBuf> {
    state()
        .map(|folder| folder.join("june/chats.db"))
        .context("no place for conversations: neither XDG_STATE_HOME nor HOME is set\nhint: write `store = \"FILE\"` into [chats] of june.toml")
}

/// The tokens of the server's clients: `june/tokens.json` in `$XDG_STATE_HOME`, else in
/// `~/.local/state`.
pub(crate) fn tokens() -> Result<PathBuf> {
    state().map(|folder| folder.join("june/tokens.json")).context(
        "no place for tokens: neither XDG_STATE_HOME nor HOME is set\nhint: set XDG_STATE_HOME",
    )
}

/// A variable that a child process sees, too.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// A variable that holds a key or another secret.
pub(crate) fn secret(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The user's name, as far as it is known.
pub(crate) fn user() -> String {
    env::var("USER").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "reviewer".into())
}

/// Where compiled components are kept.
pub(crate) fn compiled() -> Result<Cache> {
    Ok(Cache::new(cache()?.join("compiled")))
}

/// The user's folder for state: `$XDG_STATE_HOME`, else `~/.local/state`.
fn state() -> Option<PathBuf> {
    set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")))
}

/// The user's folder for configuration: `$XDG_CONFIG_HOME`, else `~/.config`.
fn settings() -> Option<PathBuf> {
    set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))
}

fn set(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The folders in which June's own components may be, in the order in which they are tried.
fn component_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    folders.extend(env::var_os("JUNE_COMPONENTS").map(PathBuf::from));
    if let Some(bin) = env::current_exe().ok().as_deref().and_then(Path::parent) {
        folders.push(bin.join("components"));
        folders.push(bin.join("../share/june/components"));
    }
    // The clone that this binary was built in.
    folders.push(concat!(env!("CARGO_MANIFEST_DIR"), "/../components/dist").into());
    folders
}

/// What a component is for; also the name of the folder that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Strategy,
    Tool,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Kind::Strategy => "strategies",
            Kind::Tool => "tools",
        }
    }
}

/// Whether a reference to a component is a path or a digest, rather than a name.
pub(crate) fn is_place(reference: &str) -> bool {
    is_path(reference) || reference.parse::<Digest>().is_ok()
}

fn is_path(reference: &str) -> bool {
    reference.contains('/') || reference.ends_with(".wasm")
}

/// A component, by its path, its digest, or its name: in `components` of the folder `near`, or
/// among June's own.
pub(crate) fn component_of(kind: Kind, reference: &str, near: &Path) -> Result<PathBuf> {
    if is_path(reference) {
        let path = near.join(reference);
        if !path.is_file() {
            bail!("there is no component {}", path.display());
        }
        return Ok(path);
    }
    let local = near.join("components");
    let folders: Vec<PathBuf> = [local.join(kind.folder()), local]
        .into_iter()
        .chain(component_folders().into_iter().map(|folder| folder.join(kind.folder())))
        .collect();
    if let Ok(digest) = reference.parse::<Digest>() {
        let found = in_folders(&folders, &digest);
        return found.with_context(|| format!("no component here has SHA-256 {digest}"));
    }
    let file = format!("{reference}.wasm");
    let found = folders.iter().map(|folder| folder.join(&file)).find(|path| path.is_file());
    found.with_context(|| {
        let tried: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        format!(
            "the component {file} is in none of {}\nhint: name its path, or build it with `june component build`; June's own are built by `make components`",
            tried.join(", ")
        )
    })
}

/// One of June's own runners, by name.
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

/// The file of a component that has this digest: one of June's own, or one in `components` here.
pub(crate) fn component_by_digest(digest: &Digest) -> Option<PathBuf> {
    let mut folders = component_folders();
    folders.push("components".into());
    let kinds = [Kind::Strategy, Kind::Tool];
    let inner: Vec<_> =
        folders.iter().flat_map(|folder| kinds.map(|kind| folder.join(kind.folder()))).collect();
    folders.extend(inner);
    in_folders(&folders, digest)
}

fn in_folders(folders: &[PathBuf], digest: &Digest) -> Option<PathBuf> {
    let files = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    let mut paths = files.map(|file| file.path());
    paths.find(|path| {
        path.extension().is_some_and(|extension| extension == "wasm")
            && File::open(path).and_then(Digest::of_reader).is_ok_and(|found| found == *digest)
    })
}
