//! Messages, voice and files.

use std::time::{Duration, Instant};

use bytes::Bytes;
use june_chat_doubles::{DiscordDouble, Fault};
use june_chats::{Attachment, Indicator, Platform as _, PlatformError, Post, Voice};
use june_discord::Discord;
use serde_json::json;

use super::{chat, connected, free_of_the_token};

const POST: &str = "POST channels/*/messages";

async fn talking(double: &DiscordDouble) -> Discord {
    double.push_text(5, "hello");
    connected(double).await
}

fn post(markdown: &str, key: &str) -> Post {
    Post { chat: chat(5), markdown: markdown.to_owned(), answers: None, key: key.to_owned() }
}

fn file(id: &str) -> Attachment {
    Attachment { id: id.to_owned(), name: "a".into(), media_type: None, bytes: None, seconds: None }
}

#[tokio::test]
async fn a_message_notifies_nobody_and_opens_no_link() {
    let double = DiscordDouble::start();
    let discord = talking(&double).await;
    let message = Post { answers: Some("12".to_owned()), ..post("**a** @everyone", "k1") };
    let id = discord.post(message).await.unwrap();
    let sent = double.sent().remove(0);
    assert_eq!(
        (sent.id.to_string(), sent.text.as_str(), sent.answers),
        (id, "**a** @everyone", Some(12))
    );
    assert_eq!(sent.parameters["allowed_mentions"], json!({"parse": []}));
    assert_eq!(sent.parameters["flags"], 4);
    assert_eq!(sent.parameters["message_reference"]["fail_if_not_exists"], false);
}

#[tokio::test]
async fn two_attempts_with_a_key_are_one_message() {
    let double = DiscordDouble::start();
    let discord = talking(&double).await;
    double.fail(POST, Fault::DropAfter);
    let error = discord.post(post("x", "k1")).await.unwrap_err();
    assert!(matches!(error, PlatformError::Unavailable(_)), "{error:?}");
    let id = discord.post(post("x", "k1")).await.unwrap();
    assert_eq!(double.sent().len(), 1);
    assert_eq!(double.sent()[0].id.to_string(), id);
    discord.post(post("x", "k2")).await.unwrap();
    assert_eq!(double.sent().len(), 2);
}

