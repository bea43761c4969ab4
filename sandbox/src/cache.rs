//! Compiled components on disk.
//!
//! Compiling the Python runner takes seconds, loading its machine code
//! milliseconds. An entry is named by what it depends on (the component's
//! digest, and wasmtime's own hash of its version, its configuration and the
//! processor), and ends in a SHA-256 of its content, which is verified before
//! the code is mapped: a damaged or truncated entry is compiled anew.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::{Digest, Engine, Error};

/// Where compiled components are kept.
#[derive(Clone, Debug)]
pub struct Cache(Option<PathBuf>);

impl Cache {
    /// Keeps entries in this folder, which is made when it is first needed.
    /// Whoever can write there can run code as this process.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(Some(folder.into()))
    }

    /// Keeps nothing: every load compiles.
    pub fn none() -> Self {
        Self(None)
    }

    /// The folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.0.as_deref()
    }

    /// The compiled form of `wasm`, from the cache or made now.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        name: &str,
        digest: &Digest,
        wasm: &[u8],
    ) -> Result<wasmtime::component::Component, Error> {
        let invalid = |source| Error::Invalid { name: name.to_owned(), source };
        let engine = engine.wasmtime();
        let Some(folder) = &self.0 else {
            return wasmtime::component::Component::from_binary(engine, wasm).map_err(invalid);
        };
        let path = folder.join(entry_name(engine, digest));
        if let Some(component) = load(engine, &path) {
            return Ok(component);
        }
        let code = engine.precompile_component(wasm).map_err(invalid)?;
        store(folder, &path, &code)
            .map_err(|source| Error::Cache { path: path.clone(), source })?;
        match load(engine, &path) {
            Some(component) => Ok(component),
            // Somebody else damaged or removed the entry this very moment.
            None => wasmtime::component::Component::from_binary(engine, wasm).map_err(invalid),
        }
    }
}

fn entry_name(engine: &wasmtime::Engine, digest: &Digest) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest}-{:016x}.cwasm", hasher.finish())
}

const TRAILER: usize = 32;

#[expect(unsafe_code, reason = "wasmtime cannot check machine code; the checksum stands in")]
fn load(engine: &wasmtime::Engine, path: &Path) -> Option<wasmtime::component::Component> {
    let bytes = fs::read(path).ok()?;
    let (code, checksum) = bytes.split_at_checked(bytes.len().checked_sub(TRAILER)?)?;
    if Sha256::digest(code)[..] != *checksum {
        return None;
    }
    // SAFETY: the file is what `store` wrote, for its checksum is right, and
    // `store` writes only what `precompile_component` returned. wasmtime checks
    // its own version and configuration in the header.
    unsafe { wasmtime::component::Component::deserialize_file(engine, path) }.ok()
}

/// Writes an entry so that no reader ever sees a part of it.
fn store(folder: &Path, path: &Path, code: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(code)?;
    file.write_all(&Sha256::digest(code))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}
