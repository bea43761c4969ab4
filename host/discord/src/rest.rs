//! Requests to Discord's HTTP interface.
//!
//! Not through serenity: its rate limiter does not work with a server of one's own, and waits as
//! long as it is told to.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use june_chats::{PlatformError, Token};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::TOKEN_HINT;

/// Longer than this, nobody waits where Discord asks to.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most bytes of an answer; the longest is a page of a hundred messages.
const MOST_BYTES: usize = 16 << 20;
/// How many places are remembered in which no more is allowed for a while.
const MOST_WAITS: usize = 1000;

/// The interface with a token.
#[derive(Clone)]
pub(crate) struct Rest {
    client: reqwest::Client,
    base: String,
    token: Token,
    /// Until when not to ask, by what is asked for: Discord says with an answer that it was the
    /// last for a while.
    waits: Arc<Mutex<BTreeMap<String, Instant>>>,
}

/// What a request has.
pub(crate) enum Body {
    Nothing,
    Json(Value),
    /// A message with a file.
    File(Value, &'static str, Bytes),
}

/// What Discord says of an error.
#[derive(Default, Deserialize)]
struct Told {
    #[serde(default)]
    message: String,
    #[serde(default)]
    code: i64,
    retry_after: Option<f64>,
}

impl Rest {
    pub(crate) fn new(client: reqwest::Client, server: &str, token: Token) -> Rest {
        let base = format!("{}/api/v10", server.trim_end_matches('/'));
        Rest { client, base, token, waits: Arc::default() }
    }

    /// Asks, again where Discord asks to wait for less than a minute. `path` is below the version,
    /// without a slash before it.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: &Body,
    ) -> Result<Value, PlatformError> {
        let route = route(&method, path);
        let mut patience = PATIENCE;
        loop {
            let early = self.wait(&route);
            if early >= patience {
                return Err(too_many(early));
            }
            if !early.is_zero() {
                patience -= early;
                tokio::time::sleep(early).await;
            }
            let address = format!("{}/{path}", self.base);
            let request = self
                .client
                .request(method.clone(), address)
                .header("authorization", format!("Bot {}", self.token.expose()));
            let response = fill(request, body)?
                .send()
                .await
                .map_err(|error| PlatformError::Unavailable(self.network(&error)))?;
            self.note(&route, &response);
            let status = response.status().as_u16();
            let header = number(&response, "retry-after");
            let bytes = self.body(response).await?;
            if (200..300).contains(&status) {
                if bytes.is_empty() {
                    return Ok(Value::Null);
                }
                return serde_json::from_slice(&bytes).map_err(|_| {
                    PlatformError::Unavailable(
                        "what came from Discord is no answer of its interface".to_owned(),
                    )
                });
            }
            let told: Told = serde_json::from_slice(&bytes).unwrap_or_default();
            if status != 429 {
                return Err(self.failure(status, &told));
            }
            let wait = told.retry_after.or(header).unwrap_or(1.0);
            let wait = Duration::try_from_secs_f64(wait).unwrap_or(PATIENCE);
            if wait >= patience {
                return Err(too_many(wait));
            }
            patience -= wait;
            tokio::time::sleep(wait).await;
        }
    }

