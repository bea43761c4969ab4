//! The Merkle tree over the records (RFC 6962), and proofs from it.
//!
//! The file `tree` holds the tree's hashes, 32 bytes each, in the order in
//! which they become known as records are added (Crosby and Wallach, *Efficient
//! Data Structures for Tamper-Evident Logging*, 2009, section 3.3). It is
//! derived from the segments and can be made anew from them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tlog_tiles::{Error, Hash, HashReader, node_hash, stored_hash_count, sub_tree_index};

/// The most records that a tree can have. The numbers of its hashes are less
/// than 2⁶³ then.
const MAX_RECORDS: u64 = 1 << 62;

/// The hash of a record: its leaf in the tree.
pub fn leaf(record: &[u8]) -> [u8; 32] {
    tlog_tiles::record_hash(record).0
}

/// The roots of the largest complete subtrees, from the left: all that is
/// needed to add records and to tell the root.
#[derive(Clone, Debug, Default)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// How many records the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hash of a record, and hands every hash that became known to
    /// `known`.
    pub fn push(&mut self, record: Hash, mut known: impl FnMut(&Hash)) {
        let mut hash = record;
        known(&hash);
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                hash = node_hash(left, hash);
                known(&hash);
            }
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return tlog_tiles::EMPTY_HASH };
        roots.fold(*last, |right, left| node_hash(*left, right))
    }
}

/// The file of hashes, for reading.
#[derive(Debug)]
pub struct TreeFile(File);

impl TreeFile {
    /// Opens the file.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self)
    }

    /// How many bytes the file has for this many records.
    pub fn length(records: u64) -> u64 {
        if records > MAX_RECORDS {
            return u64::MAX;
        }
        stored_hash_count(records).saturating_mul(tlog_tiles::HASH_SIZE as u64)
    }

    /// The frontier of the tree's first records.
    ///
    /// # Errors
    ///
    /// When the file is too short.
    pub fn frontier(&self, size: u64) -> Result<Frontier, Error> {
        let roots = match size {
            0 => Vec::new(),
            1..=MAX_RECORDS => self.read_hashes(&sub_tree_index(0, size, Vec::new()))?,
            _ => return Err(Error::IndexesNotInTree),
        };
        Ok(Frontier { size, roots })
    }
}

impl HashReader for TreeFile {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |index: &u64| {
            let mut hash = Hash::default();
            let at = index.checked_mul(hash.0.len() as u64).ok_or(Error::IndexesNotInTree)?;
            self.0.read_exact_at(&mut hash.0, at).map_err(|_short| Error::IndexesNotInTree)?;
            Ok(hash)
        };
        indexes.iter().map(read).collect()
    }
}

/// The most hashes that a proof can have, in a tree of any size.
const MAX_PROOF: usize = 64;

/// Proves that the tree of `size` records has the record `number`.
///
/// # Errors
///
/// When there is no such record, or the hashes are not to be had.
pub fn prove_record(tree: &TreeFile, size: u64, number: u64) -> Result<Vec<Hash>, Error> {
    if size > MAX_RECORDS {
        return Err(Error::IndexesNotInTree);
    }
    tlog_tiles::prove_record(size, number, tree)
}

/// Proves that the tree of `size` records begins with the one of `earlier`
/// records.
///
/// # Errors
///
/// When it is not so, or the hashes are not to be had.
pub fn prove_growth(tree: &TreeFile, size: u64, earlier: u64) -> Result<Vec<Hash>, Error> {
    if earlier == 0 || earlier == size {
        return Ok(Vec::new());
    }
    if size > MAX_RECORDS {
        return Err(Error::IndexesNotInTree);
    }
    tlog_tiles::prove_tree(size, earlier, tree)
}

/// Whether a proof shows that the tree of `size` records with this root has
/// this record in this place. The proof may come from anybody.
pub fn check_record(proof: &[Hash], size: u64, root: Hash, number: u64, record: &[u8]) -> bool {
    let record = tlog_tiles::record_hash(record);
    number < size
        && size <= MAX_RECORDS
        && proof.len() <= MAX_PROOF
        && tlog_tiles::check_record(&proof.to_vec(), size, root, number, record).is_ok()
}

/// Whether a proof shows that the tree of `size` records with this root begins
/// with the one of `earlier` records. The proof may come from anybody.
pub fn check_growth(
    proof: &[Hash],
    (size, root): (u64, Hash),
    (earlier, earlier_root): (u64, Hash),
) -> bool {
    match earlier {
        0 => proof.is_empty() && earlier_root == tlog_tiles::EMPTY_HASH,
        _ if earlier == size => proof.is_empty() && earlier_root == root,
        _ => {
            earlier < size
                && size <= MAX_RECORDS
                && proof.len() <= MAX_PROOF
                && tlog_tiles::check_tree(&proof.to_vec(), size, root, earlier, earlier_root)
                    .is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::io::Write;

    use super::*;

    #[test]
    fn proofs_hold_for_what_is_so_and_for_nothing_else() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let (mut frontier, mut roots) = (Frontier::default(), vec![tlog_tiles::EMPTY_HASH]);
        let record = |number: u64| number.to_le_bytes();
        for number in 0..70 {
            frontier.push(tlog_tiles::record_hash(&record(number)), |hash| {
                file.write_all(&hash.0).unwrap();
            });
            roots.push(frontier.root());
        }
        let tree = TreeFile::open(file.path()).unwrap();
        assert_eq!(file.path().metadata().unwrap().len(), TreeFile::length(70));
        for size in 1..=70_u64 {
            let root = roots[size as usize];
            assert_eq!(tlog_tiles::tree_hash(size, &tree).unwrap(), root);
            assert_eq!(tree.frontier(size).unwrap().root(), root);
            for number in 0..size {
                let proof = prove_record(&tree, size, number).unwrap();
                assert!(check_record(&proof, size, root, number, &record(number)));
                assert!(!check_record(&proof, size, root, number, &record(number + 1)));
            }
            for earlier in 0..=size {
                let proof = prove_growth(&tree, size, earlier).unwrap();
                let before = roots[earlier as usize];
                assert!(check_growth(&proof, (size, root), (earlier, before)));
                let other = roots[(earlier as usize + 1) % 70];
                assert!(!check_growth(&proof, (size, root), (earlier, other)));
            }
        }
        assert!(prove_record(&tree, 71, 0).is_err());
    }
}
