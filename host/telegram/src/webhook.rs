//! Updates that Telegram brings.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use june_chats::{Event, Inbox, PlatformError, Token};
use reqwest::Url;
use serde::Serialize;
use teloxide_core::requests::Payload;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::Telegram;
use crate::call::json;
use crate::update::{KINDS, Update};

/// The header that has the secret.
const SECRET: &str = "x-telegram-bot-api-secret-token";
/// The most bytes of an update; a message has a few thousand.
const MOST_BYTES: usize = 1 << 20;
/// As many connections as Telegram opens unless asked otherwise, and some for others.
const MOST_CONNECTIONS: usize = 64;
/// The longest that a request may take to arrive.
const SLOWEST: Duration = Duration::from_secs(20);

/// Takes updates that Telegram sends to an address of the bot's own.
pub struct Webhook<T> {
    telegram: Telegram,
    secret: Token,
    inbox: Arc<dyn Inbox>,
    tell: T,
}

/// `setWebhook`, with only what is used of it.
#[derive(Clone, Serialize)]
struct SetWebhook {
    url: String,
    secret_token: String,
    allowed_updates: [&'static str; 2],
}

impl Payload for SetWebhook {
    type Output = bool;
    const NAME: &'static str = "setWebhook";
}

impl Telegram {
    /// Tells Telegram to bring updates to `url`, and returns what takes them there. `secret` (1 to
    /// 256 letters, digits, `_` and `-`) is what only Telegram and the bot know.
    ///
    /// # Errors
    ///
    /// When the secret or the address is none, and as every call.
    pub async fn webhook<T: Fn(Event) + Send + Sync>(
        &self,
        url: &str,
        secret: Token,
        inbox: Arc<dyn Inbox>,
        tell: T,
    ) -> Result<Webhook<T>, PlatformError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=256).contains(&secret.expose().len()) || !secret.expose().bytes().all(known) {
            return Err(PlatformError::Refused(
                "the webhook's secret is not 1 to 256 letters, digits, '_' and '-'\nhint: make one \
                 with `openssl rand -hex 32`"
                    .to_owned(),
            ));
        }
        if Url::parse(url).is_err() {
            return Err(PlatformError::Refused(
                "the webhook's address is none\nhint: it is what Telegram reaches this machine by, \
                 for example https://example.org/telegram"
                    .to_owned(),
            ));
        }
        let set = SetWebhook {
            url: url.to_owned(),
            secret_token: secret.expose().to_owned(),
            allowed_updates: KINDS,
        };
        json(&self.bot, &self.token, &set).await?;
        Ok(Webhook { telegram: self.clone(), secret, inbox, tell })
    }
}

impl<T: Fn(Event) + Send + Sync> Webhook<T> {
    /// Takes a request's secret header and body, and returns the status to answer with. 200 means
    /// that the update is on disk; Telegram sends it again after anything else.
    pub fn take(&self, secret: Option<&[u8]>, body: &[u8]) -> u16 {
        if !secret.is_some_and(|secret| self.secret.is(secret)) {
            return 401;
        }
        let update: Update = match serde_json::from_slice(body) {
            Ok(update) => update,
            Err(error) => {
                // It would come again for ever.
                (self.tell)(Event::Trouble(format!(
                    "what Telegram sent is no update, and left out: {error}"
                )));
                return 200;
            }
        };
        let incoming = self.telegram.read(vec![update], &self.tell);
        if incoming.is_empty() {
            return 200;
        }
        match self.inbox.record(&incoming) {
            Ok(new) => {
                if new.contains(&true) {
                    (self.tell)(Event::New);
                }
                200
            }
            Err(error) => {
                (self.tell)(Event::Trouble(error.to_string()));
                500
            }
        }
    }

    /// Serves HTTP until `stop`: POST requests to `path`, and nothing else. Telegram wants HTTPS,
    /// which a server in front of this one has to end.
    ///
    /// # Errors
    ///
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        path: &str,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), PlatformError>
    where
        T: 'static,
    {
        let (webhook, path): (_, Arc<str>) = (Arc::new(self), path.into());
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut stop = pin!(stop);
        loop {
            let accepted = async {
                let place = places.clone().acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                accepted = accepted => accepted,
            };
            let Ok((connection, _)) = accepted else {
                // Too many open files, most likely; that passes.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (webhook, path) = (webhook.clone(), path.clone());
            tokio::spawn(async move {
                let _place = place;
                let service = service_fn(|request| webhook.respond(&path, request));
                let _ = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(SLOWEST)
                    .serve_connection(TokioIo::new(connection), service)
                    .await;
            });
        }
    }

    async fn respond(
        &self,
        path: &str,
        request: Request<hyper::body::Incoming>,
    ) -> Result<Response<Empty<Bytes>>, Infallible> {
        let status = if request.uri().path() != path {
            404
        } else if request.method() != Method::POST {
            405
        } else {
            let (head, body) = request.into_parts();
            let body = Limited::new(body, MOST_BYTES).collect();
            match tokio::time::timeout(SLOWEST, body).await {
                Err(_) => 408,
                Ok(Err(_)) => 413,
                Ok(Ok(body)) => {
                    let secret = head.headers.get(SECRET).map(|secret| secret.as_bytes());
                    self.take(secret, &body.to_bytes())
                }
            }
        };
        let mut response = Response::new(Empty::new());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        Ok(response)
    }
}
