//! What sound takes: few recordings and answers at once, and a record of each in the journal.
//!
//! A request is a run of the world of chats, with the one call that the host made for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use june_chats::{Chat, Observer, Passed, Stage};
use june_sandbox::Journal;
use june_speech::SpeechError;
use tokio::sync::Semaphore;

use crate::chats::Turns;
use crate::serve::refusal::Refusal;
use crate::serve::token::Caller;

/// How many requests are worked on at once; the others wait.
const AT_ONCE: usize = 4;

/// How long one may take, without the wait.
const LONGEST: Duration = Duration::from_secs(600);

/// Requests with sound.
pub(super) struct Sound {
    turns: Turns,
    next: AtomicU64,
    room: Semaphore,
}

impl Sound {
    /// Requests that are recorded in this journal.
    pub(super) fn new(journal: Journal) -> Self {
        let turns = Turns::new(Some(journal));
        Self { turns, next: AtomicU64::new(0), room: Semaphore::new(AT_ONCE) }
    }

    /// Does the work of a request, once there is room for it, and records it. Dropped, it is given
    /// up.
    pub(super) async fn work<T>(
        &self,
        caller: &Caller,
        stage: Stage,
        work: impl Future<Output = Result<T, SpeechError>>,
        told: impl FnOnce(&T) -> Passed,
    ) -> Result<T, Refusal> {
        let _room = self.room.acquire().await;
        let chat = Chat { platform: "api".into(), id: caller.name.clone() };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.turns.began(&chat, number, stage);
        let (begun, ended) = (Instant::now(), false);
        let mut span = Span { sound: self, chat, number, stage, begun, ended };
        let worked = tokio::time::timeout(LONGEST, work).await;
        let worked = worked.unwrap_or_else(|_late| {
            Err(SpeechError::Engine(format!("it took longer than {} s", LONGEST.as_secs())))
        });
        span.end(match &worked {
            Ok(done) => Ok(told(done)),
            Err(error) => Err(error.to_string()),
        });
        worked.map_err(refusal)
    }
}

/// Work that has begun. Dropped, it was given up.
struct Span<'a> {
    sound: &'a Sound,
    chat: Chat,
    number: u64,
    stage: Stage,
    begun: Instant,
    ended: bool,
}

impl Span<'_> {
    fn end(&mut self, passed: Result<Passed, String>) {
        self.ended = true;
        let turns = &self.sound.turns;
        turns.ended(&self.chat, self.number, self.stage, self.begun.elapsed(), passed);
        turns.done(&self.chat, self.number);
    }
}

impl Drop for Span<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Err("the client hung up".into()));
        }
    }
}

/// Whose fault an error is.
pub(super) fn refusal(error: SpeechError) -> Refusal {
    let (status, text) = match error {
        SpeechError::Input(text) => (StatusCode::BAD_REQUEST, text),
        SpeechError::Engine(text) => (StatusCode::BAD_GATEWAY, text),
    };
    match text.split_once("\nhint: ") {
        Some((error, hint)) => Refusal::new(status, error).hint(hint),
        None => Refusal::new(status, text),
    }
}
