//! Where writing goes on: after the last checkpoint of the last segment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::folder::{Error, Folder, io, read_short};
use crate::note::{Checkpoint, PublicKey};
use crate::reader::{Item, Reader};
use crate::segment::{self, Damage, Kind, Segment};
use crate::tree::{Frontier, TreeFile};

/// What a writer that died had begun to write, and nobody was told was durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The file that it stood at the end of.
    pub path: PathBuf,
    /// How many bytes.
    pub bytes: u64,
    /// How many whole records were among them.
    pub records: u64,
}

/// A journal to which records can be added.
pub(crate) struct Recovered {
    pub(crate) segment: File,
    pub(crate) position: u64,
    pub(crate) length: u64,
    pub(crate) frontier: Frontier,
    pub(crate) tail: Option<Tail>,
}

/// The end of a segment.
struct Ending {
    /// The last checkpoint's text.
    note: Option<Vec<u8>>,
    /// Where the last checkpoint ends, in the file.
    end: u64,
    /// How many whole records follow it.
    records: u64,
}

/// Looks for the last checkpoint of a segment. What cannot be read ends it.
fn ending(segment: &mut Segment) -> io::Result<Ending> {
    let mut ending = Ending { note: None, end: segment.offset(), records: 0 };
    loop {
        match segment.next() {
            Ok(Some(frame)) if frame.kind == Kind::Checkpoint => {
                let end = segment.offset();
                ending = Ending { note: Some(frame.payload), end, records: 0 };
            }
            Ok(Some(_)) => ending.records += 1,
            Err(Damage::Io(error)) => return Err(error),
            Ok(None) | Err(_) => return Ok(ending),
        }
    }
}

/// Finds the journal's end, cuts off what was never whole, and makes the file
/// of hashes fit.
pub(crate) fn recover(folder: &Folder, key: &PublicKey) -> Result<Recovered, Error> {
    let segments = folder.segments();
    let damaged = |path: &Path, reason: String| Error::Damaged { path: path.into(), reason };
    let firsts = segment::list(&segments).map_err(io(&segments))?;
    let first = *firsts.last().ok_or_else(|| damaged(&segments, "no segment is there".into()))?;
    let path = segment::path(&segments, first);
    let mut segment = Segment::open(&path).map_err(|damage| damaged(&path, damage.to_string()))?;
    // What is written next says where it is.
    let mut position = 0;
    for first in &firsts[..firsts.len() - 1] {
        let path = segment::path(&segments, *first);
        position += fs::metadata(&path).map_err(io(&path))?.len();
    }
    if segment.first != first || segment.position != position {
        return Err(damaged(&path, "it does not follow the segment before it".into()));
    }
    let ending = ending(&mut segment).map_err(io(&path))?;
    let note = ending.note.ok_or_else(|| damaged(&path, "no checkpoint is in it".into()))?;
    let checkpoint = Checkpoint::open(&String::from_utf8_lossy(&note), key)
        .map_err(|error| damaged(&path, error.to_string()))?;

    // A checkpoint that was published was durable before. Whoever finds less
    // than it says does not look at a torn end, but at damage.
    let published = folder.checkpoint();
    let text = read_short(&published)?;
    match Checkpoint::open(&String::from_utf8_lossy(&text), key) {
        Ok(published) if published.size > checkpoint.size => {
            let reason = format!(
                "it ends after {} records, and {} were durable",
                checkpoint.size, published.size
            );
            return Err(damaged(&path, reason));
        }
        // After a power failure the file may be an old one, or empty.
        _ => {}
    }

    let file = OpenOptions::new().write(true).open(&path).map_err(io(&path))?;
    let bytes = segment.length() - ending.end;
    let tail = (bytes > 0).then(|| Tail { path: path.clone(), bytes, records: ending.records });
    if tail.is_some() {
        file.set_len(ending.end).and_then(|()| file.sync_all()).map_err(io(&path))?;
    }
    if text != note {
        publish(folder, &note).map_err(io(&published))?;
    }
    let crashed = folder.writing().exists();
    let frontier = tree(folder, &checkpoint, crashed)?;
    Ok(Recovered { segment: file, position: segment.position, length: ending.end, frontier, tail })
}

/// Replaces the file of the newest checkpoint, so that there is always one.
pub(crate) fn publish(folder: &Folder, note: &[u8]) -> io::Result<()> {
    let partial = folder.path().join("checkpoint.partial");
    fs::write(&partial, note)?;
    fs::rename(&partial, folder.checkpoint())
}

/// The frontier at a checkpoint: from the file of hashes, or where that does
/// not fit, from the records, and then the file is made anew. So it is after a
/// crash, for the file was not made durable with the records.
fn tree(folder: &Folder, checkpoint: &Checkpoint, crashed: bool) -> Result<Frontier, Error> {
    let path = folder.tree();
    let length = TreeFile::length(checkpoint.size);
    if !crashed
        && let Ok(tree) = TreeFile::open(&path)
        && fs::metadata(&path).map_err(io(&path))?.len() >= length
        && let Ok(frontier) = tree.frontier(checkpoint.size)
        && frontier.root() == checkpoint.root
    {
        let file = OpenOptions::new().write(true).open(&path).map_err(io(&path))?;
        file.set_len(length).map_err(io(&path))?;
        return Ok(frontier);
    }
    let mut file = io::BufWriter::new(File::create(&path).map_err(io(&path))?);
    let mut frontier = Frontier::default();
    let mut reader = Reader::open(folder)?;
    while frontier.size() < checkpoint.size {
        let item = reader.next().map_err(|broken| Error::Damaged {
            path: broken.path,
            reason: broken.damage.to_string(),
        })?;
        match item {
            Some(Item::Record { bytes, .. }) => {
                let mut written = Ok(());
                frontier.push(tlog_tiles::record_hash(&bytes), |hash| {
                    if written.is_ok() {
                        written = file.write_all(&hash.0);
                    }
                });
                written.map_err(io(&path))?;
            }
            Some(Item::Checkpoint(_)) => {}
            None => break,
        }
    }
    file.flush().map_err(io(&path))?;
    if frontier.size() != checkpoint.size || frontier.root() != checkpoint.root {
        let reason = "the records are not those that the checkpoint names".into();
        return Err(Error::Damaged { path: folder.segments(), reason });
    }
    Ok(frontier)
}
