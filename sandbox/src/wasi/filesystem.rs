//! The granted folders, in memory.
//!
//! Descriptors know their files by path: a file that is removed while it is
//! open is gone. There are no links, and times stand still.

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Resource};

use self::types::{
    DescriptorFlags, DirectoryEntry, ErrorCode, Hash, NewTimestamp, OpenFlags, PathFlags,
};
use super::io::{InputStream, IoError, OutputStream};
use crate::calls::{define, define_resource};
use crate::state::State;
use crate::workspace::Entry;

mod files;
mod types;

pub(crate) use files::Files;
use files::Outcome;

/// An open file or folder.
pub(super) struct Descriptor {
    path: String,
    write: bool,
}

/// A folder's entries that have not been read.
struct Listing(std::vec::IntoIter<DirectoryEntry>);

type This = Resource<Descriptor>;

/// The files, and the descriptor that a method was called on.
fn at<'a>(
    store: &'a mut StoreContextMut<'_, State>,
    this: &This,
) -> wasmtime::Result<(&'a mut Files, &'a Descriptor)> {
    let state = store.data_mut();
    Ok((&mut state.files, state.table.get(this)?))
}

pub(super) fn add_preopens(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define(to, interface, "get-directories", |store, ()| {
        let state = store.data_mut();
        let mut folders = Vec::new();
        for grant in &state.files.grants {
            let descriptor = Descriptor { path: grant.path.clone(), write: false };
            folders.push((state.table.push(descriptor)?, format!("/{}", grant.path)));
        }
        Ok((folders,))
    })
}

pub(super) fn add_types(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    define_resource::<Descriptor>(to, interface, "descriptor")?;
    define_resource::<Listing>(to, interface, "directory-entry-stream")?;
    super::same::<InputStream>(to, "input-stream")?;
    super::same::<OutputStream>(to, "output-stream")?;
    super::same::<IoError>(to, "error")?;
    define(to, interface, "filesystem-error-code", |_, (_,): (Resource<IoError>,)| {
        Ok((Some(ErrorCode::InsufficientSpace),))
    })?;
    let name = "[method]directory-entry-stream.read-directory-entry";
    define(to, interface, name, |store, (this,): (Resource<Listing>,)| {
        let listing = store.data_mut().table.get_mut(&this)?;
        Ok((Ok::<_, ErrorCode>(listing.0.next()),))
    })?;
    add_contents(to, interface)?;
    add_attributes(to, interface)?;
    add_folders(to, interface)
}

fn add_contents(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    let name = "[method]descriptor.read";
    define(to, interface, name, |store, (this, length, offset): (This, u64, u64)| {
        let (files, descriptor) = at(store, &this)?;
        Ok((files.read(&descriptor.path, offset, length),))
    })?;
    let name = "[method]descriptor.write";
    define(to, interface, name, |store, (this, bytes, offset): (This, Vec<u8>, u64)| {
        let (files, descriptor) = at(store, &this)?;
        let written = descriptor.writable();
        Ok((written.and_then(|path| files.write(path, Some(offset), &bytes)),))
    })?;
    let name = "[method]descriptor.read-via-stream";
    define(to, interface, name, |store, (this, offset): (This, u64)| {
        let (files, descriptor) = at(store, &this)?;
        let path = descriptor.path.clone();
        if let Err(error) = files.read(&path, offset, 0) {
            return Ok((Err(error),));
        }
        let stream = InputStream::File { path, offset };
        Ok((Ok(store.data_mut().table.push(stream)?),))
    })?;
    let stream = |store: &mut StoreContextMut<'_, State>, this: &This, offset| {
        let (_, descriptor) = at(store, this)?;
        let path = match descriptor.writable() {
            Ok(path) => path.to_owned(),
            Err(error) => return Ok((Err(error),)),
        };
        let stream = store.data_mut().table.push(OutputStream::File { path, offset })?;
        Ok((Ok(stream),))
    };
    let name = "[method]descriptor.write-via-stream";
    define(to, interface, name, move |store, (this, offset): (This, u64)| {
        stream(store, &this, Some(offset))
    })?;
    let name = "[method]descriptor.append-via-stream";
    define(to, interface, name, move |store, (this,): (This,)| stream(store, &this, None))?;
    let name = "[method]descriptor.set-size";
    define(to, interface, name, |store, (this, size): (This, u64)| {
        let (files, descriptor) = at(store, &this)?;
        Ok((descriptor.writable().and_then(|path| files.set_size(path, size)),))
    })
}

