//! A fake chat platform: a server with a strict mind of its own, which other processes talk to
//! over TCP, and the [`Platform`] that talks to it.
//!
//! One request on each connection, a line of JSON; one line of JSON in answer. What a person would
//! see is in the server, and survives whatever happens to the bot.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests; not every test uses all of it"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use june_chats::{
    Attachment, Chat, Incoming, Indicator, Limits, Person, Platform, PlatformError, Post, Units,
    Voice,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a fake platform does with a call beside what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Nothing is done, and the connection breaks.
    Before,
    /// It is done, and the connection breaks.
    After,
    /// Nothing is done: an error of this kind (`unavailable`, `refused`, `unauthorized`), in words.
    Error(&'static str, &'static str),
    /// Nothing is done: wait for so many milliseconds.
    TooMany(u64),
}

/// A message that a person sees.
#[derive(Debug, Clone)]
pub struct Seen {
    pub id: String,
    pub chat: String,
    pub text: String,
    /// How many bytes its voice has; none for text.
    pub voice: Option<usize>,
    pub answers: Option<String>,
    pub key: String,
    /// Every text it ever had, and when.
    pub texts: Vec<(Instant, String)>,
}

type Faults = Box<dyn FnMut(u64, &str, &Value) -> Fault + Send>;

/// What the fake platform knows.
#[derive(Default)]
pub struct Shown {
    pub messages: Vec<Seen>,
    pub indicators: Vec<(String, String)>,
    /// Updates that the bot did not acknowledge.
    pub updates: Vec<Incoming>,
    pub files: std::collections::BTreeMap<String, Bytes>,
    /// What the bot did that the platform does not allow.
    pub violations: Vec<String>,
    pub calls: u64,
}

/// The fake platform's server.
pub struct FakeServer {
    pub address: SocketAddr,
    pub shown: Arc<Mutex<Shown>>,
    faults: Arc<Mutex<Faults>>,
}

pub const TEXT_LIMIT: usize = 600;
pub const EDITS: Duration = Duration::from_millis(20);

impl FakeServer {
    /// Starts it; `keyed` as in [`Limits::keyed`].
    pub fn start(keyed: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shown = Arc::new(Mutex::new(Shown::default()));
        let none: Faults = Box::new(|_, _, _| Fault::None);
        let faults = Arc::new(Mutex::new(none));
        let server = (shown.clone(), faults.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (shown, faults) = server.clone();
                thread::spawn(move || {
                    // A broken connection is the bot's problem.
                    let _ = serve(stream.unwrap(), keyed, &shown, &faults);
                });
            }
        });
        Self { address, shown, faults }
    }

    /// From now on, this decides what goes wrong: it is given the number of the call, its name,
    /// and its arguments.
    pub fn faults(&self, faults: impl FnMut(u64, &str, &Value) -> Fault + Send + 'static) {
        *self.faults.lock().unwrap() = Box::new(faults);
    }

    pub fn messages(&self, chat: &str) -> Vec<Seen> {
        let shown = self.shown.lock().unwrap();
        shown.messages.iter().filter(|seen| seen.chat == chat).cloned().collect()
    }

    /// The texts of a chat, without empty placeholders.
    pub fn texts(&self, chat: &str) -> Vec<String> {
        let texts = self.messages(chat).into_iter().filter(|seen| seen.voice.is_none());
        texts.map(|seen| seen.text).filter(|text| text != "…").collect()
    }
}

fn serve(
    mut stream: TcpStream,
    keyed: bool,
    shown: &Mutex<Shown>,
    faults: &Mutex<Faults>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut line = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut line)?;
    let Ok(request) = serde_json::from_str::<Value>(&line) else { return Ok(()) };
    let name = request["call"].as_str().unwrap_or_default().to_owned();
    let number = {
        let mut shown = shown.lock().unwrap();
        shown.calls += 1;
        shown.calls
    };
    let fault = (faults.lock().unwrap())(number, &name, &request);
    let answer = match fault {
        Fault::Before => return Ok(()),
        Fault::Error(kind, words) => json!({ "error": kind, "words": words }),
        Fault::TooMany(wait) => json!({ "error": "too-many", "wait": wait }),
        Fault::None | Fault::After => {
            let done = act(&mut shown.lock().unwrap(), keyed, &name, &request);
            match fault {
                Fault::After => return Ok(()),
                _ => done,
            }
        }
    };
    stream.write_all(format!("{answer}\n").as_bytes())
}

fn act(shown: &mut Shown, keyed: bool, name: &str, request: &Value) -> Value {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let now = Instant::now();
    match name {
        "post" | "voice" => {
            let (markdown, key) = (text("markdown"), text("key"));
            if !(1..=25).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
                shown.violations.push(format!("a key: {key:?}"));
            }
            if let Err(refusal) = check(shown, &markdown, name == "voice") {
                return refusal;
            }
            let before = shown.messages.iter().find(|seen| keyed && seen.key == key);
            if let Some(before) = before {
                return json!({ "message": before.id });
            }
            let id = format!("m{}", shown.messages.len());
            shown.messages.push(Seen {
                id: id.clone(),
                chat: text("chat"),
                text: markdown.clone(),
                voice: request["bytes"].as_u64().map(|bytes| bytes as usize),
                answers: request["answers"].as_str().map(Into::into),
                key,
                texts: vec![(now, markdown)],
            });
            json!({ "message": id })
        }
        "edit" => {
            let (id, markdown) = (text("message"), text("markdown"));
            if let Err(refusal) = check(shown, &markdown, false) {
                return refusal;
            }
            let Some(seen) = shown.messages.iter_mut().find(|seen| seen.id == id) else {
                return json!({ "error": "refused", "words": "message to edit not found" });
            };
            seen.text.clone_from(&markdown);
            seen.texts.push((now, markdown));
            json!({})
        }
        "indicate" => {
            shown.indicators.push((text("chat"), text("indicator")));
            json!({})
        }
        "download" => match shown.files.get(&text("id")) {
            Some(bytes) if bytes.len() as u64 <= request["most"].as_u64().unwrap_or(0) => {
                json!({ "bytes": bytes.as_ref() })
            }
            Some(_) => json!({ "error": "refused", "words": "the file is too large" }),
            None => json!({ "error": "refused", "words": "there is no such file" }),
        },
        "updates" => json!({ "updates": shown.updates }),
        "acknowledge" => {
            let update = text("update");
            shown.updates.retain(|known| known.update != update);
            json!({})
        }
        other => json!({ "error": "refused", "words": format!("no call {other}") }),
    }
}

