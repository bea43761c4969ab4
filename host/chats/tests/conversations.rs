//! Conversations with a fake platform: what people see.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{EDITS, FakePlatform, FakeServer, Fault, TEXT_LIMIT, attachment, tone, written};
use futures_util::future::{BoxFuture, ready};
use futures_util::{FutureExt, StreamExt, stream};
use june_chats::{
    Access, AgentError, AgentEvent, Agents, Author, Chat, Engine, EngineError, Events, Filter,
    Inbox, Incoming, Kind, Observer, Passed, Rate, Request, Row, Settings, Stage, State, Store,
};
use june_speech::{Audio, Segment, Segments, Speaker, SpeechError, Transcriber};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Does what the first word of a request says.
#[derive(Clone, Default)]
struct Obedient {
    asked: Arc<Mutex<Vec<Request>>>,
}

fn said(text: impl Into<String>) -> Result<AgentEvent, AgentError> {
    Ok(AgentEvent::Said(text.into()))
}

fn answer(text: impl Into<String>) -> Result<AgentEvent, AgentError> {
    Ok(AgentEvent::Answer(text.into()))
}

impl Agents for Obedient {
    fn names(&self) -> Vec<String> {
        vec!["obedient".into(), "other".into()]
    }

    fn ask(&self, agent: &str, request: Request) -> Events {
        self.asked.lock().unwrap().push(request.clone());
        let (word, rest) = request.text.split_once(' ').unwrap_or((&request.text, ""));
        let rest = rest.to_owned();
        let never = stream::pending();
        match word {
            "say" => stream::iter([said(rest), answer("")]).boxed(),
            "begin" => stream::iter([said(rest)]).chain(never).boxed(),
            "think" => never.boxed(),
            "fail" => {
                stream::iter([said(rest), Err(AgentError("the model is gone".into()))]).boxed()
            }
            "panic" => panic!("as I was told"),
            "who" => stream::iter([answer(agent)]).boxed(),
            "drip" => {
                let words: Vec<String> = rest.split(' ').map(|word| format!("{word} ")).collect();
                let drops = stream::iter(words).then(|word| async {
                    sleep(Duration::from_millis(15)).await;
                    said(word)
                });
                drops.chain(stream::iter([answer("")])).boxed()
            }
            "files" => {
                let names: Vec<String> = request
                    .files
                    .iter()
                    .map(|file| format!("{} ({} bytes)", file.name, file.bytes.len()))
                    .collect();
                stream::iter([answer(names.join(", "))]).boxed()
            }
            "remember" => {
                let told = request.conversation.iter().map(|message| match &message.by {
                    Author::Agent => format!("me: {}", message.text),
                    Author::Person(name) => format!("{name}: {}", message.text),
                });
                stream::iter([answer(told.collect::<Vec<_>>().join(" | "))]).boxed()
            }
            _ => stream::iter([answer(format!("You said: {}", request.text))]).boxed(),
        }
    }
}

/// Hears what it is told to; `fail` makes it fail.
struct Ears(&'static str);

impl Transcriber for Ears {
    fn transcribe(&self, audio: Audio, _language: Option<String>) -> Segments {
        let (start, end) = (Duration::ZERO, audio.duration());
        let segment = |text: &str| {
            let language = Some("en".to_owned());
            Ok(Segment { text: text.into(), start, end, language })
        };
        match self.0 {
            "" => stream::empty().boxed(),
            "fail" => stream::iter([Err(SpeechError::Engine("the server is down".into()))]).boxed(),
            words => stream::iter([segment(words)]).boxed(),
        }
    }
}

#[derive(Clone, Default)]
struct Mouth(Arc<Mutex<Vec<String>>>);

impl Speaker for Mouth {
    fn speak(
        &self,
        text: String,
        _language: Option<String>,
    ) -> BoxFuture<'static, Result<Audio, SpeechError>> {
        self.0.lock().unwrap().push(text);
        ready(Ok(tone(1600))).boxed()
    }
}

