//! Sign-off: a reviewer's opinion of a run, signed with a key of the reviewer's.

use crate::note::{NoteError, PublicKey, SecretKey};
use crate::record::{Opinion, Review};

impl Opinion {
    /// The opinion, in a word.
    pub fn name(self) -> &'static str {
        match self {
            Opinion::Ok => "ok",
            Opinion::Flag => "flag",
        }
    }
}

/// What the reviewer signs.
fn text(journal: &str, run: u64, verdict: Opinion, comment: &str) -> String {
    format!("june review\n{journal}\nrun {run}\n{}\n{comment}\n", verdict.name())
}

impl Review {
    /// Signs an opinion of a run of the journal of this name.
    ///
    /// # Errors
    ///
    /// When the comment has control characters.
    pub fn sign(
        key: &SecretKey,
        journal: &str,
        run: u64,
        verdict: Opinion,
        comment: &str,
    ) -> Result<Self, NoteError> {
        Ok(Self {
            verdict,
            comment: comment.into(),
            reviewer: key.public().to_string(),
            note: key.sign(&text(journal, run, verdict, comment))?,
        })
    }

    /// Whether the reviewer whom this names signed what this says, of this run
    /// of the journal of this name. Who the reviewer is, the key alone tells.
    ///
    /// # Errors
    ///
    /// When it is not so.
    pub fn check(&self, journal: &str, run: u64) -> Result<(), NoteError> {
        let signed = PublicKey::parse(&self.reviewer)?.verify(&self.note)?;
        match signed == text(journal, run, self.verdict, &self.comment) {
            true => Ok(()),
            false => Err(NoteError::Note("the reviewer signed something else".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_review_says_what_was_signed() {
        let key = SecretKey::generate("someone").unwrap();
        let review = Review::sign(&key, "june/a", 7, Opinion::Ok, "two\n\nlines").unwrap();
        assert!(review.check("june/a", 7).is_ok());
        assert!(review.check("june/a", 8).is_err());
        assert!(review.check("june/b", 7).is_err());
        assert!(Review { verdict: Opinion::Flag, ..review.clone() }.check("june/a", 7).is_err());
        assert!(Review { comment: "x".into(), ..review }.check("june/a", 7).is_err());
        assert!(Review::sign(&key, "june/a", 7, Opinion::Ok, "\x1b[2J").is_err());
    }
}
