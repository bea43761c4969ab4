//! Triton inference servers.
//!
//! [`Repository`] asks a server which models it has, and has it load and unload them.

mod error;
mod repository;
mod server;

pub use error::TritonError;
pub use repository::{Entry, Repository, State};
pub use server::{Deadlines, Settings};
