//! The connector against a double of Discord, over HTTP and its gateway.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "discord/receiving.rs"]
mod receiving;
#[path = "discord/sending.rs"]
mod sending;

use june_chat_doubles::{DiscordDouble, Fault};
use june_chats::{Access, Chat, MenuCommand, PlatformError, Token};
use june_discord::{Discord, Settings};

fn settings(double: &DiscordDouble) -> Settings {
    let command = |name: &str, argument: Option<&str>| MenuCommand {
        name: name.to_owned(),
        about: format!("does {name}"),
        argument: argument.map(str::to_owned),
    };
    Settings {
        token: Token::new(DiscordDouble::TOKEN),
        server: double.url().to_owned(),
        commands: vec![command("reset", None), command("voice", Some("on or off"))],
        access: Access::Everyone,
    }
}

async fn connected(double: &DiscordDouble) -> Discord {
    Discord::connect(settings(double)).await.unwrap()
}

fn chat(id: impl std::fmt::Display) -> Chat {
    Chat { platform: "discord".to_owned(), id: id.to_string() }
}

fn free_of_the_token(text: &str) {
    assert!(!text.contains("token_of-the"), "{text}");
}

#[tokio::test]
async fn the_bot_is_known_and_its_commands_are_offered() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    assert_eq!(discord.username(), DiscordDouble::NAME);
    let commands = double.commands();
    assert_eq!((&commands[0]["name"], &commands[0]["type"]), (&"reset".into(), &1.into()));
    assert_eq!(commands[1]["options"][0]["description"], "on or off");
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_told_and_not_shown() {
    let double = DiscordDouble::start();
    for token in ["another.secret-KEY", "", "with a space", "line\nfeed"] {
        let settings = Settings { token: Token::new(token), ..settings(&double) };
        assert!(token.is_empty() || !format!("{settings:?}").contains(token));
        match Discord::connect(settings).await {
            Err(PlatformError::Unauthorized(text)) => {
                assert!(text.contains("hint: "), "{text}");
                assert!(token.is_empty() || !text.contains(token), "{text}");
            }
            other => panic!("{:?}", other.err()),
        }
    }
}

#[tokio::test]
async fn no_error_has_the_token() {
    let double = DiscordDouble::start();
    let gone = Settings { server: "http://127.0.0.1:9".to_owned(), ..settings(&double) };
    let Err(PlatformError::Unavailable(text)) = Discord::connect(gone).await else { panic!() };
    free_of_the_token(&text);
    let told = format!("no {}", DiscordDouble::TOKEN);
    double.fail("GET users/@me", Fault::Error(403, told));
    let Err(PlatformError::Refused(text)) = Discord::connect(settings(&double)).await else {
        panic!()
    };
    free_of_the_token(&text);
    double.fail("GET users/@me", Fault::DropBefore);
    let Err(PlatformError::Unavailable(text)) = Discord::connect(settings(&double)).await else {
        panic!()
    };
    free_of_the_token(&text);
}
