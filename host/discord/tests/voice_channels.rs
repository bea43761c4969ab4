//! Voice channels: the connector, songbird and the engine against a double of Discord and of its
//! voice server.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use june_chat_doubles::{DiscordDouble, Encryption, VoiceDouble};
use june_chats::{
    Access, AgentEvent, Agents, DeliveryState, Engine, Events, Filter, Kind, Request, Row, State,
    Store, Token,
};
use june_discord::{Discord, Settings};
use june_speech::{Audio, Segment, Segments, Speaker, SpeechError, Transcriber};

const GUILD: u64 = 60;
const CHANNEL: u64 = 61;
/// Says with which certificates the test runs.
const FOLDER: &str = "JUNE_TEST_CERTIFICATES";

/// Runs the test again in a process that trusts the voice server's certificate. There it returns
/// where the server's own is.
fn trusting(test: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return Some(folder.into());
    }
    let folder = tempfile::tempdir().unwrap();
    VoiceDouble::certify(folder.path());
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--include-ignored"])
        .env(FOLDER, folder.path())
        .env("SSL_CERT_FILE", folder.path().join("authority.pem"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    None
}

/// A tone, in frames of Opus.
fn frames(hertz: f32, seconds: f32) -> Vec<Vec<u8>> {
    let mut encoder =
        opus2::Encoder::new(48_000, opus2::Channels::Mono, opus2::Application::Audio).unwrap();
    let samples: Vec<f32> = tone(hertz, seconds, 48_000);
    samples.chunks_exact(960).map(|frame| encoder.encode_vec_float(frame, 4000).unwrap()).collect()
}

fn tone(hertz: f32, seconds: f32, rate: u32) -> Vec<f32> {
    let step = std::f32::consts::TAU * hertz / rate as f32;
    (0..(seconds * rate as f32) as usize).map(|at| (at as f32 * step).sin() * 0.4).collect()
}

/// How loud a tone is in a sound, of all that is in it.
fn share(samples: &[f32], hertz: f32, rate: f32) -> f32 {
    let step = std::f32::consts::TAU * hertz / rate;
    let (mut sine, mut cosine, mut all) = (0.0, 0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        sine += sample * (at as f32 * step).sin();
        cosine += sample * (at as f32 * step).cos();
        all += sample * sample;
    }
    let mean = 2.0 * (sine * sine + cosine * cosine) / samples.len() as f32;
    if all == 0.0 { 0.0 } else { mean / all }
}

/// Hears what pitch a voice has.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<Vec<Duration>>>);

impl Transcriber for Ears {
    fn transcribe(&self, audio: Audio, _: Option<String>) -> Segments {
        self.0.lock().unwrap().push(audio.duration());
        let middle = &audio.samples[4_000..8_000];
        let pitches = [300.0, 500.0, 900.0];
        let heard = pitches.into_iter().find(|pitch| share(middle, *pitch, 16_000.0) > 0.8);
        let text = heard.map_or("noise".to_owned(), |pitch| format!("{pitch} hertz"));
        let (start, end) = (Duration::ZERO, audio.duration());
        stream::iter([Ok(Segment { text, start, end, language: None })]).boxed()
    }
}

/// Speaks a tone for each sentence: 700 Hz, for as many seconds as the sentence says.
struct Mouth;

impl Speaker for Mouth {
    fn speak(
        &self,
        text: String,
        _: Option<String>,
    ) -> BoxFuture<'static, Result<Audio, SpeechError>> {
        let seconds = text.split(' ').find_map(|word| word.parse().ok()).unwrap_or(1.0);
        let samples = tone(700.0, seconds, 22_050).into();
        async move { Ok(Audio { samples, rate: 22_050 }) }.boxed()
    }
}

/// Answers with two sentences: to 900 Hz, long ones.
struct Talker;

impl Agents for Talker {
    fn names(&self) -> Vec<String> {
        vec!["talker".into()]
    }

    fn ask(&self, _: &str, request: Request) -> Events {
        let seconds = if request.text.starts_with("900") { 20 } else { 1 };
        let said = format!("For {seconds} s I speak. ");
        let rest = format!("And {seconds} s more.");
        stream::iter([Ok(AgentEvent::Said(said)), Ok(AgentEvent::Answer(rest))]).boxed()
    }
}

