//! Virtual time.
//!
//! Time passes in two ways: one nanosecond for each unit of fuel, so that a
//! program which waits for the clock to advance gets there, and by waiting,
//! which costs nothing else. Both are the same in every run.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower};

use super::io::Pollable;
use crate::calls::define;
use crate::origin::EPOCH;
use crate::state::State;
use crate::told::Told;

/// When a run began, the time that it has waited, and the fuel that it began with.
pub(crate) struct Clock {
    epoch: u64,
    waited: u64,
    fuel: u64,
}

impl Clock {
    /// A clock for a run that begins then, in seconds of Unix time, with this much fuel.
    pub(crate) fn new(epoch: u64, fuel: u64) -> Self {
        Self { epoch, waited: 0, fuel }
    }

    /// When the run began, in seconds of Unix time.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Nanoseconds since the run began.
    pub(super) fn now(store: &StoreContextMut<'_, State>) -> u64 {
        let clock = &store.data().clock;
        let used = clock.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        used.saturating_add(clock.waited)
    }

    /// Lets the time pass until then.
    pub(super) fn wait_until(store: &mut StoreContextMut<'_, State>, then: u64) {
        let left = then.saturating_sub(Self::now(store));
        let clock = &mut store.data_mut().clock;
        clock.waited = clock.waited.saturating_add(left);
    }
}

/// A time of the wall clock.
#[derive(Clone, Copy, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

impl Datetime {
    /// The time of all files: they are given without one.
    pub(super) const OF_FILES: Self = Self { seconds: EPOCH, nanoseconds: 0 };
}

impl Told for Datetime {
    fn tell(&self, text: &mut String) {
        let Self { seconds, nanoseconds } = self;
        text.push_str(&format!("{{seconds: {seconds}, nanoseconds: {nanoseconds}}}"));
    }
}

pub(super) fn add_monotonic(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define(to, interface, "now", |store, ()| Ok((Clock::now(store),)))?;
    define(to, interface, "resolution", |_, ()| Ok((1_u64,)))?;
    define(to, interface, "subscribe-instant", |store, (when,): (u64,)| {
        Ok((store.data_mut().table.push(Pollable::At(when))?,))
    })?;
    define(to, interface, "subscribe-duration", |store, (nanoseconds,): (u64,)| {
        let when = Clock::now(store).saturating_add(nanoseconds);
        Ok((store.data_mut().table.push(Pollable::At(when))?,))
    })
}

pub(super) fn add_wall(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define(to, interface, "now", |store, ()| {
        let now = Clock::now(store);
        let seconds = store.data().clock.epoch.saturating_add(now / 1_000_000_000);
        Ok((Datetime { seconds, nanoseconds: (now % 1_000_000_000) as u32 },))
    })?;
    define(to, interface, "resolution", |_, ()| Ok((Datetime { seconds: 0, nanoseconds: 1 },)))
}
