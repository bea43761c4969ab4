//! Reading all of a journal from its beginning, in the order in which it was
//! written, with memory for one frame.

use std::path::PathBuf;

use crate::folder::{Error, Folder};
use crate::segment::{self, Damage, Kind, Segment};

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of the first record of its segment.
    pub segment: u64,
    /// Where its frame begins, in the segment's file.
    pub offset: u64,
}

/// What comes next.
#[derive(Debug)]
pub enum Item {
    /// A record, as bytes.
    Record {
        /// Its number.
        number: u64,
        /// Where it is.
        place: Place,
        /// The record.
        bytes: Vec<u8>,
    },
    /// A checkpoint over all records before it.
    Checkpoint(Vec<u8>),
}

/// A place from which nothing more can be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {damage}, at byte {offset}", path.display())]
pub struct Broken {
    /// The segment's file.
    pub path: PathBuf,
    /// The byte.
    pub offset: u64,
    /// What is wrong there.
    pub damage: Damage,
}

/// Reads a journal.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    /// The segments not yet begun, the next one last.
    waiting: Vec<u64>,
    segment: Option<Segment>,
    /// The number of the next record.
    next: u64,
    /// Where the current segment ends, in the stream.
    position: u64,
}

impl Reader {
    /// Reads from the beginning.
    ///
    /// # Errors
    ///
    /// When the folder of segments cannot be read.
    pub fn open(folder: &Folder) -> Result<Self, Error> {
        Self::from(folder, 0, None)
    }

    /// Reads on from a record of which the place is known: `next` is its
    /// number.
    ///
    /// # Errors
    ///
    /// When the place cannot be read.
    pub fn from(folder: &Folder, next: u64, place: Option<Place>) -> Result<Self, Error> {
        let segments = folder.segments();
        let mut waiting = segment::list(&segments)
            .map_err(|source| Error::Io { path: segments.clone(), source })?;
        waiting.reverse();
        let mut reader = Self { folder: segments, waiting, segment: None, next, position: 0 };
        if let Some(place) = place {
            reader.waiting.retain(|first| *first > place.segment);
            let path = segment::path(&reader.folder, place.segment);
            let segment = Segment::open(&path).and_then(|mut segment| {
                segment.seek(place.offset)?;
                Ok(segment)
            });
            let segment =
                segment.map_err(|damage| Error::Damaged { path, reason: damage.to_string() })?;
            reader.position = segment.position.saturating_add(segment.length());
            reader.segment = Some(segment);
        }
        Ok(reader)
    }

    /// How many records were read.
    pub fn records(&self) -> u64 {
        self.next
    }

    /// Where the next frame begins.
    pub fn place(&self) -> Option<Place> {
        let segment = self.segment.as_ref()?;
        Some(Place { segment: segment.first, offset: segment.offset() })
    }

    /// How many bytes of the current segment are left.
    pub fn left(&self) -> u64 {
        self.segment.as_ref().map_or(0, |segment| segment.length().saturating_sub(segment.offset()))
    }

    /// Whether the current segment is the last.
    pub fn is_last(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next item; nothing at the end.
    ///
    /// # Errors
    ///
    /// When there is something else.
    #[allow(clippy::should_implement_trait, reason = "no iterator: nothing comes after an error")]
    pub fn next(&mut self) -> Result<Option<Item>, Broken> {
        loop {
            let Some(segment) = &mut self.segment else {
                match self.waiting.pop() {
                    None => return Ok(None),
                    Some(first) => self.segment = Some(self.begin(first)?),
                }
                continue;
            };
            let place = Place { segment: segment.first, offset: segment.offset() };
            match segment.next() {
                Ok(None) => self.segment = None,
                Ok(Some(frame)) if frame.kind == Kind::Checkpoint => {
                    return Ok(Some(Item::Checkpoint(frame.payload)));
                }
                Ok(Some(frame)) => {
                    let number = self.next;
                    self.next += 1;
                    return Ok(Some(Item::Record { number, place, bytes: frame.payload }));
                }
                Err(damage) => {
                    let path = segment::path(&self.folder, place.segment);
                    return Err(Broken { path, offset: place.offset, damage });
                }
            }
        }
    }

    fn begin(&mut self, first: u64) -> Result<Segment, Broken> {
        let path = segment::path(&self.folder, first);
        let broken = |damage| Broken { path: path.clone(), offset: 0, damage };
        let segment = Segment::open(&path).map_err(broken)?;
        if segment.first != first || first != self.next || segment.position != self.position {
            return Err(broken(Damage::Frame("it does not follow the segment before it")));
        }
        self.position = segment.position.saturating_add(segment.length());
        Ok(segment)
    }
}

/// Reads one record, of which the place is known.
///
/// # Errors
///
/// When there is something else.
pub fn read(folder: &Folder, place: Place) -> Result<Vec<u8>, Error> {
    let path = segment::path(&folder.segments(), place.segment);
    let read = || {
        let mut segment = Segment::open(&path)?;
        segment.seek(place.offset)?;
        match segment.next()? {
            Some(frame) if frame.kind == Kind::Record => Ok(frame.payload),
            _ => Err(Damage::Frame("no record is there")),
        }
    };
    read().map_err(|damage| Error::Damaged { path: path.clone(), reason: damage.to_string() })
}