#[tokio::test]
async fn edits_replace() {
    let double = DiscordDouble::start();
    let discord = talking(&double).await;
    let id = discord.post(post("a", "k1")).await.unwrap();
    discord.edit(&chat(5), &id, "b").await.unwrap();
    discord.edit(&chat(5), &id, "b").await.unwrap();
    discord.edit(&chat(5), &id, "| a |\n|---|\n| b |").await.unwrap();
    assert_eq!(double.sent()[0].text, "```\na\n-\nb\n```");
    for message in ["999", "../5"] {
        let error = discord.edit(&chat(5), message, "x").await.unwrap_err();
        assert!(matches!(error, PlatformError::Refused(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_voice_message_arrives_as_it_was_made() {
    let double = DiscordDouble::start();
    let discord = talking(&double).await;
    let ogg: Bytes = (0..70_000u32).map(|byte| byte as u8).collect::<Vec<_>>().into();
    let voice = Voice {
        ogg: ogg.clone(),
        duration: Duration::from_millis(2600),
        waveform: vec![0, 1, 2, 3],
    };
    let message = Post { answers: Some("12".to_owned()), ..post("", "k1") };
    let id = discord.voice(message, voice.clone()).await.unwrap();
    let sent = double.sent().remove(0);
    assert_eq!(sent.voice, Some((ogg, 2.6, "AAECAw==".to_owned())));
    assert_eq!((sent.id.to_string(), sent.answers, sent.text.as_str()), (id, Some(12), ""));

    // Discord takes no text with a voice message.
    double.fail(POST, Fault::TooMany(1));
    let key = "a".repeat(25);
    let spoken = discord.voice(post("as text", &key), voice).await.unwrap();
    let sent = double.sent();
    assert_eq!((sent[1].id.to_string(), sent[1].voice.is_some()), (spoken, true));
    assert_eq!((sent[2].text.as_str(), sent.len()), ("as text", 3));
}

#[tokio::test]
async fn it_waits_where_discord_asks_to_and_not_for_long() {
    let double = DiscordDouble::start();
    let discord = talking(&double).await;
    double.fail(POST, Fault::TooMany(1));
    let start = Instant::now();
    discord.post(post("x", "k1")).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    double.fail(POST, Fault::TooMany(120));
    let error = discord.post(post("y", "k2")).await.unwrap_err();
    let PlatformError::TooMany(_, wait) = error else { panic!("{error:?}") };
    assert_eq!(wait, Duration::from_secs(120));
    assert_eq!(double.sent().len(), 1);
}

#[tokio::test]
async fn failures_are_told_apart() {
    let double = DiscordDouble::start();
    let discord = talking(&double).await;
    for (fault, expected) in [
        (Fault::Error(403, "Missing Access".to_owned()), "refused"),
        (Fault::Error(401, "401: Unauthorized".to_owned()), "unauthorized"),
        (Fault::Error(502, "Bad Gateway".to_owned()), "unavailable"),
        (Fault::DropBefore, "unavailable"),
    ] {
        double.fail(POST, fault.clone());
        let error = discord.post(post("x", "k1")).await.unwrap_err();
        let kind = match &error {
            PlatformError::Refused(_) => "refused",
            PlatformError::Unauthorized(_) => "unauthorized",
            PlatformError::Unavailable(_) => "unavailable",
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, expected, "{fault:?}: {error}");
        free_of_the_token(&error.to_string());
    }
    assert!(double.sent().is_empty());
    for wrong in ["6", "x", "5/../6"] {
        let elsewhere = Post { chat: chat(wrong), ..post("x", "k1") };
        assert!(matches!(discord.post(elsewhere).await, Err(PlatformError::Refused(_))));
    }
    let long = "x".repeat(2001);
    assert!(matches!(discord.post(post(&long, "k1")).await, Err(PlatformError::Refused(_))));
}

#[tokio::test]
async fn typing_is_shown() {
    let double = DiscordDouble::start();
    let discord = talking(&double).await;
    discord.indicate(&chat(5), Indicator::Recording).await.unwrap();
    assert!(double.calls().iter().any(|(call, _)| call == "POST channels/5/typing"));
}

#[tokio::test]
async fn files_are_fetched_up_to_a_bound_and_from_nowhere_else() {
    let double = DiscordDouble::start();
    let discord = talking(&double).await;
    let content: Bytes = vec![7; 100_000].into();
    let url = double.add_file("a.bin", content.clone());
    assert_eq!(discord.download(&file(&url), 100_000).await.unwrap(), content);
    let error = discord.download(&file(&url), 99_999).await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused(_)), "{error:?}");
    let known = Attachment { bytes: Some(1 << 40), ..file(&url) };
    assert!(matches!(discord.download(&known, 1 << 20).await, Err(PlatformError::Refused(_))));

    let other = DiscordDouble::start();
    for elsewhere in [
        other.add_file("a.bin", content).as_str(),
        "http://cdn.discordapp.com/a",
        "https://cdn.discordapp.com:8443/a",
        "https://cdn.discordapp.com.example.org/a",
        "file:///etc/passwd",
        "x",
    ] {
        let error = discord.download(&file(elsewhere), 1 << 20).await.unwrap_err();
        let PlatformError::Refused(text) = error else { panic!("{error:?}") };
        assert!(text.contains("not on Discord's servers"), "{text}");
    }
    for (fault, refused) in [
        (Fault::Error(404, "gone".to_owned()), true),
        (Fault::Error(403, "expired".to_owned()), true),
        (Fault::Error(410, "gone".to_owned()), true),
        (Fault::Error(502, "Bad Gateway".to_owned()), false),
        (Fault::DropBefore, false),
    ] {
        double.fail("file", fault);
        let error = discord.download(&file(&url), 1 << 20).await.unwrap_err();
        assert_eq!(matches!(error, PlatformError::Refused(_)), refused, "{error:?}");
    }
}
