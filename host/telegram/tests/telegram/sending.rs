//! Messages, voice and files.

use std::time::{Duration, Instant};

use bytes::Bytes;
use june_chat_doubles::{Fault, TelegramDouble};
use june_chats::{Attachment, Chat, Indicator, Platform as _, PlatformError, Post, Voice};
use june_telegram::Telegram;
use serde_json::json;

use super::{chat, connected, free_of_the_token};

async fn talking(double: &TelegramDouble) -> Telegram {
    double.push_text(5, "hello");
    connected(double).await
}

fn post(markdown: &str) -> Post {
    Post { chat: chat(5), markdown: markdown.to_owned(), answers: None, key: "k1".to_owned() }
}

fn file(id: &str) -> Attachment {
    Attachment { id: id.to_owned(), name: "a".into(), media_type: None, bytes: None, seconds: None }
}

#[tokio::test]
async fn markdown_is_shown_as_telegram_does() {
    let double = TelegramDouble::start();
    let telegram = talking(&double).await;
    let message =
        Post { answers: Some("1".to_owned()), ..post("**🦀 bold** & <b> [x](https://a.b)") };
    telegram.post(message).await.unwrap();
    let sent = double.sent().remove(0);
    assert_eq!((sent.text.as_str(), sent.answers), ("🦀 bold & <b> x", Some(1)));
    assert_eq!(
        sent.entities,
        [
            json!({"type": "bold", "offset": 0, "length": 7}),
            json!({"type": "text_link", "url": "https://a.b/", "offset": 14, "length": 1}),
        ]
    );
    let call = double.calls_of("sendMessage").remove(0);
    assert_eq!(call["link_preview_options"], json!({"is_disabled": true}));
    assert_eq!(call["reply_parameters"]["allow_sending_without_reply"], true);
}

#[tokio::test]
async fn an_answer_of_everything_is_taken() {
    let double = TelegramDouble::start();
    let telegram = talking(&double).await;
    let everything = "# Title\n\nSome *text* with **bold _both_**, ~~not~~ and `code`.\n\n> quote\n> \
                      > inner\n\n1. one\n   - nested **x**\n2. two\n\n```rust\nfn main() {}\n```\n\n\
                      | a | b |\n|---|---|\n| 1 | `2` |\n\n---\n\n- [x] done ![cat](https://c.d)\n";
    for end in (0..=everything.len()).filter(|end| everything.is_char_boundary(*end)).step_by(7) {
        // As it looks while it is written.
        let part = everything[..end].trim();
        if !part.is_empty() {
            telegram.post(post(part)).await.unwrap();
        }
    }
    telegram.post(post(everything)).await.unwrap();
    assert!(double.sent().last().unwrap().entities.len() >= 9);
    // Nothing was taken only without its formatting.
    assert_eq!(double.sent().len(), double.calls_of("sendMessage").len());
}

#[tokio::test]
async fn what_telegram_does_not_take_formatted_is_sent_plainly() {
    let double = TelegramDouble::start();
    let telegram = talking(&double).await;
    let refusal = "Bad Request: can't parse entities: unsupported start tag";
    double.fail("sendMessage", Fault::Error(400, refusal.to_owned()));
    let id = telegram.post(post("**a** _b_")).await.unwrap();
    assert_eq!(double.sent()[0].text, "**a** _b_");
    assert_eq!(double.sent()[0].entities, Vec::<serde_json::Value>::new());

    double.fail("editMessageText", Fault::Error(400, refusal.to_owned()));
    telegram.edit(&chat(5), &id, "**c**").await.unwrap();
    assert_eq!(double.sent()[0].text, "**c**");
    assert_eq!(double.sent().len(), 1);
}

