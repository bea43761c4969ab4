//! One question to a server.

use std::time::Duration;

use june_models::error::causes;
use june_models::openai::{Settings, connect};
use june_models::quoted;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::SpeechError;

/// The most bytes that are read of an error's text.
const ERROR: usize = 64 << 10;

/// A server that can be asked.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) settings: Settings,
    client: Client,
    url: Url,
    /// The model and its server, for messages.
    name: String,
}

/// What a server refused.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Its status, where it answered at all.
    pub(super) status: Option<StatusCode>,
    pub(super) error: SpeechError,
}

impl Server {
    /// The server with this path below its address.
    pub(super) fn new(settings: Settings, path: &str) -> Result<Server, SpeechError> {
        let (url, client) =
            connect(&settings, path).map_err(|error| SpeechError::Engine(error.to_string()))?;
        let name = format!("{} at {}", settings.model, url.origin().ascii_serialization());
        Ok(Server { settings, client, url, name })
    }

    /// Asks, and reads the whole answer: no more than so many bytes.
    pub(super) async fn ask(
        &self,
        body: impl FnOnce(RequestBuilder) -> RequestBuilder,
        most: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let deadlines = &self.settings.deadlines;
        let until = Instant::now() + deadlines.total;
        let first = until.min(Instant::now() + deadlines.first);
        let sent = timeout_at(first, body(self.client.post(self.url.clone())).send()).await;
        let sent = sent.map_err(|_| self.too_slow(deadlines.first.min(deadlines.total)))?;
        let response = sent.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            let (bytes, whole) = self.read(response, most, until).await?;
            return if whole { Ok(bytes) } else { Err(self.fault("sent more than it may")) };
        }
        let (text, _) = self.read(response, ERROR, until).await?;
        Err(self.refused(status, &String::from_utf8_lossy(&text)))
    }

    /// The body, as far as it may be read, and whether that is all.
    async fn read(
        &self,
        mut response: Response,
        most: usize,
        until: Instant,
    ) -> Result<(Vec<u8>, bool), Refusal> {
        let between = self.settings.deadlines.between;
        let mut bytes = Vec::new();
        loop {
            let read = timeout_at(until.min(Instant::now() + between), response.chunk()).await;
            let chunk = read.map_err(|_| self.too_slow(between))?;
            let Some(chunk) = chunk.map_err(|error| self.unreachable(error))? else {
                return Ok((bytes, true));
            };
            let left = most - bytes.len();
            if chunk.len() > left {
                bytes.extend_from_slice(chunk.get(..left).unwrap_or_default());
                return Ok((bytes, false));
            }
            bytes.extend_from_slice(&chunk);
        }
    }

    /// The error for an answer that cannot be used.
    pub(super) fn fault(&self, what: &str) -> Refusal {
        let hint = "look at the server's log, and whether it has OpenAI's interface for speech";
        self.refusal(None, format!("{} {what}\nhint: {hint}", self.name))
    }

    fn too_slow(&self, limit: Duration) -> Refusal {
        let hint = "the server may be overloaded: look at its log, or allow more time";
        self.refusal(None, format!("{} sent nothing for {limit:?}\nhint: {hint}", self.name))
    }

    fn unreachable(&self, error: reqwest::Error) -> Refusal {
        let why = causes(&error.without_url());
        let hint = "check that the server runs and its address is right";
        self.refusal(None, format!("{} cannot be reached: {why}\nhint: {hint}", self.name))
    }

    fn refused(&self, status: StatusCode, text: &str) -> Refusal {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let said =
            [&value["error"]["message"], &value["error"], &value["detail"], &value["message"]];
        let said = said.into_iter().find_map(Value::as_str).unwrap_or(text);
        let hint = match status.as_u16() {
            300..400 => "set the address to the right place: redirects are not followed",
            400 | 413 | 415 | 422 => "the server's words name what it cannot serve",
            401 | 403 => "check the key of this model, and that it may use the model",
            404 => "check the address (most end in /v1) and the server's name for the model",
            _ => "the server is busy or broken: look at its log, or try again later",
        };
        let said = if said.trim().is_empty() { "nothing more".into() } else { quoted(said, 400) };
        let name = &self.name;
        let text = format!("{name} answered with error {status}: {said}\nhint: {hint}");
        self.refusal(Some(status), text)
    }

    /// Servers like to repeat a key that they refuse.
    fn refusal(&self, status: Option<StatusCode>, text: String) -> Refusal {
        let text = self.settings.key.as_ref().map_or(text.clone(), |key| key.scrub(&text));
        Refusal { status, error: SpeechError::Engine(text) }
    }
}
