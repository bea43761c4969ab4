//! The OpenAI client against servers: hostile ones, written here, and real ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answers;
mod cancel;
mod hostile;
mod llama;
mod peers;
mod retries;
mod server;
mod transformers;

use std::time::Duration;

use june_models::openai::{Deadlines, Limits, OpenAi, Proxy, Retries, Settings};
use june_models::types::{Completion, Message, Request, Role};
use june_models::{Model, ModelError, collect};

/// Settings for tests: quick to give up.
fn settings(base: &str) -> Settings {
    let milliseconds = Duration::from_millis;
    Settings {
        proxy: Proxy::None,
        deadlines: Deadlines {
            connect: milliseconds(2000),
            first: milliseconds(2000),
            between: milliseconds(1000),
            total: milliseconds(15_000),
        },
        retries: Retries { most: 2, first: milliseconds(20), longest: milliseconds(1500) },
        limits: Limits { event: 1 << 20, reply: 4 << 20, stream: 8 << 20 },
        ..Settings::new(base, "m")
    }
}

fn question() -> Request {
    Request { messages: vec![Message::text(Role::User, "hello")], ..Request::default() }
}

/// The whole answer of a server.
async fn ask(server: &server::Server) -> Result<Completion, ModelError> {
    ask_with(settings(&server.base)).await
}

async fn ask_with(settings: Settings) -> Result<Completion, ModelError> {
    let answer = collect(OpenAi::new(settings).unwrap().stream(question()));
    tokio::time::timeout(Duration::from_secs(20), answer).await.expect("it ends in time")
}

/// The error of a server that gives no answer; every error says what to do.
async fn refused(server: &server::Server) -> ModelError {
    let error = ask(server).await.unwrap_err();
    assert!(error.to_string().contains("\nhint: "), "{error}");
    error
}
