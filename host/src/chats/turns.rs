//! Turns of chats in the journal, and how long their stages took.
//!
//! A turn is a run of the world `chat`, whose calls are its stages: what was downloaded, heard,
//! answered, spoken and sent. The agent's run is a child of the stage `agent`. The host makes these
//! calls itself, so there is nothing to replay but the agent's run.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use june_chats::{Chat, Observer, Passed, Stage};
use june_sandbox::journal::record::{Answer, Call, Data, End, Event, Parent, Start};
use june_sandbox::journal::{Digest, Exit, Journal};
use opentelemetry::Context;
use serde_json::json;
use tokio::sync::watch;

use super::session;
use crate::log;
use crate::telemetry::turns::Traces;
use crate::words::nearest;

/// The world of a turn's run.
pub(crate) const WORLD: &str = "chat";

/// The most times of a stage that are kept.
const KEPT: usize = 4096;

/// Writes turns to a journal, and keeps the times.
pub(crate) struct Turns {
    journal: Option<Journal>,
    open: Mutex<HashMap<u64, Run>>,
    times: Mutex<BTreeMap<Stage, VecDeque<Duration>>>,
    traces: Traces,
    /// How many are at their end.
    ended: watch::Sender<u64>,
    /// Whether it was told that the journal failed.
    told: OnceLock<()>,
}

/// A turn that goes on.
struct Run {
    number: u64,
    begun: Instant,
    calls: u64,
    /// The calls that have no answer yet. Of a stage that runs several times at once, the first to
    /// begin is taken for the first to end.
    waiting: HashMap<Stage, VecDeque<u64>>,
    failed: Option<String>,
}

impl Turns {
    /// Turns that are recorded, where there is a journal.
    pub(crate) fn new(journal: Option<Journal>) -> Turns {
        Turns {
            journal,
            open: Mutex::default(),
            times: Mutex::default(),
            traces: Traces::default(),
            ended: watch::Sender::new(0),
            told: OnceLock::new(),
        }
    }

    /// Waits until so many turns are at their end.
    pub(crate) async fn wait_for(&self, turns: u64) {
        // It cannot fail: the sender is here.
        let _ = self.ended.subscribe().wait_for(|ended| *ended >= turns).await;
    }

    /// The journal.
    pub(crate) fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// The stage that an agent's run belongs to.
    pub(crate) fn parent(&self, turn: u64) -> Option<Parent> {
        let open = lock(&self.open);
        let run = open.get(&turn)?;
        let call = *run.waiting.get(&Stage::Agent)?.back()?;
        Some(Parent { run: run.number, call })
    }

    /// What of a trace an agent's run belongs to.
    pub(crate) fn context(&self, turn: u64) -> Context {
        self.traces.agent(turn)
    }

    /// The times of each stage: the median, the 95th percentile, and how many there are.
    pub(crate) fn times(&self) -> Vec<(Stage, Duration, Duration, usize)> {
        let times = lock(&self.times);
        let of = |(stage, times): (&Stage, &VecDeque<Duration>)| {
            let mut sorted: Vec<Duration> = times.iter().copied().collect();
            sorted.sort_unstable();
            (*stage, nearest(&sorted, 0.5), nearest(&sorted, 0.95), sorted.len())
        };
        times.iter().map(of).collect()
    }

    /// Writes what is in memory to disk.
    pub(crate) fn close(&self) -> Result<()> {
        Ok(self.journal.as_ref().map_or(Ok(()), Journal::flush)?)
    }

    fn begin(&self, journal: &Journal, chat: &Chat, turn: u64) -> Result<Run> {
        let input = BTreeMap::from([("turn".to_owned(), journal.data(turn.to_string().into())?)]);
        let number = journal.start(Start {
            component: Digest::of(b""),
            name: "turn".into(),
            world: WORLD.into(),
            session: session(chat),
            engine: concat!("june ", env!("CARGO_PKG_VERSION")).into(),
            configuration: Digest::of(b""),
            grants: Vec::new(),
            policy: Digest::of(b""),
            limits: BTreeMap::new(),
            seed: 0,
            epoch: 0,
            input,
            parent: None,
        })?;
        let (begun, waiting) = (Instant::now(), HashMap::new());
        Ok(Run { number, begun, calls: 0, waiting, failed: None })
    }

