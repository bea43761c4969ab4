//! Answers what arrived: one turn at a time in each chat, many chats at once.

mod admit;
mod command;
mod deliver;
mod desk;
mod files;
mod listen;
mod span;
mod turn;
mod voice;
mod words;

use std::sync::Arc;
use std::time::Duration;

use june_speech::{Speaker, Transcriber};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::{Agents, Observer, Platform, PlatformError, Settings, Store, StoreError};

pub use command::{call_commands, commands};

/// Answers what arrives from one platform.
#[derive(Clone)]
pub struct Engine(Arc<Parts>);

/// What an engine is made of.
pub(crate) struct Parts {
    store: Store,
    platform: Arc<dyn Platform>,
    agents: Arc<dyn Agents>,
    settings: Settings,
    transcriber: Option<Arc<dyn Transcriber>>,
    speaker: Option<Arc<dyn Speaker>>,
    observer: Option<Arc<dyn Observer>>,
    /// How many voice messages are listened to at once.
    ears: Semaphore,
    /// How many voice messages are made at once: a processor is left for the texts.
    encoders: Semaphore,
}

/// The processors but one.
fn encoders() -> Semaphore {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new(processors.saturating_sub(1).max(1))
}

/// The most voice messages that are listened to at once.
const EARS: usize = 4;

/// Why an engine cannot go on. What is on disk is answered when it runs again.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The platform does not accept the token.
    #[error("{0}")]
    Unauthorized(String),
}

/// Why something was not sent.
#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<StoreError> for Unsent {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

/// The time after this, or one so far off that nobody will see it.
fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    let far = Duration::from_secs(30 * 365 * 86_400);
    now.checked_add(wait).unwrap_or(now + far)
}

impl Engine {
    /// An engine that reads and writes text.
    pub fn new(
        store: Store,
        platform: Arc<dyn Platform>,
        agents: Arc<dyn Agents>,
        settings: Settings,
    ) -> Self {
        Self(Arc::new(Parts {
            store,
            platform,
            agents,
            settings,
            transcriber: None,
            speaker: None,
            observer: None,
            ears: Semaphore::new(EARS),
            encoders: encoders(),
        }))
    }

    /// With ears: voice messages are understood.
    #[must_use]
    pub fn with_transcriber(self, transcriber: Arc<dyn Transcriber>) -> Self {
        self.with(|parts| parts.transcriber = Some(transcriber))
    }

    /// With a voice: answers are spoken to whoever speaks, or wishes it.
    #[must_use]
    pub fn with_speaker(self, speaker: Arc<dyn Speaker>) -> Self {
        self.with(|parts| parts.speaker = Some(speaker))
    }

    /// With somebody who is told what happens.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        self.with(|parts| parts.observer = Some(observer))
    }

    fn with(self, change: impl FnOnce(&mut Parts)) -> Self {
        let old = &*self.0;
        let mut parts = Parts {
            store: old.store.clone(),
            platform: old.platform.clone(),
            agents: old.agents.clone(),
            settings: old.settings.clone(),
            transcriber: old.transcriber.clone(),
            speaker: old.speaker.clone(),
            observer: old.observer.clone(),
            ears: Semaphore::new(EARS),
            encoders: encoders(),
        };
        change(&mut parts);
        Self(Arc::new(parts))
    }

    /// Answers what is in the store and what arrives there, beginning with what an earlier run
    /// left unfinished. Ends only when it cannot go on. Dropping the future ends it at any time,
    /// like a crash does: nothing is lost, and nothing will be said twice. Must be polled within a
    /// Tokio runtime with its time driver enabled.
    ///
    /// # Errors
    ///
    /// When another process answers for this platform with the same store, the store fails, or the
    /// platform does not accept the token.
    pub async fn run(&self) -> Result<(), EngineError> {
        self.run_until(std::future::pending()).await
    }

    /// As [`run`](Self::run), until `stop`: then no further turn begins, and the future ends with
    /// the turns that are being answered. The others are answered by the next run.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_until(&self, stop: impl Future<Output = ()>) -> Result<(), EngineError> {
        let _claim = self.0.store.claim(self.0.platform.name())?;
        desk::Desk::new(self.0.clone()).run(stop).await
    }
}