struct Bot {
    server: FakeServer,
    store: Store,
    agents: Obedient,
    mouth: Mouth,
    running: JoinHandle<Result<(), EngineError>>,
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.running.abort();
    }
}

fn settings() -> Settings {
    Settings { access: Access::Everyone, ..Settings::default() }
}

fn bot(settings: Settings) -> Bot {
    bot_with(settings, "say heard", |engine| engine)
}

fn bot_with(settings: Settings, hears: &'static str, more: impl FnOnce(Engine) -> Engine) -> Bot {
    let server = FakeServer::start(false);
    let store = Store::in_memory().unwrap();
    let (agents, mouth) = (Obedient::default(), Mouth::default());
    let platform = Arc::new(FakePlatform::new(server.address, false));
    let engine = Engine::new(store.clone(), platform, Arc::new(agents.clone()), settings)
        .with_transcriber(Arc::new(Ears(hears)))
        .with_speaker(Arc::new(mouth.clone()));
    let engine = more(engine);
    let running = tokio::spawn(async move { engine.run().await });
    Bot { server, store, agents, mouth, running }
}

impl Bot {
    fn send(&self, incoming: Incoming) {
        self.store.record(&[incoming]).unwrap();
    }

    fn row(&self, update: &str) -> Option<Row> {
        let rows = self.store.history(&Filter { ignored: true, ..Filter::default() }).unwrap();
        rows.into_iter().find(|row| row.update == update)
    }

    async fn until(&self, what: &str, done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
            sleep(Duration::from_millis(3)).await;
        }
    }

    async fn done(&self, update: &str) -> Row {
        let done = || {
            let row = self.row(update);
            row.is_some_and(|row| matches!(row.state, State::Done | State::Ignored))
        };
        self.until(update, done).await;
        self.row(update).unwrap()
    }

    /// Sends a text in a chat, and returns what is there in the end.
    async fn ask(&self, update: &str, chat: &str, text: &str) -> Vec<String> {
        self.send(written(update, chat, text));
        self.done(update).await;
        self.server.texts(chat)
    }
}

#[tokio::test]
async fn an_answer_grows_and_is_there_once() {
    let bot = bot(settings());
    let words: Vec<String> = (0..20).map(|number| format!("word{number}")).collect();
    let text = words.join(" ");
    assert_eq!(bot.ask("1", "c", &format!("drip {text}")).await, [text.as_str()]);
    let seen = bot.server.messages("c").remove(0);
    assert_eq!(seen.answers.as_deref(), Some("in-1"));
    let edits: Vec<_> = seen.texts.iter().skip(1).collect();
    assert!(edits.len() > 3, "{edits:?}");
    for pair in edits.windows(2) {
        assert!(pair[1].1.starts_with(pair[0].1.trim_end()), "{pair:?}");
    }
    // All but the last one keep the platform's pace.
    for pair in edits[..edits.len() - 1].windows(2) {
        assert!(pair[1].0 - pair[0].0 >= EDITS, "too quick");
    }
    let shown = bot.server.shown.lock().unwrap();
    assert!(shown.indicators.contains(&("c".into(), "Typing".into())));
    assert!(shown.violations.is_empty());
}

#[tokio::test]
async fn a_long_answer_has_several_messages() {
    let bot = bot(settings());
    let text: Vec<String> =
        (0..30).map(|number| format!("Paragraph {number} {}", "x".repeat(60))).collect();
    let seen = bot.ask("1", "c", &format!("say {}", text.join("\n\n"))).await;
    assert!(seen.len() > 3 && seen.iter().all(|part| part.len() <= TEXT_LIMIT));
    assert_eq!(seen.join("\n\n"), text.join("\n\n"));
}

