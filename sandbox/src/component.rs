//! A component, compiled once and linked once.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use wasmtime::component::InstancePre;

use crate::state::State;
use crate::{Cache, Engine, Error, wasi};

/// The SHA-256 of a component's bytes: its identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a file, which need not fit in memory.
    fn of_file(path: &Path) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        let mut file = File::open(path)?;
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Self(hasher.finalize().into())),
                read => hasher.update(&buffer[..read]),
            }
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A component that is ready to be instantiated: compiled, with every import
/// resolved. Clones share it.
#[derive(Clone)]
pub struct Component {
    name: Arc<str>,
    digest: Digest,
    compiled: wasmtime::component::Component,
}

impl Component {
    /// Reads and compiles a component.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not a component.
    pub fn load(engine: &Engine, path: &Path, cache: &Cache) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.into(), source };
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        let digest = Digest::of_file(path).map_err(read)?;
        let (digest, compiled) = match cache.find(engine, &digest) {
            Some(compiled) => (digest, compiled),
            None => {
                let wasm = std::fs::read(path).map_err(read)?;
                // The file may have changed since: code is kept under the
                // digest of what was compiled.
                let digest = Digest::of(&wasm);
                (digest, cache.compile(engine, &name, &digest, &wasm)?)
            }
        };
        Ok(Self { name: name.into(), digest, compiled })
    }

    /// The file's name without its extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The component's identity.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Resolves the imports, with nothing but deterministic WASI to offer.
    pub(crate) fn link(&self, world: &'static str) -> Result<InstancePre<State>, Error> {
        wasi::linker(&self.compiled)
            .and_then(|linker| linker.instantiate_pre(&self.compiled))
            .map_err(|source| Error::World { name: self.name.to_string(), world, source })
    }
}