#[tokio::test]
async fn edits_replace_and_the_same_text_is_done() {
    let double = TelegramDouble::start();
    let telegram = talking(&double).await;
    let id = telegram.post(post("a")).await.unwrap();
    telegram.edit(&chat(5), &id, "a **b**").await.unwrap();
    telegram.edit(&chat(5), &id, "a **b**").await.unwrap();
    let sent = double.sent().remove(0);
    assert_eq!((sent.text.as_str(), sent.edits), ("a b", 1));
    for message in ["999", "no number"] {
        let error = telegram.edit(&chat(5), message, "x").await.unwrap_err();
        assert!(matches!(error, PlatformError::Refused(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_voice_message_arrives_as_it_was_made() {
    let double = TelegramDouble::start();
    let telegram = talking(&double).await;
    let ogg: Bytes = (0..70_000u32).map(|byte| byte as u8).collect::<Vec<_>>().into();
    let voice =
        Voice { ogg: ogg.clone(), duration: Duration::from_millis(2600), waveform: vec![1, 2, 3] };
    let message = Post { answers: Some("1".to_owned()), ..post("**said**") };
    telegram.voice(message, voice.clone()).await.unwrap();
    let sent = double.sent().remove(0);
    assert_eq!(sent.voice, Some((ogg, 3)));
    assert_eq!((sent.text.as_str(), sent.answers), ("said", Some(1)));
    assert_eq!(sent.entities, [json!({"type": "bold", "offset": 0, "length": 4})]);

    double.fail("sendVoice", Fault::TooMany(1));
    telegram.voice(post(""), voice).await.unwrap();
    let sent = double.sent().remove(1);
    assert_eq!((sent.text.as_str(), sent.voice.unwrap().0.len()), ("", 70_000));
}

#[tokio::test]
async fn it_waits_where_telegram_asks_to_and_not_for_long() {
    let double = TelegramDouble::start();
    let telegram = talking(&double).await;
    double.fail("sendMessage", Fault::TooMany(1));
    let start = Instant::now();
    telegram.post(post("x")).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    double.fail("sendMessage", Fault::TooMany(120));
    let error = telegram.post(post("y")).await.unwrap_err();
    let PlatformError::TooMany(_, wait) = error else { panic!("{error:?}") };
    assert_eq!(wait, Duration::from_secs(120));
    assert_eq!(double.sent().len(), 1);
}

#[tokio::test]
async fn failures_are_told_apart() {
    let double = TelegramDouble::start();
    let telegram = talking(&double).await;
    let refused = Fault::Error(403, "Forbidden: bot was blocked by the user".to_owned());
    let unknown = Fault::Error(400, "Bad Request: something new".to_owned());
    let revoked = Fault::Error(401, "Unauthorized".to_owned());
    for (fault, expected) in [
        (refused, "refused"),
        (unknown, "refused"),
        (revoked, "unauthorized"),
        (Fault::DropBefore, "unavailable"),
        (Fault::DropAfter, "unavailable"),
    ] {
        double.fail("sendMessage", fault.clone());
        let error = telegram.post(post("x")).await.unwrap_err();
        let kind = match &error {
            PlatformError::Refused(_) => "refused",
            PlatformError::Unauthorized(_) => "unauthorized",
            PlatformError::Unavailable(_) => "unavailable",
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, expected, "{fault:?}: {error}");
        free_of_the_token(&error.to_string());
    }
    // The last one took effect before the connection broke.
    assert_eq!(double.sent().len(), 1);
    let elsewhere = Post { chat: chat(6), ..post("x") };
    assert!(matches!(telegram.post(elsewhere).await, Err(PlatformError::Refused(_))));
    let nowhere = Post { chat: chat("x/y"), ..post("x") };
    assert!(matches!(telegram.post(nowhere).await, Err(PlatformError::Refused(_))));
    assert!(matches!(telegram.post(post(" ")).await, Err(PlatformError::Refused(_))));
    assert!(matches!(telegram.post(post(&"x".repeat(4097))).await, Err(PlatformError::Refused(_))));
}

#[tokio::test]
async fn indicators_are_shown_in_the_topic() {
    let double = TelegramDouble::start();
    let telegram = talking(&double).await;
    let group = json!({"id": -20, "type": "supergroup", "title": "g", "is_forum": true});
    double.push_message_in(group, 5, json!({"text": "x"}));
    let topic: Chat = chat("-20/77");
    telegram.indicate(&topic, Indicator::Recording).await.unwrap();
    telegram.indicate(&chat(5), Indicator::Typing).await.unwrap();
    telegram.post(Post { chat: topic, ..post("x") }).await.unwrap();
    let shown = double.calls_of("sendChatAction");
    assert_eq!(
        shown[0],
        json!({"chat_id": -20, "action": "record_voice", "message_thread_id": 77})
    );
    assert_eq!(shown[1], json!({"chat_id": 5, "action": "typing"}));
    assert_eq!(double.sent()[0].topic, Some(77));
}

#[tokio::test]
async fn files_are_fetched_up_to_a_bound() {
    let double = TelegramDouble::start();
    let telegram = talking(&double).await;
    let content: Bytes = vec![7; 100_000].into();
    let id = double.add_file(content.clone());
    assert_eq!(telegram.download(&file(&id), 100_000).await.unwrap(), content);

    let error = telegram.download(&file(&id), 99_999).await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused(_)), "{error:?}");
    let calls = double.calls().len();
    let known = Attachment { bytes: Some(1 << 40), ..file(&id) };
    assert!(matches!(telegram.download(&known, 1 << 20).await, Err(PlatformError::Refused(_))));
    assert_eq!(double.calls().len(), calls, "it was not even asked for");

    // A server that says less than it sends.
    double.lie_about_size(&id, 10);
    let error = telegram.download(&file(&id), 99_999).await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused(_)), "{error:?}");

    for (fault, refused) in [
        (Fault::Error(404, "Not Found".to_owned()), true),
        (Fault::Error(502, "Bad Gateway".to_owned()), false),
        (Fault::DropBefore, false),
    ] {
        double.fail("file", fault);
        let error = telegram.download(&file(&id), 1 << 20).await.unwrap_err();
        assert_eq!(matches!(error, PlatformError::Refused(_)), refused, "{error:?}");
        free_of_the_token(&error.to_string());
    }
    assert!(matches!(telegram.download(&file("x"), 1).await, Err(PlatformError::Refused(_))));
}
