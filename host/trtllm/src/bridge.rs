//! The border to C++.

// The one place of this crate that may: cxx writes the calls and checks both sides against each
// other when it compiles them; what is left to trust is that the C++ behind `executor.hpp` does as
// that file says.
#![allow(unsafe_code, reason = "calls to C++, which cxx makes and checks")]
#![allow(missing_docs, unused_qualifications, reason = "in what cxx generates")]

#[cxx::bridge(namespace = "june")]
pub mod ffi {
    /// What to open.
    #[derive(Debug, Clone)]
    struct Opening {
        /// The engine's folder.
        folder: String,
        /// The share of the free GPU memory for the KV cache, 0 to 1; 0 leaves the default.
        memory_share: f32,
        /// Whether the engine was built with paged attention over the prompt: then prompts share
        /// what they have in common, and long ones are read in pieces.
        paged: bool,
    }

    /// What to generate. A value of 0 is the neutral one, but for the temperature.
    #[derive(Debug, Clone, Default)]
    struct Generation {
        /// The prompt's tokens.
        prompt: Vec<i32>,
        /// The most tokens to generate.
        max_tokens: u32,
        /// Tokens that end it.
        ends: Vec<i32>,
        /// 0 is greedy.
        temperature: f32,
        top_p: f32,
        top_k: u32,
        min_p: f32,
        seed: u64,
    }

    /// How a request stands after a step.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Finish {
        /// It goes on.
        NotYet,
        /// It came to its end.
        End,
        /// It reached `max_tokens`, or the end of the context.
        Length,
        /// It was given up.
        Cancelled,
        /// It failed; `error` says why.
        Failed,
    }

    /// How far a request has got.
    #[derive(Debug, Clone)]
    struct Step {
        /// The number that `submit` gave it.
        request: u64,
        /// The tokens generated since the step before; one, none or several.
        tokens: Vec<i32>,
        finish: Finish,
        error: String,
    }

    /// How busy an executor is.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    struct Stats {
        /// Requests that are computed.
        active: u64,
        /// Requests that wait.
        queued: u64,
        /// Blocks of the KV cache.
        blocks: u64,
        /// Of these, how many are in use.
        blocks_used: u64,
        /// Bytes of GPU memory that the executor uses.
        gpu_bytes: u64,
    }

    unsafe extern "C++" {
        include!("june-trtllm/include/executor.hpp");

        /// An executor, in C++.
        type Executor;

        /// Takes a request in; returns its number.
        fn submit(self: Pin<&mut Executor>, generation: &Generation) -> Result<u64>;
        /// Waits for steps.
        fn await_steps(self: Pin<&mut Executor>, milliseconds: u32) -> Result<Vec<Step>>;
        /// Gives a request up.
        fn cancel(self: Pin<&mut Executor>, request: u64) -> Result<()>;
        /// How busy it is.
        fn stats(self: Pin<&mut Executor>) -> Result<Stats>;

        /// TensorRT-LLM's executor.
        fn open(opening: &Opening) -> Result<UniquePtr<Executor>>;
        /// The version of TensorRT-LLM, empty where there is none.
        fn library_version() -> Result<String>;
    }
}
