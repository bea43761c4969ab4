//! The files that a component works on: a private copy in memory.
//!
//! A run is given a copy of the granted folders, as recorded at its start, and
//! so stays a pure function of its start. What it changed comes back when it
//! has ended, and is a value that somebody can look at before any of it is
//! applied to a disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use june_journal::blobs::{BlobError, Blobs};
use june_journal::record::Data;
use june_journal::{Error, Journal};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::grants::{FileGrant, Mode};

/// The most files and folders.
const ENTRIES: usize = 65_536;

/// Files and folders by their paths: relative, `/` between the parts. Every
/// folder has an entry, but for the root, whose path is empty. A clone shares
/// the contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
    bytes: usize,
}

/// A file or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A folder.
    Folder,
    /// A file, and its content.
    File(Arc<Vec<u8>>),
}

/// The tree would have more files than there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {ENTRIES} files and folders")]
pub struct TooMany;

/// How a file differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: String,
    /// What it was; none where it was not there.
    pub before: Option<Entry>,
    /// What it is; none where it is no more.
    pub after: Option<Entry>,
}

/// The folder that a path is in; empty for the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _name)| parent)
}

impl Tree {
    /// The entry of this path; the root is a folder.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        if path.is_empty() { Some(&Entry::Folder) } else { self.entries.get(path) }
    }

    /// The content of a file.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        match self.entries.get(path)? {
            Entry::File(content) => Some(content),
            Entry::Folder => None,
        }
    }

    /// All entries, by path.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// How many bytes its files have together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts a file or folder here, with the folders above it.
    ///
    /// # Errors
    ///
    /// When there are too many.
    pub fn insert(&mut self, path: &str, entry: Entry) -> Result<(), TooMany> {
        if path.is_empty() {
            return Ok(());
        }
        if self.entries.len() >= ENTRIES && !self.entries.contains_key(path) {
            return Err(TooMany);
        }
        let above = parent(path);
        if !above.is_empty() && !self.entries.contains_key(above) {
            self.insert(above, Entry::Folder)?;
        }
        self.bytes += entry.bytes();
        if let Some(old) = self.entries.insert(path.into(), entry) {
            self.bytes -= old.bytes();
        }
        Ok(())
    }

    /// Takes away one entry, if it is there.
    pub fn remove(&mut self, path: &str) -> Option<Entry> {
        let entry = self.entries.remove(path)?;
        self.bytes -= entry.bytes();
        Some(entry)
    }

    /// Changes the content of a file.
    pub(crate) fn edit(&mut self, path: &str, edit: impl FnOnce(&mut Vec<u8>)) -> Option<()> {
        let Entry::File(content) = self.entries.get_mut(path)? else { return None };
        let before = content.len();
        edit(Arc::make_mut(content));
        self.bytes = self.bytes - before + content.len();
        Some(())
    }

    /// What is directly in a folder: names and entries, by name.
    pub(crate) fn children<'a>(
        &'a self,
        folder: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        self.below(folder).filter_map(move |(path, entry)| {
            let name = if folder.is_empty() { path } else { path.get(folder.len() + 1..)? };
            (!name.contains('/')).then_some((name, entry))
        })
    }

    /// All that is in a folder, however deep.
    pub(crate) fn below<'a>(
        &'a self,
        folder: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let first = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.entries
            .range(first.clone()..)
            .take_while(move |(path, _)| path.starts_with(&first))
            .map(|(path, entry)| (path.as_str(), entry))
    }

    /// The part of the tree that these grants show.
    pub(crate) fn granted(&self, grants: &[FileGrant]) -> Tree {
        let mut part = Tree::default();
        for (path, entry) in self.entries() {
            if grants.iter().any(|grant| grant.holds(path)) {
                // No more entries than there were.
                let _ = part.insert(path, entry.clone());
            }
        }
        for grant in grants {
            let _ = part.insert(&grant.path, Entry::Folder);
        }
        part
    }

    /// Puts in place of its own what another tree has where the grants allow to
    /// write.
    pub(crate) fn take_back(&mut self, other: &Tree, grants: &[FileGrant]) {
        let writable = |path: &str| {
            grants.iter().any(|grant| grant.mode == Mode::ReadWrite && grant.holds(path))
        };
        for change in self.granted(grants).changes(other) {
            if writable(&change.path) {
                match change.after {
                    Some(entry) => drop(self.insert(&change.path, entry)),
                    None => drop(self.remove(&change.path)),
                }
            }
        }
    }

    /// How another tree differs from this one, by path.
    pub fn changes(&self, after: &Tree) -> Vec<Change> {
        let paths: BTreeSet<&String> = self.entries.keys().chain(after.entries.keys()).collect();
        let changes = paths.into_iter().map(|path| Change {
            path: path.clone(),
            before: self.entries.get(path).cloned(),
            after: after.entries.get(path).cloned(),
        });
        changes.filter(|change| change.before != change.after).collect()
    }

    /// The tree as the journal keeps it: a CBOR map of paths to contents, null
    /// for a folder; long contents are blobs of their own.
    pub(crate) fn record(&self, journal: &Journal) -> Result<Data, Error> {
        let mut manifest: BTreeMap<&str, Option<Data>> = BTreeMap::new();
        for (path, entry) in self.entries() {
            let data = match entry {
                Entry::Folder => None,
                Entry::File(content) => Some(journal.data(content.to_vec())?),
            };
            manifest.insert(path, data);
        }
        let mut bytes = Vec::new();
        // Writing to a Vec has no error.
        let _ = minicbor::encode(&manifest, &mut bytes);
        journal.data(bytes)
    }

    /// The map of paths that a journal has as an input `files`, with a value for
    /// each file; none where it is no such map.
    ///
    /// # Errors
    ///
    /// When it is not to be had.
    pub fn manifest(
        data: &Data,
        blobs: &Blobs,
    ) -> Result<Option<BTreeMap<String, Option<Data>>>, BlobError> {
        Ok(minicbor::decode(&blobs.value(data)?).ok())
    }

    /// The tree that a journal has as an input `files`; none where it is no
    /// such value.
    ///
    /// # Errors
    ///
    /// When a part of it is not to be had.
    pub fn recall(data: &Data, blobs: &Blobs) -> Result<Option<Tree>, BlobError> {
        let Some(manifest) = Tree::manifest(data, blobs)? else { return Ok(None) };
        let mut tree = Tree::default();
        for (path, data) in manifest {
            let entry = match data {
                None => Entry::Folder,
                Some(data) => Entry::File(Arc::new(blobs.value(&data)?)),
            };
            if tree.insert(&path, entry).is_err() {
                return Ok(None);
            }
        }
        Ok(Some(tree))
    }
}

