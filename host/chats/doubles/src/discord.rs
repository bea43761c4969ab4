//! Discord's HTTP interface and gateway, as far as bots that talk use them.

mod gateway;
mod routes;
mod voice;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::fault::{Fault, Faults};
use crate::server::{Running, port, serve};
pub use voice::{Encryption, VoiceDouble};

/// A server with one bot, its gateway and its files.
pub struct DiscordDouble {
    shared: Arc<Shared>,
    url: String,
    _running: Running,
}

struct Shared {
    state: Mutex<State>,
    /// What goes to the gateway's connections.
    orders: broadcast::Sender<Order>,
    faults: Faults,
    gateway: String,
}

/// What a connection of the gateway is to do.
#[derive(Clone)]
enum Order {
    /// An event was appended to the log.
    Send,
    /// Close with a code; none breaks the connection without a word.
    Close(Option<u16>),
}

#[derive(Default)]
struct State {
    next: u64,
    /// Events since the session began, with their names.
    events: Vec<(&'static str, Value)>,
    session: u64,
    identified: Vec<Value>,
    resumed: usize,
    heartbeats: usize,
    channels: BTreeMap<u64, Vec<Value>>,
    guilds: BTreeMap<u64, u64>,
    files: BTreeMap<String, Bytes>,
    sent: Vec<Posted>,
    nonces: BTreeMap<String, usize>,
    calls: Vec<(String, Value)>,
    commands: Value,
    acknowledged: Vec<(u64, Value)>,
    refuse_content: bool,
    /// Where voice channels are served; nowhere, and nobody gets into one.
    voice: Option<String>,
}

/// A message of the bot's, as people see it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    pub id: u64,
    pub channel: u64,
    pub text: String,
    pub answers: Option<u64>,
    /// The file of a voice message, its seconds, and its waveform in Base64.
    pub voice: Option<(Bytes, f64, String)>,
    pub edits: usize,
    /// What the bot asked for, without the file.
    pub parameters: Value,
}

impl DiscordDouble {
    /// The bot's token, identifier and name.
    pub const TOKEN: &'static str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Double.token_of-the_test_bot";
    pub const BOT: u64 = 900;
    pub const NAME: &'static str = "june";
    const APPLICATION: u64 = 901;
    pub const VOICE_TOKEN: &'static str = "voice-token";
    pub const VOICE_SESSION: &'static str = "voice-session";

    pub fn start() -> DiscordDouble {
        let (listener, address) = port();
        let (gateway_listener, gateway) = port();
        let url = format!("http://{address}");
        let shared = Arc::new(Shared {
            // Identifiers of today, so that times are plausible.
            state: Mutex::new(State { next: 1_300_000_000_000_000_000, ..State::default() }),
            orders: broadcast::channel(64).0,
            faults: Faults::default(),
            gateway: format!("ws://{gateway}"),
        });
        let serving = shared.clone();
        let connecting = shared.clone();
        let running = Running::start(async move {
            let http = serve(
                listener,
                Arc::new(move |request| routes::respond(serving.clone(), request).boxed()),
            );
            tokio::join!(http, gateway::serve(gateway_listener, connecting));
        });
        DiscordDouble { shared, url, _running: running }
    }

    /// Where its HTTP interface and its files are.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A text in the channel with the bot alone. Returns the message's identifier.
    pub fn push_text(&self, channel: u64, text: &str) -> u64 {
        self.push_message(channel, None, json!({"content": text}))
    }

    /// A message by a person, with `more` fields. Returns its identifier.
    pub fn push_message(&self, channel: u64, guild: Option<u64>, more: Value) -> u64 {
        let (id, message) = self.make(channel, guild, &more);
        self.dispatch("MESSAGE_CREATE", message);
        id
    }

    /// A message that the gateway does not tell of, as while the bot is not connected.
    pub fn push_unseen(&self, channel: u64, guild: Option<u64>, more: Value) -> u64 {
        self.make(channel, guild, &more).0
    }

    /// A voice message in the channel with the bot alone. Returns its identifier.
    pub fn push_voice(&self, channel: u64, ogg: impl Into<Bytes>, seconds: f64) -> u64 {
        let ogg = ogg.into();
        let size = ogg.len();
        let url = self.add_file("voice-message.ogg", ogg);
        self.push_message(channel, None, json!({"content": "", "flags": 8192, "attachments": [{
            "id": "1", "filename": "voice-message.ogg", "content_type": "audio/ogg", "size": size,
            "url": url, "proxy_url": url, "duration_secs": seconds, "waveform": "AAECAw==",
        }]}))
    }

