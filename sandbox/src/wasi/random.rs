//! Random numbers from the run's seed: the same in every run of that seed, so
//! never a secret.

use rand_core::Rng;
use wasmtime::component::LinkerInstance;
use wasmtime::{StoreContextMut, bail};

use crate::state::State;

/// Takes `len` bytes of what the run may still draw. Each costs a unit of fuel
/// beside, for drawing is work that the host does.
fn bytes(store: &mut StoreContextMut<'_, State>, len: u64) -> wasmtime::Result<Vec<u8>> {
    let Some(left) = store.data().random_left.checked_sub(len) else {
        bail!("random bytes used up");
    };
    let fuel = store.get_fuel()?;
    store.set_fuel(fuel.saturating_sub(len))?;
    let state = store.data_mut();
    state.random_left = left;
    let mut bytes = vec![0; len as usize];
    state.random.fill_bytes(&mut bytes);
    Ok(bytes)
}

fn word(store: &mut StoreContextMut<'_, State>) -> u64 {
    store.data_mut().random.next_u64()
}

pub(super) fn add_random(mut linker: LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("get-random-bytes", |mut store, (len,): (u64,)| {
        Ok((bytes(&mut store, len)?,))
    })?;
    linker.func_wrap("get-random-u64", |mut store, ()| Ok((word(&mut store),)))
}

pub(super) fn add_insecure(mut linker: LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("get-insecure-random-bytes", |mut store, (len,): (u64,)| {
        Ok((bytes(&mut store, len)?,))
    })?;
    linker.func_wrap("get-insecure-random-u64", |mut store, ()| Ok((word(&mut store),)))
}

pub(super) fn add_seed(mut linker: LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("insecure-seed", |mut store, ()| Ok(((word(&mut store), word(&mut store)),)))
}