impl Entry {
    /// A file with this content.
    pub fn file(content: impl Into<Vec<u8>>) -> Self {
        Entry::File(Arc::new(content.into()))
    }

    fn bytes(&self) -> usize {
        match self {
            Entry::Folder => 0,
            Entry::File(content) => content.len(),
        }
    }
}

/// The files of an agent, which its tools share. Clones are the same one.
#[derive(Clone, Default)]
pub struct Workspace(Arc<Mutex<Tree>>);

impl Workspace {
    /// A workspace that begins with these files.
    pub fn new(tree: Tree) -> Self {
        Self(Arc::new(Mutex::new(tree)))
    }

    /// The files as they are now, when no tool writes.
    pub async fn tree(&self) -> Tree {
        self.0.lock().await.clone()
    }

    /// Waits until no other tool writes, in the order in which they asked.
    pub(crate) async fn lock(&self) -> OwnedMutexGuard<Tree> {
        self.0.clone().lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, content) in files {
            tree.insert(path, Entry::file(*content)).unwrap();
        }
        tree
    }

    #[test]
    fn folders_come_with_their_files() {
        let tree = tree(&[("a/b/c", "1"), ("a/d", "22"), ("ab", "")]);
        assert_eq!(tree.bytes(), 3);
        assert_eq!(tree.children("a").map(|(name, _)| name).collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!(tree.children("").map(|(name, _)| name).collect::<Vec<_>>(), ["a", "ab"]);
        assert_eq!(tree.get("a/b"), Some(&Entry::Folder));
        assert_eq!(tree.file("a/b/c"), Some(b"1".as_slice()));
    }

    #[test]
    fn only_what_may_be_written_comes_back() {
        let mut own = tree(&[("work/a", "1"), ("work/b", "1"), ("read/a", "1"), ("other", "1")]);
        let grants = [
            FileGrant { path: "work".into(), mode: Mode::ReadWrite },
            FileGrant { path: "read".into(), mode: Mode::Read },
        ];
        let mut copy = own.granted(&grants);
        assert_eq!(copy.get("other"), None);
        copy.insert("work/a", Entry::file("2")).unwrap();
        copy.remove("work/b");
        copy.insert("read/a", Entry::file("2")).unwrap();
        copy.insert("other", Entry::file("2")).unwrap();
        let before = own.clone();
        own.take_back(&copy, &grants);
        assert_eq!(own, tree(&[("work/a", "2"), ("read/a", "1"), ("other", "1")]));
        let changed: Vec<_> = before.changes(&own).into_iter().map(|change| change.path).collect();
        assert_eq!(changed, ["work/a", "work/b"]);
    }
}
