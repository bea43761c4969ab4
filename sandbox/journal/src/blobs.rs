//! Values too long for a record: files named by the SHA-256 of what they hold.
//!
//! `blobs/ab/abcdef….zst` is the value compressed by Zstandard (RFC 8878),
//! followed by the XXH3 (64 bits, little-endian) of the compressed bytes, which
//! finds a change in bytes that decompressing ignores.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use twox_hash::XxHash3_64;

use crate::Digest;
use crate::record::Data;

const LEVEL: i32 = 3;
const TRAILER: usize = 8;

/// The longest value that is kept, and so the most memory that reading one takes.
pub const MAX_BLOB: u64 = 64 << 20;

/// A folder of blobs.
#[derive(Clone, Debug)]
pub struct Blobs(PathBuf);

/// Why a blob cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The file could not be read, or is not there.
    #[error("blob {digest}: {source}")]
    Io {
        /// The value's digest.
        digest: Digest,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("blob {0}: its file is damaged")]
    Damaged(Digest),
}

impl Blobs {
    /// The blobs in this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.0.join(&name[..2]).join(name + ".zst")
    }

    /// Keeps a value, on disk when this returns. A value that is here already
    /// is not written again.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or is longer than [`MAX_BLOB`].
    pub fn put(&self, bytes: &[u8]) -> io::Result<Digest> {
        if bytes.len() as u64 > MAX_BLOB {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let digest = Digest::of(bytes);
        let path = self.path(&digest);
        if path.exists() {
            return Ok(digest);
        }
        let folder = path.parent().unwrap_or(&self.0);
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            sync(&self.0)?;
        }
        let compressed = zstd::bulk::compress(bytes, LEVEL)?;
        let readable = fs::Permissions::from_mode(0o644);
        let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(folder)?;
        file.write_all(&compressed)?;
        file.write_all(&XxHash3_64::oneshot(&compressed).to_le_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        sync(folder)?;
        Ok(digest)
    }

    /// A value of a record, wherever it is.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn value(&self, data: &Data) -> Result<Vec<u8>, BlobError> {
        match data {
            Data::Inline(bytes) => Ok(bytes.clone()),
            Data::Blob { digest, length } => self.get(digest, *length),
        }
    }

    /// The value of this digest and length.
    ///
    /// # Errors
    ///
    /// When it is not here, or what is here is something else. Never uses much
    /// more memory than `length`.
    pub fn get(&self, digest: &Digest, length: u64) -> Result<Vec<u8>, BlobError> {
        let cannot = |source| BlobError::Io { digest: *digest, source };
        let damaged = || BlobError::Damaged(*digest);
        if length > MAX_BLOB {
            return Err(damaged());
        }
        let file = File::open(self.path(digest)).map_err(cannot)?;
        // What was compressed is never much longer than before.
        let most = length + length / 64 + 1024;
        let mut compressed = Vec::new();
        file.take(most + 1).read_to_end(&mut compressed).map_err(cannot)?;
        if compressed.len() as u64 > most {
            return Err(damaged());
        }
        let end = compressed.len().checked_sub(TRAILER).ok_or_else(damaged)?;
        let (compressed, sum) = compressed.split_at(end);
        if sum != XxHash3_64::oneshot(compressed).to_le_bytes() {
            return Err(damaged());
        }
        let value = zstd::bulk::decompress(compressed, length as usize);
        let value = value.map_err(|_reason| damaged())?;
        if value.len() as u64 != length || Digest::of(&value) != *digest {
            return Err(damaged());
        }
        Ok(value)
    }
}

/// Makes the entries of a folder durable.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(folder.path().into());
        for value in [&b""[..], b"June", &vec![7; 3 << 20]] {
            let digest = blobs.put(value).unwrap();
            assert_eq!(blobs.put(value).unwrap(), digest);
            assert_eq!(blobs.get(&digest, value.len() as u64).unwrap(), value);
            assert!(blobs.get(&digest, value.len() as u64 + 1).is_err());
        }
    }

    #[test]
    fn every_changed_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(folder.path().into());
        let value = b"def f(x):\n    return x\n".repeat(20);
        let digest = blobs.put(&value).unwrap();
        let path = blobs.path(&digest);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(&path, &bad).unwrap();
            assert!(blobs.get(&digest, value.len() as u64).is_err(), "byte {at}");
        }
        fs::write(&path, &good[..good.len() - 1]).unwrap();
        assert!(blobs.get(&digest, value.len() as u64).is_err());
    }
}
