//! Fifty conversations at once: how long each stage of a turn takes, with a fake platform that
//! answers at once, an agent that has its answer ready, and a voice that is a tone, at once or after
//! a while. What is left is June's own work.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{FakePlatform, FakeServer, attachment, tone, written};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use june_chats::{
    Access, AgentEvent, Agents, Chat, Engine, Events, Filter, Inbox, Incoming, Observer, Passed,
    Request, Settings, Stage, State, Store,
};
use june_speech::{Audio, Segment, Segments, Speaker, SpeechError, Transcriber};

const CHATS: usize = 50;
const TURNS: usize = 4;
/// Samples of a voice message of ten seconds.
const TEN_SECONDS: u32 = 160_000;

struct Instantly;

impl Agents for Instantly {
    fn names(&self) -> Vec<String> {
        vec!["instantly".into()]
    }

    fn ask(&self, _agent: &str, _request: Request) -> Events {
        let sentences = ["This is said at once. ", "So is this, which is a little longer. "];
        let said = sentences.map(|sentence| Ok(AgentEvent::Said(sentence.into())));
        stream::iter(said).chain(stream::iter([Ok(AgentEvent::Answer("End.".into()))])).boxed()
    }
}

impl Transcriber for Instantly {
    fn transcribe(&self, audio: Audio, _language: Option<String>) -> Segments {
        let (text, start, end) = ("What is this?".into(), Duration::ZERO, audio.duration());
        stream::iter([Ok(Segment { text, start, end, language: None })]).boxed()
    }
}

/// A voice that takes so long for a sentence of two seconds.
#[derive(Clone, Copy)]
struct After(Duration);

impl Speaker for After {
    fn speak(
        &self,
        _text: String,
        _language: Option<String>,
    ) -> BoxFuture<'static, Result<Audio, SpeechError>> {
        let After(wait) = *self;
        async move {
            tokio::time::sleep(wait).await;
            Ok(tone(32_000))
        }
        .boxed()
    }
}

#[derive(Clone, Default)]
struct Stopwatch(Arc<Mutex<BTreeMap<Stage, Vec<Duration>>>>);

impl Observer for Stopwatch {
    fn done(&self, _: &Chat, _: u64) {}

    fn began(&self, _: &Chat, _: u64, _: Stage) {}

    fn ended(&self, _: &Chat, _: u64, stage: Stage, took: Duration, _: Result<Passed, String>) {
        self.0.lock().unwrap().entry(stage).or_default().push(took);
    }
}

fn spoken(samples: u32) -> bytes::Bytes {
    let wave = (0..samples).map(|at| (at as f32 * 0.07).sin() * 0.5);
    let audio = Audio { samples: wave.collect(), rate: 16_000 };
    june_speech::encode(&audio).unwrap().ogg
}

fn measure(name: &str, chats: usize, turns: usize, voice: Option<After>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("chats.sqlite")).unwrap();
    let server = FakeServer::start(false);
    server.shown.lock().unwrap().files.insert("voice.ogg".into(), spoken(TEN_SECONDS));
    let stopwatch = Stopwatch::default();
    let settings = Settings { access: Access::Everyone, ..Settings::default() };
    let platform = Arc::new(FakePlatform::new(server.address, false));
    let engine = Engine::new(store.clone(), platform, Arc::new(Instantly), settings)
        .with_transcriber(Arc::new(Instantly))
        .with_observer(Arc::new(stopwatch.clone()));
    let engine = match voice {
        Some(voice) => engine.with_speaker(Arc::new(voice)),
        None => engine,
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let running = runtime.spawn(async move { engine.run().await });
    let begun = Instant::now();
    for turn in 0..turns {
        let updates: Vec<Incoming> = (0..chats)
            .map(|chat| {
                let mut update = written(format!("{chat}-{turn}"), &format!("c{chat}"), "What?");
                update.voice = voice.map(|_| attachment("voice.ogg"));
                update
            })
            .collect();
        store.record(&updates).unwrap();
    }
    let wanted = chats * turns;
    loop {
        let rows = store.history(&Filter::default()).unwrap();
        if rows.iter().filter(|row| row.state == State::Done).count() == wanted {
            break;
        }
        assert!(!running.is_finished() && begun.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = begun.elapsed();
    running.abort();
    println!("{name}: {wanted} turns in {chats} chats, {:.2} s", took.as_secs_f64());
    println!("  {:<16}{:>6}{:>12}{:>12}", "stage", "count", "p50 ms", "p95 ms");
    for (stage, mut times) in std::mem::take(&mut *stopwatch.0.lock().unwrap()) {
        times.sort();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
        let count = times.len();
        println!("  {:<16}{count:>6}{:>12.2}{:>12.2}", stage.name(), at(50), at(95));
    }
}

fn main() {
    let (at_once, later) = (After(Duration::ZERO), After(Duration::from_millis(200)));
    measure("one spoken conversation", 1, TURNS, Some(at_once));
    measure("written", CHATS, TURNS, None);
    measure("spoken, by a voice that is there at once", CHATS, TURNS, Some(at_once));
    measure("spoken, by a voice ten times as fast as it speaks", CHATS, TURNS, Some(later));
}
