//! Triton inference servers.
//!
//! [`Repository`] asks a server which models it has, and has it load and unload them. [`Triton`] is
//! a model of a server: text in, text out, with the template and the parsers of
//! [`text`](crate::text).
//!
//! All of it goes over HTTP. What gRPC would add is tensors without a detour through JSON, and
//! here there is one text each way; a streamed answer costs one event for each piece in both.

mod error;
mod model;
mod pieces;
mod repository;
mod server;

pub use error::TritonError;
pub use model::{ModelSettings, Triton};
pub use pieces::Pieces;
pub use repository::{Entry, Repository, State};
pub use server::{Deadlines, Settings};
