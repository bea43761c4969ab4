//! WASI 0.2 without the world: what a component finds behind its imports when
//! it was granted nothing.
//!
//! Clocks are virtual ([`clocks`]), random numbers come from a seed
//! ([`random`]), streams lead to memory ([`io`]), the command line is empty
//! ([`cli`]), and folders and sockets are not there ([`denied`]). Every answer
//! follows from the run's start alone.

mod cli;
mod clocks;
mod denied;
mod io;
mod random;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

pub(crate) use cli::Exited;
pub(crate) use clocks::{Clock, EPOCH};
pub(crate) use io::Streams;

use crate::state::State;

/// A linker that offers WASI 0.2 to this component, in the version that it
/// asks for.
pub(crate) fn linker(component: &Component) -> wasmtime::Result<Linker<State>> {
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    for (import, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        let name = import.split_once('@').map_or(import, |(name, _version)| name);
        let Some((package, interface)) = name.split_once('/') else { continue };
        if !package.starts_with("wasi:") {
            continue;
        }
        let mut to = linker.instance(import)?;
        match (package, interface) {
            ("wasi:io", "error") => io::add_error(&mut to, name)?,
            ("wasi:io", "poll") => io::add_poll(&mut to, name)?,
            ("wasi:io", "streams") => io::add_streams(&mut to, name)?,
            ("wasi:clocks", "monotonic-clock") => clocks::add_monotonic(&mut to, name)?,
            ("wasi:clocks", "wall-clock") => clocks::add_wall(&mut to, name)?,
            ("wasi:random", "random") => random::add_random(&mut to, name)?,
            ("wasi:random", "insecure") => random::add_insecure(&mut to, name)?,
            ("wasi:random", "insecure-seed") => random::add_seed(&mut to, name)?,
            ("wasi:cli", _) => cli::add(&mut to, name, interface)?,
            ("wasi:filesystem" | "wasi:sockets", _) => {
                denied::add(&mut to, name, engine, &instance)?;
            }
            _ => {}
        }
    }
    Ok(linker)
}