    fn write_began(&self, journal: &Journal, chat: &Chat, turn: u64, stage: Stage) -> Result<()> {
        let mut open = lock(&self.open);
        let run = match open.entry(turn) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let run = self.begin(journal, chat, turn)?;
                self.traces.recorded(turn, run.number);
                entry.insert(run)
            }
        };
        let call = Call {
            number: run.calls,
            function: format!("june:host/chat.{}", stage.name()),
            arguments: Data::Inline(b"[]".to_vec()),
            grant: WORLD.into(),
        };
        run.waiting.entry(stage).or_default().push_back(run.calls);
        run.calls += 1;
        journal.append(run.number, Event::Call(call))?;
        Ok(())
    }

    fn write_ended(
        &self,
        journal: &Journal,
        turn: u64,
        stage: Stage,
        took: Duration,
        passed: Result<Passed, String>,
    ) -> Result<()> {
        let mut open = lock(&self.open);
        let Some(run) = open.get_mut(&turn) else { return Ok(()) };
        let Some(number) = run.waiting.get_mut(&stage).and_then(VecDeque::pop_front) else {
            return Ok(());
        };
        let result = match &passed {
            Ok(Passed::Nothing) => json!({ "Ok": null }),
            Ok(Passed::Text(text)) => json!({ "Ok": text }),
            Ok(Passed::Bytes(bytes, digest)) => {
                let sha256 = Digest::from(*digest).to_string();
                json!({ "Ok": { "bytes": bytes, "sha256": sha256 } })
            }
            Err(why) => json!({ "Err": why }),
        };
        if let Err(why) = passed {
            run.failed = Some(format!("{}: {why}", stage.name()));
        }
        let result = journal.data(result.to_string().into())?;
        let duration = micros(took);
        let answer = Answer { number, result, fuel_before: 0, fuel_after: 0, duration };
        journal.append(run.number, Event::Answer(answer))?;
        Ok(())
    }

    fn write_done(&self, journal: &Journal, turn: u64) -> Result<()> {
        let Some(run) = lock(&self.open).remove(&turn) else { return Ok(()) };
        let end = End {
            exit: Some(run.failed.map_or(Exit::Returned, Exit::Crashed)),
            fuel: 0,
            peak_memory: 0,
            calls: run.calls,
            entries: run.calls,
            denied: 0,
            duration: micros(run.begun.elapsed()),
        };
        journal.append(run.number, Event::End(end))?;
        Ok(())
    }

    /// The first failure is told; the conversations go on.
    fn checked(&self, written: Result<()>) {
        if let Err(error) = written
            && self.told.set(()).is_ok()
        {
            log::warn(&format!("turns are no longer recorded: {error}")).say();
        }
    }
}

/// Stages that are effects; the others are measures of these.
fn is_call(stage: Stage) -> bool {
    !matches!(stage, Stage::Wait | Stage::FirstWord | Stage::FirstSentence)
}

impl Observer for Turns {
    fn began(&self, chat: &Chat, turn: u64, stage: Stage) {
        self.traces.began(chat, turn, stage);
        if let Some(journal) = self.journal.as_ref().filter(|_| is_call(stage)) {
            self.checked(self.write_began(journal, chat, turn, stage));
        }
    }

    fn ended(
        &self,
        chat: &Chat,
        turn: u64,
        stage: Stage,
        took: Duration,
        passed: Result<Passed, String>,
    ) {
        self.traces.ended(chat, turn, stage, took, passed.is_ok());
        {
            let mut times = lock(&self.times);
            let times = times.entry(stage).or_default();
            if times.len() == KEPT {
                times.pop_front();
            }
            times.push_back(took);
        }
        if let Some(journal) = self.journal.as_ref().filter(|_| is_call(stage)) {
            self.checked(self.write_ended(journal, turn, stage, took, passed));
        }
    }

    fn done(&self, chat: &Chat, turn: u64) {
        self.traces.done(chat, turn);
        if let Some(journal) = &self.journal {
            self.checked(self.write_done(journal, turn));
        }
        self.ended.send_modify(|ended| *ended += 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
