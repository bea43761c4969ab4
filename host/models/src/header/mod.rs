//! What a model is, read before any weight is.
//!
//! [`describe`] takes a GGUF file, a folder of the hub (`config.json` and safetensors) or a model
//! of a Triton repository, and reads headers alone: a few megabytes at most, whatever the size of
//! the model. Parameters are counted from the tensors' shapes and never taken from a claim; a
//! header that contradicts itself, its tensors or its file's size is an error. What is read comes
//! from strangers: nothing is allocated that the file does not have, and sums are checked.
//!
//! ```no_run
//! let model = june_models::header::describe("Qwen3-30B-A3B-Q8_0.gguf".as_ref())?;
//! println!("{model}");
//! // qwen3moe, 30.5 B parameters (3.4 B active), Q8_0, 32.5 GB, 48 layers, …
//! # Ok::<(), june_models::header::HeaderError>(())
//! ```

mod claims;
mod config;
mod description;
mod fault;
mod folder;
pub mod gguf;
mod input;
pub mod safetensors;
mod tensor;
mod triton;

use std::path::Path;

pub use description::{Description, Experts, Format, KvType};
pub use fault::{Fault, HeaderError};
pub use gguf::Gguf;
pub use input::{Input, LIMIT};
pub use tensor::Tensor;

/// Describes the model at a path.
///
/// # Errors
///
/// It cannot be read, is wrong, or is nothing that June can describe: see [`HeaderError`].
pub fn describe(path: &Path) -> Result<Description, HeaderError> {
    let kind = std::fs::metadata(path).map_err(|why| Fault::Unreadable(why).at(path))?;
    if !kind.is_dir() {
        return gguf::describe(path);
    }
    if path.join("config.pbtxt").is_file() {
        return triton::describe(path);
    }
    if path.join("config.json").is_file() {
        return folder::describe(path);
    }
    let what = "it has neither a config.json nor a config.pbtxt";
    let hint = "name a GGUF file, a model's folder from the hub, or a model's folder in a Triton \
                repository";
    Err(Fault::unsupported(what, hint).at(path))
}
