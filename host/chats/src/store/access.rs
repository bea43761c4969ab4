//! Who may speak with the agents: people who were paired with a code.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Store, StoreError, now, random};
use crate::Person;

/// How long a code can be used.
pub const CODE_LIFE: Duration = Duration::from_secs(600);

/// Wrong codes before the right one is worth nothing any more: far too few to guess one of 2^40.
const MOST_TRIES: u32 = 1000;

/// Letters and digits that are not mistaken for each other (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What came of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// The person may speak from now on; the code is used up.
    Paired,
    /// It is not the code, or there is none now.
    Wrong,
}

/// Somebody who was paired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The platform's name.
    pub platform: String,
    /// Who.
    pub person: Person,
    /// Since when: milliseconds of Unix time.
    pub since: u64,
}

impl Store {
    /// Makes the code that pairs one person, within [`CODE_LIFE`]; codes made before are worth
    /// nothing any more. Only its digest is kept.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn new_code(&self, platform: &str) -> Result<String, StoreError> {
        let letters: Vec<u8> = random::<8>()?
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied())
            .collect();
        let code = String::from_utf8_lossy(&letters).into_owned();
        let life = u64::try_from(CODE_LIFE.as_millis()).unwrap_or(u64::MAX);
        let expires = now().saturating_add(life);
        self.with(|database| {
            database.execute(
                "INSERT OR REPLACE INTO codes (platform, digest, expires) VALUES (?, ?, ?)",
                params![platform, digest(&code), expires],
            )?;
            Ok(())
        })?;
        let (first, second) = code.split_at_checked(4).unwrap_or((&code, ""));
        Ok(format!("{first}-{second}"))
    }

    /// Pairs a person who knows the code.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn pair(&self, platform: &str, person: &Person, code: &str) -> Result<Pairing, StoreError> {
        self.with(|database| pair(database, platform, person, code))
    }

    /// As [`pair`](Self::pair), off the asynchronous threads.
    pub(crate) async fn try_code(
        &self,
        platform: &'static str,
        person: Person,
        code: String,
    ) -> Result<Pairing, StoreError> {
        self.call(move |database| pair(database, platform, &person, &code)).await
    }

    /// Forgets that a person was paired; true when that was so.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn unpair(&self, platform: &str, person: &str) -> Result<bool, StoreError> {
        self.with(|database| {
            let text = "DELETE FROM people WHERE platform = ? AND person = ?";
            Ok(database.execute(text, [platform, person])? == 1)
        })
    }

    /// Who was paired.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub fn people(&self) -> Result<Vec<Known>, StoreError> {
        self.with(|database| {
            let text = "SELECT platform, person, name, since FROM people ORDER BY platform, since";
            let mut statement = database.prepare_cached(text)?;
            let people = statement.query_map([], |row| {
                let person = Person { id: row.get(1)?, name: row.get(2)? };
                Ok(Known { platform: row.get(0)?, person, since: row.get(3)? })
            })?;
            Ok(people.collect::<Result<_, _>>()?)
        })
    }

    /// Whether a person was paired.
    pub(crate) async fn is_paired(
        &self,
        platform: &'static str,
        person: String,
    ) -> Result<bool, StoreError> {
        self.call(move |database| {
            let text = "SELECT TRUE FROM people WHERE platform = ? AND person = ?";
            let values = params![platform, person];
            let found = database.prepare_cached(text)?.query_row(values, |_| Ok(())).optional();
            Ok(found?.is_some())
        })
        .await
    }
}

fn pair(
    database: &mut Connection,
    platform: &str,
    person: &Person,
    code: &str,
) -> Result<Pairing, StoreError> {
    let given = digest(&plain(code));
    let work = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let text = "SELECT digest FROM codes WHERE platform = ? AND expires > ? AND tries < ?";
    let wanted: Option<Vec<u8>> =
        work.query_row(text, params![platform, now(), MOST_TRIES], |row| row.get(0)).optional()?;
    let right = wanted.is_some_and(|wanted| bool::from(wanted.ct_eq(&given)));
    if right {
        work.execute("DELETE FROM codes WHERE platform = ?", [platform])?;
        work.execute(
            "INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?)",
            params![platform, person.id, person.name, now()],
        )?;
    } else {
        work.execute("UPDATE codes SET tries = tries + 1 WHERE platform = ?", [platform])?;
    }
    work.commit()?;
    Ok(if right { Pairing::Paired } else { Pairing::Wrong })
}

/// A code as people write it, as it was meant.
fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).take(64);
    letters
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

fn digest(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}
