//! A tamper-evident journal of what components did.
//!
//! Records are appended to segments with group commit, long values go to a
//! store of blobs, and over the records stands a Merkle log with signed
//! checkpoints: whoever kept a checkpoint and has the public key can prove that
//! nothing was changed, dropped, reordered or cut off. `FORMAT.md` beside this
//! crate specifies every byte.
//!
//! | module | what it holds |
//! |---|---|
//! | [`record`] | what the journal says |
//! | [`segment`] | the files it is written to |
//! | [`blobs`] | values too long for a record |
//! | [`tree`] | the Merkle tree, and proofs |
//! | [`note`] | keys, checkpoints and signatures |
//! | [`folder`] | where everything is |
//! | [`writer`] | writing |
//! | [`reader`] | reading all of it |
//! | [`recovery`] | finding the end after a crash |
//! | [`verify`] | is everything as it was written? |

pub mod blobs;
mod commit;
mod digest;
pub mod folder;
pub mod note;
mod outcome;
pub mod reader;
pub mod record;
pub mod recovery;
mod review;
pub mod segment;
pub mod tree;
pub mod verify;
pub mod writer;

pub use digest::{Digest, NotADigest};
pub use folder::{Error, Folder};
pub use outcome::{Exception, Exit, Phase};
pub use record::Record;
pub use writer::Journal;
