//! The bot is killed (SIGKILL) a hundred times, at every call that it makes and between them. In
//! the end every question has exactly one answer, and no voice message was sent twice.
//!
//! The fake platform lives in the test's process, the bot in one of its own: this test's binary,
//! asked for the ignored test `the_bot`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{FakePlatform, FakeServer, Fault, written};
use futures_util::future::{BoxFuture, ready};
use futures_util::{FutureExt, StreamExt, stream};
use june_chats::{
    Access, AgentEvent, Agents, Engine, Events, Filter, Inbox, Kind, Rate, Request, Settings,
    State, Store,
};
use june_speech::{Audio, Segment, Segments, Speaker, SpeechError, Transcriber};
use serde_json::json;

const ADDRESS: &str = "JUNE_TEST_FAKE_PLATFORM";
const STORE: &str = "JUNE_TEST_STORE";
const KEYED: &str = "JUNE_TEST_KEYED";

/// Paragraphs of an answer: enough for several messages.
const PARAGRAPHS: usize = 8;

/// An agent of which no two answers are the same: asked twice, it gives itself away.
struct Paragraphs;

impl Agents for Paragraphs {
    fn names(&self) -> Vec<String> {
        vec!["paragraphs".into()]
    }

    fn ask(&self, _agent: &str, request: Request) -> Events {
        let once = std::process::id();
        // What was written; what was heard follows it.
        let question = request.text.lines().next().unwrap().to_owned();
        let pieces = (1..=PARAGRAPHS).map(move |number| {
            let filler = "word ".repeat(20);
            format!("[{question} by {once}: {number} of {PARAGRAPHS}] {filler}\n\n")
        });
        let said = stream::iter(pieces).then(|piece| async {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok(AgentEvent::Said(piece))
        });
        let end = stream::iter([Ok(AgentEvent::Answer(String::new()))]);
        said.chain(end).boxed()
    }
}

/// Ears and a voice that need no model.
struct Scripted;

impl Transcriber for Scripted {
    fn transcribe(&self, audio: Audio, _language: Option<String>) -> Segments {
        let text = format!("{} samples", audio.samples.len());
        let (start, end) = (Duration::ZERO, audio.duration());
        stream::iter([Ok(Segment { text, start, end, language: Some("en".into()) })]).boxed()
    }
}

impl Speaker for Scripted {
    fn speak(
        &self,
        _text: String,
        _language: Option<String>,
    ) -> BoxFuture<'static, Result<Audio, SpeechError>> {
        ready(Ok(common::tone(800))).boxed()
    }
}

/// Not a test: the bot's process.
#[test]
#[ignore = "the process that the test kills"]
fn the_bot() {
    let Ok(address) = std::env::var(ADDRESS) else {
        println!("skipped: this is the process that the other tests start");
        return;
    };
    let keyed = std::env::var(KEYED).is_ok();
    let store = Store::open(Path::new(&std::env::var_os(STORE).unwrap())).unwrap();
    let platform = FakePlatform::new(address.parse().unwrap(), keyed);
    let settings = Settings {
        access: Access::Everyone,
        person: Rate { burst: 1_000_000, every: Duration::ZERO },
        chat: Rate { burst: 1_000_000, every: Duration::ZERO },
        attempts: u32::MAX,
        waiting: usize::MAX,
        ..Settings::default()
    };
    let engine =
        Engine::new(store.clone(), Arc::new(platform.clone()), Arc::new(Paragraphs), settings)
            .with_transcriber(Arc::new(Scripted))
            .with_speaker(Arc::new(Scripted));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let receiving = async {
            loop {
                let Ok(answer) = platform.call(json!({ "call": "updates" })).await else {
                    continue;
                };
                let updates: Vec<june_chats::Incoming> =
                    serde_json::from_value(answer["updates"].clone()).unwrap();
                let (inbox, recorded) = (store.clone(), updates.clone());
                tokio::task::spawn_blocking(move || inbox.record(&recorded).unwrap())
                    .await
                    .unwrap();
                for update in updates {
                    let request = json!({ "call": "acknowledge", "update": update.update });
                    let _ = platform.call(request).await;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            ended = engine.run() => panic!("{ended:?}"),
            () = receiving => {}
        }
    });
}

