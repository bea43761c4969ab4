//! Runs a WebAssembly component as a pure function of its code, its input, its
//! limits, a seed and the time when its clock begins.
//!
//! A component sees virtual clocks, seeded random numbers, no environment, no
//! file and no socket. Its instructions are counted ([`Limits::fuel`]), and so
//! is everything else that it could exhaust. The same run therefore ends in the
//! same way, with the same output and the same fuel, on every machine and
//! under any load.
//!
//! ```
//! use june_sandbox::{Cache, Engine, Exit, Limits, Program, Runner};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), june_sandbox::Error> {
//! # let path = std::env::var_os("JUNE_COMPONENTS").unwrap_or("../components/dist".into());
//! # let path = std::path::Path::new(&path).join("python.wasm");
//! let engine = Engine::new()?;
//! let runner = Runner::load(&engine, &path, &Cache::none())?;
//! let program = Program::python("print(6 * 7)");
//! let outcome = runner.run(&program, &Limits::default(), 0).await?;
//!
//! assert_eq!(outcome.exit, Exit::Returned);
//! assert_eq!(outcome.stdout.bytes, b"42\n");
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`engine`] | wasmtime, configured for determinism and quick instances |
//! | [`component`] | a component, compiled once and linked once |
//! | [`fit`] | whether it fits a world of the contract |
//! | [`cache`] | compiled components on disk |
//! | [`limits`] | what a run may use |
//! | [`origin`] | where its random numbers and its clock begin |
//! | [`runner`] | running programs in a runner component |
//! | [`strategy`] | answering a turn with a strategy component |
//! | [`tool`] | calling a tool component |
//! | [`grants`] | what a component may do |
//! | [`capabilities`] | what the host lends for that |
//! | [`workspace`] | the files that a component works on |
//! | [`contract`] | the values that a component and its host exchange |
//! | [`outcome`] | how a run ended |
//! | [`replay`] | running a recorded run again |
//!
//! A run that is given a [`Recording`] leaves a trace of everything it did in a
//! [`journal`], from which it can be replayed.

pub mod bindings;
pub mod cache;
mod calls;
pub mod capabilities;
mod capability;
pub mod component;
pub mod contract;
pub mod engine;
mod error;
pub mod fit;
pub mod grants;
mod imports;
pub mod limits;
pub mod origin;
pub mod outcome;
pub mod replay;
mod run;
pub mod runner;
mod schema;
mod state;
pub mod strategy;
mod told;
pub mod tool;
mod wasi;
pub mod workspace;

pub use cache::Cache;
pub use capabilities::Capabilities;
pub use component::Component;
pub use engine::Engine;
pub use error::Error;
pub use fit::{Fit, Misfit, World};
pub use grants::Grants;
pub use june_journal::{self as journal, Digest, Journal};
pub use limits::Limits;
pub use origin::Origin;
pub use outcome::{Exception, Exit, Outcome, Output, Phase};
pub use replay::{Divergence, Recorded, Replay, ReplayError, Subject};
pub use runner::{Program, Recording, Runner};
pub use state::Spent;
pub use strategy::{Answered, Authority, Strategy};
pub use tool::{Called, GrantedTool, Tool};
pub use workspace::{Tree, Workspace};
