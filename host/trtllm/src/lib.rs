//! TensorRT-LLM 1.2.1 in this process, behind the trait of models.
//!
//! The C++ side is a narrow one: [`bridge`] has the four things that June asks of an executor
//! (submit, await, cancel, stats), `include/executor.hpp` says what they mean, and
//! `src/shim_trtllm.cpp` is their implementation by `tensorrt_llm::executor::Executor`. It is
//! compiled where the environment variable `TRTLLM_ROOT` names TensorRT-LLM's folder when June is
//! built (with `TENSORRT_ROOT` and `CUDA_HOME`, `/usr/local/tensorrt` and `/usr/local/cuda` if
//! unset). Elsewhere the crate needs a C++ compiler only, and [`Trtllm::open`] says what is
//! missing.
//!
//! - [`Folder`]: what an engine says of itself, and whether this TensorRT-LLM can load it.
//! - [`Engine`]: an open executor, and the one thread that it belongs to.
//! - [`Trtllm`]: an engine with the tokenizer and the chat template of its folder: a
//!   [`Model`](june_models::Model).
//!
//! # What was tried
//!
//! The Rust side, the bridge and the C++ interface are compiled and run by every test, with the
//! executor of the crate `june-trtllm-testing` behind them, under valgrind too. `make sanitize` runs
//! 10,000 requests, many of them given up, under AddressSanitizer and ThreadSanitizer, compiled into
//! Rust and C++. Both were run to their end and found nothing; a race made on purpose was found.
//!
//! `src/shim_trtllm.cpp` was compiled, but neither linked nor run: there was no GPU, and neither the
//! headers nor the libraries of 1.2.1 were to be had. Through `build.rs`, with g++ 12 and CUDA 13.0's
//! headers, it compiles as it is against the declarations of two commits of TensorRT-LLM's sources,
//! both later than 1.0 by what is in them: `executor.h` of 879039f6 with `types.h` of a98a9061, and
//! `executor.h` of 3585984b, where all names are in an inline namespace. They were copied out by
//! hand: of the classes that the shim uses all that it could call, of others what makes these
//! complete. Libraries of one release take no calls from headers of another, so build with the
//! headers of the very release that is linked.

pub mod bridge;
mod engine;
mod error;
mod folder;
mod model;

pub use engine::{Engine, Load, Progress, Running};
pub use error::Error;
pub use folder::Folder;
pub use model::{Settings, Trtllm};
