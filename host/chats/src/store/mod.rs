//! What is kept on disk: what arrived, what came of it, and who may speak.
//!
//! One SQLite database in write-ahead mode, where every commit is on the disk before it returns.
//! Functions that block are called off the asynchronous threads, through [`Store::call`].

mod access;
mod deliveries;
mod history;
mod inbox;
mod notes;
mod schema;
mod settings;
mod turns;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::watch;

pub use access::{CODE_LIFE, Known, Pairing};
pub use deliveries::{Delivery, DeliveryState, Kind};
pub use history::{Filter, Row};
pub use notes::{LONGEST_NOTE, MOST_NOTES, Notes, NotesError};
pub use turns::State;

pub(crate) use settings::ChatSettings;
pub(crate) use turns::{Answer, Change, Ignored, Turn, Waiting, asked};

/// Why something could not be kept, or read back.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is damaged, or no store.
    #[error("{path} cannot be used: {reason}\nhint: move it away to begin anew, or restore a copy")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A newer June wrote the file.
    #[error(
        "{path} has version {found} of the format, this June knows {known}\nhint: use the newer June"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// Another process answers this platform's messages.
    #[error(
        "another June answers for {platform} with {path}\nhint: stop it first, or use another file"
    )]
    Claimed {
        /// The platform.
        platform: String,
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened or made.
    #[error("{path} cannot be opened: {error}\nhint: check the folder and who may write there")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The database did not do it.
    #[error("conversations could not be written or read: {0}")]
    Database(#[from] rusqlite::Error),
    /// What is on disk makes no sense.
    #[error("conversations on disk make no sense: {0}")]
    Senseless(String),
    /// The work was cut off because the process ends.
    #[error("conversations could not be written: the process ends")]
    Ending,
}

/// What conversations are kept in. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    database: Mutex<Connection>,
    /// Counts what arrived, to wake whoever waits for it.
    arrived: watch::Sender<u64>,
    /// None in memory.
    path: Option<PathBuf>,
    /// Begins every key of a delivery, so that two stores never share one.
    tag: String,
}

/// That this process alone answers a platform's messages; until it is dropped.
#[derive(Debug)]
pub struct Claim(
    #[expect(dead_code, reason = "the lock lasts as long as the file is open")] Option<File>,
);

impl Store {
    /// Opens a store, or makes one that only its owner can read.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, is damaged, is none of June's, or of a newer June.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open = |error: String| StoreError::Open { path: path.into(), error };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        drop(options.open(path).map_err(|error| open(error.to_string()))?);
        let database = Connection::open(path).map_err(|error| open(error.to_string()))?;
        let prepared = prepare(database, path);
        let (database, tag) = prepared.map_err(|error| match error {
            StoreError::Database(error) if is_damage(&error) => {
                StoreError::Damaged { path: path.into(), reason: error.to_string() }
            }
            StoreError::Database(error) => open(error.to_string()),
            other => other,
        })?;
        Ok(Self::of(database, tag, Some(path.into())))
    }

    /// A store that is gone with the process.
    ///
    /// # Errors
    ///
    /// When SQLite cannot be started.
    pub fn in_memory() -> Result<Self, StoreError> {
        let (database, tag) = prepare(Connection::open_in_memory()?, Path::new("memory"))?;
        Ok(Self::of(database, tag, None))
    }

    fn of(database: Connection, tag: String, path: Option<PathBuf>) -> Self {
        let arrived = watch::Sender::new(0);
        Self(Arc::new(Shared { database: Mutex::new(database), arrived, path, tag }))
    }

    /// Makes this process the only one that answers a platform's messages.
    ///
    /// # Errors
    ///
    /// [`StoreError::Claimed`] when another does.
    pub fn claim(&self, platform: &str) -> Result<Claim, StoreError> {
        let Some(path) = &self.0.path else { return Ok(Claim(None)) };
        let mut lock = path.clone().into_os_string();
        lock.push(format!(".{platform}.lock"));
        let lock = PathBuf::from(lock);
        let open = |error: std::io::Error| StoreError::Open {
            path: lock.clone(),
            error: error.to_string(),
        };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .map_err(open)?;
        match file.try_lock() {
            Ok(()) => Ok(Claim(Some(file))),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(StoreError::Claimed { platform: platform.into(), path: path.clone() })
            }
            Err(std::fs::TryLockError::Error(error)) => Err(open(error)),
        }
    }

    /// Does something with the database, on this thread.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // A transaction that a panic cut off was rolled back.
        work(&mut self.0.database.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something with the database, off the asynchronous threads. What was begun is finished
    /// even if nobody waits for it any more.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || store.with(work)).await;
        done.map_err(|_| StoreError::Ending)?
    }

    /// Changes whenever something arrives.
    pub(crate) fn arrivals(&self) -> watch::Receiver<u64> {
        self.0.arrived.subscribe()
    }

    /// Wakes whoever waits for what arrives.
    fn arrived(&self) {
        self.0.arrived.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The key of a delivery: the same for every attempt, 1 to 25 letters and digits.
    pub(crate) fn key(&self, turn: u64, kind: Kind, part: u32) -> String {
        let letter = match kind {
            Kind::Text => 't',
            Kind::Voice => 'v',
        };
        format!("{}{letter}{turn:x}p{part:x}", self.0.tag)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({:?})", self.0.path)
    }
}

fn prepare(mut database: Connection, path: &Path) -> Result<(Connection, String), StoreError> {
    database.busy_timeout(Duration::from_secs(60))?;
    database.set_prepared_statement_cache_capacity(64);
    // A commit that returned survives the loss of power.
    database.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    let tag = schema::prepare(&mut database, path)?;
    Ok((database, tag))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Milliseconds of Unix time.
pub(crate) fn now() -> u64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Senseless(format!("no random numbers: {error}")))?;
    Ok(bytes)
}
