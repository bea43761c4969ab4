//! Random numbers from the run's seed: the same in every run of that seed, so
//! never a secret.

use rand_core::Rng;
use wasmtime::component::LinkerInstance;
use wasmtime::{StoreContextMut, bail};

use crate::calls::define;
use crate::state::State;

type Store<'a, 'b> = &'a mut StoreContextMut<'b, State>;

/// Takes `len` bytes of what the run may still draw. Each costs a unit of fuel
/// beside, for drawing is work that the host does.
fn bytes(store: Store<'_, '_>, len: u64) -> wasmtime::Result<Vec<u8>> {
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

fn word(store: Store<'_, '_>) -> u64 {
    store.data_mut().random.next_u64()
}

pub(super) fn add_random(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define(to, interface, "get-random-bytes", |store, (len,): (u64,)| Ok((bytes(store, len)?,)))?;
    define(to, interface, "get-random-u64", |store, ()| Ok((word(store),)))
}

pub(super) fn add_insecure(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define(to, interface, "get-insecure-random-bytes", |store, (len,): (u64,)| {
        Ok((bytes(store, len)?,))
    })?;
    define(to, interface, "get-insecure-random-u64", |store, ()| Ok((word(store),)))
}

pub(super) fn add_seed(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define(to, interface, "insecure-seed", |store, ()| Ok(((word(store), word(store)),)))
}