fn start(server: &FakeServer, store: &Path, keyed: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["the_bot", "--exact", "--ignored", "--nocapture"]);
    command.env(ADDRESS, server.address.to_string()).env(STORE, store);
    if keyed {
        command.env(KEYED, "yes");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// A bot that is killed, by whoever comes first.
#[derive(Clone, Default)]
struct Victim(Arc<Mutex<Alive>>);

/// No bot outlives a test that fails.
#[derive(Default)]
struct Alive(Option<Child>);

impl Drop for Alive {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Victim {
    fn kill(&self) {
        if let Some(mut child) = self.0.lock().unwrap().0.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn is_dead(&self) -> bool {
        self.0.lock().unwrap().0.is_none()
    }
}

fn crash(keyed: bool, crashes: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chats.sqlite");
    let server = FakeServer::start(keyed);
    let spoken = june_speech::encode(&common::tone(8000)).unwrap();
    server.shown.lock().unwrap().files.insert("voice.ogg".into(), spoken.ogg);
    let mut questions = 0;
    let mut killed_at: BTreeSet<(String, bool)> = BTreeSet::new();
    for life in 0..crashes {
        for chat in ["one", "two"] {
            questions += 1;
            let question = format!("q{questions}");
            let mut update = written(&question, chat, &question);
            if chat == "two" {
                update.voice = Some(common::attachment("voice.ogg"));
            }
            let mut shown = server.shown.lock().unwrap();
            // Some arrive twice.
            if questions % 5 == 0 {
                shown.updates.push(update.clone());
            }
            shown.updates.push(update);
        }
        let victim = Victim::default();
        // Killed at a call that changes something, the next one in each life, before or after it
        // was done; or at some moment.
        // Every fourth dies of a voice message.
        let aloud = life % 4 == 3;
        let deadly = if aloud { 1 } else { 1 + (life / 3) % 16 };
        let kind = if aloud { life / 4 % 2 } else { life % 3 };
        let (at, mut count) = (Arc::new(Mutex::new(None)), 0);
        let (weapon, noted) = (victim.clone(), at.clone());
        server.faults(move |_, name, _| {
            let counts = match aloud {
                true => name == "voice",
                false => matches!(name, "post" | "edit" | "voice" | "acknowledge"),
            };
            if weapon.is_dead() || !counts {
                return Fault::None;
            }
            count += 1;
            if count < deadly || kind == 2 {
                return Fault::None;
            }
            // After it was done, its answer is on its way for a moment that differs.
            *noted.lock().unwrap() = Some((name.to_owned(), kind == 1));
            let weapon = weapon.clone();
            match kind {
                0 => {
                    weapon.kill();
                    Fault::Before
                }
                _ => {
                    std::thread::spawn(move || {
                        sleep(Duration::from_micros(life * 97 % 4000));
                        weapon.kill();
                    });
                    if life / 8 % 2 == 0 { Fault::None } else { Fault::After }
                }
            }
        });
        victim.0.lock().unwrap().0 = Some(start(&server, &path, keyed));
        let moment = if kind == 2 { 20 + life * 37 % 300 } else { 2000 };
        let begun = Instant::now();
        while !victim.is_dead() && begun.elapsed() < Duration::from_millis(moment) {
            sleep(Duration::from_millis(1));
        }
        victim.kill();
        killed_at.extend(at.lock().unwrap().take());
    }
    server.faults(|_, _, _| Fault::None);
    let last = Victim(Arc::new(Mutex::new(Alive(Some(start(&server, &path, keyed))))));
    let begun = Instant::now();
    let store = Store::open(&path).unwrap();
    let finished = |store: &Store| {
        let rows = store.history(&Filter::default()).unwrap();
        rows.len() == questions && rows.iter().all(|row| row.state == State::Done)
    };
    while !finished(&store) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{:#?}",
            store.history(&Filter::default())
        );
        sleep(Duration::from_millis(20));
    }
    last.kill();
    judge(&server, &store, questions, keyed);
    println!("{crashes} crashes, {questions} questions; killed at {killed_at:?}");
    for call in ["post", "edit", "voice", "acknowledge"] {
        assert!(killed_at.iter().any(|(at, _)| at == call), "never killed at {call}");
    }
}

/// Every question has one whole answer, and nothing else was said.
fn judge(server: &FakeServer, store: &Store, questions: usize, keyed: bool) {
    let shown = server.shown.lock().unwrap();
    assert!(shown.violations.is_empty(), "{:?}", shown.violations);
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut empty = 0;
    for seen in shown.messages.iter().filter(|seen| seen.voice.is_none()) {
        if seen.text == "…" {
            empty += 1;
            continue;
        }
        for paragraph in seen.text.split("\n\n").filter(|it| !it.starts_with("> ")) {
            let (question, rest) = paragraph
                .trim_start_matches('[')
                .split_once(" by ")
                .unwrap_or_else(|| panic!("no whole paragraph: {:?}", seen.text));
            let (mark, _) = rest.split_once(']').unwrap();
            answers.entry(question.into()).or_default().push(mark.into());
        }
    }
    for number in 1..=questions {
        let marks = answers.remove(&format!("q{number}")).unwrap_or_default();
        let once = marks.first().map_or("", |mark| mark.split(':').next().unwrap());
        let whole: Vec<String> =
            (1..=PARAGRAPHS).map(|part| format!("{once}: {part} of {PARAGRAPHS}")).collect();
        assert_eq!(marks, whole, "q{number}");
    }
    assert!(answers.is_empty(), "nobody asked: {answers:?}");
    println!("{empty} placeholders stayed empty");
    // What the history says was sent is what the person sees, and nothing was spoken twice.
    let mut spoken = BTreeMap::new();
    for row in store.history(&Filter::default()).unwrap() {
        let asked_aloud = row.received.as_ref().unwrap().voice.is_some();
        assert_eq!(row.heard.is_some(), asked_aloud);
        assert_eq!(row.sent.iter().any(|sent| sent.kind == Kind::Voice), asked_aloud);
        for sent in row.sent {
            let key = |seen: &&common::Seen| seen.key == sent.key;
            if sent.kind == Kind::Voice {
                let times = shown.messages.iter().filter(key).count();
                *spoken.entry((sent.state.name(), times)).or_insert(0) += 1;
                continue;
            }
            let seen = shown.messages.iter().find(|seen| Some(&seen.id) == sent.message.as_ref());
            assert_eq!(seen.map(|seen| &seen.text), sent.markdown.as_ref(), "turn {}", row.turn);
        }
    }
    println!("voice messages by state and how often they were sent: {spoken:?}");
    let fits = |(state, times): &(&str, usize)| match *state {
        "sent" => *times == 1,
        "uncertain" => !keyed && *times <= 1,
        _ => false,
    };
    assert!(spoken.keys().all(fits), "{spoken:?}");
}

#[test]
fn one_answer_for_every_question_whenever_it_is_killed() {
    crash(false, 70);
}

#[test]
fn the_same_where_attempts_have_keys() {
    crash(true, 30);
}