struct Bot {
    double: DiscordDouble,
    voice: VoiceDouble,
    store: Store,
    ears: Ears,
}

impl Bot {
    /// A bot that person 5 may speak with, and that is in the guild. Person 6 is a stranger.
    async fn start(folder: PathBuf, encryption: Encryption) -> Bot {
        let double = DiscordDouble::start();
        let voice = VoiceDouble::start(&folder, encryption);
        double.serve_voice_at(voice.endpoint());
        let access = Access::People(["5".to_owned()].into());
        let settings = Settings {
            token: Token::new(DiscordDouble::TOKEN),
            server: double.url().to_owned(),
            commands: june_chats::commands(),
            access: access.clone(),
        };
        let discord = Discord::connect(settings).await.unwrap();
        let names = double.commands().to_string();
        assert!(names.contains("\"join\"") && names.contains("\"leave\""), "{names}");
        let store = Store::in_memory().unwrap();
        let ears = Ears::default();
        let settings = june_chats::Settings { access, ..june_chats::Settings::default() };
        let platform = Arc::new(discord.clone());
        let engine = Engine::new(store.clone(), platform, Arc::new(Talker), settings)
            .with_transcriber(Arc::new(ears.clone()))
            .with_speaker(Arc::new(Mouth));
        tokio::spawn(async move { engine.run().await });
        let inbox = Arc::new(store.clone());
        tokio::spawn(async move {
            let tell = |event| eprintln!("{event:?}");
            discord.receive(inbox, tell, std::future::pending()).await
        });
        until("it is connected", || !double.connections().0.is_empty()).await;
        assert_eq!(double.connections().0[0]["intents"], 1 | 1 << 7 | 1 << 9 | 1 << 12 | 1 << 15);
        double.push_guild(GUILD, CHANNEL, "Lounge");
        Bot { double, voice, store, ears }
    }

    async fn joined(&self) {
        self.double.push_voice_state(5, GUILD, Some(CHANNEL));
        self.double.push_command_by(5, GUILD, CHANNEL, "join");
        until("it joined", || self.texts().iter().any(|text| text.contains("**Lounge**"))).await;
        assert!(self.voice.connection().0);
    }

    /// A person says a tone.
    async fn says(&self, person: u64, hertz: f32, seconds: f32) {
        let frames = frames(hertz, seconds);
        tokio::task::block_in_place(|| self.voice.speak(person, person as u32, &frames));
    }

    fn texts(&self) -> Vec<String> {
        self.double.sent().into_iter().map(|sent| sent.text).collect()
    }

    fn rows(&self) -> Vec<Row> {
        self.store.history(&Filter::default()).unwrap()
    }

    /// The turn in which this was heard, when it is at its end.
    async fn heard(&self, text: &str) -> Row {
        let find = || {
            let mut rows = self.rows().into_iter();
            rows.find(|row| row.heard.as_deref() == Some(text) && row.state == State::Done)
        };
        until(text, || find().is_some()).await;
        find().unwrap()
    }

