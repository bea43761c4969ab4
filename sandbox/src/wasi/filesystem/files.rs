//! What can be done with the granted files.

use super::Descriptor;
use super::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, OpenFlags,
};
use crate::grants::{FileGrant, Mode};
use crate::wasi::io::CHUNK;
use crate::workspace::{Entry, Tree, parent};

pub(super) type Outcome<T> = Result<T, ErrorCode>;

/// What a run sees of the workspace.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) tree: Tree,
    pub(crate) grants: Vec<FileGrant>,
    /// Bytes of all files together.
    pub(crate) limit: usize,
}

impl Files {
    pub(super) fn may_write(&self, path: &str) -> Outcome<()> {
        let held =
            self.grants.iter().any(|grant| grant.mode == Mode::ReadWrite && grant.holds(path));
        if held { Ok(()) } else { Err(ErrorCode::ReadOnly) }
    }

    /// The path that a name in a folder leads to, which is never above it.
    pub(super) fn resolve(&self, folder: &Descriptor, name: &str) -> Outcome<String> {
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

    pub(super) fn entry(&self, path: &str) -> Outcome<&Entry> {
        self.tree.get(path).ok_or(ErrorCode::NoEntry)
    }

    /// Whether a new entry may be made here.
    pub(super) fn may_make(&self, path: &str) -> Outcome<()> {
        match self.tree.get(parent(path)) {
            None => Err(ErrorCode::NoEntry),
            Some(Entry::File(_)) => Err(ErrorCode::NotDirectory),
            Some(Entry::Folder) => self.may_write(path),
        }
    }

    pub(super) fn insert(&mut self, path: &str, entry: Entry) -> Outcome<()> {
        self.tree.insert(path, entry).map_err(|_too_many| ErrorCode::InsufficientSpace)
    }

    pub(super) fn open(
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

    pub(in crate::wasi) fn read(
        &self,
        path: &str,
        offset: u64,
        most: u64,
    ) -> Outcome<(Vec<u8>, bool)> {
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
    pub(in crate::wasi) fn write(
        &mut self,
        path: &str,
        offset: Option<u64>,
        bytes: &[u8],
    ) -> Outcome<u64> {
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

    pub(super) fn set_size(&mut self, path: &str, size: u64) -> Outcome<()> {
        let length = self.tree.file(path).ok_or(ErrorCode::BadDescriptor)?.len();
        let size = usize::try_from(size).map_err(|_far| ErrorCode::FileTooLarge)?;
        self.make_room(size.saturating_sub(length))?;
        self.tree.edit(path, |content| content.resize(size, 0)).ok_or(ErrorCode::BadDescriptor)
    }

    pub(super) fn make_room(&self, more: usize) -> Outcome<()> {
        let total = self.tree.bytes().saturating_add(more);
        if total > self.limit { Err(ErrorCode::InsufficientSpace) } else { Ok(()) }
    }

    pub(super) fn stat(&self, path: &str) -> Outcome<DescriptorStat> {
        Ok(match self.entry(path)? {
            Entry::Folder => DescriptorStat::new(DescriptorType::Directory, 0),
            Entry::File(content) => {
                DescriptorStat::new(DescriptorType::RegularFile, content.len() as u64)
            }
        })
    }

    pub(super) fn make_folder(&mut self, path: &str) -> Outcome<()> {
        if self.tree.get(path).is_some() {
            return Err(ErrorCode::Exist);
        }
        self.may_make(path)?;
        self.insert(path, Entry::Folder)
    }

    pub(super) fn remove(&mut self, path: &str, folder: bool) -> Outcome<()> {
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

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Outcome<()> {
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

    pub(super) fn remove_all(&mut self, path: &str) {
        let inside: Vec<_> = self.tree.below(path).map(|(path, _)| path.to_owned()).collect();
        for path in inside {
            self.tree.remove(&path);
        }
        self.tree.remove(path);
    }

    pub(super) fn listing(&self, path: &str) -> Outcome<Vec<DirectoryEntry>> {
        if !matches!(self.entry(path)?, Entry::Folder) {
            return Err(ErrorCode::NotDirectory);
        }
        let children = self.tree.children(path);
        Ok(children.map(|(name, entry)| DirectoryEntry::new(name, entry)).collect())
    }
}
