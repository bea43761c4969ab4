//! Telegram's Bot API, as far as bots that talk use it.

mod entities;
mod methods;
mod request;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::fault::{Fault, Faults};
use crate::server::{Running, port, serve};

/// A server with the Bot API for one bot.
pub struct TelegramDouble {
    shared: Arc<Shared>,
    url: String,
    _running: Running,
}

struct Shared {
    state: Mutex<State>,
    /// Something arrived for the bot, or somebody else asks for it.
    arrived: Notify,
    faults: Faults,
}

#[derive(Default)]
struct State {
    updates: BTreeMap<i64, Value>,
    next_update: i64,
    next_message: i64,
    chats: BTreeMap<i64, Value>,
    files: BTreeMap<String, Bytes>,
    /// Sizes that are told of files, where they are not the true ones.
    lies: BTreeMap<String, u64>,
    sent: Vec<Sent>,
    calls: Vec<Call>,
    commands: Value,
    webhook: Option<Value>,
    /// Counts requests for updates: a later one ends those before it.
    polls: u64,
}

/// A message of the bot's, as people see it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub id: i64,
    pub chat: i64,
    pub topic: Option<i64>,
    /// The text, or the caption.
    pub text: String,
    pub entities: Vec<Value>,
    pub answers: Option<i64>,
    /// The file of a voice message, and how many seconds it is said to play.
    pub voice: Option<(Bytes, u64)>,
    pub edits: usize,
}

/// A call that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub method: String,
    /// The parameters, without files.
    pub parameters: Value,
}

impl TelegramDouble {
    /// The bot's token, identifier and name.
    pub const TOKEN: &'static str = "7000000001:DOUBLE-token_of_the_test_bot_0123456789";
    pub const BOT: i64 = 7_000_000_001;
    pub const NAME: &'static str = "june_test_bot";

    pub fn start() -> TelegramDouble {
        let (listener, address) = port();
        let shared = Arc::new(Shared {
            state: Mutex::new(State { next_update: 1000, next_message: 1, ..State::default() }),
            arrived: Notify::new(),
            faults: Faults::default(),
        });
        let serving = shared.clone();
        let running = Running::start(serve(
            listener,
            Arc::new(move |request| request::respond(serving.clone(), request).boxed()),
        ));
        TelegramDouble { shared, url: format!("http://{address}"), _running: running }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An update for the bot, with the next identifier, which is returned.
    pub fn push(&self, mut update: Value) -> i64 {
        let mut state = self.shared.state.lock().unwrap();
        let id = state.next_update;
        state.next_update += 1;
        update["update_id"] = json!(id);
        for kind in ["message", "edited_message"] {
            if let Some(chat) = update[kind]["chat"]["id"].as_i64() {
                let chat_object = update[kind]["chat"].clone();
                state.chats.insert(chat, chat_object);
            }
        }
        state.updates.insert(id, update);
        drop(state);
        self.shared.arrived.notify_waiters();
        id
    }

    /// An update that arrives again, as Telegram sends what was not acknowledged.
    pub fn push_again(&self, update: i64, content: Value) {
        let mut content = content;
        content["update_id"] = json!(update);
        self.shared.state.lock().unwrap().updates.insert(update, content);
        self.shared.arrived.notify_waiters();
    }

    /// A message by a person in a chat with the bot alone, with `more` fields. Returns its
    /// identifier.
    pub fn push_message(&self, person: i64, more: Value) -> i64 {
        self.push_message_in(
            json!({"id": person, "type": "private", "first_name": "Ada"}),
            person,
            more,
        )
    }

    /// A message by a person in a chat.
    pub fn push_message_in(&self, chat: Value, person: i64, more: Value) -> i64 {
        let id = self.next_message();
        let mut message = json!({
            "message_id": id,
            "date": 1_700_000_000 + id,
            "from": {"id": person, "is_bot": false, "first_name": "Ada"},
            "chat": chat,
        });
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        self.push(json!({"message": message}));
        id
    }

    /// A text by a person in a chat with the bot alone. Returns the message's identifier.
    pub fn push_text(&self, person: i64, text: &str) -> i64 {
        let mut more = json!({"text": text});
        if text.starts_with('/') {
            let length = text.split(' ').next().unwrap_or_default().encode_utf16().count();
            more["entities"] = json!([{"type": "bot_command", "offset": 0, "length": length}]);
        }
        self.push_message(person, more)
    }

    /// A new text for a message.
    pub fn push_edit(&self, person: i64, message: i64, text: &str) {
        self.push(json!({"edited_message": {
            "message_id": message,
            "date": 1_700_000_000 + message,
            "edit_date": 1_700_000_100 + message,
            "from": {"id": person, "is_bot": false, "first_name": "Ada"},
            "chat": {"id": person, "type": "private", "first_name": "Ada"},
            "text": text,
        }}));
    }

    /// A voice message by a person in a chat with the bot alone. Returns its identifier.
    pub fn push_voice(&self, person: i64, ogg: impl Into<Bytes>, seconds: u64) -> i64 {
        let ogg = ogg.into();
        let size = ogg.len();
        let file = self.add_file(ogg);
        self.push_message(
            person,
            json!({"voice": {
                "file_id": file, "file_unique_id": file, "duration": seconds,
                "mime_type": "audio/ogg", "file_size": size,
            }}),
        )
    }

    /// A file that the bot may download. Returns its identifier.
    pub fn add_file(&self, bytes: impl Into<Bytes>) -> String {
        let mut state = self.shared.state.lock().unwrap();
        let file = format!("file{}", state.files.len());
        state.files.insert(file.clone(), bytes.into());
        file
    }

    /// Says another size of a file than it has.
    pub fn lie_about_size(&self, file: &str, size: u64) {
        self.shared.state.lock().unwrap().lies.insert(file.to_owned(), size);
    }

    /// The bot's messages, as they are now, in the order of their sending.
    pub fn sent(&self) -> Vec<Sent> {
        self.shared.state.lock().unwrap().sent.clone()
    }

    /// All calls that arrived, those that failed too.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state.lock().unwrap().calls.clone()
    }

    /// The parameters of all calls of a method.
    pub fn calls_of(&self, method: &str) -> Vec<Value> {
        self.calls()
            .into_iter()
            .filter(|call| call.method == method)
            .map(|call| call.parameters)
            .collect()
    }

    /// The updates that the bot did not acknowledge.
    pub fn waiting(&self) -> Vec<i64> {
        self.shared.state.lock().unwrap().updates.keys().copied().collect()
    }

    /// The commands in the bot's menu.
    pub fn commands(&self) -> Value {
        self.shared.state.lock().unwrap().commands.clone()
    }

    /// What the bot registered with `setWebhook`.
    pub fn webhook(&self) -> Option<Value> {
        self.shared.state.lock().unwrap().webhook.clone()
    }

    /// A fault for the next call of a method, after those that wait already. Downloads are called
    /// `file`.
    pub fn fail(&self, method: &str, fault: Fault) {
        self.shared.faults.add(method, fault);
    }

    /// A request for updates by somebody else, which ends the bot's own.
    pub fn intrude(&self) {
        self.shared.state.lock().unwrap().polls += 1;
        self.shared.arrived.notify_waiters();
    }

    fn next_message(&self) -> i64 {
        self.shared.state.lock().unwrap().message()
    }
}

impl State {
    fn message(&mut self) -> i64 {
        let id = self.next_message;
        self.next_message += 1;
        id
    }
}