    /// What of the last frames that the bot sent is its voice.
    fn spoken(&self) -> f32 {
        let mut decoder = opus2::Decoder::new(48_000, opus2::Channels::Mono).unwrap();
        let (frames, damaged) = self.voice.received();
        assert_eq!(damaged, 0);
        let mut samples = Vec::new();
        for frame in &frames {
            let mut frame_samples = [0.0; 5760];
            let count = decoder.decode_float(frame, &mut frame_samples, false).unwrap();
            samples.extend_from_slice(&frame_samples[..count]);
        }
        let voice = samples.chunks_exact(2400).filter(|part| share(part, 700.0, 48_000.0) > 0.8);
        voice.count() as f32 * 0.05
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen: {what}");
}

fn voice_of(row: &Row) -> (DeliveryState, Option<String>) {
    let voice = row.sent.iter().find(|sent| sent.kind == Kind::Voice).unwrap();
    (voice.state, voice.error.clone())
}

async fn conversation(folder: PathBuf, encryption: Encryption) {
    let bot = Bot::start(folder, encryption).await;
    bot.joined().await;
    bot.says(5, 500.0, 1.2).await;
    let row = bot.heard("500 hertz").await;
    let person = row.received.as_ref().unwrap().person.name.clone();
    assert_eq!((row.chat.as_str(), person.as_str()), ("61", "Ada"));
    assert!(bot.texts().contains(&"> 500 hertz\n\nFor 1 s I speak. And 1 s more.".to_owned()));
    assert_eq!(voice_of(&row), (DeliveryState::Sent, None));
    let spoken = bot.spoken();
    assert!((1.7..2.3).contains(&spoken), "two sentences of a second: {spoken}");
    let length = bot.ears.0.lock().unwrap()[0];
    assert!((1.0..3.0).contains(&length.as_secs_f32()), "{length:?}");
    let speaking = bot.voice.told();
    assert_eq!(speaking.first(), Some(&1), "it told that it would speak");
    until("its heart beats", || bot.voice.connection().1 > 1).await;
    // Who left is not waited for.
    bot.double.push_voice_state(5, GUILD, None);
    until("it left", || !bot.voice.connection().0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_heard_and_answered_aloud() {
    let Some(folder) = trusting("what_is_said_is_heard_and_answered_aloud") else { return };
    conversation(folder, Encryption::Aes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_encryption_does_too() {
    let Some(folder) = trusting("the_other_encryption_does_too") else { return };
    conversation(folder, Encryption::XChaCha).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_speaks_interrupts_and_strangers_do_not() {
    let Some(folder) = trusting("whoever_speaks_interrupts_and_strangers_do_not") else { return };
    let bot = Bot::start(folder, Encryption::Aes).await;
    bot.double.push_voice_state(6, GUILD, Some(CHANNEL));
    bot.joined().await;
    bot.says(5, 900.0, 1.0).await;
    until("it speaks", || bot.spoken() > 0.5).await;
    let before = bot.spoken();
    bot.says(6, 300.0, 1.2).await;
    assert!(bot.spoken() > before + 0.8, "a stranger is not listened to");
    bot.says(5, 500.0, 1.2).await;
    let interrupted = bot.heard("900 hertz").await;
    assert_eq!(voice_of(&interrupted), (DeliveryState::Failed, Some("stopped".to_owned())));
    let next = bot.heard("500 hertz").await;
    assert_eq!(voice_of(&next), (DeliveryState::Sent, None));
    assert!(bot.spoken() < 12.0, "of 40 s: {}", bot.spoken());
    assert!(bot.rows().iter().all(|row| row.person == "5"), "a stranger is not recorded");

    // A command does, too.
    bot.says(5, 900.0, 1.0).await;
    let before = bot.spoken();
    until("it speaks again", || bot.spoken() > before + 0.3).await;
    bot.double.push_command_by(5, GUILD, CHANNEL, "stop");
    let stopped = || {
        let rows = bot.rows();
        let of = |row: &&Row| row.heard.as_deref() == Some("900 hertz") && row.state == State::Done;
        rows.iter().filter(of).count() == 2
    };
    until("it is stopped", stopped).await;
    let silent = bot.spoken();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(bot.spoken() <= silent + 0.2, "nothing is said after that");
    bot.double.push_command_by(5, GUILD, CHANNEL, "leave");
    until("it left", || !bot.voice.connection().0).await;
    until("it says so", || bot.texts().iter().any(|text| text.contains("no longer in"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_nowhere_cannot_be_joined() {
    let Some(folder) = trusting("who_is_nowhere_cannot_be_joined") else { return };
    let bot = Bot::start(folder, Encryption::Aes).await;
    bot.double.push_command_by(5, GUILD, CHANNEL, "join");
    let told = "I cannot join: you are in no voice channel.".to_owned();
    until("it says so", || bot.texts().contains(&told)).await;
    // Nor may a stranger call it.
    bot.double.push_voice_state(6, GUILD, Some(CHANNEL));
    bot.double.push_command_by(6, GUILD, CHANNEL, "join");
    until("it says so", || bot.texts().iter().any(|text| text.contains("do not know you"))).await;
    bot.double.push_command_by(5, GUILD, CHANNEL, "leave");
    until("it says so", || bot.texts().iter().any(|text| text.contains("in no voice"))).await;
    assert!(!bot.voice.connection().0);
}
