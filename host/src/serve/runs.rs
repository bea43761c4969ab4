//! The runs of the journal, for all who ask at once: one index that takes in what is written, and
//! others beside it that are only read.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use axum::http::StatusCode;
use june_sandbox::journal::{Folder, Journal};
use rusqlite::InterruptHandle;
use tokio::sync::{OwnedMutexGuard, Semaphore, broadcast};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::refusal::Refusal;
use crate::index::{Index, Outcome, Run};

/// How many questions are answered at once.
const READERS: usize = 8;
/// How long a question waits for an index that is being made.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often what was written is looked at: while somebody watches, and else.
const WATCHED: Duration = Duration::from_millis(100);
const UNWATCHED: Duration = Duration::from_secs(1);
/// How many events a watcher may be behind.
const BEHIND: usize = 4096;

/// A run began or ended.
#[derive(Debug)]
pub(crate) enum Change {
    Began(Run),
    Ended(Run),
}

/// The runs of a journal.
pub(crate) struct Runs {
    folder: Folder,
    journal: Journal,
    /// What takes in; none until it was needed first.
    writer: Arc<tokio::sync::Mutex<Option<Index>>>,
    /// How many records are taken in, or about to be.
    size: AtomicU64,
    /// Why the journal could not be read to its end.
    broken: Mutex<Option<String>>,
    readers: Arc<Mutex<Vec<Index>>>,
    room: Arc<Semaphore>,
    changes: broadcast::Sender<Arc<Change>>,
    stop: CancellationToken,
}

