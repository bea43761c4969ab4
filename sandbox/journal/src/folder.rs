//! Where everything is in a journal's folder.
//!
//! | path | what |
//! |---|---|
//! | `segments/` | the records: see [`segment`](crate::segment) |
//! | `blobs/` | values too long for a record: see [`blobs`](crate::blobs) |
//! | `checkpoint` | the newest checkpoint, signed |
//! | `tree` | the Merkle tree's hashes: see [`tree`](crate::tree) |
//! | `key`, `key.pub` | what signs the checkpoints, and what verifies them |
//! | `writing` | is there while somebody writes, and after they died |
//! | `lock` | whoever holds it may write |

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::blobs::{Blobs, sync};
use crate::note::{Checkpoint, NoteError, PublicKey, SecretKey};
use crate::segment;
use crate::tree::Frontier;

/// A journal's folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds no journal.
    #[error("{}: holds no journal\nhint: `june journal init` makes one", .0.display())]
    Missing(PathBuf),
    /// The folder holds a journal already.
    #[error("{}: holds something already\nhint: name an empty folder, or use the journal that is there", .0.display())]
    Exists(PathBuf),
    /// Somebody else is writing.
    #[error("{}: another June is writing to this journal\nhint: wait for it, or use another journal with --journal", .0.display())]
    Locked(PathBuf),
    /// A key cannot be used.
    #[error("{}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: NoteError,
    },
    /// The journal is not what was written.
    #[error("{}: {reason}\nhint: `june journal verify` tells what can still be trusted; write to a new journal", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The journal could not be written some time ago, and takes no more.
    #[error(
        "the journal takes no more records: {0}\nhint: nothing runs unrecorded; make room or fix the cause, then run again"
    )]
    Failed(String),
    /// A record is longer than a record may be.
    #[error("a record of {0} bytes is too long for the journal")]
    Long(usize),
}

impl Folder {
    /// The journal in this folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of segments.
    pub fn segments(&self) -> PathBuf {
        self.0.join("segments")
    }

    /// The blobs.
    pub fn blobs(&self) -> Blobs {
        Blobs::new(self.0.join("blobs"))
    }

    /// The file of the newest checkpoint.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint")
    }

    /// The file of the tree's hashes.
    pub fn tree(&self) -> PathBuf {
        self.0.join("tree")
    }

    /// The file of the secret key.
    pub fn secret_key(&self) -> PathBuf {
        self.0.join("key")
    }

    /// The file of the public key.
    pub fn public_key(&self) -> PathBuf {
        self.0.join("key.pub")
    }

    /// The file that is there while somebody writes.
    pub fn writing(&self) -> PathBuf {
        self.0.join("writing")
    }

    /// The file that a writer locks.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Makes an empty journal with a new key of this name.
    ///
    /// # Errors
    ///
    /// When the folder is not empty or cannot be written, or the name is no
    /// name for a key.
    pub fn init(&self, name: &str) -> Result<PublicKey, Error> {
        let key_error = |source| Error::Key { path: self.secret_key(), source };
        let key = SecretKey::generate(name).map_err(key_error)?;
        fs::create_dir_all(&self.0).map_err(io(&self.0))?;
        if fs::read_dir(&self.0).map_err(io(&self.0))?.next().is_some() {
            return Err(Error::Exists(self.0.clone()));
        }
        // The key is written last: a folder without one is not yet a journal.
        for folder in [self.segments(), self.0.join("blobs")] {
            fs::create_dir(&folder).map_err(io(&folder))?;
        }
        let empty = Frontier::default();
        let checkpoint = Checkpoint { size: 0, root: empty.root() };
        let checkpoint = checkpoint.sign(&key).map_err(key_error)?;
        let first = segment::beginning(0, 0, &checkpoint);
        let files = [
            (segment::path(&self.segments(), 0), first, 0o644),
            (self.checkpoint(), checkpoint.into_bytes(), 0o644),
            (self.tree(), Vec::new(), 0o644),
            (self.lock(), Vec::new(), 0o644),
            (self.public_key(), format!("{}\n", key.public()).into_bytes(), 0o644),
            (self.secret_key(), format!("{}\n", key.secret_text()).into_bytes(), 0o600),
        ];
        for (path, bytes, mode) in files {
            write_new(&path, &bytes, mode).map_err(io(&path))?;
        }
        sync(&self.segments()).and_then(|()| sync(&self.0)).map_err(io(&self.0))?;
        Ok(key.public().clone())
    }

    /// The public key.
    ///
    /// # Errors
    ///
    /// When there is no journal, or its key is none.
    pub fn read_public_key(&self) -> Result<PublicKey, Error> {
        let path = self.public_key();
        if !self.segments().is_dir() {
            return Err(Error::Missing(self.0.clone()));
        }
        let text = read_line(&path)?;
        PublicKey::parse(&text).map_err(|source| Error::Key { path, source })
    }

    /// The secret key.
    ///
    /// # Errors
    ///
    /// When there is no journal, or its key is none, or belongs to another.
    pub fn read_secret_key(&self) -> Result<SecretKey, Error> {
        let public = self.read_public_key()?;
        let path = self.secret_key();
        let text = read_line(&path)?;
        SecretKey::parse(&text, &public.to_string()).map_err(|source| Error::Key { path, source })
    }
}

/// What the system said of this file or folder.
pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Io { path, source }
}

/// Writes a file that is not there yet, and makes it durable.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads a file of one short line.
pub(crate) fn read_line(path: &Path) -> Result<String, Error> {
    let damaged =
        || Error::Damaged { path: path.into(), reason: "it is not one short line".into() };
    let bytes = read_short(path)?;
    let text = String::from_utf8(bytes).map_err(|_bytes| damaged())?;
    match text.strip_suffix('\n') {
        Some(line) if !line.contains('\n') => Ok(line.to_owned()),
        _ => Err(damaged()),
    }
}

/// Reads a file that has to be short.
pub(crate) fn read_short(path: &Path) -> Result<Vec<u8>, Error> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(1 << 16).read_to_end(&mut bytes));
    read.map_err(io(path))?;
    Ok(bytes)
}
