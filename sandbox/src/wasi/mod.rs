//! WASI 0.2 without the world: what a component finds behind its imports when
//! it was granted nothing.
//!
//! Streams, an empty environment and an empty set of folders come from
//! `wasmtime-wasi`. Whatever would let the machine shine through is our own:
//! [`clocks`], [`random`], [`sockets`] and [`stdio`].

mod clocks;
mod random;
mod sockets;
mod stdio;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasData, Linker, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, filesystem};

pub(crate) use clocks::Clock;
pub(crate) use stdio::Capture;

use crate::state::State;

/// A linker that offers WASI 0.2 to this component, in the version that it
/// asks for.
pub(crate) fn linker(component: &Component) -> wasmtime::Result<Linker<State>> {
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    add_streams(&mut linker)?;
    add_command_line(&mut linker)?;
    filesystem::types::add_to_linker::<State, WasiFilesystem>(&mut linker, State::filesystem)?;
    filesystem::preopens::add_to_linker::<State, WasiFilesystem>(&mut linker, State::filesystem)?;
    for (name, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else { continue };
        let Some((package, rest)) = name.split_once('/') else { continue };
        let rest = rest.split_once('@').map_or(rest, |(interface, _version)| interface);
        match (package, rest) {
            ("wasi:clocks", "monotonic-clock") => clocks::add_monotonic(linker.instance(name)?)?,
            ("wasi:clocks", "wall-clock") => clocks::add_wall(linker.instance(name)?)?,
            ("wasi:random", "random") => random::add_random(linker.instance(name)?)?,
            ("wasi:random", "insecure") => random::add_insecure(linker.instance(name)?)?,
            ("wasi:random", "insecure-seed") => random::add_seed(linker.instance(name)?)?,
            ("wasi:sockets", _) => sockets::deny(linker.instance(name)?, engine, &interface)?,
            _ => {}
        }
    }
    Ok(linker)
}

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

fn add_streams(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use wasmtime_wasi_io::bindings::wasi::io;
    io::error::add_to_linker::<State, Io>(linker, |state| state.ctx().table)?;
    io::poll::add_to_linker::<State, Io>(linker, |state| state.ctx().table)?;
    io::streams::add_to_linker::<State, Io>(linker, |state| state.ctx().table)
}

fn add_command_line(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    cli::environment::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, State::cli)
}
