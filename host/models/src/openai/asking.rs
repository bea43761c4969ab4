//! One question to a server: connecting, reading, and asking again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use tokio::time::{Instant, timeout_at};

use crate::error::{ModelError, causes};
use crate::openai::answer::Answer;
use crate::openai::body;
use crate::openai::chunk::ServerError;
use crate::openai::failure::Failure;
use crate::openai::reply::Reply;
use crate::openai::settings::Settings;
use crate::types::{Delta, Request};
use crate::words::quoted;

/// How long to wait for the usage, once the answer is whole.
const USAGE: Duration = Duration::from_secs(2);

/// How long to wait for the end of the connection's stream once the server has said that it is
/// done: it comes with the same packet, and then the connection can be used again.
const REUSE: Duration = Duration::from_millis(20);

/// The most bytes that are read of an error's text.
const ERROR: usize = 64 << 10;

/// A server that can be asked.
pub(crate) struct Server {
    pub(crate) settings: Settings,
    pub(crate) client: Client,
    pub(crate) url: Url,
    /// The model and its server, for messages.
    pub(crate) name: String,
    /// The server knows `stream_options`, as far as is known.
    pub(crate) counts: AtomicBool,
}

impl Server {
    /// The error without the key, which a server may have repeated.
    fn scrub(&self, error: ModelError) -> ModelError {
        let Some(key) = &self.settings.key else { return error };
        match error {
            ModelError::Invalid(text) => ModelError::Invalid(key.scrub(&text)),
            ModelError::ContextOverflow(text) => ModelError::ContextOverflow(key.scrub(&text)),
            ModelError::Unavailable(text) => ModelError::Unavailable(key.scrub(&text)),
        }
    }
}

/// A question on its way.
pub(crate) struct Asking {
    server: Arc<Server>,
    request: Request,
    /// When all must be over; set by the first poll.
    until: Option<Instant>,
    /// Attempts that have been made.
    tried: u32,
    /// The usage was asked for.
    counted: bool,
    /// Some delta was delivered: from now on, nothing is asked again.
    delivered: bool,
    ready: VecDeque<Delta>,
    /// What went wrong after the deltas that are ready.
    failed: Option<Failure>,
    open: Option<Open>,
}

/// A reply and where it comes from.
struct Open {
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    reply: Reply,
    /// When the first byte must be there.
    first: Option<Instant>,
}

impl Asking {
    pub(crate) fn new(server: Arc<Server>, request: Request) -> Asking {
        Asking {
            server,
            request,
            until: None,
            tried: 0,
            counted: false,
            delivered: false,
            ready: VecDeque::new(),
            failed: None,
            open: None,
        }
    }

