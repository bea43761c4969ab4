//! What the host keeps for one instance.

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng;
use wasmtime::component::ResourceTable;
use wasmtime::{CallHook, Store};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::limits::Meter;
use crate::wasi::{Capture, Clock};
use crate::{Engine, Error, Limits};

/// Fuel that a call into the host costs, for the work is the host's: what the
/// same time is worth in instructions, so that a program which does nothing
/// but call the host ends as soon as any other.
const HOST_CALL: u64 = 10_000;

/// Fuel after which a computation lets its caller look at the wall clock: about
/// 10 ms of it.
const YIELD: u64 = 100_000_000;

pub(crate) struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    pub(crate) meter: Meter,
    pub(crate) clock: Clock,
    pub(crate) random: ChaCha8Rng,
    pub(crate) random_left: u64,
    pub(crate) stdout: Capture,
    pub(crate) stderr: Capture,
}

impl State {
    /// A store for one instance, which owns everything that the run may touch.
    pub(crate) fn store(
        engine: &Engine,
        limits: &Limits,
        seed: u64,
        stdin: &[u8],
    ) -> Result<Store<Self>, Error> {
        let stdout = Capture::new(limits.output);
        let stderr = Capture::new(limits.output);
        let wasi = WasiCtx::builder()
            .stdin(MemoryInputPipe::new(stdin.to_vec()))
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let state = Self {
            table,
            wasi,
            meter: Meter::new(limits),
            clock: Clock::new(limits.fuel),
            random: ChaCha8Rng::seed_from_u64(seed),
            random_left: limits.random,
            stdout,
            stderr,
        };
        let mut store = Store::new(engine.wasmtime(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits.call_bytes);
        store.set_max_component_handles(limits.handles);
        store.fuel_async_yield_interval(Some(YIELD)).map_err(Error::Engine)?;
        store.set_fuel(limits.fuel).map_err(Error::Engine)?;
        store.call_hook(|mut store, transition| {
            if let CallHook::CallingHost = transition {
                let left = store.get_fuel()?.saturating_sub(HOST_CALL);
                store.set_fuel(left)?;
            }
            Ok(())
        });
        Ok(store)
    }

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
