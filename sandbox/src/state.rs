//! What the host keeps for one instance.

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng;
use wasmtime::component::ResourceTable;
use wasmtime::{CallHook, Store};

use crate::Origin;
use crate::calls::{Calls, Ledger};
use crate::capability::Authority;
use crate::limits::Meter;
use crate::wasi::{Clock, Files, Streams};
use crate::{Engine, Error};

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
    pub(crate) files: Files,
    pub(crate) calls: Calls,
    pub(crate) authority: Authority,
}

/// What a run took beside fuel, that of the runs in its service included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Spent {
    /// Tokens that models read.
    pub input_tokens: u64,
    /// Tokens that models wrote.
    pub output_tokens: u64,
    /// Answers of models.
    pub rounds: u64,
    /// Tools called.
    pub tools: u64,
    /// Programs run.
    pub programs: u64,
    /// Questions that a model failed to answer: its server could not be
    /// reached, or broke off.
    pub failures: u64,
}

impl Spent {
    pub(crate) fn add(&mut self, other: &Self) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.rounds += other.rounds;
        self.tools += other.tools;
        self.programs += other.programs;
        self.failures += other.failures;
    }
}

impl State {
    /// A store for one instance, which owns everything that the run may touch.
    pub(crate) fn store(
        engine: &Engine,
        origin: Origin,
        stdin: &[u8],
        files: Files,
        authority: Authority,
        ledger: Ledger,
    ) -> Result<Store<Self>, Error> {
        let limits = &authority.limits;
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let (fuel, handles, call_bytes) = (limits.fuel, limits.handles, limits.call_bytes);
        let state = Self {
            table,
            meter: Meter::new(limits),
            clock: Clock::new(origin.epoch, limits.fuel),
            random: ChaCha8Rng::seed_from_u64(origin.seed),
            random_left: limits.random,
            streams: Streams::new(stdin, limits.output),
            files,
            calls: Calls::new(ledger),
            authority,
        };
        let mut store = Store::new(engine.wasmtime(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(call_bytes);
        store.set_max_component_handles(handles);
        store.fuel_async_yield_interval(Some(YIELD)).map_err(Error::Engine)?;
        store.set_fuel(fuel).map_err(Error::Engine)?;
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
