//! Turns in chats: how long each stage takes, and one trace from the message to the answer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use june_chats::{Chat, Stage};
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::metrics::{self, Platform, metrics};
use super::traces::{self, failed, name, tell};

/// The turns that go on.
#[derive(Default)]
pub(crate) struct Traces(Mutex<HashMap<u64, Turn>>);

struct Turn {
    whole: Context,
    /// The stages that go on. Of a stage that runs several times at once, the first to begin is
    /// taken for the first to end.
    stages: HashMap<Stage, VecDeque<Context>>,
}

impl Traces {
    /// A stage of a turn begins.
    pub(crate) fn began(&self, chat: &Chat, turn: u64, stage: Stage) {
        // The first one is told of when it is over, and the others are points in time.
        if matches!(stage, Stage::Wait | Stage::FirstWord | Stage::FirstSentence) {
            return;
        }
        let mut turns = self.lock();
        let turn = turns.entry(turn).or_insert_with(|| Turn::begin(chat, SystemTime::now()));
        let span = traces::begin(SpanBuilder::from_name(stage.name()), &turn.whole);
        turn.stages.entry(stage).or_default().push_back(span);
    }

    /// A stage ended after this time, well or not.
    pub(crate) fn ended(&self, chat: &Chat, turn: u64, stage: Stage, took: Duration, well: bool) {
        let label = metrics::Stage { platform: chat.platform.clone(), stage: stage.name() };
        metrics().stage_time.get_or_create(&label).observe(took.as_secs_f64());
        if !well {
            metrics().stage_failures.get_or_create(&label).inc();
        }
        let mut turns = self.lock();
        if stage == Stage::Wait {
            let now = SystemTime::now();
            let begun = now.checked_sub(took).unwrap_or(now);
            let turn = turns.entry(turn).or_insert_with(|| Turn::begin(chat, begun));
            let span = SpanBuilder::from_name(stage.name()).with_start_time(begun);
            traces::begin(span, &turn.whole).span().end();
            return;
        }
        let Some(turn) = turns.get_mut(&turn) else { return };
        match turn.stages.get_mut(&stage).and_then(VecDeque::pop_front) {
            Some(span) => {
                if !well {
                    failed(&span, stage.name());
                    failed(&turn.whole, stage.name());
                }
                span.span().end();
            }
            None => turn.whole.span().add_event(stage.name(), Vec::new()),
        }
    }

    /// A turn is at its end.
    pub(crate) fn done(&self, chat: &Chat, turn: u64) {
        let platform = chat.platform.clone();
        metrics().turns.get_or_create(&Platform { platform }).inc();
        if let Some(turn) = self.lock().remove(&turn) {
            turn.whole.span().end();
        }
    }

    /// A turn is recorded as this run.
    pub(crate) fn recorded(&self, turn: u64, run: u64) {
        if let (Some(turn), Ok(run)) = (self.lock().get(&turn), i64::try_from(run)) {
            tell(&turn.whole, name::RUN, run);
        }
    }

    /// What an agent's run belongs to.
    pub(crate) fn agent(&self, turn: u64) -> Context {
        let turns = self.lock();
        let stage = turns.get(&turn).and_then(|turn| turn.stages.get(&Stage::Agent)?.back());
        stage.cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn begin(chat: &Chat, begun: SystemTime) -> Self {
        let platform = &chat.platform;
        let span = SpanBuilder::from_name(format!("turn {platform}"))
            .with_kind(SpanKind::Consumer)
            .with_start_time(begun)
            .with_attributes([
                KeyValue::new(name::CONVERSATION, format!("{platform}/{}", chat.id)),
                KeyValue::new(name::PLATFORM, platform.clone()),
            ]);
        Self { whole: traces::begin(span, &Context::new()), stages: HashMap::new() }
    }
}
