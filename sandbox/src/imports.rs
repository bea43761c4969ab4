//! What the contract offers to strategies and tools: its interfaces, each in a
//! file of its own.

mod llm;
mod memory;
mod programs;
mod reply;
mod tools;

use wasmtime::component::Linker;

use crate::fit;
use crate::state::State;

/// Offers what a component of this world may import. A runner may import
/// nothing.
pub(crate) fn add(linker: &mut Linker<State>, world: &str) -> wasmtime::Result<()> {
    if world == "strategy" {
        llm::add(linker)?;
        memory::add(linker)?;
        reply::add(linker)?;
    }
    if world == "strategy" || world == "tool" {
        tools::add(linker)?;
        programs::add(linker)?;
    }
    Ok(())
}

/// The package and its version, as components import it.
fn import(interface: &str) -> String {
    format!("june:agent/{interface}@{}", fit::VERSION)
}
