//! Why a file was not fetched.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a file was not fetched. What was fetched of it is kept, but for [`Damaged`](Self::Damaged).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HubError {
    /// The hub's address is not one.
    #[error("the hub's address {address} {why}\nhint: write it like https://huggingface.co")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file's name is not one.
    #[error(
        "`{0}` names no file of the hub\nhint: write OWNER/NAME/FILE, or OWNER/NAME/FILE@REVISION"
    )]
    Reference(String),
    /// There is no such file.
    #[error("there is no {0} at {1}\nhint: look at the repository's list of files")]
    Absent(String, String),
    /// The file is not for everybody.
    #[error(
        "{1} does not give {0} to everybody\nhint: accept its terms there, and set HF_TOKEN to a token of yours"
    )]
    Denied(String, String),
    /// The hub names no checksum.
    #[error(
        "the hub names no SHA-256 for {0}, so what comes could not be checked\nhint: only large files (such as *.gguf) have one; fetch others by hand"
    )]
    Unchecked(String),
    /// The hub cannot be asked now.
    #[error("{0} {1}\nhint: try again later; what was fetched is kept")]
    Unavailable(String, String),
    /// The hub speaks otherwise than it should.
    #[error("{0} {1}\nhint: check that its address is that of a hub")]
    Protocol(String, &'static str),
    /// TLS cannot be set up.
    #[error(
        "TLS cannot be set up: {0}\nhint: install the system's certificates (package ca-certificates)"
    )]
    Tls(String),
    /// What came is not the file.
    #[error(
        "what came is not {file}: its SHA-256 is {found}, not {wanted}\nhint: it was removed; fetch it again"
    )]
    Damaged {
        /// The file.
        file: String,
        /// The SHA-256 of what came.
        found: String,
        /// The SHA-256 that the hub names.
        wanted: String,
    },
    /// Somebody else fetches the same file.
    #[error("{} is being fetched already\nhint: wait for that, or stop it", .0.display())]
    Busy(PathBuf),
    /// The file cannot be kept.
    #[error("cannot write {}: {source}\nhint: make room there, or set JUNE_CACHE to a folder that has some", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
