//! WASI 0.2 without the world: what a component finds behind its imports when
//! it was granted nothing.
//!
//! Clocks are virtual ([`clocks`]), random numbers come from a seed
//! ([`random`]), streams lead to memory ([`io`]), the command line is empty
//! ([`cli`]), folders are copies in memory ([`filesystem`]), and sockets are
//! not there ([`denied`]). Every answer follows from the run's start alone, but
//! for those to requests ([`http`]), which a grant has to cover.

mod cli;
mod clocks;
mod denied;
mod filesystem;
mod http;
mod io;
mod random;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType};

pub(crate) use cli::Exited;
pub(crate) use clocks::Clock;
pub(crate) use filesystem::Files;
pub(crate) use io::Streams;

use crate::state::State;

/// Offers WASI 0.2 to this component, in the version that it asks for.
pub(crate) fn add(linker: &mut Linker<State>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine();
    for (import, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        let name = import.split_once('@').map_or(import, |(name, _version)| name);
        let Some((package, interface)) = name.split_once('/') else { continue };
        if !offers(name) {
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
            ("wasi:filesystem", "preopens") => filesystem::add_preopens(&mut to, name)?,
            ("wasi:filesystem", "types") => filesystem::add_types(&mut to, name)?,
            ("wasi:http", "types") => http::add_types(&mut to, name, engine, &instance)?,
            ("wasi:http", "outgoing-handler") => http::add_handler(&mut to, name)?,
            ("wasi:sockets", _) => {
                denied::add(&mut to, name, engine, &instance)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether there is anything behind this interface.
pub(crate) fn offers(name: &str) -> bool {
    let Some((package, interface)) = name.split_once('/') else { return false };
    match package {
        "wasi:io" => matches!(interface, "error" | "poll" | "streams"),
        "wasi:clocks" => matches!(interface, "monotonic-clock" | "wall-clock"),
        "wasi:random" => matches!(interface, "random" | "insecure" | "insecure-seed"),
        "wasi:cli" => cli::OFFERED.contains(&interface),
        "wasi:filesystem" => matches!(interface, "preopens" | "types"),
        "wasi:http" => matches!(interface, "types" | "outgoing-handler"),
        "wasi:sockets" => true,
        _ => false,
    }
}

/// Defines a resource that another interface has defined already.
fn same<T: 'static>(to: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<()> {
    to.resource(name, ResourceType::host::<T>(), |_, _| Ok(()))
}
