//! Reading that is bounded and counted.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::header::fault::{Fault, HeaderError};

/// The most bytes that are read of one file's header: four times what the largest vocabularies in
/// use need.
pub const LIMIT: u64 = 64 << 20;

/// How much is read of a file at a time.
const CHUNK: usize = 64 << 10;

/// A file's first bytes, in order. Nothing is allocated before it is known that the file has it and
/// the bound allows it.
#[derive(Debug)]
pub struct Input<R> {
    bytes: BufReader<Counted<R>>,
    /// Bytes of the file in all.
    size: u64,
    /// Bytes that were taken.
    position: u64,
}

/// Counts what is read from below the buffer.
#[derive(Debug)]
struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read = self.read.saturating_add(read as u64);
        Ok(read)
    }
}

impl Input<File> {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> Result<Input<File>, HeaderError> {
        let open = || {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Ok(Input::new(file, size))
        };
        open().map_err(|why: io::Error| Fault::Unreadable(why).at(path))
    }
}

impl<R: Read> Input<R> {
    /// The beginning of a file of this size.
    pub fn new(inner: R, size: u64) -> Input<R> {
        let bytes = BufReader::with_capacity(CHUNK, Counted { inner, read: 0 });
        Input { bytes, size, position: 0 }
    }

    /// The file's size.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes were taken.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes were read from the file, those in the buffer included.
    pub(crate) fn read(&self) -> u64 {
        self.bytes.get_ref().read
    }

    /// How many bytes the header can still have.
    pub(crate) fn left(&self) -> u64 {
        self.size.min(LIMIT).saturating_sub(self.position)
    }

    /// The next bytes. `what` is for the message when they are not there.
    pub(crate) fn take(&mut self, length: u64, what: &str) -> Result<Vec<u8>, Fault> {
        self.claim(length, what)?;
        let mut bytes = Vec::new();
        (&mut self.bytes).take(length).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < length {
            return Err(Fault::wrong(format!("it ends within {what}")));
        }
        Ok(bytes)
    }

    /// So many bytes, as an array.
    pub(crate) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Fault> {
        self.claim(N as u64, what)?;
        let mut array = [0; N];
        self.bytes.read_exact(&mut array).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Fault::wrong(format!("it ends within {what}")),
            _ => Fault::Unreadable(error),
        })?;
        Ok(array)
    }

    /// Checks that so many bytes can come, and counts them.
    fn claim(&mut self, length: u64, what: &str) -> Result<(), Fault> {
        if length > self.size.saturating_sub(self.position) {
            return Err(Fault::wrong(format!("it ends within {what}")));
        }
        if length > self.left() {
            let limit = LIMIT >> 20;
            return Err(Fault::wrong(format!("its header has more than {limit} MiB, with {what}")));
        }
        self.position += length;
        Ok(())
    }
}
