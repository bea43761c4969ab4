//! Streams from and to memory, and waiting, which passes virtual time only.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource};
use wasmtime::{StoreContextMut, bail};

use super::clocks::Clock;
use crate::Output;
use crate::calls::{define, define_resource};
use crate::state::State;
use crate::told::Told;

type Store<'a, 'b> = &'a mut StoreContextMut<'b, State>;

/// The most bytes that a component may write, or is given, in one call.
pub(super) const CHUNK: u64 = 64 << 10;

/// The most bytes of a write that also flushes, by WASI's rules.
const BLOCKING_WRITE: usize = 4096;

/// What a run reads, and the beginning of what it writes.
pub(crate) struct Streams {
    stdin: Vec<u8>,
    /// How much of it was read.
    read: usize,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    /// How much of each is kept.
    limit: usize,
}

impl Streams {
    pub(crate) fn new(stdin: &[u8], limit: usize) -> Self {
        let (stdout, stderr) = (Output::default(), Output::default());
        Self { stdin: stdin.to_vec(), read: 0, stdout, stderr, limit }
    }

    /// The next bytes of the input; none at its end.
    fn read(&mut self, most: u64) -> Option<Vec<u8>> {
        let left = &self.stdin[self.read..];
        if left.is_empty() {
            return None;
        }
        let bytes = left[..left.len().min(most.min(CHUNK) as usize)].to_vec();
        self.read += bytes.len();
        Some(bytes)
    }

    /// Keeps what there is room for. A program that writes more must not
    /// notice: it would behave differently under another limit.
    fn write(&mut self, to_stdout: bool, bytes: &[u8]) {
        let output = if to_stdout { &mut self.stdout } else { &mut self.stderr };
        let room = self.limit.saturating_sub(output.bytes.len());
        let (head, rest) = bytes.split_at(bytes.len().min(room));
        output.bytes.extend_from_slice(head);
        output.truncated |= !rest.is_empty();
    }
}

/// Where bytes can be read.
pub(super) enum InputStream {
    Stdin,
    /// A file, from here on.
    File {
        path: String,
        offset: u64,
    },
    /// Bytes in memory, from here on.
    Bytes {
        bytes: Arc<Vec<u8>>,
        offset: usize,
    },
}

/// Where bytes can be written.
#[derive(Clone)]
pub(super) enum OutputStream {
    Stdout,
    Stderr,
    /// A file, from here on or, without an offset, at its end.
    File {
        path: String,
        offset: Option<u64>,
    },
    /// Memory, up to a number of bytes.
    Bytes {
        bytes: Arc<Mutex<Vec<u8>>>,
        limit: usize,
    },
}

/// Something to wait for.
pub(super) enum Pollable {
    /// A stream, which never keeps anybody waiting.
    Ready,
    /// An instant of the monotonic clock.
    At(u64),
}

/// An error of a stream: there is no room for what was written.
pub(super) struct IoError;

/// Why a stream gives or takes nothing.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    Failed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

impl Told for StreamError {
    fn tell(&self, text: &mut String) {
        text.push_str(match self {
            StreamError::Failed(_) => "last-operation-failed",
            StreamError::Closed => "closed",
        });
    }
}

pub(super) fn add_error(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define_resource::<IoError>(to, interface, "error")?;
    define(to, interface, "[method]error.to-debug-string", |_, (_,): (Resource<IoError>,)| {
        Ok((String::from("no room, or not to be written"),))
    })
}

/// When this can be had: now, or later.
fn due(store: Store<'_, '_>, pollable: &Resource<Pollable>) -> wasmtime::Result<u64> {
    match store.data().table.get(pollable)? {
        Pollable::Ready => Ok(0),
        Pollable::At(when) => Ok(*when),
    }
}

pub(super) fn add_poll(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define_resource::<Pollable>(to, interface, "pollable")?;
    define(to, interface, "[method]pollable.ready", |store, (this,): (Resource<Pollable>,)| {
        Ok((due(store, &this)? <= Clock::now(store),))
    })?;
    define(to, interface, "[method]pollable.block", |store, (this,): (Resource<Pollable>,)| {
        let when = due(store, &this)?;
        Clock::wait_until(store, when);
        Ok(())
    })?;
    define(to, interface, "poll", |store, (list,): (Vec<Resource<Pollable>>,)| {
        let mut when = Vec::new();
        for pollable in &list {
            when.push(due(store, pollable)?);
        }
        let Some(first) = when.iter().min() else { bail!("nothing to poll") };
        Clock::wait_until(store, *first);
        let now = Clock::now(store);
        let ready = (0..).zip(&when).filter(|(_, when)| **when <= now).map(|(index, _)| index);
        Ok((ready.collect::<Vec<u32>>(),))
    })
}

