//! What the journal says: the records, and how they are written as bytes.
//!
//! A record is one CBOR item (RFC 8949). Structures are arrays of their fields
//! in the order of the numbers below, where fields that are absent at the end
//! are left out; an alternative is an array of its number and its fields.
//! `FORMAT.md` beside this crate says it all, with test vectors.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::{Digest, Exit};

/// The version of the format that this code writes, and the only one it reads.
pub const VERSION: u8 = 1;

/// The most bytes that a record may have.
pub const MAX_RECORD: usize = 1 << 20;

/// The longest value that stands in a record itself; a longer one is a blob.
pub const INLINE: usize = 4096;

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// The run that this belongs to, named by the number of its start record.
    #[n(1)]
    pub run: u64,
    /// When it was written: milliseconds of Unix time, by the host's clock.
    #[n(2)]
    pub time: u64,
    /// What happened.
    #[n(3)]
    pub event: Event,
}

/// What a record tells.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// A run began.
    #[n(0)]
    Start(#[n(0)] Start),
    /// Calls that the sandbox answered out of the start record alone.
    #[n(1)]
    Virtual(#[n(0)] VirtualCalls),
    /// A call that a grant allowed; written before it is carried out.
    #[n(2)]
    Call(#[n(0)] Call),
    /// What such a call answered.
    #[n(3)]
    Answer(#[n(0)] Answer),
    /// A call that no grant allowed.
    #[n(4)]
    Denial(#[n(0)] Denial),
    /// A limit that ended the run.
    #[n(5)]
    LimitHit(#[n(0)] LimitHit),
    /// What the run wrote.
    #[n(6)]
    Output(#[n(0)] Output),
    /// The run ended.
    #[n(7)]
    End(#[n(0)] End),
    /// A person's opinion of the run.
    #[n(8)]
    Review(#[n(0)] Review),
    /// What the run returned and said.
    #[n(9)]
    Returned(#[n(0)] Returned),
}

/// Everything that the run is a function of, besides the answers to its calls.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Start {
    /// SHA-256 of the component.
    #[n(0)]
    pub component: Digest,
    /// The component's name, for people.
    #[n(1)]
    pub name: String,
    /// The world that it was run in.
    #[n(2)]
    pub world: String,
    /// What the run belongs to, for example an evaluation; may be empty.
    #[n(3)]
    pub session: String,
    /// The engine, with its version.
    #[n(4)]
    pub engine: String,
    /// SHA-256 of everything configured in the engine and the host that the
    /// run's result depends on.
    #[n(5)]
    pub configuration: Digest,
    /// What the component was granted, one grant a text.
    #[n(6)]
    pub grants: Vec<String>,
    /// SHA-256 of the policy that the grants were read from.
    #[n(7)]
    pub policy: Digest,
    /// Its limits, by name.
    #[n(8)]
    pub limits: BTreeMap<String, u64>,
    /// The seed of its random numbers.
    #[n(9)]
    pub seed: u64,
    /// When its clock began: seconds of Unix time.
    #[n(10)]
    pub epoch: u64,
    /// What it was given, by name.
    #[n(11)]
    pub input: BTreeMap<String, Data>,
    /// The call of another run that this run answers.
    #[n(12)]
    pub parent: Option<Parent>,
}

/// A call of another run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Parent {
    /// The run.
    #[n(0)]
    pub run: u64,
    /// The number of its call.
    #[n(1)]
    pub call: u64,
}

/// A value in a record, or the name of a blob that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Data {
    /// The value, at most [`INLINE`] bytes.
    #[n(0)]
    Inline(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// A longer value, in the blob store.
    #[n(1)]
    Blob {
        /// SHA-256 of the value.
        #[n(0)]
        digest: Digest,
        /// Its length in bytes.
        #[n(1)]
        length: u64,
    },
}

impl Data {
    /// The value's length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Data::Inline(bytes) => bytes.len() as u64,
            Data::Blob { length, .. } => *length,
        }
    }

    /// Whether the value has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Calls that needed no grant, for they reached nothing: virtual clocks, seeded
/// random numbers, captured streams, files in memory. A replay makes the same
/// answers anew and compares them. Beside them stand the pieces of an answer
/// that a recorded call opened (`token-stream.next`), always listed; a replay
/// takes these from here.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct VirtualCalls {
    /// The number of the first of these calls; a run's calls, of every kind,
    /// count from 0.
    #[n(0)]
    pub first: u64,
    /// How many there are.
    #[n(1)]
    pub count: u64,
    /// The calls, where they are listed. A run that makes very many has only
    /// its first ones listed.
    #[n(2)]
    pub listed: Vec<VirtualCall>,
    /// SHA-256 over the calls that are not listed, each as
    /// `function "(" arguments ") -> " answer "\n"`.
    #[n(3)]
    pub digest: Option<Digest>,
}

/// A call that the sandbox answered by itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct VirtualCall {
    /// `package:name/interface.function`, without the version.
    #[n(0)]
    pub function: String,
    /// Its arguments, written as in WAVE; a list of bytes as its length.
    #[n(1)]
    pub arguments: String,
    /// What it answered, likewise; empty for nothing.
    #[n(2)]
    pub answer: String,
}

/// A call to a capability.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Call {
    /// The number of the call within its run.
    #[n(0)]
    pub number: u64,
    /// `package:name/interface.function`, without the version.
    #[n(1)]
    pub function: String,
    /// Its arguments, as a JSON array.
    #[n(2)]
    pub arguments: Data,
    /// The grant that allowed it.
    #[n(3)]
    pub grant: String,
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
    /// The number of the call.
    #[n(0)]
    pub number: u64,
    /// What it answered, as JSON: `{"Ok": …}` or `{"Err": …}` for a result.
    #[n(1)]
    pub result: Data,
    /// Fuel left when the call was made.
    #[n(2)]
    pub fuel_before: u64,
    /// Fuel left after it.
    #[n(3)]
    pub fuel_after: u64,
    /// How long it took, in microseconds.
    #[n(4)]
    pub duration: u64,
}

/// A call that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Denial {
    /// The number of the call within its run.
    #[n(0)]
    pub number: u64,
    /// `package:name/interface.function`, without the version.
    #[n(1)]
    pub function: String,
    /// Its arguments.
    #[n(2)]
    pub arguments: Data,
    /// Why it was refused.
    #[n(3)]
    pub reason: String,
    /// What the component was told.
    #[n(4)]
    pub answer: String,
}

/// A limit that ended the run.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LimitHit {
    /// The limit's name, as in [`Start::limits`].
    #[n(0)]
    pub limit: String,
    /// How much it allowed.
    #[n(1)]
    pub bound: u64,
}

/// What the run wrote to its streams.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Output {
    /// Standard output, up to the limit.
    #[n(0)]
    pub stdout: Data,
    /// Whether there was more.
    #[n(1)]
    pub stdout_truncated: bool,
    /// Standard error, up to the limit.
    #[n(2)]
    pub stderr: Data,
    /// Whether there was more.
    #[n(3)]
    pub stderr_truncated: bool,
}

