//! Why a file could not be opened as a model.

use std::path::{Path, PathBuf};

use june_models::header::HeaderError;
use thiserror::Error;

/// Why a file could not be opened as a model. Each text says what is wrong and, after `hint:`,
/// what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}\nhint: check the path and the file's permissions", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The header cannot be read, or is wrong.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The file is not what it claims to be.
    #[error("{path} is broken: {what}\nhint: download or convert it again", path = path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The file is sound, but June cannot run it.
    #[error("{path} cannot be run here: {what}\nhint: {hint}", path = path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What June does not have.
        what: String,
        /// What to do instead.
        hint: String,
    },
}

impl OpenError {
    pub(crate) fn unreadable(path: &Path, source: std::io::Error) -> OpenError {
        OpenError::Unreadable { path: path.to_owned(), source }
    }

    pub(crate) fn broken(path: &Path, what: impl ToString) -> OpenError {
        OpenError::Broken { path: path.to_owned(), what: what.to_string() }
    }

    pub(crate) fn unsupported(path: &Path, what: impl ToString, hint: &str) -> OpenError {
        let (path, what) = (path.to_owned(), what.to_string());
        OpenError::Unsupported { path, what, hint: hint.to_owned() }
    }
}