pub(super) fn add_streams(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define_resource::<InputStream>(to, interface, "input-stream")?;
    for name in ["[method]input-stream.read", "[method]input-stream.blocking-read"] {
        define(to, interface, name, |store, (this, most): (Resource<InputStream>, u64)| {
            Ok((read(store, &this, most)?.ok_or(StreamError::Closed),))
        })?;
    }
    for name in ["[method]input-stream.skip", "[method]input-stream.blocking-skip"] {
        define(to, interface, name, |store, (this, most): (Resource<InputStream>, u64)| {
            let skipped = read(store, &this, most)?.map(|bytes| bytes.len() as u64);
            Ok((skipped.ok_or(StreamError::Closed),))
        })?;
    }
    let name = "[method]input-stream.subscribe";
    define(to, interface, name, |store, (this,): (Resource<InputStream>,)| {
        let table = &mut store.data_mut().table;
        table.get(&this)?;
        Ok((table.push_child(Pollable::Ready, &this)?,))
    })?;
    add_output(to, interface)
}

/// The next bytes of a stream; none at its end.
fn read(
    store: Store<'_, '_>,
    stream: &Resource<InputStream>,
    most: u64,
) -> wasmtime::Result<Option<Vec<u8>>> {
    let State { table, streams, files, .. } = store.data_mut();
    let bytes = match table.get_mut(stream)? {
        InputStream::Stdin => return Ok(streams.read(most)),
        InputStream::File { path, offset } => {
            let bytes = files.read(path, *offset, most).map_or_else(|_| Vec::new(), |(b, _)| b);
            *offset += bytes.len() as u64;
            bytes
        }
        InputStream::Bytes { bytes, offset } => {
            let left = bytes.get(*offset..).unwrap_or_default();
            let next = left[..left.len().min(most.min(CHUNK) as usize)].to_vec();
            *offset += next.len();
            next
        }
    };
    Ok((!bytes.is_empty() || most == 0).then_some(bytes))
}

fn write(
    store: Store<'_, '_>,
    stream: &Resource<OutputStream>,
    bytes: &[u8],
) -> wasmtime::Result<(Result<(), StreamError>,)> {
    let State { table, streams, files, .. } = store.data_mut();
    let taken = match table.get_mut(stream)? {
        OutputStream::Stdout => {
            streams.write(true, bytes);
            true
        }
        OutputStream::Stderr => {
            streams.write(false, bytes);
            true
        }
        _ if bytes.is_empty() => true,
        OutputStream::File { path, offset } => {
            let written = files.write(path, *offset, bytes);
            if let (Some(offset), Ok(written)) = (offset, &written) {
                *offset += written;
            }
            written.is_ok()
        }
        OutputStream::Bytes { bytes: kept, limit } => {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let fits = kept.len() + bytes.len() <= *limit;
            if fits {
                kept.extend_from_slice(bytes);
            }
            fits
        }
    };
    if taken {
        return Ok((Ok(()),));
    }
    let error = store.data_mut().table.push(IoError)?;
    Ok((Err(StreamError::Failed(error)),))
}

/// Zeros to write, as many as one call may write.
fn zeros(length: u64, most: u64) -> wasmtime::Result<Vec<u8>> {
    if length > most {
        bail!("a stream takes {most} bytes at a time, not {length}");
    }
    Ok(vec![0; length as usize])
}

fn add_output(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    type This = Resource<OutputStream>;
    define_resource::<OutputStream>(to, interface, "output-stream")?;
    let name = "[method]output-stream.check-write";
    define(to, interface, name, |store, (this,): (This,)| {
        store.data().table.get(&this)?;
        Ok((Ok::<_, StreamError>(CHUNK),))
    })?;
    let name = "[method]output-stream.write";
    define(to, interface, name, |store, (this, bytes): (This, Vec<u8>)| {
        if bytes.len() as u64 > CHUNK {
            bail!("a stream takes {CHUNK} bytes at a time, not {}", bytes.len());
        }
        write(store, &this, &bytes)
    })?;
    let name = "[method]output-stream.blocking-write-and-flush";
    define(to, interface, name, |store, (this, bytes): (This, Vec<u8>)| {
        if bytes.len() > BLOCKING_WRITE {
            bail!("a blocking write takes {BLOCKING_WRITE} bytes, not {}", bytes.len());
        }
        write(store, &this, &bytes)
    })?;
    for name in ["[method]output-stream.flush", "[method]output-stream.blocking-flush"] {
        define(to, interface, name, |store, (this,): (This,)| write(store, &this, &[]))?;
    }
    let name = "[method]output-stream.subscribe";
    define(to, interface, name, |store, (this,): (This,)| {
        let table = &mut store.data_mut().table;
        table.get(&this)?;
        Ok((table.push_child(Pollable::Ready, &this)?,))
    })?;
    let name = "[method]output-stream.write-zeroes";
    define(to, interface, name, |store, (this, length): (This, u64)| {
        write(store, &this, &zeros(length, CHUNK)?)
    })?;
    let name = "[method]output-stream.blocking-write-zeroes-and-flush";
    define(to, interface, name, |store, (this, length): (This, u64)| {
        write(store, &this, &zeros(length, BLOCKING_WRITE as u64)?)
    })?;
    for name in ["[method]output-stream.splice", "[method]output-stream.blocking-splice"] {
        type Parameters = (This, Resource<InputStream>, u64);
        define(to, interface, name, |store, (this, from, most): Parameters| {
            let Some(bytes) = read(store, &from, most)? else {
                return Ok((Err(StreamError::Closed),));
            };
            let (written,) = write(store, &this, &bytes)?;
            Ok((written.map(|()| bytes.len() as u64),))
        })?;
    }
    Ok(())
}