fn check(shown: &mut Shown, markdown: &str, may_be_empty: bool) -> Result<(), Value> {
    let length = Units::Utf16.count(markdown);
    if length > TEXT_LIMIT || (length == 0 && !may_be_empty) {
        shown.violations.push(format!("a text of {length}"));
        return Err(json!({ "error": "refused", "words": "the text is too long, or empty" }));
    }
    Ok(())
}

/// The platform, as a bot has it.
#[derive(Clone)]
pub struct FakePlatform {
    address: SocketAddr,
    keyed: bool,
}

impl FakePlatform {
    pub fn new(address: SocketAddr, keyed: bool) -> Self {
        Self { address, keyed }
    }

    pub async fn call(&self, request: Value) -> Result<Value, PlatformError> {
        let broken = |error: std::io::Error| PlatformError::Unavailable(error.to_string());
        let mut stream = tokio::net::TcpStream::connect(self.address).await.map_err(broken)?;
        stream.write_all(format!("{request}\n").as_bytes()).await.map_err(broken)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map_err(broken)?;
        let answer: Value = serde_json::from_slice(&answer)
            .map_err(|_| PlatformError::Unavailable("the connection broke".into()))?;
        let words = answer["words"].as_str().unwrap_or_default().to_owned();
        match answer["error"].as_str() {
            None => Ok(answer),
            Some("too-many") => {
                let wait = Duration::from_millis(answer["wait"].as_u64().unwrap());
                Err(PlatformError::TooMany("too many requests".into(), wait))
            }
            Some("unavailable") => Err(PlatformError::Unavailable(words)),
            Some("unauthorized") => Err(PlatformError::Unauthorized(words)),
            Some(_) => Err(PlatformError::Refused(words)),
        }
    }

    async fn send(&self, request: Value) -> Result<String, PlatformError> {
        let answer = self.call(request).await?;
        Ok(answer["message"].as_str().unwrap().into())
    }
}

impl Platform for FakePlatform {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn limits(&self) -> Limits {
        Limits {
            text: TEXT_LIMIT,
            units: Units::Utf16,
            download: 1 << 20,
            upload: 1 << 20,
            edits: EDITS,
            keyed: self.keyed,
        }
    }

    fn post(&self, post: Post) -> BoxFuture<'_, Result<String, PlatformError>> {
        let Post { chat, markdown, answers, key } = post;
        self.send(json!({
            "call": "post", "chat": chat.id, "markdown": markdown, "answers": answers, "key": key,
        }))
        .boxed()
    }

    fn edit<'a>(
        &'a self,
        chat: &'a Chat,
        message: &'a str,
        markdown: &'a str,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        let request = json!({
            "call": "edit", "chat": chat.id, "message": message, "markdown": markdown,
        });
        async move { self.call(request).await.map(drop) }.boxed()
    }

    fn voice(&self, post: Post, voice: Voice) -> BoxFuture<'_, Result<String, PlatformError>> {
        assert!(voice.ogg.starts_with(b"OggS"));
        let Post { chat, markdown, answers, key } = post;
        self.send(json!({
            "call": "voice", "chat": chat.id, "markdown": markdown, "answers": answers, "key": key,
            "bytes": voice.ogg.len(),
        }))
        .boxed()
    }

    fn indicate<'a>(
        &'a self,
        chat: &'a Chat,
        indicator: Indicator,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        let request =
            json!({ "call": "indicate", "chat": chat.id, "indicator": format!("{indicator:?}") });
        async move { self.call(request).await.map(drop) }.boxed()
    }

    fn download<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> BoxFuture<'a, Result<Bytes, PlatformError>> {
        let request = json!({ "call": "download", "id": attachment.id, "most": most });
        async move {
            let answer = self.call(request).await?;
            let bytes = answer["bytes"].as_array().unwrap();
            Ok(bytes.iter().map(|byte| byte.as_u64().unwrap() as u8).collect())
        }
        .boxed()
    }
}

/// A message of a person to the bot, in private.
pub fn written(update: impl ToString, chat: &str, text: impl ToString) -> Incoming {
    let update = update.to_string();
    Incoming {
        chat: Chat { platform: "fake".into(), id: chat.into() },
        private: true,
        person: Person { id: format!("p-{chat}"), name: "Ada".into() },
        message: format!("in-{update}"),
        edit: false,
        addressed: true,
        text: text.to_string(),
        voice: None,
        files: Vec::new(),
        time: 1_700_000_000,
        update,
    }
}

/// A file of a message, which the fake platform knows by this name.
pub fn attachment(name: &str) -> Attachment {
    Attachment { id: name.into(), name: name.into(), media_type: None, bytes: None, seconds: None }
}

/// So many samples of a tone, 16,000 a second.
pub fn tone(samples: u16) -> june_speech::Audio {
    let wave = |at| (f32::from(at) * 0.2).sin() * 0.5;
    june_speech::Audio { samples: (0..samples).map(wave).collect(), rate: 16_000 }
}
