//! Whose reviews the server signs: for each token's name it keeps a key of that name.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use june_sandbox::journal::note::SecretKey;

use super::token::Caller;
use crate::commands::journal::review::reviewer_key;

/// The folder of the reviewers' keys.
pub(crate) struct Reviewers {
    folder: Option<PathBuf>,
    /// A key is made once.
    making: Mutex<()>,
}

impl Reviewers {
    /// The keys in this folder, if there can be any.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, making: Mutex::new(()) }
    }

    /// The key of whoever asks, made where there is none.
    pub(crate) fn key(&self, caller: &Caller) -> Result<SecretKey> {
        let folder = self.folder.as_ref().context(
            "no place for reviewers' keys: neither XDG_CONFIG_HOME nor HOME is set\n\
             hint: start `june serve` with XDG_CONFIG_HOME",
        )?;
        let _one = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        // A token's name has no character that leads elsewhere.
        reviewer_key(&folder.join(format!("{}.key", caller.name)), &caller.name)
    }
}