    /// Fetches a file of at most `most` bytes, without the token. None where nothing is any more, or
    /// the address is too old.
    pub(crate) async fn download(
        &self,
        address: &str,
        most: u64,
    ) -> Result<Option<Bytes>, PlatformError> {
        let response = self
            .client
            .get(address)
            .send()
            .await
            .map_err(|error| PlatformError::Unavailable(self.network(&error)))?;
        let status = response.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(PlatformError::Unavailable(format!(
                "Discord answered a download with status {status}"
            )));
        }
        if matches!(status.as_u16(), 403 | 404) {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(PlatformError::Refused(format!(
                "Discord refused a download with status {status}"
            )));
        }
        match self.bounded(response, most).await? {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(PlatformError::too_large(most)),
        }
    }

    async fn body(&self, response: Response) -> Result<Bytes, PlatformError> {
        let body = self.bounded(response, MOST_BYTES as u64).await?;
        body.ok_or_else(|| {
            PlatformError::Unavailable("an answer of Discord's has no end".to_owned())
        })
    }

    /// The body, if it is not larger.
    async fn bounded(
        &self,
        mut response: Response,
        most: u64,
    ) -> Result<Option<Bytes>, PlatformError> {
        if response.content_length().is_some_and(|length| length > most) {
            return Ok(None);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| PlatformError::Unavailable(self.network(&error)))?
        {
            if (body.len() + chunk.len()) as u64 > most {
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body.into()))
    }

    /// How long until a route may be asked again.
    fn wait(&self, route: &str) -> Duration {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits
            .get(route)
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    fn note(&self, route: &str, response: &Response) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let last = number(response, "x-ratelimit-remaining").is_some_and(|left| left < 1.0);
        let after = number(response, "x-ratelimit-reset-after")
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let now = Instant::now();
        match after.and_then(|after| now.checked_add(after)) {
            Some(until) if last => {
                if waits.len() >= MOST_WAITS {
                    waits.retain(|_, until| *until > now);
                }
                waits.insert(route.to_owned(), until);
            }
            _ => {
                waits.remove(route);
            }
        }
    }

    fn failure(&self, status: u16, told: &Told) -> PlatformError {
        let message = self.token.scrub(&told.message);
        let text = match told.code {
            0 => format!("Discord answered with status {status}: {message}"),
            code => format!("Discord answered with status {status}: {message} (code {code})"),
        };
        match status {
            401 => PlatformError::Unauthorized(format!(
                "Discord does not accept the bot's token\n{TOKEN_HINT}"
            )),
            400..=499 => PlatformError::Refused(text),
            _ => PlatformError::Unavailable(text),
        }
    }

    /// What went wrong with the connection.
    fn network(&self, error: &reqwest::Error) -> String {
        let mut text = String::from(if error.is_timeout() {
            "Discord did not answer in time"
        } else if error.is_connect() {
            "Discord cannot be reached"
        } else {
            "the connection to Discord broke"
        });
        let mut cause = error.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        self.token.scrub(&text)
    }
}

fn fill(request: RequestBuilder, body: &Body) -> Result<RequestBuilder, PlatformError> {
    Ok(match body {
        Body::Nothing => request,
        Body::Json(value) => {
            request.header("content-type", "application/json").body(value.to_string())
        }
        Body::File(value, name, file) => {
            let length = file.len() as u64;
            let file = Part::stream_with_length(file.clone(), length)
                .file_name(*name)
                .mime_str("audio/ogg")
                .map_err(|error| PlatformError::Refused(error.to_string()))?;
            let value = Part::text(value.to_string())
                .mime_str("application/json")
                .map_err(|error| PlatformError::Refused(error.to_string()))?;
            request.multipart(Form::new().part("payload_json", value).part("files[0]", file))
        }
    })
}

fn number(response: &Response, header: &str) -> Option<f64> {
    response.headers().get(header)?.to_str().ok()?.parse().ok()
}

fn too_many(wait: Duration) -> PlatformError {
    let text = format!("Discord asks to wait {} s before the next message", wait.as_secs());
    PlatformError::TooMany(text, wait)
}

/// What Discord counts together: a method and a path, where only the first identifier (of a channel)
/// makes a difference.
fn route(method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts = path.split('/').enumerate().map(|(place, part)| match part.parse::<u64>() {
        Ok(_) if place > 1 => "*",
        _ => part,
    });
    format!("{method} {}", parts.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_by_channel() {
        let route = |path| route(&Method::GET, path);
        assert_eq!(route("channels/1/messages/2"), route("channels/1/messages/3"));
        assert_ne!(route("channels/1/messages"), route("channels/2/messages"));
        assert_eq!(route("channels/1/messages?after=5"), "GET channels/1/messages");
    }
}
