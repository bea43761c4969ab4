//! Why an engine does not run.

use std::path::PathBuf;

use june_models::ModelError;
use june_models::text::TextError;
use thiserror::Error;

/// Why an engine does not run. Each message names the cause and, after `hint:`, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no TensorRT-LLM in this June.
    #[error(
        "this June was built without TensorRT-LLM\nhint: build it with TRTLLM_ROOT set to the \
         folder of TensorRT-LLM 1.2.1 (TENSORRT_ROOT and CUDA_HOME too, where they are not in \
         /usr/local), or serve the engine with trtllm-serve and use the openai backend"
    )]
    NotBuilt,
    /// The engine was built by an older TensorRT-LLM.
    #[error(
        "the engine in {} was built by TensorRT-LLM {engine}, which is older than this June's \
         {library}\nhint: build it again with trtllm-build {library}",
        folder.display()
    )]
    EngineTooOld {
        /// The engine's folder.
        folder: PathBuf,
        /// The version that built it.
        engine: String,
        /// The version in this June.
        library: String,
    },
    /// The engine was built by a newer TensorRT-LLM.
    #[error(
        "the engine in {} was built by TensorRT-LLM {engine}, which is newer than this June's \
         {library}\nhint: build it with trtllm-build {library}, or serve it with trtllm-serve and \
         use the openai backend",
        folder.display()
    )]
    EngineTooNew {
        /// The engine's folder.
        folder: PathBuf,
        /// The version that built it.
        engine: String,
        /// The version in this June.
        library: String,
    },
    /// The folder is no engine that June can run.
    #[error("{}: {what}\nhint: {hint}", path.display())]
    Folder {
        /// The file or folder at fault.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// The tokenizer or the chat template beside the engine cannot be used.
    #[error("{0}")]
    Text(String),
    /// The executor did not open.
    #[error(
        "the engine did not open: {0}\nhint: look at TensorRT-LLM's own messages on standard error"
    )]
    Open(String),
    /// One request failed; the engine runs on.
    #[error("TensorRT-LLM failed: {0}\nhint: ask again, or look at its messages on standard error")]
    Request(String),
    /// The engine broke down, and runs no more.
    #[error(
        "the engine broke down: {0}\nhint: start June again; look at TensorRT-LLM's messages on standard error"
    )]
    Broken(String),
    /// The engine was closed.
    #[error("the engine was closed\nhint: load the model again")]
    Closed,
}

impl From<TextError> for Error {
    fn from(error: TextError) -> Error {
        Error::Text(error.to_string())
    }
}

impl From<Error> for ModelError {
    fn from(error: Error) -> ModelError {
        ModelError::Unavailable(error.to_string())
    }
}
