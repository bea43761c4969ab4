//! Virtual time.
//!
//! Time passes in two ways: one nanosecond for each unit of fuel, so that a
//! program which waits for the clock to advance gets there, and by sleeping,
//! which costs nothing else. Both are the same in every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Resource};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use crate::state::State;

/// When every run begins: 2026-01-01T00:00:00Z, in seconds of Unix time.
const EPOCH: u64 = 1_767_225_600;

/// The time that a run has slept, and the fuel that it began with.
pub(crate) struct Clock {
    slept: Arc<AtomicU64>,
    fuel: u64,
}

impl Clock {
    /// A clock for a run that begins with this much fuel.
    pub(crate) fn new(fuel: u64) -> Self {
        Self { slept: Arc::default(), fuel }
    }

    /// Nanoseconds since the run began.
    fn now(store: &StoreContextMut<'_, State>) -> u64 {
        let clock = &store.data().clock;
        let used = clock.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        used.saturating_add(clock.slept.load(Ordering::Relaxed))
    }
}

/// A sleep. Asking whether it is over makes it so.
struct Sleep {
    slept: Arc<AtomicU64>,
    nanoseconds: u64,
}

#[async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        let nanoseconds = std::mem::take(&mut self.nanoseconds);
        let slept = self.slept.load(Ordering::Relaxed).saturating_add(nanoseconds);
        self.slept.store(slept, Ordering::Relaxed);
    }
}

fn sleep(
    store: &mut StoreContextMut<'_, State>,
    nanoseconds: u64,
) -> wasmtime::Result<Resource<DynPollable>> {
    let slept = store.data().clock.slept.clone();
    let table = store.data_mut().table();
    let sleep = table.push(Sleep { slept, nanoseconds })?;
    subscribe(table, sleep)
}

pub(super) fn add_monotonic(mut linker: LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("now", |store, ()| Ok((Clock::now(&store),)))?;
    linker.func_wrap("resolution", |_, ()| Ok((1u64,)))?;
    linker.func_wrap("subscribe-instant", |mut store, (when,): (u64,)| {
        let nanoseconds = when.saturating_sub(Clock::now(&store));
        Ok((sleep(&mut store, nanoseconds)?,))
    })?;
    linker.func_wrap("subscribe-duration", |mut store, (nanoseconds,): (u64,)| {
        Ok((sleep(&mut store, nanoseconds)?,))
    })
}

pub(super) fn add_wall(mut linker: LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    linker.func_wrap("now", |store, ()| {
        let now = Clock::now(&store);
        let seconds = EPOCH + now / 1_000_000_000;
        Ok((Datetime { seconds, nanoseconds: (now % 1_000_000_000) as u32 },))
    })?;
    linker.func_wrap("resolution", |_, ()| Ok((Datetime { seconds: 0, nanoseconds: 1 },)))
}
