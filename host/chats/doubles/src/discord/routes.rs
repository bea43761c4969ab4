//! The HTTP interface, version 10, and the server for files.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{DiscordDouble, Posted, Shared, State, message, own};
use crate::fault::Fault;
use crate::server::{Answer, broken, json as answer, response};

const MOST_UPLOAD: usize = 10 << 20;
const IS_VOICE_MESSAGE: u64 = 8192;

/// A status, with a result or an error's code and text.
type Outcome = Result<Value, (u16, u64, &'static str)>;

pub(super) async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let Some(path) = path.strip_prefix("/api/v10/") else {
        return download(&shared, &path);
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let method = request.method().to_string();
    let parts: Vec<_> = path.split('/').collect();
    let shape: Vec<_> =
        parts.iter().map(|part| if part.parse::<u64>().is_ok() { "*" } else { part }).collect();
    let mut call = format!("{method} {}", shape.join("/"));
    let interaction = parts.first() == Some(&"interactions");
    if interaction {
        call = format!("{method} interactions/*/*/callback");
    }
    let allowed = request.headers().get("authorization").is_some_and(|given| {
        given.as_bytes() == format!("Bot {}", DiscordDouble::TOKEN).as_bytes()
    });
    let Some((body, files)) = body(request).await else {
        return error(400, 50109, "The request body contains invalid JSON.");
    };
    shared.state.lock().unwrap().calls.push((format!("{method} {path}"), body.clone()));
    if !allowed && !interaction {
        return error(401, 0, "401: Unauthorized");
    }
    let fault = shared.faults.take(&call);
    match &fault {
        Some(Fault::DropBefore) => return broken(),
        Some(Fault::TooMany(seconds)) => {
            return answer(
                429,
                &json!({
                    "message": "You are being rate limited.", "retry_after": seconds, "global": false,
                }),
            );
        }
        Some(Fault::Error(status, text)) => return error(*status, 0, text),
        Some(Fault::DropAfter) | None => {}
    }
    let outcome = route(&shared, &call, &parts, &query, &body, files);
    if fault == Some(Fault::DropAfter) {
        return broken();
    }
    match outcome {
        Ok(Value::Null) => response(204, "application/json", ""),
        Ok(result) => answer(200, &result),
        Err((status, code, text)) => error(status, code, text),
    }
}

fn error(status: u16, code: u64, text: &str) -> Answer {
    answer(status, &json!({"code": code, "message": text}))
}

fn download(shared: &Shared, path: &str) -> Answer {
    match shared.faults.take("file") {
        Some(Fault::DropBefore | Fault::DropAfter) => return broken(),
        Some(Fault::TooMany(_)) => return error(429, 0, "Too many"),
        Some(Fault::Error(status, text)) => return error(status, 0, &text),
        None => {}
    }
    match shared.state.lock().unwrap().files.get(path) {
        Some(bytes) => response(200, "application/octet-stream", bytes.clone()),
        None => response(404, "text/plain", "This content is no longer available."),
    }
}

/// The JSON, and the files of a form by their number.
async fn body(request: Request<Incoming>) -> Option<(Value, BTreeMap<String, Bytes>)> {
    let mut files = BTreeMap::new();
    let kind = request.headers().get("content-type").map(|kind| kind.to_str().map(str::to_owned));
    let kind = match kind {
        Some(kind) => kind.ok()?,
        None => String::new(),
    };
    if !kind.starts_with("multipart/form-data") {
        let bytes = request.into_body().collect().await.ok()?.to_bytes();
        let value =
            if bytes.is_empty() { json!({}) } else { serde_json::from_slice(&bytes).ok()? };
        return Some((value, files));
    }
    let boundary = multer::parse_boundary(&kind).ok()?;
    let mut form = multer::Multipart::new(request.into_body().into_data_stream(), boundary);
    let mut value = json!({});
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        let bytes = field.bytes().await.ok()?;
        if name == "payload_json" {
            value = serde_json::from_slice(&bytes).ok()?;
        } else {
            let number = name.strip_prefix("files[")?.strip_suffix(']')?;
            files.insert(number.to_owned(), bytes);
        }
    }
    Some((value, files))
}

fn route(
    shared: &Shared,
    call: &str,
    parts: &[&str],
    query: &str,
    body: &Value,
    files: BTreeMap<String, Bytes>,
) -> Outcome {
    let id = |place: usize| parts.get(place).and_then(|part| part.parse::<u64>().ok()).unwrap_or(0);
    let mut state = shared.state.lock().unwrap();
    match call {
        "GET users/@me" => Ok(own()),
        "GET applications/@me" => {
            Ok(json!({"id": DiscordDouble::APPLICATION.to_string(), "name": "june"}))
        }
        "GET gateway" => Ok(json!({"url": shared.gateway})),
        "GET gateway/bot" => {
            Ok(json!({"url": shared.gateway, "shards": 1, "session_start_limit": {
                "total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1,
            }}))
        }
        "PUT applications/*/commands" => {
            for command in body.as_array().ok_or((400, 50035, "Invalid Form Body"))? {
                let name = command["name"].as_str().unwrap_or_default();
                let about = command["description"].as_str().unwrap_or_default();
                let fits = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
                if !fits(name, 32) || name.to_lowercase() != name || !fits(about, 100) {
                    return Err((400, 50035, "Invalid Form Body"));
                }
            }
            state.commands = body.clone();
            Ok(body.clone())
        }
        "POST users/@me/channels" => {
            // A person's channel with the bot has the person's number here.
            let person = body["recipient_id"].as_str().and_then(|id| id.parse().ok());
            let channel = person.ok_or((400, 50035, "Invalid Form Body"))?;
            let messages = state.channels.entry(channel).or_default();
            let last = messages.last().map_or(Value::Null, |message| message["id"].clone());
            Ok(json!({"id": channel.to_string(), "type": 1, "last_message_id": last,
                "recipients": [super::person(channel)]}))
        }
        "GET channels/*/messages" => state.messages(id(1), query),
        "GET channels/*/messages/*" => {
            state.known(id(1))?;
            let wanted = json!(id(3).to_string());
            let found = state.channels[&id(1)].iter().find(|message| message["id"] == wanted);
            found.cloned().ok_or((404, 10008, "Unknown Message"))
        }
        "POST channels/*/messages" => state.post(shared, id(1), body, files),
        "PATCH channels/*/messages/*" => state.edit(id(1), id(3), body),
        "POST channels/*/typing" => state.known(id(1)).map(|()| Value::Null),
        "POST interactions/*/*/callback" => {
            let interaction = id(1);
            if parts.get(2) != Some(&format!("interaction-{interaction}").as_str()) {
                return Err((404, 10062, "Unknown interaction"));
            }
            state.acknowledged.push((interaction, body.clone()));
            Ok(Value::Null)
        }
        _ => Err((404, 0, "404: Not Found")),
    }
}

