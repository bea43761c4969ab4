//! The connector against a double of the Bot API, over HTTP.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "telegram/receiving.rs"]
mod receiving;
#[path = "telegram/sending.rs"]
mod sending;
#[path = "telegram/webhook.rs"]
mod webhook;

use june_chat_doubles::{Fault, TelegramDouble};
use june_chats::{Chat, MenuCommand, PlatformError, Token};
use june_telegram::{Settings, Telegram};

fn settings(double: &TelegramDouble) -> Settings {
    let command = |name: &str, argument: Option<&str>| MenuCommand {
        name: name.to_owned(),
        about: format!("does {name}"),
        argument: argument.map(str::to_owned),
    };
    Settings {
        token: Token::new(TelegramDouble::TOKEN),
        server: double.url().to_owned(),
        commands: vec![command("reset", None), command("voice", Some("on or off"))],
    }
}

async fn connected(double: &TelegramDouble) -> Telegram {
    Telegram::connect(settings(double)).await.unwrap()
}

fn chat(id: impl std::fmt::Display) -> Chat {
    Chat { platform: "telegram".to_owned(), id: id.to_string() }
}

/// What must be nowhere: the token, or the part of it that is the key.
fn free_of_the_token(text: &str) {
    let (_, key) = TelegramDouble::TOKEN.split_once(':').unwrap();
    assert!(!text.contains(key), "{text}");
}

#[tokio::test]
async fn the_bot_is_known_and_its_commands_are_offered() {
    let double = TelegramDouble::start();
    let telegram = connected(&double).await;
    assert_eq!(telegram.username(), TelegramDouble::NAME);
    assert_eq!(double.commands()[1]["description"], "does voice: on or off");
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_told_and_not_shown() {
    let double = TelegramDouble::start();
    for token in ["7000000001:another-KEY", "no token at all", "1:a/../b"] {
        let settings = Settings { token: Token::new(token), ..settings(&double) };
        assert!(!format!("{settings:?}").contains(token));
        match Telegram::connect(settings).await {
            Err(PlatformError::Unauthorized(text)) => {
                assert!(text.contains("hint: "), "{text}");
                assert!(!text.contains(token), "{text}");
            }
            other => panic!("{:?}", other.err()),
        }
    }
}

#[tokio::test]
async fn no_error_has_the_token() {
    let double = TelegramDouble::start();
    // Nobody listens there.
    let gone = Settings { server: "http://127.0.0.1:9".to_owned(), ..settings(&double) };
    let Err(PlatformError::Unavailable(text)) = Telegram::connect(gone).await else { panic!() };
    free_of_the_token(&text);
    assert!(text.contains("cannot be reached"), "{text}");

    double.fail("getMe", Fault::DropBefore);
    let Err(PlatformError::Unavailable(text)) = Telegram::connect(settings(&double)).await else {
        panic!()
    };
    free_of_the_token(&text);

    let told = format!("Bad Request: no {}", TelegramDouble::TOKEN);
    double.fail("getMe", Fault::Error(400, told));
    let Err(PlatformError::Refused(text)) = Telegram::connect(settings(&double)).await else {
        panic!()
    };
    free_of_the_token(&text);
    assert!(text.contains("no [token]"), "{text}");

    let ftp = Settings { server: "ftp://example.org".to_owned(), ..settings(&double) };
    let Err(PlatformError::Refused(text)) = Telegram::connect(ftp).await else { panic!() };
    assert!(text.contains("hint: "), "{text}");
}
