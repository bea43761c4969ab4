//! A Triton server, and asking it something.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::openai::asking::{beginning, told};
use crate::openai::{self, Proxy, client};
use crate::secret::Secret;
use crate::triton::error::TritonError;
use crate::words::quoted;

/// The most bytes of a reply.
const REPLY: usize = 4 << 20;

/// Which server is asked, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's address, such as `http://127.0.0.1:8000`.
    pub base: String,
    /// Sent as `Authorization: Bearer …`, for servers behind a proxy that wants it.
    pub key: Option<Secret>,
    /// By which way the server is reached.
    pub proxy: Proxy,
    /// How long to wait for what.
    pub deadlines: Deadlines,
}

impl Settings {
    /// The usual settings for a server.
    pub fn new(base: impl Into<String>) -> Settings {
        let (proxy, deadlines) = (Proxy::default(), Deadlines::default());
        Settings { base: base.into(), key: None, proxy, deadlines }
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For a reply that needs no work. Ten seconds unless set.
    pub reply: Duration,
    /// Until a model is loaded. Half an hour unless set: large models take minutes, and some
    /// backends compile first.
    pub load: Duration,
    /// Until a model is unloaded. Five minutes unless set: the server answers what it was asked
    /// before.
    pub unload: Duration,
    /// Between two looks at a model's state. Half a second unless set.
    pub poll: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Deadlines {
            reply: seconds(10),
            load: seconds(1800),
            unload: seconds(300),
            poll: Duration::from_millis(500),
        }
    }
}

/// A server that can be asked.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) deadlines: Deadlines,
    /// For messages.
    pub(crate) name: String,
    client: Client,
    url: Url,
}

/// What a server replied.
#[derive(Debug)]
pub(crate) struct Replied {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

impl Server {
    pub(crate) fn new(settings: &Settings) -> Result<Server, TritonError> {
        let Settings { base, key, proxy, deadlines } = settings.clone();
        let mut connection = openai::Settings::new(base, "of Triton");
        connection.key = key;
        connection.proxy = proxy;
        connection.deadlines.connect = deadlines.reply;
        let (url, client) = client::connect(&connection, "/v2")?;
        let name = format!("Triton at {}", url.origin().ascii_serialization());
        Ok(Server { deadlines, name, client, url })
    }

    /// Posts JSON to a path below `/v2`.
    pub(crate) fn post(&self, path: &[&str], body: String) -> RequestBuilder {
        self.client.post(self.at(path)).header(CONTENT_TYPE, "application/json").body(body)
    }

    /// The address of a path below `/v2`.
    fn at(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        url
    }

    /// Asks at a path below `/v2`. Nothing when there is no reply until then.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &[&str],
        until: Instant,
    ) -> Option<Result<Replied, TritonError>> {
        let unreachable = |error: reqwest::Error| TritonError::Unreachable {
            server: self.name.clone(),
            why: told(error),
        };
        let ask = async {
            // MLServer, which has the same interface, insists on a body.
            let request = match method {
                Method::POST => self.post(path, "{}".into()),
                other => self.client.request(other, self.at(path)),
            };
            let response = request.send().await.map_err(unreachable)?;
            Replied::read(response).await.map_err(unreachable)
        };
        timeout_at(until, ask).await.ok()
    }

    /// Asks for something that takes no time.
    pub(crate) async fn ask_quickly(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<Replied, TritonError> {
        let limit = self.deadlines.reply;
        let reply = self.ask(method, path, Instant::now() + limit).await;
        reply.unwrap_or_else(|| {
            let hint = "it may be overloaded: look at its log";
            let (server, what) = (self.name.clone(), "answer".to_owned());
            Err(TritonError::TooSlow { server, what, limit, hint })
        })
    }
}

impl Replied {
    /// Reads a reply, up to a limit.
    pub(crate) async fn read(response: Response) -> reqwest::Result<Replied> {
        let status = response.status();
        let (body, read) = beginning(response, REPLY).await;
        read?;
        Ok(Replied { status, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// What the server says went wrong, in quotes.
    pub(crate) fn reason(&self) -> String {
        #[derive(Deserialize)]
        struct Failure {
            error: String,
        }
        let said = serde_json::from_str(&self.body).map(|Failure { error }| error);
        let said = said.unwrap_or_else(|_| self.body.clone());
        // MLServer shows Python's whole traceback, whose last line has the cause.
        let said = match said.starts_with("Traceback (most recent call last)") {
            true => said.trim_end().lines().next_back().unwrap_or_default(),
            false => &said,
        };
        format!("error {}: {}", self.status.as_u16(), quoted(said, 600))
    }
}