    /// A new text for a message.
    pub fn push_edit(&self, channel: u64, message: u64, text: &str) {
        let found = {
            let mut state = self.shared.state.lock().unwrap();
            let messages = state.channels.entry(channel).or_default();
            let id = message.to_string();
            let found = messages.iter_mut().find(|found| found["id"] == json!(id)).unwrap();
            found["content"] = json!(text);
            found["edited_timestamp"] = json!("2024-12-01T00:00:00.500000+00:00");
            found.clone()
        };
        self.dispatch("MESSAGE_UPDATE", found);
    }

    /// A slash command in the channel with the bot alone. Returns the interaction's identifier.
    pub fn push_command(&self, channel: u64, name: &str, argument: Option<&str>) -> u64 {
        let options: Vec<_> = argument
            .iter()
            .map(|argument| json!({"type": 3, "name": "argument", "value": argument}))
            .collect();
        let by = json!({"channel": {"id": channel.to_string(), "type": 1}, "user": person(5),
            "context": 1});
        self.push_interaction(channel, name, &options, by)
    }

    /// A slash command in a guild's channel, by a person. Returns the interaction's identifier.
    pub fn push_command_by(&self, user: u64, guild: u64, channel: u64, name: &str) -> u64 {
        self.shared.state.lock().unwrap().channels.entry(channel).or_default();
        let mut member = member(person(user));
        member["pending"] = json!(false);
        member["permissions"] = json!("0");
        let by = json!({"channel": {"id": channel.to_string(), "type": 2}, "member": member,
            "guild_id": guild.to_string(), "guild_locale": "en-US", "context": 0});
        self.push_interaction(channel, name, &[], by)
    }

    /// A slash command; `by` has who gives it, and where.
    fn push_interaction(&self, channel: u64, name: &str, options: &[Value], by: Value) -> u64 {
        let id = self.identifier();
        let mut interaction = json!({
            "id": id.to_string(), "application_id": Self::APPLICATION.to_string(), "type": 2,
            "version": 1, "token": format!("interaction-{id}"), "channel_id": channel.to_string(),
            "locale": "en-US", "entitlements": [], "authorizing_integration_owners": {},
            "attachment_size_limit": 10485760,
            "data": {"id": "77", "name": name, "type": 1, "options": options},
        });
        for (key, value) in by.as_object().unwrap() {
            interaction[key] = value.clone();
        }
        self.dispatch("INTERACTION_CREATE", interaction);
        id
    }

    /// A guild with a voice channel, when the bot comes to know it.
    pub fn push_guild(&self, guild: u64, channel: u64, name: &str) {
        self.shared.state.lock().unwrap().channels.entry(channel).or_default();
        self.dispatch("GUILD_CREATE", json!({
            "id": guild.to_string(), "name": "Guild", "owner_id": "5", "icon": null,
            "splash": null, "discovery_splash": null, "afk_channel_id": null, "afk_timeout": 300,
            "verification_level": 0, "default_message_notifications": 0,
            "explicit_content_filter": 0, "roles": [], "emojis": [], "features": [],
            "mfa_level": 0, "application_id": null, "system_channel_id": null,
            "system_channel_flags": 0, "rules_channel_id": null, "vanity_url_code": null,
            "description": null, "banner": null, "premium_tier": 0, "preferred_locale": "en-US",
            "public_updates_channel_id": null, "nsfw_level": 0, "stickers": [],
            "premium_progress_bar_enabled": false, "joined_at": JOINED, "large": false,
            "unavailable": false, "member_count": 2, "voice_states": [], "members": [],
            "channels": [{"id": channel.to_string(), "type": 2, "name": name, "position": 0,
                "bitrate": 64000, "user_limit": 0, "permission_overwrites": []}],
            "threads": [], "presences": [], "stage_instances": [], "guild_scheduled_events": [],
        }));
    }

    /// Somebody enters a voice channel, or leaves.
    pub fn push_voice_state(&self, user: u64, guild: u64, channel: Option<u64>) {
        let channel = channel.map(|id| id.to_string());
        let state =
            voice_state(person(user), "its own", &json!(guild.to_string()), &json!(channel));
        self.dispatch("VOICE_STATE_UPDATE", state);
    }

    /// Lets the bot into voice channels, which are served here.
    pub fn serve_voice_at(&self, endpoint: &str) {
        self.shared.state.lock().unwrap().voice = Some(endpoint.to_owned());
    }

    /// A file on the server for files. Returns its address.
    pub fn add_file(&self, name: &str, bytes: impl Into<Bytes>) -> String {
        let mut state = self.shared.state.lock().unwrap();
        let path = format!("/attachments/{}/{name}", state.files.len());
        state.files.insert(path.clone(), bytes.into());
        format!("{}{path}", self.url)
    }

