//! The granted folders, in memory.
//!
//! Descriptors know their files by path: a file that is removed while it is
//! open is gone. There are no links, and times stand still.

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Resource};

use self::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, Hash, NewTimestamp,
    OpenFlags, PathFlags,
};
use super::io::{CHUNK, InputStream, IoError, OutputStream};
use crate::calls::{define, define_resource};
use crate::grants::{FileGrant, Mode};
use crate::state::State;
use crate::workspace::{Entry, Tree, parent};

mod types;

/// What a run sees of the workspace.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) tree: Tree,
    pub(crate) grants: Vec<FileGrant>,
    /// Bytes of all files together.
    pub(crate) limit: usize,
}

/// An open file or folder.
pub(super) struct Descriptor {
    path: String,
    write: bool,
}

/// A folder's entries that have not been read.
struct Listing(std::vec::IntoIter<DirectoryEntry>);

type Outcome<T> = Result<T, ErrorCode>;

impl Files {
    fn may_write(&self, path: &str) -> Outcome<()> {
        let held =
            self.grants.iter().any(|grant| grant.mode == Mode::ReadWrite && grant.holds(path));
        if held { Ok(()) } else { Err(ErrorCode::ReadOnly) }
    }

    /// The path that a name in a folder leads to, which is never above it.
    fn resolve(&self, folder: &Descriptor, name: &str) -> Outcome<String> {
        match self.tree.get(&folder.path) {
            None => return Err(ErrorCode::NoEntry),
            Some(Entry::File(_)) => return Err(ErrorCode::NotDirectory),
            Some(Entry::Folder) => {}
        }
        if name.starts_with('/') {
            return Err(ErrorCode::NotPermitted);
        }
        if name.len() > 4096 {
            return Err(ErrorCode::NameTooLong);
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in name.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.pop().is_none() => return Err(ErrorCode::NotPermitted),
                ".." => {}
                _ if part.contains('\0') => return Err(ErrorCode::IllegalByteSequence),
                _ if part.len() > 255 => return Err(ErrorCode::NameTooLong),
                _ => parts.push(part),
            }
        }
        let mut path = folder.path.clone();
        for part in parts {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
        }
        Ok(path)
    }

    fn entry(&self, path: &str) -> Outcome<&Entry> {
        self.tree.get(path).ok_or(ErrorCode::NoEntry)
    }

    /// Whether a new entry may be made here.
    fn may_make(&self, path: &str) -> Outcome<()> {
        match self.tree.get(parent(path)) {
            None => Err(ErrorCode::NoEntry),
            Some(Entry::File(_)) => Err(ErrorCode::NotDirectory),
            Some(Entry::Folder) => self.may_write(path),
        }
    }

    fn insert(&mut self, path: &str, entry: Entry) -> Outcome<()> {
        self.tree.insert(path, entry).map_err(|_too_many| ErrorCode::InsufficientSpace)
    }

    fn open(
        &mut self,
        folder: &Descriptor,
        name: &str,
        how: OpenFlags,
        flags: DescriptorFlags,
    ) -> Outcome<Descriptor> {
        let path = self.resolve(folder, name)?;
        let write = flags.contains(DescriptorFlags::WRITE);
        let create = how.contains(OpenFlags::CREATE);
        match self.tree.get(&path) {
            Some(_) if create && how.contains(OpenFlags::EXCLUSIVE) => {
                return Err(ErrorCode::Exist);
            }
            Some(Entry::Folder) if write || how.contains(OpenFlags::TRUNCATE) => {
                return Err(ErrorCode::IsDirectory);
            }
            Some(Entry::Folder) => {}
            Some(Entry::File(_)) => {
                if how.contains(OpenFlags::DIRECTORY) || name.ends_with('/') {
                    return Err(ErrorCode::NotDirectory);
                }
                if write || how.contains(OpenFlags::TRUNCATE) {
                    self.may_write(&path)?;
                }
                if how.contains(OpenFlags::TRUNCATE) {
                    self.insert(&path, Entry::file([]))?;
                }
            }
            None if !create || how.contains(OpenFlags::DIRECTORY) => {
                return Err(ErrorCode::NoEntry);
            }
            None => {
                self.may_make(&path)?;
                self.insert(&path, Entry::file([]))?;
            }
        }
        Ok(Descriptor { path, write })
    }

    pub(super) fn read(&self, path: &str, offset: u64, most: u64) -> Outcome<(Vec<u8>, bool)> {
        let content = match self.entry(path)? {
            Entry::Folder => return Err(ErrorCode::IsDirectory),
            Entry::File(content) => content,
        };
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let to = from.saturating_add(most.min(CHUNK) as usize).min(content.len());
        Ok((content[from..to].to_vec(), to == content.len()))
    }

    /// Writes bytes at an offset, or at the end. Returns how many: all, or as
    /// many as one call may write.
    pub(super) fn write(&mut self, path: &str, offset: Option<u64>, bytes: &[u8]) -> Outcome<u64> {
        let bytes = &bytes[..bytes.len().min(CHUNK as usize)];
        let length = self.tree.file(path).ok_or(ErrorCode::BadDescriptor)?.len();
        let from = offset.map_or(Ok(length), usize::try_from);
        let from = from.map_err(|_far| ErrorCode::FileTooLarge)?;
        let to = from.checked_add(bytes.len()).ok_or(ErrorCode::FileTooLarge)?;
        self.make_room(to.saturating_sub(length))?;
        self.tree
            .edit(path, |content| {
                if content.len() < to {
                    content.resize(to, 0);
                }
                content[from..to].copy_from_slice(bytes);
            })
            .ok_or(ErrorCode::BadDescriptor)?;
        Ok(bytes.len() as u64)
    }

    fn set_size(&mut self, path: &str, size: u64) -> Outcome<()> {
        let length = self.tree.file(path).ok_or(ErrorCode::BadDescriptor)?.len();
        let size = usize::try_from(size).map_err(|_far| ErrorCode::FileTooLarge)?;
        self.make_room(size.saturating_sub(length))?;
        self.tree.edit(path, |content| content.resize(size, 0)).ok_or(ErrorCode::BadDescriptor)
    }

    fn make_room(&self, more: usize) -> Outcome<()> {
        let total = self.tree.bytes().saturating_add(more);
        if total > self.limit { Err(ErrorCode::InsufficientSpace) } else { Ok(()) }
    }

    fn stat(&self, path: &str) -> Outcome<DescriptorStat> {
        Ok(match self.entry(path)? {
            Entry::Folder => DescriptorStat::new(DescriptorType::Directory, 0),
            Entry::File(content) => {
                DescriptorStat::new(DescriptorType::RegularFile, content.len() as u64)
            }
        })
    }

    fn make_folder(&mut self, path: &str) -> Outcome<()> {
        if self.tree.get(path).is_some() {
            return Err(ErrorCode::Exist);
        }
        self.may_make(path)?;
        self.insert(path, Entry::Folder)
    }

    fn remove(&mut self, path: &str, folder: bool) -> Outcome<()> {
        match (self.entry(path)?, folder) {
            (Entry::Folder, false) => return Err(ErrorCode::IsDirectory),
            (Entry::File(_), true) => return Err(ErrorCode::NotDirectory),
            (Entry::Folder, true) if self.tree.below(path).next().is_some() => {
                return Err(ErrorCode::NotEmpty);
            }
            _ => {}
        }
        let mount = self.grants.iter().any(|grant| grant.path == path);
        if path.is_empty() || mount {
            return Err(ErrorCode::Busy);
        }
        self.may_write(path)?;
        self.tree.remove(path);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Outcome<()> {
        let entry = self.entry(from)?.clone();
        if from == to {
            return Ok(());
        }
        self.may_write(from)?;
        self.may_make(to)?;
        if to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(ErrorCode::Invalid);
        }
        match (self.tree.get(to), &entry) {
            (Some(Entry::Folder), Entry::File(_)) => return Err(ErrorCode::IsDirectory),
            (Some(Entry::File(_)), Entry::Folder) => return Err(ErrorCode::NotDirectory),
            (Some(Entry::Folder), Entry::Folder) => self.remove(to, true)?,
            _ => {}
        }
        let inside: Vec<_> =
            self.tree.below(from).map(|(path, entry)| (path.to_owned(), entry.clone())).collect();
        self.remove_all(from);
        self.insert(to, entry)?;
        for (path, entry) in inside {
            self.insert(&format!("{to}{}", &path[from.len()..]), entry)?;
        }
        Ok(())
    }

    fn remove_all(&mut self, path: &str) {
        let inside: Vec<_> = self.tree.below(path).map(|(path, _)| path.to_owned()).collect();
        for path in inside {
            self.tree.remove(&path);
        }
        self.tree.remove(path);
    }

    fn listing(&self, path: &str) -> Outcome<Vec<DirectoryEntry>> {
        if !matches!(self.entry(path)?, Entry::Folder) {
            return Err(ErrorCode::NotDirectory);
        }
        let children = self.tree.children(path);
        Ok(children.map(|(name, entry)| DirectoryEntry::new(name, entry)).collect())
    }
}

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
