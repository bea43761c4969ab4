//! What a run may use.

use std::collections::BTreeMap;
use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Bounds on one run of one component. Every bound is enforced; reaching one
/// ends the run, or is reported to the component as a failed request, as its
/// field says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instructions, in wasmtime's fuel; each call into the host costs 10,000.
    /// Ends the run.
    pub fuel: u64,
    /// Bytes of linear memory, all memories of the component together. Ends
    /// the run: a C library that is refused memory may write through a null
    /// pointer, which in WebAssembly is an address like any other.
    pub memory: u64,
    /// Elements in each table. Ends the run.
    pub table_elements: usize,
    /// Core instances, tables and memories, each. A component that needs more
    /// cannot be instantiated.
    pub instances: usize,
    /// Bytes kept of stdout, and of stderr. What comes after is counted as
    /// written and dropped.
    pub output: usize,
    /// Bytes that one host call may carry across. Ends the run.
    pub call_bytes: usize,
    /// Handles that the component holds at once. Ends the run.
    pub handles: usize,
    /// Bytes of random numbers in all. Ends the run.
    pub random: u64,
    /// Calls to capabilities: models, tools, programs, notes, requests. What
    /// comes after is refused; after [`Limits::PATIENCE`] refusals the run
    /// ends.
    pub calls: u64,
    /// Tokens that models may write for the component, reasoning included.
    pub tokens: u64,
    /// Bytes said to the person, steps included. Ends the run.
    pub reply: usize,
    /// Bytes of all files of the workspace. What would be more is refused with
    /// `insufficient-space`.
    pub files: usize,
    /// How deeply runs may be nested: a tool in a strategy is one deep, a
    /// program that it runs two.
    pub depth: u32,
    /// Wall-clock time around the whole run, host calls included. A fuse:
    /// whether it blows depends on the machine, so it must be far away.
    pub wall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 10_000_000_000,
            memory: 256 << 20,
            table_elements: 64 << 10,
            instances: 64,
            output: 64 << 10,
            call_bytes: 16 << 20,
            handles: 1024,
            random: 64 << 20,
            calls: 256,
            tokens: 65_536,
            reply: 1 << 20,
            files: 64 << 20,
            depth: 4,
            wall: Duration::from_secs(600),
        }
    }
}

impl Limits {
    /// How often a component hears that its calls are used up.
    pub const PATIENCE: u64 = 64;

    /// The limits by their names, as the journal keeps them; the wall time in
    /// milliseconds.
    pub(crate) fn to_map(&self) -> BTreeMap<String, u64> {
        let Self {
            fuel,
            memory,
            table_elements,
            instances,
            output,
            call_bytes,
            handles,
            random,
            calls,
            tokens,
            reply,
            files,
            depth,
            wall,
        } = self;
        let entries = [
            ("fuel", *fuel),
            ("memory", *memory),
            ("table-elements", *table_elements as u64),
            ("instances", *instances as u64),
            ("output", *output as u64),
            ("call-bytes", *call_bytes as u64),
            ("handles", *handles as u64),
            ("random", *random),
            ("calls", *calls),
            ("tokens", *tokens),
            ("reply", *reply as u64),
            ("files", *files as u64),
            ("depth", u64::from(*depth)),
            ("wall-ms", u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)),
        ];
        entries.map(|(name, bound)| (name.to_owned(), bound)).into()
    }

    /// The limits that a map names: all of them, and no others.
    pub(crate) fn from_map(map: &BTreeMap<String, u64>) -> Option<Self> {
        let number = |name: &str| map.get(name).copied();
        let size = |name: &str| usize::try_from(number(name)?).ok();
        let limits = Self {
            fuel: number("fuel")?,
            memory: number("memory")?,
            table_elements: size("table-elements")?,
            instances: size("instances")?,
            output: size("output")?,
            call_bytes: size("call-bytes")?,
            handles: size("handles")?,
            random: number("random")?,
            calls: number("calls")?,
            tokens: number("tokens")?,
            reply: size("reply")?,
            files: size("files")?,
            depth: u32::try_from(number("depth")?).ok()?,
            wall: Duration::from_millis(number("wall-ms")?),
        };
        (limits.to_map() == *map && limits.memory <= crate::engine::MAX_MEMORY).then_some(limits)
    }
}

/// Enforces the limits on what wasmtime allocates, and remembers the peak.
pub(crate) struct Meter {
    memory: u64,
    memory_limit: u64,
    table_elements: usize,
    instances: usize,
    peak: u64,
}

/// A component asked for more than its limit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Exceeded {
    #[error("out of memory")]
    Memory,
    #[error("table too large")]
    Table,
    #[error("more calls than allowed")]
    Calls,
    #[error("more said than allowed")]
    Reply,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory: 0,
            memory_limit: limits.memory,
            table_elements: limits.table_elements,
            instances: limits.instances,
            peak: 0,
        }
    }

    /// The most bytes of linear memory held at once.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.peak
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory + desired.saturating_sub(current) as u64;
        if total > self.memory_limit || maximum.is_some_and(|maximum| desired > maximum) {
            return Err(Exceeded::Memory.into());
        }
        self.memory = total;
        self.peak = self.peak.max(total);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.table_elements || maximum.is_some_and(|maximum| desired > maximum) {
            return Err(Exceeded::Table.into());
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_survive_the_journal() {
        let limits = Limits { fuel: 7, wall: Duration::from_millis(9), ..Limits::default() };
        assert_eq!(Limits::from_map(&limits.to_map()), Some(limits.clone()));
        let mut map = limits.to_map();
        map.insert("more".into(), 1);
        assert_eq!(Limits::from_map(&map), None);
        map.remove("more");
        map.remove("fuel");
        assert_eq!(Limits::from_map(&map), None);
    }
}
