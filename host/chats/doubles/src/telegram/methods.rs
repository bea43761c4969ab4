//! The methods.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::entities;
use super::request::Outcome;
use super::{Sent, Shared, State, TelegramDouble};

const MOST_UPLOAD: usize = 50_000_000;
const MOST_DOWNLOAD: usize = 20_000_000;

pub(super) async fn call(
    shared: &Shared,
    method: &str,
    parameters: &Value,
    files: BTreeMap<String, Bytes>,
) -> Outcome {
    if method == "getUpdates" {
        return updates(shared, parameters).await;
    }
    let mut state = shared.state.lock().unwrap();
    match method {
        "getMe" => Ok(json!({
            "id": TelegramDouble::BOT, "is_bot": true, "first_name": "June",
            "username": TelegramDouble::NAME, "can_join_groups": true,
            "can_read_all_group_messages": false, "supports_inline_queries": false,
        })),
        "setMyCommands" => {
            for command in parameters["commands"].as_array().ok_or_else(|| bad("commands"))? {
                let name = command["command"].as_str().unwrap_or_default();
                let about = command["description"].as_str().unwrap_or_default();
                let letters =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                if !(1..=32).contains(&name.len()) || !name.bytes().all(letters) {
                    return Err(bad("BOT_COMMAND_INVALID"));
                }
                if !(1..=256).contains(&about.chars().count()) {
                    return Err(bad("BOT_COMMAND_DESCRIPTION_INVALID"));
                }
            }
            state.commands = parameters["commands"].clone();
            Ok(json!(true))
        }
        "setWebhook" => {
            let url = parameters["url"].as_str().unwrap_or_default();
            if !url.starts_with("https://") {
                return Err(bad("bad webhook: An HTTPS URL must be provided for webhook"));
            }
            state.webhook = Some(parameters.clone());
            Ok(json!(true))
        }
        "deleteWebhook" => {
            state.webhook = None;
            Ok(json!(true))
        }
        "sendMessage" => state.send_message(parameters),
        "editMessageText" => state.edit(parameters),
        "sendVoice" => state.send_voice(parameters, files),
        "sendChatAction" => {
            state.chat(parameters)?;
            match parameters["action"].as_str() {
                Some("typing" | "record_voice" | "upload_voice") => Ok(json!(true)),
                _ => Err(bad("wrong parameter action in request")),
            }
        }
        "getFile" => {
            let file = parameters["file_id"].as_str().unwrap_or_default();
            let bytes = state.files.get(file).ok_or_else(|| bad("invalid file_id"))?;
            if bytes.len() > MOST_DOWNLOAD {
                return Err(bad("file is too big"));
            }
            let size = state.lies.get(file).copied().unwrap_or(bytes.len() as u64);
            Ok(json!({
                "file_id": file, "file_unique_id": file, "file_size": size,
                "file_path": format!("files/{file}"),
            }))
        }
        _ => Err((404, "Not Found: method not found".to_owned())),
    }
}

fn bad(what: &str) -> (u16, String) {
    (400, format!("Bad Request: {what}"))
}

/// Long polling: the offset acknowledges all before it, and a later request ends an earlier one.
async fn updates(shared: &Shared, parameters: &Value) -> Outcome {
    let offset = parameters["offset"].as_i64().unwrap_or(0);
    let limit = parameters["limit"].as_u64().unwrap_or(100).clamp(1, 100) as usize;
    let until = Instant::now() + Duration::from_secs(parameters["timeout"].as_u64().unwrap_or(0));
    let poll = {
        let mut state = shared.state.lock().unwrap();
        if state.webhook.is_some() {
            return Err((
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook \
                 to delete the webhook first"
                    .to_owned(),
            ));
        }
        state.polls += 1;
        shared.arrived.notify_waiters();
        state.updates = state.updates.split_off(&offset);
        state.polls
    };
    loop {
        let mut arrived = std::pin::pin!(shared.arrived.notified());
        arrived.as_mut().enable();
        {
            let state = shared.state.lock().unwrap();
            if state.polls != poll {
                return Err((
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot \
                     instance is running"
                        .to_owned(),
                ));
            }
            let updates: Vec<_> = state.updates.values().take(limit).cloned().collect();
            if !updates.is_empty() || Instant::now() >= until {
                return Ok(Value::Array(updates));
            }
        }
        let _ = tokio::time::timeout_at(until, arrived).await;
    }
}

