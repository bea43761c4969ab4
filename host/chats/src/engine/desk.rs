//! Who is served when: a lane for each chat, and one turn of each lane at a time.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::admit::{Doorkeeper, Entry};
use super::{EngineError, Parts, words};
use crate::store::{Answer, Ignored, State, Waiting};

/// The most chats that somebody is served in or waits in.
const MOST_LANES: usize = 10_000;
/// The most refusals that are on their way at once; further ones are not said.
const MOST_ASIDES: usize = 64;

/// The turns that are worked on, and those that wait.
pub(super) struct Desk {
    parts: Arc<Parts>,
    doorkeeper: Doorkeeper,
    lanes: HashMap<String, Lane>,
    permits: Arc<Semaphore>,
    tasks: JoinSet<Ended>,
    asides: usize,
    /// The last turn that was looked at.
    seen: u64,
}

struct Lane {
    running: u64,
    cancel: CancellationToken,
    waiting: VecDeque<u64>,
}

/// A task that ended.
struct Ended {
    number: u64,
    /// The chat whose lane it was in; none for what was said beside the lanes.
    chat: Option<String>,
    /// None after a panic.
    result: Option<Result<(), EngineError>>,
}

impl Desk {
    pub(super) fn new(parts: Arc<Parts>) -> Self {
        Self {
            doorkeeper: Doorkeeper::new(&parts.settings),
            lanes: HashMap::new(),
            permits: Arc::new(Semaphore::new(parts.settings.parallel.max(1))),
            tasks: JoinSet::new(),
            asides: 0,
            seen: 0,
            parts,
        }
    }

    /// Serves until `stop`; then what is being answered is finished.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), EngineError> {
        let mut arrivals = self.parts.store.arrivals();
        let mut stop = pin!(stop);
        loop {
            if stop.as_mut().now_or_never().is_some() {
                return self.finish().await;
            }
            let platform = self.parts.platform.name();
            let turns = self.parts.store.unfinished(platform, self.seen).await?;
            if !turns.is_empty() {
                self.take_in(turns).await?;
                // Lanes are freed while many arrive.
                while let Some(ended) = self.tasks.try_join_next() {
                    self.ended(ended)?;
                }
                continue;
            }
            tokio::select! {
                () = &mut stop => return self.finish().await,
                _ = arrivals.changed() => {}
                Some(ended) = self.tasks.join_next() => self.ended(ended)?,
            }
        }
    }

    /// Waits for what is being answered. What waits its turn stays on disk, for the next run.
    async fn finish(mut self) -> Result<(), EngineError> {
        self.permits.close();
        for lane in self.lanes.values_mut() {
            lane.waiting.clear();
        }
        while let Some(ended) = self.tasks.join_next().await {
            self.ended(ended)?;
        }
        Ok(())
    }

    async fn take_in(&mut self, turns: Vec<Waiting>) -> Result<(), EngineError> {
        let mut ignored = Vec::new();
        for turn in turns {
            self.seen = turn.number;
            let number = turn.number;
            let chat = turn.incoming.chat.id.clone();
            // What was begun before a crash is finished first.
            if turn.state != State::Recorded {
                self.queue(chat, number);
                continue;
            }
            let full = self.is_full(&chat);
            let entry = self.doorkeeper.admit(&self.parts, &turn.incoming, full).await?;
            match entry {
                Entry::Turn => self.queue(chat, number),
                Entry::Stop => match self.lanes.get(&chat) {
                    Some(lane) => {
                        self.parts.store.stop(lane.running, number).await?;
                        lane.cancel.cancel();
                    }
                    None => self.aside(number, words::NOTHING_TO_STOP.into(), false, &mut ignored),
                },
                Entry::Say { text, forget } => self.aside(number, text, forget, &mut ignored),
                Entry::Ignore { why, forget } => ignored.push(Ignored { number, why, forget }),
            }
        }
        Ok(self.parts.store.ignore(ignored).await?)
    }

    fn is_full(&self, chat: &str) -> bool {
        match self.lanes.get(chat) {
            Some(lane) => lane.waiting.len() >= self.parts.settings.waiting,
            None => self.lanes.len() >= MOST_LANES,
        }
    }

    fn queue(&mut self, chat: String, number: u64) {
        if let Some(lane) = self.lanes.get_mut(&chat) {
            lane.waiting.push_back(number);
            return;
        }
        let cancel = self.start(&chat, number);
        self.lanes.insert(chat, Lane { running: number, cancel, waiting: VecDeque::new() });
    }

    fn start(&mut self, chat: &str, number: u64) -> CancellationToken {
        let cancel = CancellationToken::new();
        let (parts, permits) = (self.parts.clone(), self.permits.clone());
        let token = cancel.clone();
        let work = async move {
            // None are given out any more when the desk is closing.
            let Ok(_permit) = permits.acquire_owned().await else { return Ok(()) };
            parts.turn(number, &token).await
        };
        self.spawn(number, Some(chat.into()), work.boxed());
        cancel
    }

    /// Says something beside the lanes.
    fn aside(&mut self, number: u64, text: String, forget: bool, ignored: &mut Vec<Ignored>) {
        if self.asides >= MOST_ASIDES {
            ignored.push(Ignored { number, why: "refused, with many others", forget });
            return;
        }
        self.asides += 1;
        let parts = self.parts.clone();
        let work = async move {
            if forget {
                parts.store.forget(number).await?;
            }
            parts.store.answered(number, Answer::of_june(text)).await?;
            parts.turn(number, &CancellationToken::new()).await
        };
        self.spawn(number, None, work.boxed());
    }

    fn spawn(
        &mut self,
        number: u64,
        chat: Option<String>,
        work: BoxFuture<'static, Result<(), EngineError>>,
    ) {
        self.tasks.spawn(async move {
            let result = AssertUnwindSafe(work).catch_unwind().await.ok();
            Ended { number, chat, result }
        });
    }

    fn ended(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> Result<(), EngineError> {
        let Ok(Ended { number, chat, result }) = ended else { return Ok(()) };
        match result {
            Some(result) => result?,
            None => {
                // The others go on; this one is told so.
                let parts = self.parts.clone();
                self.spawn(number, chat, async move { parts.give_up(number).await }.boxed());
                return Ok(());
            }
        }
        let Some(chat) = chat else {
            self.asides = self.asides.saturating_sub(1);
            return Ok(());
        };
        let Some(lane) = self.lanes.get_mut(&chat) else { return Ok(()) };
        match lane.waiting.pop_front() {
            Some(next) => {
                lane.running = next;
                let cancel = self.start(&chat, next);
                if let Some(lane) = self.lanes.get_mut(&chat) {
                    lane.cancel = cancel;
                }
            }
            None => {
                self.lanes.remove(&chat);
            }
        }
        Ok(())
    }
}
