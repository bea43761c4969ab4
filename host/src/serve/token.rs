//! The tokens by which clients are known, and what each may do.
//!
//! A token is 256 random bits, shown once. The file has its SHA-256, which is enough: nobody tries
//! 2²⁵⁶ tokens, so there is no need for a slow hash.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::ValueEnum;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use june_sandbox::Digest;
use serde::{Deserialize, Serialize};

use crate::commands::journal::now;

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Talk with agents.
    Talk,
    /// Read and review what agents did.
    Review,
    /// Everything: evaluations and models, too.
    Admin,
}

impl Role {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Talk => "talk",
            Role::Review => "review",
            Role::Admin => "admin",
        }
    }
}

/// A token, as the file has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// Whose it is; runs and reviews are found by it.
    pub(crate) name: String,
    pub(crate) roles: Vec<Role>,
    /// In hexadecimal digits.
    sha256: String,
    /// When it was made, in milliseconds of Unix time.
    pub(crate) time: u64,
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Caller {
    /// The token's name.
    pub(crate) name: String,
    roles: Vec<Role>,
    /// The token's hash.
    sha256: Digest,
    limiter: Arc<DefaultDirectRateLimiter>,
}

impl Caller {
    /// Whether the caller may do what this role may.
    pub(crate) fn may(&self, role: Role) -> bool {
        self.roles.contains(&role) || self.roles.contains(&Role::Admin)
    }

    /// Whether the caller may ask now: not more often than agreed.
    pub(crate) fn in_time(&self) -> bool {
        self.limiter.check().is_ok()
    }
}

/// The file of tokens. What is written into it holds at once.
pub(crate) struct Tokens {
    file: PathBuf,
    rate: Quota,
    read: Mutex<Option<Read>>,
}

/// What was read of the file, when it had this age and length.
struct Read {
    version: (SystemTime, u64),
    callers: BTreeMap<Digest, Caller>,
}

impl Tokens {
    /// The tokens of this file, each good for so many requests a second.
    pub(crate) fn new(file: PathBuf, rate: u32) -> Result<Self> {
        let rate = std::num::NonZero::new(rate).context("`rate` of [serve] is 0")?;
        Ok(Self { file, rate: Quota::per_second(rate), read: Mutex::default() })
    }

    /// Whose token this is. The search is over hashes, so its time tells nothing of a token.
    pub(crate) fn caller(&self, token: &str) -> Result<Option<Caller>> {
        self.known(&Digest::of(token.as_bytes()))
    }

    /// Whether whoever asked once may still do what this role may: tokens are revoked.
    pub(crate) fn still(&self, caller: &Caller, role: Role) -> Result<bool> {
        Ok(self.known(&caller.sha256)?.is_some_and(|caller| caller.may(role)))
    }

    fn known(&self, sha256: &Digest) -> Result<Option<Caller>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let version = fs::metadata(&self.file).ok().map(|metadata| {
            (metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), metadata.len())
        });
        let Some(version) = version else {
            *read = None;
            return Ok(None);
        };
        if read.as_ref().is_none_or(|read| read.version != version) {
            let before = read.take().map(|read| read.callers).unwrap_or_default();
            let callers = load(&self.file)?.into_iter().map(|known| {
                let sha256 = known.sha256.parse::<Digest>();
                let sha256 =
                    sha256.with_context(|| format!("{} is damaged", self.file.display()))?;
                let limiter = before.get(&sha256).map(|caller: &Caller| caller.limiter.clone());
                let limiter = limiter.unwrap_or_else(|| Arc::new(RateLimiter::direct(self.rate)));
                let (name, roles) = (known.name, known.roles);
                Ok((sha256, Caller { name, roles, sha256, limiter }))
            });
            *read = Some(Read { version, callers: callers.collect::<Result<_>>()? });
        }
        Ok(read.as_ref().and_then(|read| read.callers.get(sha256).cloned()))
    }
}

/// The tokens of a file; none where there is no file.
pub(crate) fn load(file: &Path) -> Result<Vec<Known>> {
    match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text)
            .with_context(|| format!("{} is no file of tokens", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Makes a token, and returns it; the file has only its hash.
pub(crate) fn create(file: &Path, name: &str, roles: &[Role]) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        bail!("`{name}` is no name for a token\nhint: use letters, digits, `-`, `_` and `.`");
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random numbers: {error}"))?;
    let token = format!("june_{}", URL_SAFE_NO_PAD.encode(bytes));
    change(file, |tokens| {
        if tokens.iter().any(|known| known.name == name) {
            bail!("there is a token `{name}` already\nhint: june serve token revoke {name}");
        }
        let (name, mut roles) = (name.to_owned(), roles.to_vec());
        roles.sort_unstable();
        roles.dedup();
        let sha256 = Digest::of(token.as_bytes()).to_string();
        tokens.push(Known { name, roles, sha256, time: now() });
        Ok(())
    })?;
    Ok(token)
}

/// Takes a token back; false where there is none of this name.
pub(crate) fn revoke(file: &Path, name: &str) -> Result<bool> {
    change(file, |tokens| {
        let before = tokens.len();
        tokens.retain(|known| known.name != name);
        Ok(tokens.len() < before)
    })
}

/// Changes the file as a whole: a June that reads it meanwhile sees all of the change or nothing.
fn change<T>(file: &Path, how: impl FnOnce(&mut Vec<Known>) -> Result<T>) -> Result<T> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let lock = fs::File::create(file.with_extension("lock"))?;
    lock.lock()?;
    let mut tokens = load(file)?;
    let result = how(&mut tokens)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(serde_json::to_string_pretty(&tokens)?.as_bytes())?;
    new.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
    new.as_file().sync_all()?;
    new.persist(file).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(result)
}
