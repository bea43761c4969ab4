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

pub mod bridge;
mod engine;
mod error;
mod folder;
mod model;

pub use engine::{Engine, Load, Progress, Running};
pub use error::Error;
pub use folder::Folder;
pub use model::{Settings, Trtllm};
