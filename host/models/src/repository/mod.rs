//! Triton model repositories on disk.

pub(crate) mod config;
pub(crate) mod llmapi;
pub(crate) mod pbtxt;
