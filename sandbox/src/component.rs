//! A component, compiled once and linked once.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use june_journal::Digest;
use wasmtime::component::{InstancePre, Linker};

use crate::fit::{Fit, World};
use crate::state::State;
use crate::{Cache, Engine, Error, imports, wasi};

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
        let digest = File::open(path).and_then(Digest::of_reader).map_err(read)?;
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

    /// The worlds that it is for, by what it exports.
    pub fn worlds(&self) -> Vec<World> {
        World::of(&self.compiled)
    }

    /// How it fits a world.
    pub fn fit(&self, world: World) -> Fit {
        Fit::of(&self.compiled, world)
    }

    /// Resolves the imports: deterministic WASI, and the contract's own. What is
    /// behind them is for the grants to say.
    pub(crate) fn link(&self, world: &'static str) -> Result<InstancePre<State>, Error> {
        if let Some(fit) = World::named(world).map(|world| self.fit(world)) {
            let misfits: Vec<_> = fit.misfits().cloned().collect();
            if !misfits.is_empty() {
                return Err(Error::Misfit { name: self.name.to_string(), world, misfits });
            }
        }
        let mut linker = Linker::new(self.compiled.engine());
        wasi::add(&mut linker, &self.compiled)
            .and_then(|()| imports::add(&mut linker, world))
            .and_then(|()| linker.instantiate_pre(&self.compiled))
            .map_err(|source| Error::World { name: self.name.to_string(), world, source })
    }
}