/// What a strategy or a tool returned, and what it said meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Returned {
    /// The value of its export, as JSON.
    #[n(0)]
    pub value: Option<Data>,
    /// What it said to the person.
    #[n(1)]
    pub said: Option<Data>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct End {
    /// How; nothing where the host gave the run up.
    #[n(0)]
    pub exit: Option<Exit>,
    /// Fuel that it used.
    #[n(1)]
    pub fuel: u64,
    /// The most bytes of linear memory it held at once.
    #[n(2)]
    pub peak_memory: u64,
    /// How many calls it made into the host, of every kind.
    #[n(3)]
    pub calls: u64,
    /// How often control went from the component to the host at all: its
    /// calls, and the engine's own (growing memory, a turn for others).
    #[n(4)]
    pub entries: u64,
    /// How many of its calls were denied.
    #[n(5)]
    pub denied: u64,
    /// How long it took, in microseconds.
    #[n(6)]
    pub duration: u64,
}

/// What a reviewer says of a run. The record's own `run` is the run reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Review {
    /// The opinion.
    #[n(0)]
    pub verdict: Opinion,
    /// In the reviewer's words.
    #[n(1)]
    pub comment: String,
    /// The reviewer's public key, as in C2SP signed-note.
    #[n(2)]
    pub reviewer: String,
    /// A note signed with that key, which says the same of the same run.
    #[n(3)]
    pub note: String,
}

/// A reviewer's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Opinion {
    /// Nothing to object to.
    #[n(0)]
    Ok,
    /// Somebody has to look at this.
    #[n(1)]
    Flag,
}

/// The bytes are not a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Too many bytes.
    #[error("the record has more than {MAX_RECORD} bytes")]
    Long,
    /// Of another version of June.
    #[error("the record is of version {0}; this June reads version {VERSION}")]
    Version(u8),
    /// No record, or one that is written in a way of its own.
    #[error("not a record: {0}")]
    Cbor(String),
}

impl Record {
    /// A record of this version.
    pub fn new(run: u64, time: u64, event: Event) -> Self {
        Self { version: VERSION, run, time, event }
    }

    /// The record's bytes, which are also the leaf of the Merkle log.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        // Writing to a Vec has no error.
        let _ = minicbor::encode(self, &mut bytes);
        bytes
    }

    /// Reads a record. There is one way to write a record, and any other is
    /// refused.
    ///
    /// # Errors
    ///
    /// When the bytes are anything else than one record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_RECORD {
            return Err(Malformed::Long);
        }
        // An array of four that begins with the version.
        if let [0x84, version @ 0..=23, ..] = *bytes
            && version != VERSION
        {
            return Err(Malformed::Version(version));
        }
        let record: Self =
            minicbor::decode(bytes).map_err(|error| Malformed::Cbor(error.to_string()))?;
        if record.to_bytes() != bytes {
            return Err(Malformed::Cbor("its encoding is not the canonical one".into()));
        }
        Ok(record)
    }

    /// The values in this record, which may be blobs.
    pub fn data(&self) -> impl Iterator<Item = &Data> {
        let (map, list): (Option<&BTreeMap<String, Data>>, [Option<&Data>; 2]) = match &self.event {
            Event::Start(start) => (Some(&start.input), [None, None]),
            Event::Call(call) => (None, [Some(&call.arguments), None]),
            Event::Answer(answer) => (None, [Some(&answer.result), None]),
            Event::Denial(denial) => (None, [Some(&denial.arguments), None]),
            Event::Output(output) => (None, [Some(&output.stdout), Some(&output.stderr)]),
            Event::Returned(returned) => (None, [returned.value.as_ref(), returned.said.as_ref()]),
            Event::Virtual(_) | Event::LimitHit(_) | Event::End(_) | Event::Review(_) => {
                (None, [None, None])
            }
        };
        map.into_iter().flat_map(BTreeMap::values).chain(list.into_iter().flatten())
    }
}