#[tokio::test]
async fn what_was_said_before_is_known_until_a_reset() {
    let bot = bot(settings());
    bot.ask("1", "c", "say one").await;
    bot.ask("2", "c", "fail").await;
    bot.ask("3", "other", "say elsewhere").await;
    assert_eq!(bot.ask("4", "c", "remember").await.last().unwrap(), "Ada: say one | me: one");
    let notes = bot.store.notes(&Chat { platform: "fake".into(), id: "c".into() });
    notes.set("name", "Ada").unwrap();
    bot.ask("5", "c", "/reset").await;
    let seen = bot.ask("6", "c", "remember").await;
    assert_eq!(seen.last().unwrap(), "There is no answer: obedient said nothing.");
    assert_eq!(notes.get("name").unwrap(), None);
}

#[tokio::test]
async fn an_agent_is_chosen() {
    let bot = bot(settings());
    assert_eq!(bot.ask("1", "c", "who").await, ["obedient"]);
    let seen = bot.ask("2", "c", "/agent nobody").await;
    assert_eq!(seen[1], "There is no agent `nobody`. There are: obedient, other.");
    assert_eq!(bot.ask("3", "c", "/agent OTHER").await[2], "From now on **other** answers.");
    assert_eq!(bot.ask("4", "c", "who").await[3], "other");
    assert_eq!(bot.ask("5", "d", "who").await, ["obedient"], "only in its chat");
    assert!(bot.ask("6", "d", "/help").await[1].contains("`/voice [on or off]`"));
    assert!(bot.ask("7", "d", "/dance").await[2].starts_with("I do not know `/dance`"));
}

#[tokio::test]
async fn voice_in_voice_out() {
    let bot = bot(settings());
    let voice = june_speech::encode(&tone(16_000)).unwrap();
    bot.server.shown.lock().unwrap().files.insert("voice.ogg".into(), voice.ogg);
    let mut spoken = written("1", "c", "");
    spoken.voice = Some(attachment("voice.ogg"));
    bot.send(spoken);
    let row = bot.done("1").await;
    assert_eq!(row.heard.as_deref(), Some("say heard"));
    let seen = bot.server.messages("c");
    assert_eq!(seen[0].text, "> say heard\n\nheard");
    assert_eq!(seen.len(), 2);
    assert!(seen[1].voice.is_some(), "after the text");
    assert_eq!(row.sent.iter().filter(|sent| sent.kind == Kind::Voice).count(), 1);
    assert_eq!(*bot.mouth.0.lock().unwrap(), ["heard."]);
    // Text is answered with text, until somebody wishes otherwise.
    bot.ask("2", "c", "say **text** only. Twice.").await;
    assert_eq!(bot.server.messages("c").len(), 3);
    bot.ask("3", "c", "/voice on").await;
    bot.ask("4", "c", "say one. Say two.").await;
    let seen = bot.server.messages("c");
    let voices: Vec<usize> = seen.iter().filter_map(|seen| seen.voice).collect();
    // Two sentences, one after the other in one message.
    let twice = [tone(1600).samples, tone(1600).samples].concat();
    let both = june_speech::encode(&Audio { samples: twice.into(), rate: 16_000 }).unwrap();
    assert_eq!(voices[1..], [both.ogg.len()]);
    assert_eq!(*bot.mouth.0.lock().unwrap(), ["heard.", "one.", "Say two."]);
    // The conversation is one, written and spoken.
    let told = bot.ask("5", "c", "remember").await;
    assert!(told.last().unwrap().starts_with("Ada: say heard | me: heard | Ada: say **text**"));
}