    /// The next delta. After a finish or an error there is none.
    pub(crate) async fn next(&mut self) -> Result<Delta, ModelError> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                self.delivered = true;
                return Ok(delta);
            }
            if let Some(failure) = self.failed.take() {
                self.recover(failure).await.map_err(|error| self.server.scrub(error))?;
            }
            self.failed = self.advance().await.err();
        }
    }

    /// Makes one step: connects, or reads what comes next.
    async fn advance(&mut self) -> Result<(), Failure> {
        let Some(mut open) = self.open.take() else {
            self.open = Some(self.connect().await?);
            return Ok(());
        };
        let between = Instant::now() + self.server.settings.deadlines.between;
        let finished = open.reply.is_finished();
        let step = match open.first {
            Some(first) => first,
            None if finished => between.min(Instant::now() + USAGE),
            None => between,
        };
        let read = timeout_at(step.min(self.until()), open.bytes.next()).await;
        match read {
            Ok(Some(Ok(bytes))) => {
                open.first = None;
                open.reply.push(&bytes, &mut self.ready)?;
                if open.reply.is_done() {
                    let _ = timeout_at(Instant::now() + REUSE, open.bytes.next()).await;
                    return open.reply.end(None, &mut self.ready);
                }
                self.open = Some(open);
                Ok(())
            }
            Ok(Some(Err(error))) => open.reply.end(Some(told(error)), &mut self.ready),
            Ok(None) => open.reply.end(None, &mut self.ready),
            // The answer is whole; only its usage is not there.
            Err(_) if finished => open.reply.end(None, &mut self.ready),
            Err(_) => Err(self.too_slow(open.first.is_some())),
        }
    }

    async fn connect(&mut self) -> Result<Open, Failure> {
        let server = self.server.clone();
        let Server { settings, client, url, name, counts } = &*server;
        let first = Instant::now() + settings.deadlines.first;
        self.tried += 1;
        self.counted = counts.load(Ordering::Relaxed);
        let body = body::write(settings, &self.request, self.counted).map_err(Failure::Final)?;
        let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let response = timeout_at(first.min(self.until()), request.send()).await;
        let response = response.map_err(|_| self.too_slow(true))?.map_err(|error| {
            let hint = "check that the server runs and its address is right";
            Failure::passing(format!("{name} cannot be reached: {}\nhint: {hint}", told(error)))
        })?;
        if !response.status().is_success() {
            let refused = timeout_at(first.min(self.until()), refused(name, response)).await;
            return Err(refused.unwrap_or_else(|_| self.too_slow(true)));
        }
        let answer = Answer::new(&self.request, settings.reasoning);
        let reply = Reply::new(name.clone(), settings.limits, answer);
        Ok(Open { bytes: response.bytes_stream().boxed(), reply, first: Some(first) })
    }

    /// Returns when it is time to ask again.
    async fn recover(&mut self, failure: Failure) -> Result<(), ModelError> {
        let (error, after) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::UsageOption(error) => {
                // Where it was not sent, the words mean something else.
                if !self.counted || self.delivered {
                    return Err(error);
                }
                self.server.counts.store(false, Ordering::Relaxed);
                self.tried -= 1;
                return Ok(());
            }
            Failure::Passing { error, .. } if self.delivered => return Err(error),
            Failure::Passing { error, after } => (error, after),
        };
        let pause = self.server.settings.retries.pause(self.tried, after);
        let again = pause.map(|pause| Instant::now() + pause).filter(|time| *time < self.until());
        let Some(again) = again else { return Err(error) };
        tokio::time::sleep_until(again).await;
        Ok(())
    }

    fn until(&mut self) -> Instant {
        let total = self.server.settings.deadlines.total;
        *self.until.get_or_insert_with(|| Instant::now() + total)
    }

    fn too_slow(&mut self, first: bool) -> Failure {
        let until = self.until();
        let Settings { deadlines, .. } = &self.server.settings;
        let (what, limit) = match first {
            _ if Instant::now() >= until => ("took longer than its", deadlines.total),
            true => ("began no answer within", deadlines.first),
            false => ("sent nothing for", deadlines.between),
        };
        let hint = "the server may be overloaded: look at its log, or allow more time";
        Failure::unavailable(format!("{} {what} {limit:?}\nhint: {hint}", self.server.name))
    }
}

/// What a reply without success says.
async fn refused(name: &str, response: Response) -> Failure {
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let after =
        header(RETRY_AFTER).and_then(|header| super::retry::after(header, SystemTime::now()));
    if status.is_redirection() {
        let to = header(LOCATION).map_or_else(|| "nowhere".to_owned(), |to| quoted(to, 200));
        return Failure::unavailable(format!(
            "{name} answered with error {status}: it wants to be asked at {to}\nhint: if that is \
             the right place, set the model's address to it (without /chat/completions)"
        ));
    }
    let (text, _) = beginning(response, ERROR).await;
    let text = String::from_utf8_lossy(&text);
    let error = serde_json::from_str(&text).ok().and_then(|value| ServerError::read(&value));
    let error = error
        .unwrap_or_else(|| ServerError { message: text.into_owned(), ..ServerError::default() });
    Failure::reported(name, Some(status.as_u16()), &error, after)
}

/// The first bytes of a reply's body, and why there are no more of them, where that is the
/// connection's fault.
pub(crate) async fn beginning(response: Response, most: usize) -> (Vec<u8>, reqwest::Result<()>) {
    let (mut body, mut bytes) = (Vec::new(), response.bytes_stream());
    while let Some(more) = bytes.next().await {
        match more {
            Ok(more) => body.extend_from_slice(&more[..more.len().min(most - body.len())]),
            Err(error) => return (body, Err(error)),
        }
        if body.len() == most {
            break;
        }
    }
    (body, Ok(()))
}

/// An error of the connection, with its causes and without its URL.
pub(crate) fn told(error: reqwest::Error) -> String {
    causes(&error.without_url())
}
