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
//! executor of the crate `june-trtllm-testing` behind them, under valgrind too.
//!
//! `src/shim_trtllm.cpp` was compiled, but neither linked nor run: there was no GPU. The headers of
//! 1.2.1 were not to be had. With those of TensorRT-LLM 0.14.0.dev2024100800 (and of TensorRT 10.4
//! and CUDA 12.9) g++ 12 takes all of it but three names that came later, `setMinP`, `kCANCELLED`
//! and `kTIMED_OUT`; with these three declared it takes all of it. Most declarations that the shim
//! uses were compared by eye with those of a later `executor.h` (one that has these three), whose
//! exact version is not known.

pub mod bridge;
mod engine;
mod error;
mod folder;
mod model;

pub use engine::{Engine, Load, Progress, Running};
pub use error::Error;
pub use folder::Folder;
pub use model::{Settings, Trtllm};
