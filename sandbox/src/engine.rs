//! wasmtime, configured for determinism and quick instances.

use std::sync::LazyLock;

use wasmtime::{Config, Enabled, PoolingAllocationConfig};

use crate::calls::HOST_CALL;
use crate::{Digest, Error};

/// The most linear memory that any one component can be granted.
pub const MAX_MEMORY: u64 = 2 << 30;

/// Memory that a finished instance leaves mapped, its changed pages restored by
/// copying where the kernel can name them (PAGEMAP_SCAN, Linux 6.7): the next
/// instance then takes no page fault for them, and no other processor has to be
/// told to forget them.
const KEEP_RESIDENT: usize = 64 << 20;

/// What is not kept is given back for this many instances at a time.
const DECOMMIT_BATCH: usize = 4;

/// Native stack for the WebAssembly code of one component.
const STACK: usize = 16 << 20;

/// How many components can be alive at once: conversations that wait for a
/// model, most of them. A slot costs address space alone until it is used.
const SLOTS: u32 = 2048;

/// The engine and its version, as the journal names it.
pub const NAME: &str = "wasmtime 48.0.8";

/// The digest of everything that is configured here and in the host's own
/// functions and that a run's result, its fuel included, depends on.
pub fn configuration() -> Digest {
    static CONFIGURATION: LazyLock<Digest> = LazyLock::new(|| {
        Digest::of_parts([
            NAME,
            "fuel: 1 an instruction, as wasmtime counts; the random bytes drawn",
            &format!("fuel for a call into the host: {HOST_CALL}"),
            &format!("native stack: {STACK}"),
            "NaN: canonical; relaxed SIMD: deterministic",
            "clock: 1 ns a unit of fuel, and waiting",
            "random numbers: ChaCha8",
        ])
    });
    *CONFIGURATION
}

/// The WebAssembly engine of a process. Clones share it.
#[derive(Clone)]
pub struct Engine(wasmtime::Engine);

impl Engine {
    /// Sets up the engine.
    ///
    /// # Errors
    ///
    /// When the machine cannot reserve the address space.
    pub fn new() -> Result<Self, Error> {
        wasmtime::Engine::new(&config(Enabled::Yes))
            .or_else(|_unsupported| wasmtime::Engine::new(&config(Enabled::No)))
            .map(Self)
            .map_err(Error::Engine)
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.0
    }
}

fn config(pagemap_scan: Enabled) -> Config {
    // Without the scan, keeping memory means copying all of it: page faults are
    // cheaper than that.
    let keep_resident = if pagemap_scan == Enabled::Yes { KEEP_RESIDENT } else { 0 };
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(SLOTS)
        .total_core_instances(SLOTS * 16)
        .total_memories(SLOTS)
        .total_tables(SLOTS * 4)
        .total_stacks(SLOTS)
        .max_core_instances_per_component(64)
        .max_tables_per_component(16)
        // A flattened component has all of its tables in one module.
        .max_tables_per_module(16)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(64 << 10)
        .max_memory_size(MAX_MEMORY as usize)
        .linear_memory_keep_resident(keep_resident)
        .table_keep_resident(1 << 20)
        .pagemap_scan(pagemap_scan)
        .decommit_batch_size(DECOMMIT_BATCH);

    let mut config = Config::new();
    config
        .allocation_strategy(pool)
        // What a run may compute, counted the same everywhere. Also what lets
        // the wall-clock limit interrupt a computation: epochs would do that
        // with a second check in every loop, a tenth of the time.
        .consume_fuel(true)
        // Where the specification leaves a choice, always the same one.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // One order of calls. Also cheaper: no task state for each call.
        .concurrency_support(false)
        // Deep enough that an interpreter's own recursion limit, which is the
        // same on every machine, is reached before the native stack's end.
        .max_wasm_stack(STACK)
        .async_stack_size(STACK + (1 << 20))
        // Nobody sees a backtrace of machine code.
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(None)
        // A memory image however sparse, so that an instance maps it.
        .memory_guaranteed_dense_image_size(256 << 20);
    config
}