impl State {
    fn known(&self, channel: u64) -> Result<(), (u16, u64, &'static str)> {
        if self.channels.contains_key(&channel) {
            Ok(())
        } else {
            Err((404, 10003, "Unknown Channel"))
        }
    }

    /// Newest first, as Discord gives them.
    fn messages(&self, channel: u64, query: &str) -> Outcome {
        self.known(channel)?;
        let number = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(found, _)| *found == name)
                .and_then(|(_, value)| value.parse::<u64>().ok())
        };
        let (after, limit) = (number("after").unwrap_or(0), number("limit").unwrap_or(50));
        let id = |message: &Value| message["id"].as_str().unwrap().parse::<u64>().unwrap();
        let mut found: Vec<_> = self.channels[&channel]
            .iter()
            .filter(|message| id(message) > after)
            .take(limit.clamp(1, 100) as usize)
            .cloned()
            .collect();
        found.reverse();
        Ok(Value::Array(found))
    }

    fn post(
        &mut self,
        shared: &Shared,
        channel: u64,
        body: &Value,
        mut files: BTreeMap<String, Bytes>,
    ) -> Outcome {
        self.known(channel)?;
        let invalid = (400, 50035, "Invalid Form Body");
        let text = body["content"].as_str().unwrap_or_default().to_owned();
        if text.chars().count() > 2000 {
            return Err(invalid);
        }
        let nonce = body["nonce"].as_str().map(str::to_owned);
        if nonce.as_ref().is_some_and(|nonce| nonce.len() > 25) {
            return Err(invalid);
        }
        if let Some(known) = nonce.as_ref().and_then(|nonce| self.nonces.get(nonce))
            && body["enforce_nonce"] == json!(true)
        {
            return Ok(tell(&self.sent[*known]));
        }
        let spoken = body["flags"].as_u64().unwrap_or(0) & IS_VOICE_MESSAGE != 0;
        let voice = if spoken {
            let attachments = body["attachments"].as_array().ok_or(invalid)?;
            let [attachment] = attachments.as_slice() else {
                return Err((400, 50161, "Voice messages must have a single audio attachment."));
            };
            if !text.is_empty() {
                return Err((400, 50160, "Voice messages do not support additional content."));
            }
            let (Some(seconds), Some(waveform)) =
                (attachment["duration_secs"].as_f64(), attachment["waveform"].as_str())
            else {
                return Err((400, 50162, "Voice messages must have supporting metadata."));
            };
            let file = attachment["id"].as_str().and_then(|id| files.remove(id)).ok_or(invalid)?;
            if file.len() > MOST_UPLOAD {
                return Err((413, 40005, "Request entity too large"));
            }
            Some((file, seconds, waveform.to_owned()))
        } else if text.trim().is_empty() {
            return Err((400, 50006, "Cannot send an empty message"));
        } else {
            None
        };
        let posted = Posted {
            id: self.identifier(),
            channel,
            text,
            answers: body["message_reference"]["message_id"]
                .as_str()
                .and_then(|id| id.parse().ok()),
            voice,
            edits: 0,
            parameters: body.clone(),
        };
        if let Some(nonce) = nonce {
            self.nonces.insert(nonce, self.sent.len());
        }
        let told = tell(&posted);
        self.sent.push(posted);
        // The bot hears of its own messages too.
        self.channels.entry(channel).or_default().push(told.clone());
        self.events.push(("MESSAGE_CREATE", told.clone()));
        let _ = shared.orders.send(super::Order::Send);
        Ok(told)
    }

    fn edit(&mut self, channel: u64, id: u64, body: &Value) -> Outcome {
        self.known(channel)?;
        let text = body["content"].as_str().unwrap_or_default();
        let posted = self
            .sent
            .iter_mut()
            .find(|posted| posted.id == id && posted.channel == channel)
            .ok_or((404, 10008, "Unknown Message"))?;
        if posted.voice.is_some() || text.chars().count() > 2000 {
            return Err((400, 50035, "Invalid Form Body"));
        }
        if text.trim().is_empty() {
            return Err((400, 50006, "Cannot send an empty message"));
        }
        posted.text = text.to_owned();
        posted.edits += 1;
        Ok(tell(posted))
    }
}

fn tell(posted: &Posted) -> Value {
    let mut message = message(posted.id, posted.channel, own());
    message["content"] = json!(posted.text);
    message["flags"] = posted.parameters["flags"].clone();
    message
}
