//! Text files from outside, plain or gzip, read line by line in bounded memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use thiserror::Error;

/// The sizes beyond which a file is refused. Both count decompressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in the whole file.
    pub file_bytes: u64,
    /// Bytes in one line, its line feed not counted; also the bytes of a file that is one JSON
    /// array, since such a file is held in memory whole.
    pub line_bytes: usize,
}

impl Limits {
    /// For a data set: 1 GiB, 64 MiB a line.
    pub const DATASET: Limits = Limits { file_bytes: 1 << 30, line_bytes: 64 << 20 };
    /// For model samples: 1 GiB, 16 MiB a line.
    pub const SAMPLES: Limits = Limits { file_bytes: 1 << 30, line_bytes: 16 << 20 };
}

/// Why a file could not be read as JSON records. Lines and columns count from 1, columns in bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file could not be opened.
    #[error(
        "{file}: cannot be opened: {source}\nhint: check the path and that you may read the file"
    )]
    Open {
        /// The path as given.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The path is a directory.
    #[error("{file}: is a directory, not a file\nhint: name the JSONL file inside it")]
    Directory {
        /// The path as given.
        file: String,
    },
    /// Reading failed part of the way through.
    #[error(
        "{file}:{line}: cannot be read: {source}\nhint: check the disk or the pipe, then try again"
    )]
    Read {
        /// The file.
        file: String,
        /// The line that was being read.
        line: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The gzip stream ends before its end mark.
    #[error(
        "{file}:{line}: the gzip data ends too early\nhint: the copy is incomplete; fetch the file again"
    )]
    TruncatedGzip {
        /// The file.
        file: String,
        /// The line that was being read.
        line: usize,
    },
    /// The gzip stream is damaged.
    #[error("{file}:{line}: the gzip data is damaged: {source}\nhint: fetch the file again")]
    CorruptGzip {
        /// The file.
        file: String,
        /// The line that was being read.
        line: usize,
        /// What the decoder said.
        source: io::Error,
    },
    /// The file holds more than [`Limits`] allow.
    #[error(
        "{file}: holds more than {limit} bytes of text\nhint: split the file, or check that it is the right one"
    )]
    TooLarge {
        /// The file.
        file: String,
        /// The limit, in decompressed bytes.
        limit: u64,
    },
    /// A line is longer than [`Limits::line_bytes`].
    #[error(
        "{file}:{line}: the line is longer than {limit} bytes\nhint: write one JSON object on each line"
    )]
    LineTooLong {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The limit, in decompressed bytes.
        limit: usize,
    },
    /// The text is not UTF-8.
    #[error("{file}:{line}: byte {column} of the line is not UTF-8\nhint: save the file as UTF-8")]
    NotUtf8 {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The first offending byte of that line.
        column: usize,
    },
    /// The file holds no record.
    #[error("{file}: is empty\nhint: the file needs one JSON object on each line")]
    Empty {
        /// The file.
        file: String,
    },
    /// A record is not a JSON object.
    #[error(
        "{file}:{line}: not a JSON object: {reason} (byte {column})\nhint: the file needs one JSON object on each line; NaN, Infinity and trailing commas are not JSON"
    )]
    Json {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The byte of that line where reading stopped.
        column: usize,
        /// What the JSON parser said.
        reason: String,
    },
    /// A field is missing or holds something that it must not hold.
    #[error("{file}:{line}: field \"{field}\" {reason}\nhint: {hint}")]
    Field {
        /// The file.
        file: String,
        /// The line.
        line: usize,
        /// The field's name.
        field: &'static str,
        /// What is wrong, as a sentence about the field.
        reason: String,
        /// What the format asks for.
        hint: &'static str,
    },
}

/// A part of a file that holds one JSON text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    /// The line of the file where `text` begins, from 1.
    pub(crate) line: usize,
}

impl<'a> Record<'a> {
    /// The record for a part of this text, with its own line number.
    pub(crate) fn part(&self, part: &'a str) -> Record<'a> {
        let offset = (part.as_ptr().addr()).saturating_sub(self.text.as_ptr().addr());
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let feeds = before.iter().filter(|&&byte| byte == b'\n').count();
        Record { file: self.file, text: part, line: self.line + feeds }
    }
}

/// The lines of a file, of which only the latest is held.
pub(crate) struct Lines<'r> {
    file: String,
    reader: Box<dyn BufRead + 'r>,
    compressed: bool,
    limits: Limits,
    bytes_read: u64,
    line: usize,
    buffer: Vec<u8>,
}

