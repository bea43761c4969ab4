//! Triton model repositories on disk, for TensorRT-LLM's `llmapi` backend.
//!
//! A model of a repository is a folder: `config.pbtxt` says what Triton may ask and be told,
//! `1/model.py` is the backend (NVIDIA's own file, which comes with Triton's container), and
//! `1/model.yaml` says which model to load and how. [`create`] lays one out, [`validate`] says what
//! is missing or wrong in one, and [`list`] goes through a repository.

pub(crate) mod config;
mod create;
pub(crate) mod llmapi;
pub(crate) mod pbtxt;
mod validate;

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use create::{CreateError, Layout, create};
pub use validate::{Finding, validate};

use crate::header::{self, Description};

/// A model of a repository.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its folder.
    pub path: PathBuf,
    /// What it is, where that can be told.
    pub model: Option<Description>,
    /// What is missing or wrong.
    pub findings: Vec<Finding>,
}

/// The models of a repository, by name. Hidden folders and files are none.
///
/// # Errors
///
/// The repository cannot be read.
pub fn list(repository: &Path) -> io::Result<Vec<Listed>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(repository)? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.path().is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    let listed = folders.into_iter().map(|path| {
        let (model, findings) = (header::describe(&path).ok(), validate(&path));
        Listed { path, model, findings }
    });
    Ok(listed.collect())
}
