//! `memory`: notes of the conversation.

use std::future::ready;

use wasmtime::component::Linker;

use super::import;
use crate::capabilities::Memory;
use crate::capability::{Decision, Worked, define_capability};
use crate::contract::MemoryError;
use crate::state::State;

const INTERFACE: &str = "june:agent/memory";

/// The longest name and value of a note, in bytes.
const NAME: usize = 256;
const VALUE: usize = 64 << 10;

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut to = linker.instance(&import("memory"))?;
    define_capability(&mut to, INTERFACE, "get", |state, (name,): (String,), _| {
        decide(state, |memory| memory.get(&name))
    })?;
    define_capability(&mut to, INTERFACE, "set", |state, note: (String, String), _| {
        let (name, value) = note;
        if name.len() > NAME || value.len() > VALUE {
            return Decision::limit(format!(
                "a note has a name of at most {NAME} bytes and a value of at most {VALUE}"
            ));
        }
        decide(state, |memory| memory.set(&name, &value))
    })?;
    define_capability(&mut to, INTERFACE, "list", |state, (), _| decide(state, |m| m.list()))?;
    define_capability(&mut to, INTERFACE, "delete", |state, (name,): (String,), _| {
        decide(state, |memory| memory.delete(&name))
    })
}

fn decide<T: Send + 'static>(
    state: &State,
    does: impl FnOnce(&dyn Memory) -> Result<T, MemoryError>,
) -> Decision<Result<T, MemoryError>> {
    let authority = &state.authority;
    if !authority.grants.memory {
        return Decision::denied("no grant covers notes");
    }
    let answer = match &authority.capabilities.memory {
        Some(memory) => does(&**memory),
        None => Err(MemoryError::Unavailable("this host keeps no notes".into())),
    };
    Decision::Granted {
        grant: "memory".into(),
        irrevocable: false,
        work: Box::pin(ready(Ok(Worked::free(answer)))),
    }
}