impl State {
    fn chat(&self, parameters: &Value) -> Result<i64, (u16, String)> {
        let chat = parameters["chat_id"].as_i64().ok_or_else(|| bad("chat_id is empty"))?;
        if self.chats.contains_key(&chat) { Ok(chat) } else { Err(bad("chat not found")) }
    }

    fn send_message(&mut self, parameters: &Value) -> Outcome {
        let (text, entities) = entities::text(parameters, "text", "entities", 4096)?;
        if text.is_empty() {
            return Err(bad("message text is empty"));
        }
        self.send(parameters, text, entities, None)
    }

    fn send_voice(&mut self, parameters: &Value, mut files: BTreeMap<String, Bytes>) -> Outcome {
        let (text, entities) = entities::text(parameters, "caption", "caption_entities", 1024)?;
        let name = match parameters["voice"].as_str() {
            Some(voice) => voice
                .strip_prefix("attach://")
                .ok_or_else(|| bad("wrong remote file identifier specified"))?,
            None => "voice",
        };
        let voice = files.remove(name).ok_or_else(|| bad("there is no voice in the request"))?;
        if voice.is_empty() {
            return Err(bad("file must be non-empty"));
        }
        if voice.len() > MOST_UPLOAD {
            return Err((413, "Request Entity Too Large".to_owned()));
        }
        let seconds = parameters["duration"].as_u64().unwrap_or(0);
        self.send(parameters, text, entities, Some((voice, seconds)))
    }

    fn send(
        &mut self,
        parameters: &Value,
        text: String,
        entities: Vec<Value>,
        voice: Option<(Bytes, u64)>,
    ) -> Outcome {
        let chat = self.chat(parameters)?;
        let answers = parameters["reply_parameters"]["message_id"].as_i64();
        let sent = Sent {
            id: self.message(),
            chat,
            topic: parameters["message_thread_id"].as_i64(),
            text,
            entities,
            answers,
            voice,
            edits: 0,
        };
        let told = self.tell(&sent);
        self.sent.push(sent);
        Ok(told)
    }

    fn edit(&mut self, parameters: &Value) -> Outcome {
        let chat = self.chat(parameters)?;
        let (text, entities) = entities::text(parameters, "text", "entities", 4096)?;
        if text.is_empty() {
            return Err(bad("message text is empty"));
        }
        let id = parameters["message_id"].as_i64();
        let message = self
            .sent
            .iter_mut()
            .find(|sent| Some(sent.id) == id && sent.chat == chat && sent.voice.is_none())
            .ok_or_else(|| bad("message to edit not found"))?;
        if message.text == text && message.entities == entities {
            return Err(bad(
                "message is not modified: specified new message content and reply markup are \
                 exactly the same as a current content and reply markup of the message",
            ));
        }
        message.text = text;
        message.entities = entities;
        message.edits += 1;
        let message = message.clone();
        Ok(self.tell(&message))
    }

    /// The message as the Bot API answers with it.
    fn tell(&self, sent: &Sent) -> Value {
        let mut message = json!({
            "message_id": sent.id,
            "date": 1_700_000_000 + sent.id,
            "from": {"id": TelegramDouble::BOT, "is_bot": true, "first_name": "June",
                "username": TelegramDouble::NAME},
            "chat": self.chats[&sent.chat],
        });
        match &sent.voice {
            None => {
                message["text"] = json!(sent.text);
                message["entities"] = json!(sent.entities);
            }
            Some((ogg, seconds)) => {
                message["voice"] = json!({
                    "file_id": format!("voice{}", sent.id),
                    "file_unique_id": format!("voice{}", sent.id),
                    "duration": seconds, "file_size": ogg.len(), "mime_type": "audio/ogg",
                });
            }
        }
        message
    }
}
