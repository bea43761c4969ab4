//! The files of a journal that is written to: one group of records after the
//! other, each with the checkpoint over it, and durable before the next.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use crate::blobs::sync;
use crate::folder::{Error, Folder, io};
use crate::note::{Checkpoint, SecretKey};
use crate::recovery::{self, Tail};
use crate::segment::{self, Kind};
use crate::tree::{Frontier, TreeFile};

/// The length at which a segment is closed and another begun.
const SEGMENT: u64 = 16 << 20;

/// How old the file of the newest checkpoint may be while records come in.
/// Every checkpoint is in the segments at once.
const PUBLISH: Duration = Duration::from_millis(100);

/// The journal's files, open for writing.
pub(crate) struct Files {
    folder: Folder,
    key: SecretKey,
    segment: File,
    /// Where the segment begins, in the stream.
    position: u64,
    /// How long it is.
    length: u64,
    frontier: Frontier,
    tree: File,
    buffer: Vec<u8>,
    hashes: Vec<u8>,
    /// When the file of the newest checkpoint was written, and the one that it
    /// should hold by now.
    published: Option<Instant>,
    unpublished: Option<String>,
    _lock: File,
}

impl Files {
    /// Locks a journal, cuts off what a writer that died had begun to write, and
    /// is ready to write on.
    pub(crate) fn open(folder: &Folder) -> Result<(Self, Option<Tail>), Error> {
        let key = folder.read_secret_key()?;
        let path = folder.lock();
        let lock = OpenOptions::new().write(true).open(&path).map_err(io(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Error::Locked(folder.path().into())),
            Err(fs::TryLockError::Error(source)) => return Err(Error::Io { path, source }),
        }
        let recovered = recovery::recover(folder, key.public())?;
        let path = folder.writing();
        File::create(&path)
            .and_then(|file| file.sync_all())
            .and_then(|()| sync(folder.path()))
            .map_err(io(&path))?;
        let path = folder.tree();
        let tree = OpenOptions::new().write(true).open(&path).map_err(io(&path))?;
        let files = Self {
            folder: folder.clone(),
            key,
            segment: recovered.segment,
            position: recovered.position,
            length: recovered.length,
            frontier: recovered.frontier,
            tree,
            buffer: Vec::new(),
            hashes: Vec::new(),
            published: None,
            unpublished: None,
            _lock: lock,
        };
        Ok((files, recovered.tail))
    }

    /// How many records are durable.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Writes a group and the checkpoint over it. When this returns, they are
    /// durable.
    pub(crate) fn commit(&mut self, group: &[Vec<u8>]) -> io::Result<()> {
        if self.length >= SEGMENT {
            self.rotate()?;
        }
        self.buffer.clear();
        self.hashes.clear();
        let (before, mut frontier) = (self.frontier.size(), self.frontier.clone());
        let start = self.position + self.length;
        for record in group {
            let position = start + self.buffer.len() as u64;
            segment::frame(&mut self.buffer, position, Kind::Record, record);
            frontier.push(tlog_tiles::record_hash(record), |hash| {
                self.hashes.extend_from_slice(&hash.0);
            });
        }
        let checkpoint = self.sign(&frontier)?;
        let position = start + self.buffer.len() as u64;
        segment::frame(&mut self.buffer, position, Kind::Checkpoint, checkpoint.as_bytes());
        let written = self
            .segment
            .write_all_at(&self.buffer, self.length)
            .and_then(|()| self.segment.sync_data());
        if let Err(error) = written {
            // Whether or not this succeeds, what follows the last checkpoint
            // is cut off by the next writer.
            let _ = self.segment.set_len(self.length);
            return Err(error);
        }
        self.length += self.buffer.len() as u64;
        self.frontier = frontier;
        // From here on nothing can be lost: both are made anew from the segments.
        let at = TreeFile::length(before);
        self.tree.write_all_at(&self.hashes, at)?;
        self.publish(checkpoint, PUBLISH)
    }

    /// Replaces the file of the newest checkpoint, unless it is that young.
    fn publish(&mut self, checkpoint: String, age: Duration) -> io::Result<()> {
        if self.published.is_some_and(|published| published.elapsed() < age) {
            self.unpublished = Some(checkpoint);
            return Ok(());
        }
        (self.unpublished, self.published) = (None, Some(Instant::now()));
        recovery::publish(&self.folder, checkpoint.as_bytes())
    }

    fn sign(&self, frontier: &Frontier) -> io::Result<String> {
        let checkpoint = Checkpoint { size: frontier.size(), root: frontier.root() };
        checkpoint.sign(&self.key).map_err(io::Error::other)
    }

    /// Begins another segment, with the checkpoint over all before it.
    fn rotate(&mut self) -> io::Result<()> {
        let position = self.position + self.length;
        let first = self.frontier.size();
        let bytes = segment::beginning(first, position, &self.sign(&self.frontier)?);
        let partial = self.folder.path().join("segment.partial");
        let mut file = File::create(&partial)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&partial, segment::path(&self.folder.segments(), first))?;
        sync(&self.folder.segments())?;
        (self.segment, self.position, self.length) = (file, position, bytes.len() as u64);
        Ok(())
    }

    /// Leaves a journal in which everything is written.
    pub(crate) fn end(mut self) {
        let published = match self.unpublished.take() {
            Some(checkpoint) => self.publish(checkpoint, Duration::ZERO),
            None => Ok(()),
        };
        let done = published
            .and_then(|()| self.tree.sync_data())
            .and_then(|()| File::open(self.folder.checkpoint())?.sync_data())
            .and_then(|()| sync(self.folder.path()));
        // Otherwise the next writer looks at everything again.
        if done.is_ok() {
            let _ = fs::remove_file(self.folder.writing());
        }
    }
}