    /// Lets a file's address be too old: the message tells a new one from now on.
    pub fn expire(&self, address: &str) {
        let mut state = self.shared.state.lock().unwrap();
        let path = address.strip_prefix(&self.url).unwrap().to_owned();
        let renewed = path.replacen("/attachments/", "/attachments/renewed/", 1);
        let bytes = state.files.remove(&path).unwrap();
        let url = json!(format!("{}{renewed}", self.url));
        state.files.insert(renewed, bytes);
        let files = state.channels.values_mut().flatten();
        for file in files.flat_map(|message| message["attachments"].as_array_mut().unwrap()) {
            if file["url"] == json!(address) {
                file["url"] = url.clone();
            }
        }
    }

    /// Deletes a message.
    pub fn delete(&self, channel: u64, message: u64) {
        let id = json!(message.to_string());
        let mut state = self.shared.state.lock().unwrap();
        state.channels.entry(channel).or_default().retain(|found| found["id"] != id);
    }

    /// The bot's messages, as they are now, in the order of their sending.
    pub fn sent(&self) -> Vec<Posted> {
        self.shared.state.lock().unwrap().sent.clone()
    }

    /// All requests that arrived, as method and path, with their bodies.
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.shared.state.lock().unwrap().calls.clone()
    }

    /// The slash commands.
    pub fn commands(&self) -> Value {
        self.shared.state.lock().unwrap().commands.clone()
    }

    /// Interactions that the bot acknowledged, and what with.
    pub fn acknowledged(&self) -> Vec<(u64, Value)> {
        self.shared.state.lock().unwrap().acknowledged.clone()
    }

    /// What connections identified with, how many were resumed, and how many hearts beat.
    pub fn connections(&self) -> (Vec<Value>, usize, usize) {
        let state = self.shared.state.lock().unwrap();
        (state.identified.clone(), state.resumed, state.heartbeats)
    }

    /// Whether to close the gateway because the bot may not read messages.
    pub fn refuse_content(&self, refuse: bool) {
        self.shared.state.lock().unwrap().refuse_content = refuse;
    }

    /// Closes the gateway's connection with a code; none breaks it without a word.
    pub fn close(&self, code: Option<u16>) {
        let _ = self.shared.orders.send(Order::Close(code));
    }

    /// A fault for the next request `METHOD path`, with `*` for identifiers, as in
    /// `POST channels/*/messages`. Downloads are called `file`.
    pub fn fail(&self, call: &str, fault: Fault) {
        self.shared.faults.add(call, fault);
    }

    fn identifier(&self) -> u64 {
        self.shared.state.lock().unwrap().identifier()
    }

    fn make(&self, channel: u64, guild: Option<u64>, more: &Value) -> (u64, Value) {
        let mut state = self.shared.state.lock().unwrap();
        let id = state.identifier();
        let mut message = message(id, channel, person(5));
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        if let Some(guild) = guild {
            state.guilds.insert(channel, guild);
        }
        state.channels.entry(channel).or_default().push(message.clone());
        if let Some(guild) = guild {
            // Only the gateway tells this.
            message["guild_id"] = json!(guild.to_string());
        }
        (id, message)
    }

    fn dispatch(&self, name: &'static str, event: Value) {
        self.shared.state.lock().unwrap().events.push((name, event));
        let _ = self.shared.orders.send(Order::Send);
    }
}

impl State {
    fn identifier(&mut self) -> u64 {
        // A second later each.
        self.next += 1000 << 22;
        self.next
    }
}

const JOINED: &str = "2024-11-01T00:00:00.000000+00:00";

fn person(id: u64) -> Value {
    json!({"id": id.to_string(), "username": "ada", "global_name": "Ada", "discriminator": "0",
        "avatar": null, "bot": false})
}

/// A user as one of a guild.
fn member(user: Value) -> Value {
    json!({"user": user, "roles": [], "joined_at": JOINED, "deaf": false, "mute": false, "flags": 0})
}

/// Where a user is; the channel is null for who left.
fn voice_state(user: Value, session: &str, guild: &Value, channel: &Value) -> Value {
    json!({
        "guild_id": guild, "channel_id": channel, "user_id": user["id"], "session_id": session,
        "deaf": false, "mute": false, "self_deaf": false, "self_mute": false, "self_video": false,
        "suppress": false, "request_to_speak_timestamp": null, "member": member(user),
    })
}

fn own() -> Value {
    json!({"id": DiscordDouble::BOT.to_string(), "username": DiscordDouble::NAME,
        "discriminator": "0", "avatar": null, "bot": true, "verified": true, "mfa_enabled": false,
        "email": null, "flags": 0, "global_name": null})
}

fn message(id: u64, channel: u64, author: Value) -> Value {
    json!({
        "id": id.to_string(), "channel_id": channel.to_string(), "author": author,
        "content": "", "timestamp": "2024-11-01T00:00:00.000000+00:00", "edited_timestamp": null,
        "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [],
        "attachments": [], "embeds": [], "pinned": false, "type": 0, "flags": 0,
    })
}
