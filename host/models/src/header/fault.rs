//! Why a model could not be described.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a model could not be described. Each text names the file, says what is wrong with it and,
/// after `hint:`, what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file is not there or may not be read.
    #[error("{} cannot be read: {why}\nhint: check that it is there and may be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The header is cut off, contradicts itself, its file's size or its tensors, or claims more
    /// than a header may hold.
    #[error("{} is not what its header says: {what}\nhint: get it anew, and compare its checksum", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// This is no model, or one of a kind that June cannot describe.
    #[error("{} cannot be described: {what}\nhint: {hint}", path.display())]
    Unsupported {
        /// The file or folder.
        path: PathBuf,
        /// What it is, or lacks.
        what: String,
        /// What to do.
        hint: String,
    },
}

/// What is wrong with some bytes, before it is known which file they are from.
#[derive(Debug)]
pub enum Fault {
    /// They could not be read.
    Unreadable(io::Error),
    /// They are wrong: see [`HeaderError::Wrong`].
    Wrong(String),
    /// They are of a kind that June does not know: what, and what to do.
    Unsupported(String, String),
}

impl Fault {
    pub(crate) fn wrong(what: impl Into<String>) -> Fault {
        Fault::Wrong(what.into())
    }

    pub(crate) fn unsupported(what: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault::Unsupported(what.into(), hint.into())
    }

    /// The fault of a file.
    pub(crate) fn at(self, path: &Path) -> HeaderError {
        let path = path.to_owned();
        match self {
            Fault::Unreadable(why) => HeaderError::Unreadable { path, why },
            Fault::Wrong(what) => HeaderError::Wrong { path, what },
            Fault::Unsupported(what, hint) => HeaderError::Unsupported { path, what, hint },
        }
    }
}

impl From<io::Error> for Fault {
    fn from(why: io::Error) -> Fault {
        Fault::Unreadable(why)
    }
}