fn add_attributes(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    let name = "[method]descriptor.advise";
    define(to, interface, name, |_, (_, _, _, _): (This, u64, u64, types::Advice)| {
        Ok((Ok::<(), ErrorCode>(()),))
    })?;
    for name in ["[method]descriptor.sync-data", "[method]descriptor.sync"] {
        define(to, interface, name, |_, (_,): (This,)| Ok((Ok::<(), ErrorCode>(()),)))?;
    }
    let name = "[method]descriptor.get-flags";
    define(to, interface, name, |store, (this,): (This,)| {
        let (files, descriptor) = at(store, &this)?;
        let mut flags = DescriptorFlags::READ;
        if descriptor.write {
            flags |= DescriptorFlags::WRITE;
        }
        let folder = matches!(files.entry(&descriptor.path), Ok(Entry::Folder));
        if folder && files.may_write(&descriptor.path).is_ok() {
            flags |= DescriptorFlags::MUTATE_DIRECTORY;
        }
        Ok((Ok::<_, ErrorCode>(flags),))
    })?;
    let name = "[method]descriptor.get-type";
    define(to, interface, name, |store, (this,): (This,)| {
        let (files, descriptor) = at(store, &this)?;
        Ok((files.stat(&descriptor.path).map(|stat| stat.kind()),))
    })?;
    let name = "[method]descriptor.set-times";
    define(to, interface, name, |store, (this, _, _): (This, NewTimestamp, NewTimestamp)| {
        let (files, descriptor) = at(store, &this)?;
        Ok((files.may_write(&descriptor.path),))
    })?;
    let name = "[method]descriptor.set-times-at";
    type Times = (This, PathFlags, String, NewTimestamp, NewTimestamp);
    define(to, interface, name, |store, (this, _, path, _, _): Times| {
        let (files, descriptor) = at(store, &this)?;
        let path = files.resolve(descriptor, &path);
        Ok((path.and_then(|path| files.entry(&path).and(files.may_write(&path))),))
    })?;
    let name = "[method]descriptor.stat";
    define(to, interface, name, |store, (this,): (This,)| {
        let (files, descriptor) = at(store, &this)?;
        Ok((files.stat(&descriptor.path),))
    })?;
    let name = "[method]descriptor.stat-at";
    define(to, interface, name, |store, (this, _, path): (This, PathFlags, String)| {
        let (files, descriptor) = at(store, &this)?;
        Ok((files.resolve(descriptor, &path).and_then(|path| files.stat(&path)),))
    })?;
    let name = "[method]descriptor.is-same-object";
    define(to, interface, name, |store, (this, other): (This, This)| {
        let table = &store.data().table;
        Ok((table.get(&this)?.path == table.get(&other)?.path,))
    })?;
    let name = "[method]descriptor.metadata-hash";
    define(to, interface, name, |store, (this,): (This,)| {
        let (files, descriptor) = at(store, &this)?;
        Ok((files.entry(&descriptor.path).map(|_| Hash::of(&descriptor.path)),))
    })?;
    let name = "[method]descriptor.metadata-hash-at";
    define(to, interface, name, |store, (this, _, path): (This, PathFlags, String)| {
        let (files, descriptor) = at(store, &this)?;
        let path = files.resolve(descriptor, &path);
        Ok((path.and_then(|path| files.entry(&path).map(|_| Hash::of(&path))),))
    })
}

fn add_folders(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    let name = "[method]descriptor.open-at";
    type Open = (This, PathFlags, String, OpenFlags, DescriptorFlags);
    define(to, interface, name, |store, (this, _, path, how, flags): Open| {
        let (files, descriptor) = at(store, &this)?;
        match files.open(descriptor, &path, how, flags) {
            Ok(opened) => Ok((Ok(store.data_mut().table.push(opened)?),)),
            Err(error) => Ok((Err(error),)),
        }
    })?;
    let name = "[method]descriptor.read-directory";
    define(to, interface, name, |store, (this,): (This,)| {
        let (files, descriptor) = at(store, &this)?;
        match files.listing(&descriptor.path) {
            Ok(entries) => {
                // Making the list is work, too.
                let fuel = store.get_fuel()?.saturating_sub(100 * entries.len() as u64);
                store.set_fuel(fuel)?;
                Ok((Ok(store.data_mut().table.push(Listing(entries.into_iter()))?),))
            }
            Err(error) => Ok((Err(error),)),
        }
    })?;
    let name = "[method]descriptor.create-directory-at";
    define(to, interface, name, |store, (this, path): (This, String)| {
        let (files, descriptor) = at(store, &this)?;
        Ok((files.resolve(descriptor, &path).and_then(|path| files.make_folder(&path)),))
    })?;
    for (name, folder) in [
        ("[method]descriptor.remove-directory-at", true),
        ("[method]descriptor.unlink-file-at", false),
    ] {
        define(to, interface, name, move |store, (this, path): (This, String)| {
            let (files, descriptor) = at(store, &this)?;
            Ok((files.resolve(descriptor, &path).and_then(|path| files.remove(&path, folder)),))
        })?;
    }
    let name = "[method]descriptor.rename-at";
    type Rename = (This, String, This, String);
    define(to, interface, name, |store, (this, from, other, to): Rename| {
        let state = store.data_mut();
        let (files, this, other) =
            (&mut state.files, state.table.get(&this)?, state.table.get(&other)?);
        let paths = (files.resolve(this, &from), files.resolve(other, &to));
        Ok((match paths {
            (Ok(from), Ok(to)) => files.rename(&from, &to),
            (Err(error), _) | (_, Err(error)) => Err(error),
        },))
    })?;
    let name = "[method]descriptor.link-at";
    type Link = (This, PathFlags, String, This, String);
    define(to, interface, name, |_, _: Link| Ok((Err::<(), _>(ErrorCode::Unsupported),)))?;
    let name = "[method]descriptor.symlink-at";
    define(to, interface, name, |_, _: (This, String, String)| {
        Ok((Err::<(), _>(ErrorCode::NotPermitted),))
    })?;
    let name = "[method]descriptor.readlink-at";
    define(to, interface, name, |store, (this, path): (This, String)| {
        let (files, descriptor) = at(store, &this)?;
        let path = files.resolve(descriptor, &path);
        let found = path.and_then(|path| files.entry(&path).map(|_| ()));
        Ok((found.and(Err::<String, _>(ErrorCode::Invalid)),))
    })
}

impl Descriptor {
    /// The path, if it was opened to be written.
    fn writable(&self) -> Outcome<&str> {
        if self.write { Ok(&self.path) } else { Err(ErrorCode::BadDescriptor) }
    }
}
