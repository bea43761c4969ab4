//! What the fuzz targets and the maker of their seeds share.

pub mod records;

use std::path::PathBuf;
use std::sync::OnceLock;

use june_journal::note::SecretKey;

/// The key that everything here is signed with. No secret: it is the first test
/// vector of RFC 8032. It never changes, so that what was signed once, in a seed
/// or an artifact, is valid in every process.
pub fn key() -> &'static SecretKey {
    static KEY: OnceLock<SecretKey> = OnceLock::new();
    KEY.get_or_init(|| {
        SecretKey::parse(
            "PRIVATE+KEY+june/fuzz+b89f93e4+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
            "june/fuzz+b89f93e4+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
        )
        .expect("read the key")
    })
}

/// The time of every record.
pub fn clock() -> u64 {
    1_767_225_600_000
}

/// A folder of this process's own, in memory where that can be had.
pub fn scratch(name: &str) -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = parent.join(format!("june-journal-fuzz-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("make a folder");
    folder
}

/// Bytes that are read as numbers and stretches; after the last one come zeros
/// and nothing.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next bytes, as many of them as there are.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// The next bytes, with zeros where there are none.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    /// A number of one byte.
    pub fn byte(&mut self) -> usize {
        self.array::<1>()[0].into()
    }

    /// A number of two bytes.
    pub fn short(&mut self) -> usize {
        u16::from_le_bytes(self.array()).into()
    }

    /// A number of eight bytes.
    pub fn long(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
}
