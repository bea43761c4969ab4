use std::path::PathBuf;

use crate::fit::{Misfit, REBUILD, told};

/// Why the sandbox could not do its work. What a *component* does wrong is
/// never an error; it is an [`Exit`](crate::Exit).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine could not be set up on this machine.
    #[error(
        "cannot set up the WebAssembly engine: {0:#}\nhint: each worker reserves about 4 GiB of address space; check `ulimit -v`"
    )]
    Engine(#[source] wasmtime::Error),

    /// A component's file could not be read.
    #[error("cannot read component {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// A component's bytes are not a component.
    #[error("{name} is not a usable component: {source:#}")]
    Invalid {
        /// The component's name.
        name: String,
        /// What the compiler said.
        source: wasmtime::Error,
    },

    /// A component asks for something that June does not have, or lacks
    /// something that its world requires.
    #[error("{name} does not fit the world `{world}`: {}", told(misfits))]
    Misfit {
        /// The component's name.
        name: String,
        /// The world that it should have.
        world: &'static str,
        /// What does not fit.
        misfits: Vec<Misfit>,
    },

    /// A component has a function of another type than its world has.
    #[error("{name} does not fit the world `{world}`: {source:#}\nhint: {REBUILD}")]
    World {
        /// The component's name.
        name: String,
        /// The world that it should have.
        world: &'static str,
        /// The import or export that does not fit.
        source: wasmtime::Error,
    },

    /// A compiled component could not be kept.
    #[error("cannot write the component cache {}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// No instance could be made, for want of slots or memory.
    #[error("cannot instantiate {name}: {source:#}")]
    Instantiate {
        /// The component's name.
        name: String,
        /// What the engine said.
        source: wasmtime::Error,
    },

    /// A tool does not describe itself in a way that can be used.
    #[error("the tool {name} does not describe itself: {why}")]
    Undescribed {
        /// The tool's name.
        name: String,
        /// What it does instead.
        why: String,
    },

    /// The runner answered that it cannot run the program at all.
    #[error("the runner refused the program: {0}")]
    Refused(String),

    /// The run could not be recorded, and so did not go on.
    #[error(transparent)]
    Journal(#[from] june_journal::Error),
}
