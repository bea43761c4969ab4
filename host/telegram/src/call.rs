//! Requests, and what became of them.

use std::error::Error;
use std::fmt::Write as _;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use june_chats::{PlatformError, Token};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use teloxide_core::requests::{JsonRequest, MultipartPayload, MultipartRequest, Payload, Request};
use teloxide_core::types::InputFile;
use teloxide_core::{ApiError, Bot, RequestError};

use crate::TOKEN_HINT;

/// Longer than this, nobody waits where Telegram asks to.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request of teloxide's whose answer is read as `R`.
pub(crate) struct Reading<P, R> {
    payload: P,
    read: PhantomData<fn() -> R>,
}

impl<P: Clone, R> Clone for Reading<P, R> {
    fn clone(&self) -> Reading<P, R> {
        Reading::of(self.payload.clone())
    }
}

impl<P, R> Reading<P, R> {
    pub(crate) fn of(payload: P) -> Reading<P, R> {
        Reading { payload, read: PhantomData }
    }
}

impl<P: Payload, R> Payload for Reading<P, R> {
    type Output = R;
    const NAME: &'static str = P::NAME;
}

impl<P: Serialize, R> Serialize for Reading<P, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.payload.serialize(serializer)
    }
}

impl<P: MultipartPayload, R> MultipartPayload for Reading<P, R> {
    fn copy_files(&self, into: &mut dyn FnMut(InputFile)) {
        self.payload.copy_files(into);
    }

    fn move_files(&mut self, into: &mut dyn FnMut(InputFile)) {
        self.payload.move_files(into);
    }
}

/// What is read of a message that was sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    pub(crate) message_id: i32,
}

/// Why a request failed, still as Telegram tells it.
pub(crate) enum Failure {
    /// The chat has another identifier now.
    Moved(i64),
    /// The same text is there already.
    Unchanged,
    /// Another program asks for this bot's updates.
    Conflict(String),
    Other(PlatformError),
}

impl From<Failure> for PlatformError {
    fn from(failure: Failure) -> PlatformError {
        match failure {
            Failure::Moved(chat) => PlatformError::Refused(format!(
                "the group became a supergroup with the identifier {chat}"
            )),
            Failure::Unchanged => PlatformError::Refused("the message has this text".to_owned()),
            Failure::Conflict(text) => PlatformError::Refused(text),
            Failure::Other(error) => error,
        }
    }
}

/// Sends a request, again where Telegram asks to wait for less than a minute.
pub(crate) async fn json<P>(
    bot: &Bot,
    token: &Token,
    payload: &P,
) -> Result<P::Output, PlatformError>
where
    P: Payload + Serialize + Clone + 'static,
    P::Output: DeserializeOwned + 'static,
{
    try_json(bot, token, payload).await.map_err(Into::into)
}

/// [`json`], where the caller does something about a failure.
pub(crate) async fn try_json<P>(bot: &Bot, token: &Token, payload: &P) -> Result<P::Output, Failure>
where
    P: Payload + Serialize + Clone + 'static,
    P::Output: DeserializeOwned + 'static,
{
    patiently(token, || JsonRequest::new(bot.clone(), payload.clone()).send()).await
}

/// The same for a request with a file.
pub(crate) async fn try_multipart<P>(
    bot: &Bot,
    token: &Token,
    payload: &P,
) -> Result<P::Output, Failure>
where
    P: MultipartPayload + Serialize + Clone + 'static,
    P::Output: DeserializeOwned + 'static,
{
    patiently(token, || MultipartRequest::new(bot.clone(), payload.clone()).send()).await
}

async fn patiently<T, F>(token: &Token, mut send: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, RequestError>>,
{
    let mut patience = PATIENCE;
    loop {
        let failure = match send().await {
            Ok(output) => return Ok(output),
            Err(error) => failure(&error, token),
        };
        match failure {
            Failure::Other(PlatformError::TooMany(_, wait)) if wait < patience => {
                patience -= wait;
                tokio::time::sleep(wait).await;
            }
            failure => return Err(failure),
        }
    }
}

fn failure(error: &RequestError, token: &Token) -> Failure {
    Failure::Other(match error {
        RequestError::MigrateToChatId(chat) => return Failure::Moved(chat.0),
        RequestError::RetryAfter(wait) => {
            let wait = wait.duration();
            PlatformError::TooMany(
                format!("Telegram asks to wait {} s before the next message", wait.as_secs()),
                wait,
            )
        }
        RequestError::Network(error) => PlatformError::Unavailable(network(error, token)),
        RequestError::InvalidJson { .. } => PlatformError::Unavailable(
            "what came from Telegram's server is no answer of the Bot API\nhint: if the server's \
             address was set, check it"
                .to_owned(),
        ),
        RequestError::Io(error) => {
            PlatformError::Unavailable(format!("cannot send to Telegram: {error}"))
        }
        RequestError::Api(ApiError::InvalidToken) => PlatformError::Unauthorized(format!(
            "Telegram does not accept the bot's token\n{TOKEN_HINT}"
        )),
        RequestError::Api(ApiError::MessageNotModified) => return Failure::Unchanged,
        RequestError::Api(error) => {
            let text = words(error);
            if text.starts_with("Conflict:") {
                return Failure::Conflict(token.scrub(&text));
            }
            let told = token.scrub(&format!("Telegram refused: {text}"));
            if refusal(&text) {
                PlatformError::Refused(told)
            } else {
                PlatformError::Unavailable(told)
            }
        }
    })
}

/// What Telegram said.
fn words(error: &ApiError) -> String {
    match error {
        ApiError::Unknown(text) => text.clone(),
        known => known.to_string(),
    }
}

/// Whether the description is of an error that is the request's (4xx of the Bot API), rather than a
/// fault of the server.
fn refusal(text: &str) -> bool {
    !["Internal Server Error", "Bad Gateway", "Service Unavailable", "Gateway Time"]
        .iter()
        .any(|fault| text.starts_with(fault))
}

/// What went wrong with the connection. The library's own text begins with the address, and the
/// token is in there.
pub(crate) fn network(error: &reqwest::Error, token: &Token) -> String {
    let mut text = String::from(if error.is_timeout() {
        "Telegram did not answer in time"
    } else if error.is_connect() {
        "Telegram cannot be reached"
    } else {
        "the connection to Telegram broke"
    });
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    token.scrub(&text)
}
