//! Whether a machine can run a model, decided before a byte of its weights is read.
//!
//! A model runs on a GPU that has room for its weights, its KV cache and some overhead. Without
//! one, it runs on the processor if it is small ([`Limits::cpu_parameters`]) and fits into memory;
//! a larger one is refused, and nothing makes it run there in silence. A mixture of experts counts
//! with all its weights, not those that a token uses.
//!
//! [`decide`] is a function of values: what the model is, and what the machine has.

mod estimate;
mod machine;
mod nvml;

use serde::Serialize;
use thiserror::Error;

pub use estimate::Estimate;
pub use machine::{Driver, Gpu, Machine};

use crate::header::{Description, KvType};
use crate::words;

/// What is allowed, whatever a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most parameters of a model on the processor. 8 billion unless set.
    pub cpu_parameters: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { cpu_parameters: 8_000_000_000 }
    }
}

/// Where a model can run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// On the GPU with this number, counted from 0.
    Gpu {
        /// Its place in [`Machine::gpus`].
        index: usize,
        /// What it takes.
        estimate: Estimate,
    },
    /// On the processor.
    Cpu {
        /// What it takes.
        estimate: Estimate,
    },
}

/// Why a model may not run: what it needs, what was found, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{model} cannot run here\n  needed: {needed}\n  found:  {found}\nhint: {hint}")]
pub struct Refused {
    /// The model, in a line.
    pub model: String,
    /// What it needs.
    pub needed: String,
    /// What the machine has.
    pub found: String,
    /// What to do.
    pub hint: String,
}

/// Where a model can run with a context of so many tokens.
///
/// # Errors
///
/// Nowhere on this machine: see [`Refused`].
pub fn decide(
    model: &Description,
    context: u64,
    kv: KvType,
    machine: &Machine,
    limits: &Limits,
) -> Result<Placement, Refused> {
    let estimate = Estimate::new(model, context, kv);
    let refused = |needed: String, hint: String| Refused {
        model: model.to_string(),
        needed,
        found: found(machine),
        hint,
    };
    if let Some(most) = model.context.filter(|most| context > *most) {
        let (context, most) = (words::grouped(context), words::grouped(most));
        let needed = format!("a context of {context} tokens, and the model has {most}");
        return Err(refused(needed, format!("ask for at most {most} tokens")));
    }
    let fits = |(_, gpu): &(usize, &Gpu)| estimate.total() <= gpu.free;
    let gpus = machine.gpus.iter().enumerate();
    if let Some((index, _)) = gpus.filter(fits).max_by_key(|(_, gpu)| gpu.free) {
        return Ok(Placement::Gpu { index, estimate });
    }
    if model.parameters > limits.cpu_parameters {
        let limit = words::short(limits.cpu_parameters);
        let needed = format!(
            "a GPU with {} free, for {estimate}; with more than {limit} parameters it may not \
             run on the processor",
            words::bytes(estimate.total())
        );
        return Err(refused(needed, hint(&estimate, context, machine)));
    }
    if estimate.total() > machine.memory {
        let needed = format!("{} of memory, for {estimate}", words::bytes(estimate.total()));
        return Err(refused(needed, hint(&estimate, context, machine)));
    }
    Ok(Placement::Cpu { estimate })
}

/// What a machine has, in words.
fn found(machine: &Machine) -> String {
    let gpus: Vec<String> = machine
        .gpus
        .iter()
        .map(|Gpu { name, total, free, .. }| {
            format!("{name} with {} free of {}", words::bytes(*free), words::bytes(*total))
        })
        .collect();
    let gpus = match &machine.driver {
        _ if !gpus.is_empty() => gpus.join(", "),
        Driver::Absent => "no NVIDIA driver, and so no GPU".to_owned(),
        Driver::Version(version) => format!("no GPU, with NVIDIA's driver {version}"),
        Driver::Broken(why) => format!("NVIDIA's driver does not work: {why}"),
    };
    format!("{gpus}; {} of main memory", words::bytes(machine.memory))
}

/// What to do: a shorter context where that is enough, else another machine or model.
fn hint(estimate: &Estimate, context: u64, machine: &Machine) -> String {
    let free = machine.gpus.iter().map(|gpu| gpu.free).max().unwrap_or_default();
    let room = free.saturating_sub(estimate.weights.saturating_add(estimate.overhead));
    let tokens = room.checked_div(estimate.kv_token).unwrap_or_default() / 1024 * 1024;
    if tokens >= 1024 && tokens < context {
        let tokens = words::grouped(tokens);
        return format!("ask for a context of at most {tokens} tokens, which the GPU has room for");
    }
    "use a smaller model or one of fewer bits, or serve it from a machine with a larger GPU \
     (trtllm-serve or Triton) and name that server in june.toml"
        .to_owned()
}

#[cfg(test)]
mod tests;
