//! What the host keeps for one instance.

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng;
use wasmtime::component::ResourceTable;
use wasmtime::{CallHook, Store};

use crate::calls::{Calls, Ledger};
use crate::limits::Meter;
use crate::wasi::{Clock, Streams};
use crate::{Engine, Error, Limits};

/// Fuel after which a computation lets its caller look at the wall clock: about
/// 10 ms of it.
const YIELD: u64 = 100_000_000;

pub(crate) struct State {
    pub(crate) table: ResourceTable,
    pub(crate) meter: Meter,
    pub(crate) clock: Clock,
    pub(crate) random: ChaCha8Rng,
    pub(crate) random_left: u64,
    pub(crate) streams: Streams,
    pub(crate) calls: Calls,
}

impl State {
    /// A store for one instance, which owns everything that the run may touch.
    pub(crate) fn store(
        engine: &Engine,
        limits: &Limits,
        seed: u64,
        stdin: &[u8],
        ledger: Ledger,
    ) -> Result<Store<Self>, Error> {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let state = Self {
            table,
            meter: Meter::new(limits),
            clock: Clock::new(limits.fuel),
            random: ChaCha8Rng::seed_from_u64(seed),
            random_left: limits.random,
            streams: Streams::new(stdin, limits.output),
            calls: Calls::new(ledger),
        };
        let mut store = Store::new(engine.wasmtime(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits.call_bytes);
        store.set_max_component_handles(limits.handles);
        store.fuel_async_yield_interval(Some(YIELD)).map_err(Error::Engine)?;
        store.set_fuel(limits.fuel).map_err(Error::Engine)?;
        // No place to change the fuel: code that enters the host for the engine's
        // own purposes has the count in a register, and overwrites what is set.
        store.call_hook(|mut store, transition| {
            if let CallHook::CallingHost = transition {
                store.data_mut().calls.enter();
            }
            Ok(())
        });
        Ok(store)
    }
}