#[tokio::test]
async fn what_cannot_be_heard_is_said() {
    let cases: [(&'static str, &[u8], Option<u32>, &str); 5] = [
        ("say x", b"OggS and then nothing sensible", None, "I could not listen to that: "),
        ("say x", b"", Some(7200), "That voice message is too long for me: 10 min is the most."),
        ("", b"sound", None, "I heard nobody speak in that. "),
        ("fail", b"sound", None, "I could not listen to that: the server is down. "),
        ("say x", b"missing", None, "I could not listen to that: there is no such file. "),
    ];
    for (hears, bytes, seconds, words) in cases {
        let bot = bot_with(settings(), hears, |engine| engine);
        let file = match bytes {
            b"sound" => june_speech::encode(&tone(16_000)).unwrap().ogg,
            bytes => bytes::Bytes::from_static(bytes),
        };
        if bytes != b"missing" {
            bot.server.shown.lock().unwrap().files.insert("voice.ogg".into(), file);
        }
        let mut spoken = written("1", "c", "");
        spoken.voice = Some(attachment("voice.ogg"));
        spoken.voice.as_mut().unwrap().seconds = seconds;
        bot.send(spoken);
        bot.done("1").await;
        let seen = bot.server.texts("c");
        assert!(seen.len() == 1 && seen[0].starts_with(words), "{seen:?}");
        // The next message is none the worse for it.
        assert_eq!(bot.ask("2", "c", "say on").await[1], "on");
    }
}

#[tokio::test]
async fn files_are_offered_and_bounded() {
    let bot = bot(Settings { bytes: 1000, files: 3, ..settings() });
    {
        let mut shown = bot.server.shown.lock().unwrap();
        // A zip bomb is a file like others.
        shown.files.insert("bomb.zip".into(), bytes::Bytes::from_static(&[0x50; 300]));
        shown.files.insert("large".into(), bytes::Bytes::from_static(&[0; 2000]));
    }
    let with = |update: &str, files: &[(&str, &str, Option<u64>)]| {
        let mut incoming = written(update, "c", "files");
        for (id, name, bytes) in files {
            let mut file = attachment(id);
            file.name = (*name).into();
            file.bytes = *bytes;
            incoming.files.push(file);
        }
        incoming
    };
    let same = ("bomb.zip", "../../bomb.zip", Some(300));
    let cases = [
        (with("1", &[same, same]), "bomb.zip (300 bytes), bomb (2).zip (300 bytes)"),
        (with("2", &[same, same, same, same]), "Those are too many files for me: 3 is the most."),
        (
            with("3", &[("large", "l", None)]),
            "I could not get the file `l`: the file is too large.",
        ),
        (with("4", &[("large", "l", Some(2000))]), "The file `l` is too large for me: "),
    ];
    for (number, (incoming, words)) in cases.into_iter().enumerate() {
        let update = incoming.update.clone();
        bot.send(incoming);
        bot.done(&update).await;
        let seen = bot.server.texts("c");
        assert!(seen[number].starts_with(words), "{seen:?}");
    }
}

#[tokio::test]
async fn one_turn_at_a_time_in_a_chat_and_stop_ends_it() {
    let bot = bot(settings());
    bot.send(written("1", "c", "begin with this"));
    bot.until("shown", || bot.server.texts("c") == ["with this"]).await;
    bot.send(written("2", "c", "say next"));
    assert_eq!(bot.ask("3", "d", "say elsewhere").await, ["elsewhere"], "another chat goes on");
    assert_eq!(bot.row("2").unwrap().state, State::Recorded);
    bot.send(written("4", "c", "/stop"));
    bot.done("2").await;
    assert_eq!(bot.server.texts("c"), ["with this\n\n_Stopped._", "next"]);
    assert_eq!(bot.row("4").unwrap().outcome.as_deref(), Some("stopped a turn"));
    assert_eq!(bot.ask("5", "c", "/stop").await[2], "There is nothing to stop.");
}

#[tokio::test]
async fn the_first_words_and_the_last_have_a_time() {
    let bot = bot(Settings {
        patience: Duration::from_millis(100),
        longest: Duration::from_millis(600),
        ..settings()
    });
    bot.send(written("1", "silent", "think"));
    bot.until("patience", || bot.server.texts("silent") == ["_Still working on it …_"]).await;
    let late = bot.ask("2", "late", "begin well").await;
    assert_eq!(late, ["well\n\n_Time is up; this is the answer so far._"]);
    bot.done("1").await;
    let silent = bot.server.texts("silent");
    assert_eq!(silent.len(), 1);
    assert!(silent[0].starts_with("Time is up, and there is no answer yet."), "{silent:?}");
}

#[tokio::test]
async fn a_failure_is_said_and_a_fault_harms_nobody_else() {
    let bot = bot(settings());
    let seen = bot.ask("1", "c", "fail half an answer").await;
    assert_eq!(seen, ["half an answer\n\n_The answer ends here: the model is gone._"]);
    assert_eq!(bot.ask("2", "d", "fail").await, ["There is no answer: the model is gone."]);
    let seen = bot.ask("3", "d", "panic").await;
    assert!(seen[1].starts_with("Something went wrong in me"), "{seen:?}");
    assert_eq!(bot.ask("4", "d", "say fine").await[2], "fine");
}

#[tokio::test]
async fn the_newest_edit_counts_until_the_work_begins() {
    let bot = bot(settings());
    bot.send(written("1", "c", "begin"));
    bot.until("asked", || !bot.agents.asked.lock().unwrap().is_empty()).await;
    let edit = |update: &str, text: &str, time: u64| {
        let mut edit = written(update, "c", text);
        edit.message = "in-2".into();
        (edit.edit, edit.time) = (true, edit.time + time);
        edit
    };
    // Out of order: the newer edit, the message, the older edit.
    bot.send(edit("e2", "say new", 2));
    bot.send(written("2", "c", "say old"));
    bot.send(edit("e1", "say in between", 1));
    // By somebody else, and for a turn that runs.
    let mut foreign = edit("e3", "say foreign", 3);
    foreign.person.id = "mallory".into();
    bot.send(foreign);
    let mut late = edit("e4", "say late", 4);
    late.message = "in-1".into();
    bot.send(late);
    bot.send(written("3", "c", "/stop"));
    bot.done("2").await;
    assert_eq!(bot.server.texts("c"), ["_Stopped._", "new"]);
    bot.send(edit("e5", "say too late", 5));
    bot.done("e5").await;
    assert_eq!(bot.server.texts("c"), ["_Stopped._", "new"]);
}

#[tokio::test]
async fn a_stranger_is_told_once_and_paired_with_a_code() {
    let people = BTreeSet::from(["p-owner".to_owned()]);
    let bot = bot(Settings { access: Access::People(people), ..settings() });
    let code = bot.store.new_code("fake").unwrap();
    let first = bot.ask("1", "c", "say hello").await;
    assert!(first[0].starts_with("I do not know you. Ask my owner for a code"), "{first:?}");
    let row = bot.done("1").await;
    assert_eq!(row.received.unwrap().text, "", "what strangers write is forgotten");
    bot.ask("2", "c", "say hello again").await;
    assert_eq!(bot.server.texts("c").len(), 1, "said once");
    let wrong = bot.ask("3", "c", "/start 0000-0000").await;
    assert!(wrong[1].starts_with("That is not the code"), "{wrong:?}");
    let paired = bot.ask("4", "c", &format!("/start {}", code.to_lowercase())).await;
    assert!(paired[2].starts_with("Now we know each other."), "{paired:?}");
    assert_eq!(bot.ask("5", "c", "say hello").await[3], "hello");
    assert_eq!(bot.store.people().unwrap()[0].person.id, "p-c");
    // A code is good for one.
    let again = bot.ask("6", "d", &format!("/start {code}")).await;
    assert!(again[0].starts_with("That is not the code"), "{again:?}");
    // Guessing is slow.
    for number in 0..10 {
        bot.ask(&format!("g{number}"), "d", "/start GUESS").await;
    }
    let seen = bot.server.texts("d");
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(seen[5].starts_with("That is too much at once."));
    assert_eq!(bot.ask("7", "owner", "say mine").await, ["mine"]);
    assert!(bot.store.unpair("fake", "p-c").unwrap());
    bot.ask("8", "c", "say hello").await;
    assert_eq!(bot.server.texts("c").len(), 4);
    assert_eq!(bot.agents.asked.lock().unwrap().len(), 2, "no agent saw the rest");
}

#[tokio::test]
async fn in_a_group_only_what_is_for_the_bot_is_kept() {
    let bot = bot(settings());
    let mut gossip = written("1", "g", "say gossip");
    (gossip.private, gossip.addressed) = (false, false);
    let mut question = gossip.clone();
    (question.update, question.addressed) = ("2".into(), true);
    bot.send(gossip);
    bot.send(question);
    bot.done("2").await;
    assert_eq!(bot.server.texts("g"), ["gossip"]);
    let rows = bot.store.history(&Filter { ignored: true, ..Filter::default() }).unwrap();
    assert_eq!(rows[0].received, None);
    assert_eq!(rows[0].outcome.as_deref(), Some("not for the bot"));
}

#[tokio::test]
async fn a_flood_is_refused_in_words_and_harms_nobody_else() {
    let bot =
        bot(Settings { person: Rate { burst: 5, every: Duration::from_secs(60) }, ..settings() });
    let flood: Vec<Incoming> =
        (0..500).map(|number| written(format!("f{number}"), "flood", "say more")).collect();
    let begun = Instant::now();
    let new = bot.store.record(&flood).unwrap();
    assert!(new.iter().all(|new| *new));
    // All of it again: nothing of it is new.
    assert!(bot.store.record(&flood).unwrap().iter().all(|new| !new));
    assert_eq!(bot.ask("1", "calm", "say calm").await, ["calm"]);
    assert!(begun.elapsed() < Duration::from_secs(10));
    for number in [0, 1, 2, 3, 4, 5, 499] {
        bot.done(&format!("f{number}")).await;
    }
    let seen = bot.server.texts("flood");
    assert_eq!(seen.iter().filter(|text| *text == "more").count(), 5);
    let refusals: Vec<_> = seen.iter().filter(|text| *text != "more").collect();
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert!(refusals[0].starts_with("That is too much at once. Please wait 60 s"));
}

#[tokio::test]
async fn what_waits_is_bounded() {
    let bot = bot(Settings { waiting: 2, ..settings() });
    bot.send(written("1", "c", "begin"));
    for number in 2..9 {
        bot.send(written(number, "c", format!("say {number}")));
    }
    bot.done("8").await;
    bot.send(written("9", "c", "/stop"));
    bot.done("3").await;
    bot.done("4").await;
    let mut seen = bot.server.texts("c");
    seen.sort();
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(seen[..2], ["2", "3"]);
    assert!(seen[2].starts_with("That is too much at once: this message will not be answered."));
}

#[tokio::test]
async fn a_platform_with_faults_is_told_again() {
    let bot = bot(settings());
    let mut faults = vec![
        Fault::TooMany(50),
        Fault::After,
        Fault::Error("unavailable", "bad gateway"),
        Fault::Before,
    ];
    bot.server.faults(move |_, name, _| match name {
        "post" | "edit" => faults.pop().unwrap_or(Fault::None),
        _ => Fault::None,
    });
    assert_eq!(bot.ask("1", "c", "say it").await, ["it"]);
    // A message that is gone is posted anew; a chat that is gone ends the turn.
    let mut gone = true;
    bot.server.faults(move |_, name, _| match name {
        "edit" if std::mem::take(&mut gone) => Fault::Error("refused", "message to edit not found"),
        _ => Fault::None,
    });
    assert_eq!(bot.ask("2", "c", "say more").await, ["it", "more"]);
    bot.server.faults(|_, name, _| match name {
        "post" => Fault::Error("refused", "the bot was removed"),
        _ => Fault::None,
    });
    bot.ask("3", "c", "say nothing").await;
    let row = bot.row("3").unwrap();
    assert_eq!(row.sent[0].error.as_deref(), Some("the bot was removed"));
    assert_eq!(row.sent[0].state.name(), "failed");
}

#[tokio::test]
async fn a_token_that_is_not_accepted_ends_it_and_nothing_is_lost() {
    let mut bot = bot(settings());
    bot.server.faults(|_, name, _| match name {
        "post" => Fault::Error("unauthorized", "the token is not accepted"),
        _ => Fault::None,
    });
    bot.send(written("1", "c", "say it"));
    let ended = (&mut bot.running).await.unwrap();
    assert!(matches!(ended, Err(EngineError::Unauthorized(_))), "{ended:?}");
    assert_eq!(bot.row("1").unwrap().state, State::Answered);
    bot.server.faults(|_, _, _| Fault::None);
    let platform = Arc::new(FakePlatform::new(bot.server.address, false));
    let agents = Arc::new(bot.agents.clone());
    let engine = Engine::new(bot.store.clone(), platform, agents, settings());
    bot.running = tokio::spawn(async move { engine.run().await });
    bot.done("1").await;
    assert_eq!(bot.server.texts("c"), ["it"]);
    assert_eq!(bot.agents.asked.lock().unwrap().len(), 1, "asked once");
}

#[tokio::test]
async fn a_message_that_cannot_be_read_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chats.sqlite");
    let store = Store::open(&path).unwrap();
    store.record(&[written(1, "c", "say one"), written(2, "c", "say two")]).unwrap();
    let damage = "UPDATE turns SET incoming = '{' WHERE update_id = '1'";
    rusqlite::Connection::open(&path).unwrap().execute(damage, []).unwrap();
    let server = FakeServer::start(false);
    let platform = Arc::new(FakePlatform::new(server.address, false));
    let engine = Engine::new(store.clone(), platform, Arc::new(Obedient::default()), settings());
    let states = || {
        let rows = store.history(&Filter { ignored: true, ..Filter::default() }).unwrap();
        rows.into_iter().map(|row| row.state).collect::<Vec<_>>()
    };
    let done = async {
        while states() != [State::Ignored, State::Done] {
            sleep(Duration::from_millis(3)).await;
        }
    };
    tokio::select! {
        ended = engine.run() => panic!("{ended:?}"),
        () = done => {}
    }
    assert_eq!(server.texts("c"), ["two"]);
}

