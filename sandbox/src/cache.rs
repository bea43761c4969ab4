//! Compiled components on disk.
//!
//! Compiling the Python runner takes seconds, loading its machine code
//! milliseconds. An entry is named by what it depends on (the component's
//! digest, and wasmtime's own hash of its version, its configuration and the
//! processor), and ends in a checksum of its content, which is verified before
//! the code is mapped: a damaged or truncated entry is compiled anew. The
//! checksum (XXH3, 128 bits) is against damage; against people, the folder's
//! permissions are.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use twox_hash::xxhash3_128::Hasher;
use wasmtime::component::Component;

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

    /// The compiled form of the component with this digest, if it is here and
    /// undamaged.
    pub(crate) fn find(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let path = self.0.as_ref()?.join(entry_name(engine, digest));
        load(engine, &path).ok().flatten()
    }

    /// Compiles a component, and keeps the result.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        name: &str,
        digest: &Digest,
        wasm: &[u8],
    ) -> Result<Component, Error> {
        let invalid = |source| Error::Invalid { name: name.to_owned(), source };
        if let Some(folder) = &self.0 {
            let path = folder.join(entry_name(engine, digest));
            let cannot = |source| Error::Cache { path: path.clone(), source };
            // Before the seconds that compiling takes.
            fs::create_dir_all(folder).map_err(cannot)?;
            let code = engine.wasmtime().precompile_component(wasm).map_err(invalid)?;
            store(folder, &path, &code).map_err(cannot)?;
            if let Ok(Some(component)) = load(engine, &path) {
                return Ok(component);
            }
            // Somebody damaged or removed the entry this very moment.
        }
        Component::from_binary(engine.wasmtime(), wasm).map_err(invalid)
    }
}

fn entry_name(engine: &Engine, digest: &Digest) -> String {
    let mut hasher = DefaultHasher::new();
    engine.wasmtime().precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest}-{:016x}.cwasm", hasher.finish())
}

/// Length of the checksum at the end of an entry.
const TRAILER: u64 = 16;

#[expect(unsafe_code, reason = "wasmtime cannot check machine code; the checksum stands in")]
fn load(engine: &Engine, path: &Path) -> io::Result<Option<Component>> {
    let mut file = File::open(path)?;
    let Some(length) = file.metadata()?.len().checked_sub(TRAILER) else { return Ok(None) };
    let mut code = Read::by_ref(&mut file).take(length);
    let (mut hasher, mut buffer) = (Hasher::new(), vec![0; 1 << 18]);
    loop {
        match code.read(&mut buffer)? {
            0 => break,
            read => hasher.write(&buffer[..read]),
        }
    }
    let mut checksum = [0; TRAILER as usize];
    file.read_exact(&mut checksum)?;
    if hasher.finish_128().to_le_bytes() != checksum {
        return Ok(None);
    }
    // SAFETY: the file is what `store` wrote, for its checksum is right, and
    // `store` writes only what `precompile_component` returned. wasmtime checks
    // its own version and configuration in the header.
    Ok(unsafe { Component::deserialize_file(engine.wasmtime(), path) }.ok())
}

/// Writes an entry so that no reader ever sees a part of it.
fn store(folder: &Path, path: &Path, code: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(code)?;
    file.write_all(&Hasher::oneshot(code).to_le_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}
