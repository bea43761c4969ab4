//! The Model Context Protocol, both ways: servers of other people whose tools agents use, and
//! June's tools for agents of other people.
//!
//! What a server says is never trusted. [`connect`] and [`wire`] bound how long it may take, how
//! much it may say and how many tools it may have; [`child`] starts it with a clean environment and ends it,
//! with all that it started, when its agent is dropped; [`content`] makes text of what it answers.
//! A call of such a tool is a call like any other: granted by name, held against the schema, and in
//! the journal before it is made.

mod child;
mod client;
mod connect;
mod content;
mod http;
mod server;
mod wire;

pub(crate) use client::{server_of, tools};
pub(crate) use http::{Doors, PATH, listen, serve as serve_http};
pub(crate) use server::{Files, Served, serve as serve_stdio};