impl<'r> Lines<'r> {
    pub(crate) fn open(path: &Path, limits: Limits) -> Result<Lines<'static>, InputError> {
        let file = path.display().to_string();
        // Asked of the path, because opening a directory fails on some systems and not on others.
        if path.is_dir() {
            return Err(InputError::Directory { file });
        }
        match File::open(path) {
            Ok(reader) => Lines::new(file, reader, limits),
            Err(source) => Err(InputError::Open { file, source }),
        }
    }

    pub(crate) fn new(
        file: String,
        mut reader: impl Read + 'r,
        limits: Limits,
    ) -> Result<Lines<'r>, InputError> {
        // Names lie, so the first two bytes say whether the file is gzip.
        let mut head = Vec::with_capacity(2);
        if let Err(source) = (&mut reader).take(2).read_to_end(&mut head) {
            return Err(InputError::Read { file, line: 1, source });
        }
        let compressed = head == [0x1f, 0x8b];
        let whole = BufReader::new(Cursor::new(head).chain(reader));
        let reader: Box<dyn BufRead + 'r> = if compressed {
            Box::new(BufReader::new(MultiGzDecoder::new(whole)))
        } else {
            Box::new(whole)
        };
        Ok(Lines { file, reader, compressed, limits, bytes_read: 0, line: 0, buffer: Vec::new() })
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The next line that is not blank, or none at the end of the file.
    pub(crate) fn next_line(&mut self) -> Result<Option<Record<'_>>, InputError> {
        loop {
            self.buffer.clear();
            if self.append_line()? == 0 {
                return Ok(None);
            }
            let blank = |text: &str| text.trim().is_empty();
            if !std::str::from_utf8(&self.buffer).is_ok_and(blank) {
                return self.record(self.line).map(Some);
            }
        }
    }

    /// The latest line together with all that follows it, which has to fit in one line's limit.
    pub(crate) fn whole_text(&mut self) -> Result<Record<'_>, InputError> {
        let first = self.line;
        while self.append_line()? > 0 {
            if self.buffer.len() > self.limits.line_bytes {
                return Err(InputError::TooLarge {
                    file: self.file.clone(),
                    limit: self.limits.line_bytes as u64,
                });
            }
        }
        self.record(first)
    }

    /// Reads one line with its line feed after what the buffer holds; 0 at the end of the file.
    fn append_line(&mut self) -> Result<usize, InputError> {
        self.line += 1;
        let file_left = self.limits.file_bytes - self.bytes_read;
        let line_limit = self.limits.line_bytes as u64;
        // One byte more than is allowed tells "too long" from "just fits".
        let allowed = file_left.min(line_limit).saturating_add(1);
        let mut reader = (&mut self.reader).take(allowed);
        let count = match reader.read_until(b'\n', &mut self.buffer) {
            Ok(count) => count,
            Err(source) => return Err(self.read_error(source)),
        };
        if count as u64 > file_left {
            return Err(InputError::TooLarge {
                file: self.file.clone(),
                limit: self.limits.file_bytes,
            });
        }
        if count as u64 > line_limit && self.buffer.last() != Some(&b'\n') {
            return Err(InputError::LineTooLong {
                file: self.file.clone(),
                line: self.line,
                limit: self.limits.line_bytes,
            });
        }
        self.bytes_read += count as u64;
        if self.line == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
            // Windows tools put a byte order mark before the first line; JSON has no use for it.
            self.buffer.drain(..3);
        }
        Ok(count)
    }

    fn record(&self, line: usize) -> Result<Record<'_>, InputError> {
        match std::str::from_utf8(&self.buffer) {
            Ok(text) => Ok(Record {
                file: &self.file,
                // Without its line feed, or the parser would place an early end on the next line.
                text: text.trim_ascii_end(),
                line,
            }),
            Err(error) => {
                let valid = &self.buffer[..error.valid_up_to()];
                let feeds = valid.iter().filter(|&&byte| byte == b'\n').count();
                let column = valid.iter().rev().take_while(|&&byte| byte != b'\n');
                Err(InputError::NotUtf8 {
                    file: self.file.clone(),
                    line: line + feeds,
                    column: column.count() + 1,
                })
            }
        }
    }

    fn read_error(&self, source: io::Error) -> InputError {
        let (file, line) = (self.file.clone(), self.line);
        match source.kind() {
            io::ErrorKind::UnexpectedEof if self.compressed => {
                InputError::TruncatedGzip { file, line }
            }
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput if self.compressed => {
                InputError::CorruptGzip { file, line, source }
            }
            _ => InputError::Read { file, line, source },
        }
    }
}

/// A value from outside as it may appear in a message: quoted, escaped and short.
pub(crate) fn quoted(text: &str) -> String {
    let mut head: String = text.chars().take(60).collect();
    if head.len() < text.len() {
        head.push('…');
    }
    format!("{head:?}")
}
