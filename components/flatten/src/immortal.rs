//! Making the objects of a CPython snapshot immortal.
//!
//! Instances share a component's initial memory until they write to it, page
//! by page. CPython writes to nearly every object that it uses: the reference
//! count goes up, and down again. Only objects with a very high count are
//! exempt, and thereby immortal. In an instance that is thrown away after one
//! run, all that was there before may well be.
//!
//! The interpreter leaves a table of its objects in memory: a mark, how many
//! there are, and the address of each, as little-endian words of 32 bits. In
//! CPython of 32-bit pointers (3.14), the reference count is the word at an
//! object's address, and [`IMMORTAL`] is what `Include/refcount.h` calls
//! `_Py_IMMORTAL_INITIAL_REFCNT`.

use std::collections::BTreeMap;
use std::ops::Range;

use wasmparser::{DataKind, Operator, Parser, Payload};

/// What the table begins with: the complement of this.
const MARK: &[u8; 32] = b"june: these objects are immortal";

/// The size of an address, and of a reference count.
const WORD: usize = 4;

/// The reference count of an immortal object. Up to 2^28 lost or surplus
/// references leave it immortal.
const IMMORTAL: [u8; WORD] = (5_u32 << 28).to_le_bytes();

/// A count between these two is none: memory that was freed has an address
/// there, which is higher.
const MOST_REFERENCES: u32 = 1 << 20;
const LEAST_IMMORTAL: u32 = 1 << 30;
const MOST_IMMORTAL: u32 = i32::MAX as u32;

/// The largest initial memory that is looked at.
const MOST_MEMORY: usize = 1 << 30;

/// Why no object was made immortal.
#[derive(Debug, thiserror::Error)]
pub enum ImmortalError {
    /// The input is not WebAssembly.
    #[error("the input is not a valid component: {0}")]
    Input(#[from] wasmparser::Error),
    /// It is not known what is where.
    #[error("memory is not made of separate segments at constant places below 1 GiB")]
    Segments,
    /// There is not exactly one table.
    #[error("there are {0} tables of objects in memory, not one")]
    Tables(usize),
    /// The table goes beyond the last segment.
    #[error("the table of {0} objects is cut off")]
    CutOff(usize),
    /// An address that is in no segment, or in the table.
    #[error("there is no object at {0:#x}")]
    Outside(u32),
    /// What is at an address does not begin with a reference count.
    #[error("what is at {at:#x} is no object: its reference count would be {count:#x}")]
    Count {
        /// The address.
        at: u32,
        /// The word there.
        count: u32,
    },
}

/// Makes the objects that a table in the component's initial memory lists
/// immortal, and wipes the table. Returns how many were not yet.
///
/// The component must be a flattened one, so that a core module has both its
/// memory and what is in it. After an error, it is as it was.
///
/// # Errors
///
/// When there is not exactly one table, or it lists something else than
/// objects.
pub fn make_immortal(component: &mut [u8]) -> Result<usize, ImmortalError> {
    let mark = MARK.map(|byte| !byte);
    let memories = memories(component)?;
    let mut tables = Vec::new();
    for memory in &memories {
        let windows = memory.image.windows(mark.len()).enumerate();
        tables.extend(windows.filter(|(_, bytes)| *bytes == mark).map(|(at, _)| (memory, at)));
    }
    let &[(memory, start)] = tables.as_slice() else {
        return Err(ImmortalError::Tables(tables.len()));
    };
    let first = start + mark.len() + WORD;
    let count = memory.words(first - WORD..first).next().unwrap_or(0) as usize;
    let table = start..first.saturating_add(count.saturating_mul(WORD));
    if table.end > memory.image.len() {
        return Err(ImmortalError::CutOff(count));
    }
    let mut mortal = Vec::new();
    for at in memory.words(first..table.end) {
        let object = at as usize..(at as usize).saturating_add(WORD);
        let count = memory.words(object.clone()).next();
        let last = memory.place(object.end - 1);
        let (Some(count), Some(last)) = (count, last) else {
            return Err(ImmortalError::Outside(at));
        };
        if object.start < table.end && table.start < object.end {
            return Err(ImmortalError::Outside(at));
        }
        match count {
            1..=MOST_REFERENCES => mortal.push((object, last)),
            LEAST_IMMORTAL..=MOST_IMMORTAL => {}
            _ => return Err(ImmortalError::Count { at, count }),
        }
    }
    // Segments may leave out the zeros that a count begins with. They stay: all
    // bytes of the new count but the last are zeros, too.
    for (object, last) in &mortal {
        for place in memory.places(object) {
            component[place].fill(0);
        }
        component[*last] = IMMORTAL[WORD - 1];
    }
    for place in memory.places(&table) {
        component[place].fill(0);
    }
    Ok(mortal.len())
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

/// The first contents of a memory.
#[derive(Default)]
struct Memory {
    image: Vec<u8>,
    /// Where in the file the segments are, by address.
    segments: BTreeMap<usize, Range<usize>>,
}

impl Memory {
    fn add(&mut self, at: usize, bytes: &[u8], place: Range<usize>) -> Result<(), ImmortalError> {
        let end = at + bytes.len();
        if bytes.is_empty() {
            return Ok(());
        }
        if end > MOST_MEMORY || self.places(&(at..end)).next().is_some() {
            return Err(ImmortalError::Segments);
        }
        if self.image.len() < end {
            self.image.resize(end, 0);
        }
        self.image[at..end].copy_from_slice(bytes);
        self.segments.insert(at, place);
        Ok(())
    }

    fn words(&self, range: Range<usize>) -> impl Iterator<Item = u32> {
        let bytes = self.image.get(range).unwrap_or_default();
        bytes.chunks_exact(WORD).map(word)
    }

    /// Where in the file an address is.
    fn place(&self, at: usize) -> Option<usize> {
        self.places(&(at..at + 1)).next().map(|place| place.start)
    }

    /// Where in the file those of these addresses are that are in segments,
    /// from the last to the first.
    fn places(&self, range: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let Range { start, end } = *range;
        let segments = self.segments.range(..end).rev();
        let ends = segments.map(|(at, place)| (*at, at + place.len(), place.start));
        ends.take_while(move |(_, to, _)| start < *to)
            .map(move |(at, to, place)| place + (start.max(at) - at)..place + (end.min(to) - at))
    }
}

/// The memories that a component's core modules fill.
fn memories(component: &[u8]) -> Result<Vec<Memory>, ImmortalError> {
    let (mut memories, mut module) = (BTreeMap::new(), 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } => module += 1,
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let DataKind::Active { memory_index, offset_expr } = data.kind else {
                        continue;
                    };
                    let mut offset = offset_expr.get_operators_reader();
                    let (Operator::I32Const { value }, Operator::End) =
                        (offset.read()?, offset.read()?)
                    else {
                        return Err(ImmortalError::Segments);
                    };
                    let memory: &mut Memory = memories.entry((module, memory_index)).or_default();
                    let place = data.range.end - data.data.len()..data.range.end;
                    memory.add(value as u32 as usize, data.data, place)?;
                }
            }
            _ => {}
        }
    }
    Ok(memories.into_values().collect())
}