impl Runs {
    /// The runs of this journal, until it is told to stop.
    pub(crate) fn new(folder: Folder, journal: Journal, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            folder,
            journal,
            writer: Arc::default(),
            size: AtomicU64::new(0),
            broken: Mutex::default(),
            readers: Arc::default(),
            room: Arc::new(Semaphore::new(READERS)),
            changes: broadcast::channel(BEHIND).0,
            stop,
        })
    }

    /// Runs as they begin and end from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }

    /// Asks the index, which has all that is durable now. Whoever asks and goes away ends the
    /// question.
    pub(crate) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Index) -> Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let room = self.room.clone().acquire_owned().await.map_err(anyhow::Error::from)?;
        self.take_in().await?;
        let reader = self.reader().await?;
        let hang_up = HangUp(Arc::new(Mutex::new(Some(reader.interrupt()))));
        let (asking, readers) = (hang_up.0.clone(), self.readers.clone());
        let answer = spawn_blocking(move || {
            let answer = question(&reader);
            // From here on nobody interrupts the next question of this reader.
            lock(&asking).take();
            lock(&readers).push(reader);
            drop(room);
            answer
        });
        Ok(answer.await.map_err(anyhow::Error::from)??)
    }

    async fn reader(&self) -> Result<Index, Refusal> {
        let kept = lock(&self.readers).pop();
        match kept.filter(Index::is_there) {
            Some(reader) => Ok(reader),
            None => {
                let writer = self.writer().await?;
                let index = writer.as_ref().ok_or_else(|| anyhow!("there is no index"))?;
                Ok(index.reader()?)
            }
        }
    }

    /// The index that takes in, once nobody else has it.
    async fn writer(&self) -> Result<OwnedMutexGuard<Option<Index>>, Refusal> {
        let writer = tokio::time::timeout(PATIENCE, self.writer.clone().lock_owned()).await;
        writer.map_err(|_late| {
            let (size, all) = (self.size.load(Ordering::Relaxed), self.journal.durable());
            let error = format!("the journal is being indexed: {size} of {all} records");
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error).hint("ask again in a while")
        })
    }

    /// Takes in what was written since.
    async fn take_in(self: &Arc<Self>) -> Result<(), Refusal> {
        let mut writer = self.writer().await?;
        let durable = self.journal.durable();
        let there = writer.as_ref().is_some_and(Index::is_there);
        if there && self.size.load(Ordering::Relaxed) >= durable {
            return Ok(());
        }
        let runs = self.clone();
        let taken = spawn_blocking(move || {
            let mut index = match writer.take().filter(Index::is_there) {
                Some(index) => index,
                None => Index::begin(&runs.folder, false)?,
            };
            let taken = index.take_in(|records| {
                runs.size.store(records, Ordering::Relaxed);
                !runs.stop.is_cancelled()
            });
            runs.size.store(index.size()?, Ordering::Relaxed);
            *lock(&runs.broken) = index.broken.clone();
            *writer = Some(index);
            taken
        });
        Ok(taken.await.map_err(anyhow::Error::from)??)
    }

    /// Takes in what is written while it is written, and tells who watches; `trouble` is told what
    /// does not work.
    pub(crate) async fn follow(self: Arc<Self>, trouble: impl Fn(Option<String>)) {
        let first = self.journal.durable();
        let mut told: Option<Told> = None;
        while !self.stop.is_cancelled() {
            match self.tell(told.take(), first).await {
                Ok(now) => {
                    told = Some(now);
                    trouble(lock(&self.broken).clone());
                }
                // It is being made.
                Err(refusal) if refusal.status == StatusCode::SERVICE_UNAVAILABLE => {}
                Err(refusal) => trouble(Some(refusal.error)),
            }
            let watched = self.changes.receiver_count() > 0;
            tokio::select! {
                () = tokio::time::sleep(if watched { WATCHED } else { UNWATCHED }) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// Tells what changed since it was told before.
    async fn tell(self: &Arc<Self>, told: Option<Told>, first: u64) -> Result<Told, Refusal> {
        let look = move |index: &Index| {
            let Some(mut told) = told else {
                let told = Told { newest: index.newest()?, open: open(index, first)? };
                return Ok((told, Vec::new()));
            };
            let mut changes = Vec::new();
            for run in index.after(told.newest)? {
                told.newest = Some(run.run);
                told.open.insert(run.run);
                changes.push(Change::Began(run.begun()));
            }
            let mut ended = Vec::new();
            for run in &told.open {
                ended.extend(index.run(*run)?.filter(|run| !run.is_open()));
            }
            for run in ended {
                told.open.remove(&run.run);
                changes.push(Change::Ended(run));
            }
            Ok((told, changes))
        };
        let (told, changes) = self.ask(look).await?;
        for change in changes {
            // Nobody may be there.
            let _ = self.changes.send(Arc::new(change));
        }
        Ok(told)
    }
}

/// What watchers were told.
struct Told {
    newest: Option<u64>,
    /// Runs that began and did not end.
    open: BTreeSet<u64>,
}

/// The runs of this server, from its first record on, that go on.
fn open(index: &Index, first: u64) -> Result<BTreeSet<u64>> {
    let filter = crate::index::Filter { outcome: Some(Outcome::Unfinished), ..Default::default() };
    let open = index.runs(&filter)?;
    Ok(open.iter().map(|run| run.run).filter(|run| *run >= first).collect())
}

/// Ends a question when it is dropped before there is an answer.
struct HangUp(Arc<Mutex<Option<InterruptHandle>>>);

impl Drop for HangUp {
    fn drop(&mut self) {
        if let Some(asked) = lock(&self.0).take() {
            asked.interrupt();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use june_sandbox::Exit;
    use june_sandbox::journal::record::{End, Event, Start};

    use super::*;

    fn start(name: &str) -> Start {
        Start {
            component: june_sandbox::Digest::of(b"component"),
            name: name.into(),
            world: "runner".into(),
            session: "session".into(),
            engine: "engine".into(),
            configuration: june_sandbox::Digest::of(b"configuration"),
            grants: Vec::new(),
            policy: june_sandbox::Digest::of(b"policy"),
            limits: Default::default(),
            seed: 0,
            epoch: 0,
            input: Default::default(),
            parent: None,
        }
    }

    fn end() -> Event {
        let (exit, fuel, duration) = (Some(Exit::Returned), 7, 9);
        Event::End(End { exit, fuel, peak_memory: 1, calls: 0, entries: 0, denied: 0, duration })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_watches_is_told_of_each_run_once() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::new(folder.path().join("journal"));
        folder.init("june/test").unwrap();
        let (journal, _) = Journal::open(&folder, || 5).unwrap();
        let before = journal.start(start("before")).unwrap();
        journal.flush().unwrap();
        let stop = CancellationToken::new();
        let runs = Runs::new(folder, journal.clone(), stop.clone());
        let mut told = runs.watch();
        let following = tokio::spawn(runs.clone().follow(|why| assert_eq!(why, None)));
        // What was there is known once it is listed.
        let count = runs.ask(|index| Ok(index.runs(&Default::default())?.len())).await.unwrap();
        assert_eq!(count, 1);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut expected = Vec::new();
        for number in 0..3 {
            let run = journal.start(start(&format!("run {number}"))).unwrap();
            expected.push(format!("began {run} unfinished"));
            journal.append(run, end()).unwrap();
            expected.push(format!("ended {run} returned"));
        }
        // A run of an earlier June is no news.
        journal.append(before, end()).unwrap();
        let mut found = Vec::new();
        while found.len() < expected.len() {
            found.push(match &*told.recv().await.unwrap() {
                Change::Began(run) => format!("began {} {}", run.run, run.outcome),
                Change::Ended(run) => format!("ended {} {}", run.run, run.outcome),
            });
        }
        let place = |what: &str| found.iter().position(|one| one == what).unwrap();
        for pair in expected.chunks_exact(2) {
            assert!(place(&pair[0]) < place(&pair[1]), "{found:?}");
        }
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(told.try_recv().is_err(), "nothing twice");
        stop.cancel();
        following.await.unwrap();
    }
}