/// Writes down what an observer is told.
#[derive(Clone, Default)]
struct Watching(Arc<Mutex<Vec<(Stage, bool)>>>, Arc<Mutex<Vec<u64>>>);

impl Observer for Watching {
    fn done(&self, _: &Chat, turn: u64) {
        self.1.lock().unwrap().push(turn);
    }

    fn began(&self, _: &Chat, _: u64, stage: Stage) {
        self.0.lock().unwrap().push((stage, true));
    }

    fn ended(&self, _: &Chat, _: u64, stage: Stage, _: Duration, passed: Result<Passed, String>) {
        assert!(passed.is_ok(), "{stage:?}: {passed:?}");
        self.0.lock().unwrap().push((stage, false));
    }
}

#[tokio::test]
async fn every_stage_is_observed() {
    let watching = Watching::default();
    let observer = Arc::new(watching.clone());
    let bot = bot_with(settings(), "say this. And that.", |it| it.with_observer(observer));
    let voice = june_speech::encode(&tone(16_000)).unwrap();
    bot.server.shown.lock().unwrap().files.insert("voice.ogg".into(), voice.ogg);
    let mut spoken = written("1", "c", "");
    spoken.voice = Some(attachment("voice.ogg"));
    bot.send(spoken);
    bot.done("1").await;
    bot.until("its end is told", || *watching.1.lock().unwrap() == [1]).await;
    let told = watching.0.lock().unwrap().clone();
    for stage in Stage::ALL {
        let times = if stage == Stage::Speak { 2 } else { 1 };
        for begin in [true, false] {
            let count = told.iter().filter(|it| **it == (stage, begin)).count();
            assert_eq!(count, times, "{stage:?} {begin}: {told:?}");
        }
    }
}
