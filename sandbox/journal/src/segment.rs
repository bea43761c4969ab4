//! The files that the journal is written to: segments of one stream of frames.
//!
//! A segment begins with a header: `junejrn1`, the number of its first record,
//! its position in the stream (the length of all segments before it), and the
//! checksum of these 24 bytes. Frames follow: the length of the payload (32
//! bits), a byte that says what it is, the payload, and a checksum of all of
//! it. Numbers are little-endian. A checksum is XXH3 (64 bits), seeded with the
//! position in the stream of what it covers, so that a frame is valid in one
//! place only: one that was moved, repeated or left out is noticed at once.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use twox_hash::XxHash3_64;

use crate::record::MAX_RECORD;

/// Length of a segment's header.
pub const HEADER: u64 = 32;

/// What a frame has beside its payload, in bytes.
pub const FRAME: u64 = 4 + 1 + 8;

const MAGIC: [u8; 8] = *b"junejrn1";

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A record: a leaf of the Merkle log.
    Record = 1,
    /// A signed checkpoint over all records before it. What stands before the
    /// last of these is durable.
    Checkpoint = 2,
}

fn checksum(position: u64, bytes: &[u8]) -> [u8; 8] {
    XxHash3_64::oneshot_with_seed(position, bytes).to_le_bytes()
}

/// The header of the segment that begins with this record, at this position of
/// the stream.
pub fn header(first: u64, position: u64) -> [u8; HEADER as usize] {
    let mut header = [0; HEADER as usize];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&first.to_le_bytes());
    header[16..24].copy_from_slice(&position.to_le_bytes());
    let sum = checksum(position, &header[..24]);
    header[24..].copy_from_slice(&sum);
    header
}

/// Appends a frame to `out`, for this position of the stream.
pub fn frame(out: &mut Vec<u8>, position: u64, kind: Kind, payload: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.push(kind as u8);
    out.extend_from_slice(payload);
    let sum = checksum(position, &out[start..]);
    out.extend_from_slice(&sum);
}

/// How a segment begins: its header, and the signed checkpoint over all records
/// before it.
pub(crate) fn beginning(first: u64, position: u64, checkpoint: &str) -> Vec<u8> {
    let mut bytes = header(first, position).to_vec();
    frame(&mut bytes, position + HEADER, Kind::Checkpoint, checkpoint.as_bytes());
    bytes
}

/// The file of the segment that begins with this record.
pub fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.segment"))
}

/// The segments in a folder, by the number of their first record.
///
/// # Errors
///
/// When the folder cannot be read, or holds something else.
pub fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let first = name.to_str().and_then(|name| {
            let digits = name.strip_suffix(".segment").filter(|digits| digits.len() == 20)?;
            digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
        });
        firsts.push(first.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} is no segment", name.to_string_lossy().escape_debug()),
            )
        })?);
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Why the bytes at some place are not what should be there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file does not begin with a header.
    #[error("not a segment's header")]
    Header,
    /// The file ends within a frame.
    #[error("the file ends within a frame")]
    Torn,
    /// The frame is not whole, or not in its place.
    #[error("the checksum is wrong")]
    Checksum,
    /// The frame cannot be.
    #[error("no frame can be like this: {0}")]
    Frame(&'static str),
}

/// A frame, as it was read.
#[derive(Debug)]
pub struct Frame {
    /// Where it begins, in the stream.
    pub position: u64,
    /// What it holds.
    pub kind: Kind,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// Reads a segment, a frame at a time, with memory for one.
#[derive(Debug)]
pub struct Segment {
    file: BufReader<File>,
    /// The number of its first record.
    pub first: u64,
    /// Where it begins, in the stream.
    pub position: u64,
    /// Where the next frame begins, in the file.
    offset: u64,
    length: u64,
}

impl Segment {
    /// Opens a segment and reads its header.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or begins otherwise.
    pub fn open(path: &Path) -> Result<Self, Damage> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut bytes = [0; HEADER as usize];
        file.read_exact(&mut bytes).map_err(|_short| Damage::Header)?;
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(number)
        };
        let (first, position) = (number(8), number(16));
        if bytes != header(first, position) {
            return Err(Damage::Header);
        }
        Ok(Self { file, first, position, offset: HEADER, length })
    }

    /// Where the next frame begins, in the file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How long the file was when it was opened.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Goes to a frame, by its place in the file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.offset = offset;
        Ok(())
    }

    /// Reads the next frame; nothing at the end of the file.
    ///
    /// # Errors
    ///
    /// When there is something else.
    #[allow(clippy::should_implement_trait, reason = "no iterator: nothing comes after an error")]
    pub fn next(&mut self) -> Result<Option<Frame>, Damage> {
        let left = self.length.saturating_sub(self.offset);
        if left == 0 {
            return Ok(None);
        }
        if left < FRAME {
            return Err(Damage::Torn);
        }
        let mut head = [0; 5];
        self.file.read_exact(&mut head)?;
        let [a, b, c, d, kind] = head;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > MAX_RECORD {
            return Err(Damage::Frame("it is too long"));
        }
        if left < FRAME + length as u64 {
            return Err(Damage::Torn);
        }
        let mut bytes = vec![0; 5 + length];
        bytes[..5].copy_from_slice(&head);
        self.file.read_exact(&mut bytes[5..])?;
        let mut sum = [0; 8];
        self.file.read_exact(&mut sum)?;
        let position = self.position.saturating_add(self.offset);
        if sum != checksum(position, &bytes) {
            return Err(Damage::Checksum);
        }
        let kind = match kind {
            1 => Kind::Record,
            2 => Kind::Checkpoint,
            _ => return Err(Damage::Frame("it is of no known kind")),
        };
        self.offset += FRAME + length as u64;
        bytes.drain(..5);
        Ok(Some(Frame { position, kind, payload: bytes }))
    }
}
