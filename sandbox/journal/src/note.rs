//! Keys, and what is signed with them: checkpoints and reviews.
//!
//! Both are signed notes (<https://c2sp.org/signed-note>) with Ed25519. A
//! checkpoint (<https://c2sp.org/tlog-checkpoint>) names the log, how many
//! records it has and the root of the Merkle tree over them (RFC 6962).

use std::fmt;

use rand_core_06::OsRng;
use signed_note::{
    Note, Signature, Signer, StandardSigner, StandardVerifier, Verifier, VerifierList,
};
use tlog_tiles::Hash;

/// Why a key or a note is not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The text is no key.
    #[error("not a key: {0}")]
    Key(String),
    /// A key's name must be a word.
    #[error("{0:?} cannot be the name of a key\nhint: use letters, digits, `.`, `/` and `-`")]
    Name(String),
    /// The note has another form, or no valid signature by the key.
    #[error("{0}")]
    Note(String),
}

/// A secret key that signs notes.
pub struct SecretKey {
    signer: StandardSigner,
    text: String,
    public: PublicKey,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.signer.name())
    }
}

impl SecretKey {
    /// Makes a key of this name, from the system's random numbers.
    ///
    /// # Errors
    ///
    /// When the name is no key name.
    pub fn generate(name: &str) -> Result<Self, NoteError> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"./-_".contains(&byte);
        if name.is_empty() || name.len() > 128 || !name.bytes().all(word) {
            return Err(NoteError::Name(name.into()));
        }
        let (secret, public) = signed_note::generate_key(&mut OsRng, name);
        Self::parse(&secret, &public)
    }

    /// Reads a secret key and the public key that belongs to it.
    ///
    /// # Errors
    ///
    /// When one of them is no key, or they do not belong together.
    pub fn parse(secret: &str, public: &str) -> Result<Self, NoteError> {
        let signer = StandardSigner::new(secret).map_err(|e| NoteError::Key(e.to_string()))?;
        let public = PublicKey::parse(public)?;
        one_text(secret, &format!("PRIVATE+KEY+{}+{:08x}+", signer.name(), signer.key_id()))?;
        let signature = signer.sign(b"").map_err(|e| NoteError::Key(e.to_string()))?;
        if !public.verifier.verify(b"", &signature) || signer.name() != public.name() {
            return Err(NoteError::Key("the public key is another key's".into()));
        }
        Ok(Self { signer, text: secret.into(), public })
    }

    /// The secret key as text. Whoever has it can sign.
    pub fn secret_text(&self) -> &str {
        &self.text
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a text, which must end in a line feed.
    ///
    /// # Errors
    ///
    /// When no note can have this text.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        let note = || -> Result<String, signed_note::NoteError> {
            let mut note = Note::new(text.as_bytes(), &[])?;
            note.add_sigs(&[&self.signer])?;
            Ok(String::from_utf8_lossy(&note.to_bytes()).into_owned())
        };
        note().map_err(|error| NoteError::Note(error.to_string()))
    }
}

/// A public key that verifies notes.
#[derive(Clone)]
pub struct PublicKey {
    verifier: StandardVerifier,
    text: String,
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.text)
    }
}

impl PublicKey {
    /// Reads a public key.
    ///
    /// # Errors
    ///
    /// When the text is something else.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let verifier = StandardVerifier::new(text).map_err(|e| NoteError::Key(e.to_string()))?;
        one_text(text, &format!("{}+{:08x}+", verifier.name(), verifier.key_id()))?;
        Ok(Self { verifier, text: text.into() })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// Verifies a note that this key alone has signed, and returns its text.
    ///
    /// # Errors
    ///
    /// When it is no such note.
    pub fn verify(&self, note: &str) -> Result<String, NoteError> {
        let wrong = |error: signed_note::NoteError| NoteError::Note(error.to_string());
        let parsed = Note::from_bytes(note.as_bytes()).map_err(wrong)?;
        let keys = VerifierList::new(vec![Box::new(self.verifier.clone())]);
        let (verified, _) = parsed.verify(&keys).map_err(wrong)?;
        // The text and one signature must be all there is, so that no byte is
        // unaccounted for: a second signature by the same key is not looked at.
        let signed = |signature: &Signature| {
            [parsed.text(), b"\n", &signature.to_bytes()].concat() == note.as_bytes()
        };
        if !verified.first().is_some_and(signed) {
            return Err(NoteError::Note("the note holds more than this key's signature".into()));
        }
        Ok(String::from_utf8_lossy(parsed.text()).into_owned())
    }
}

/// A key has one text, though the digits of its number may be read as capitals.
fn one_text(text: &str, start: &str) -> Result<(), NoteError> {
    match text.starts_with(start) {
        true => Ok(()),
        false => Err(NoteError::Key("its number is not in lower case".into())),
    }
}

/// The state of the log at some time: how many records, and the root over them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checkpoint {
    /// How many records.
    pub size: u64,
    /// The root of the Merkle tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Writes and signs the checkpoint of the log that has the key's name.
    ///
    /// # Errors
    ///
    /// Never, for a key that [`SecretKey::generate`] made.
    pub fn sign(&self, key: &SecretKey) -> Result<String, NoteError> {
        let (name, Checkpoint { size, root }) = (key.public().name(), self);
        key.sign(&format!("{name}\n{size}\n{root}\n"))
    }

    /// Verifies and reads a checkpoint of the log that has the key's name.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let malformed = || NoteError::Note("the note is no checkpoint of this log".into());
        let text = key.verify(note)?;
        let mut lines = text.split_terminator('\n');
        let (origin, size, root) = (lines.next(), lines.next(), lines.next());
        let size: u64 = size.and_then(|size| size.parse().ok()).ok_or_else(malformed)?;
        let root = root.and_then(|root| Hash::parse_hash(root).ok()).ok_or_else(malformed)?;
        let checkpoint = Self { size, root };
        // One way to write it: no leading zeros, no further lines.
        if origin != Some(key.name()) || text != format!("{}\n{size}\n{root}\n", key.name()) {
            return Err(malformed());
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_checkpoint_is_what_was_signed() {
        let key = SecretKey::generate("june/test").unwrap();
        let checkpoint = Checkpoint { size: 7, root: tlog_tiles::record_hash(b"x") };
        let note = checkpoint.sign(&key).unwrap();
        assert_eq!(Checkpoint::open(&note, key.public()).unwrap(), checkpoint);
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(Checkpoint::open(&changed, key.public()).is_err(), "byte {at}");
            }
        }
        let other = SecretKey::generate("june/test").unwrap();
        assert!(Checkpoint::open(&note, other.public()).is_err());
        assert!(SecretKey::parse(key.secret_text(), &other.public().to_string()).is_err());
        assert!(SecretKey::generate("two words").is_err());
    }
}
