//! Updates that Telegram brings.

use std::sync::Arc;

use june_chat_doubles::{InboxDouble, TelegramDouble};
use june_chats::{Event, PlatformError, Token};
use june_telegram::Webhook;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::connected;

const SECRET: &str = "a-secret_of-the-webhook";

fn update(id: u64) -> Value {
    json!({"update_id": id, "message": {
        "message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"},
        "from": {"id": 5, "is_bot": false, "first_name": "Ada"}, "text": "hello",
    }})
}

async fn webhook(
    double: &TelegramDouble,
    inbox: &Arc<InboxDouble>,
) -> Webhook<impl Fn(Event) + Send + Sync + 'static> {
    let telegram = connected(double).await;
    let address = "https://example.org/telegram";
    telegram.webhook(address, Token::new(SECRET), inbox.clone(), |_| {}).await.unwrap()
}

#[tokio::test]
async fn only_with_the_secret_and_only_once_on_disk() {
    let double = TelegramDouble::start();
    let inbox = Arc::new(InboxDouble::default());
    let webhook = webhook(&double, &inbox).await;
    let registered = double.webhook().unwrap();
    assert_eq!(registered["secret_token"], SECRET);
    assert_eq!(registered["allowed_updates"], json!(["message", "edited_message"]));

    let body = update(1).to_string();
    for wrong in [None, Some(""), Some("a-secret_of-the-webhooj"), Some("a")] {
        assert_eq!(webhook.take(wrong.map(str::as_bytes), body.as_bytes()), 401);
    }
    assert!(inbox.messages().is_empty());
    let secret = Some(SECRET.as_bytes());
    inbox.fill(true);
    assert_eq!(webhook.take(secret, body.as_bytes()), 500);
    inbox.fill(false);
    assert_eq!(webhook.take(secret, body.as_bytes()), 200);
    assert_eq!(webhook.take(secret, body.as_bytes()), 200);
    assert_eq!(inbox.messages().len(), 1);
    // These would come again for ever.
    assert_eq!(webhook.take(secret, b"{"), 200);
    assert_eq!(webhook.take(secret, br#"{"update_id": 2, "message": {}}"#), 200);
    assert_eq!(inbox.messages().len(), 1);
}

#[tokio::test]
async fn a_secret_and_an_address_have_a_form() {
    let double = TelegramDouble::start();
    let inbox = Arc::new(InboxDouble::default());
    let telegram = connected(&double).await;
    for (address, secret) in [
        ("https://example.org/t", ""),
        ("https://example.org/t", "with space"),
        ("nowhere", "good"),
        ("http://example.org/t", "good"),
    ] {
        let made = telegram.webhook(address, Token::new(secret), inbox.clone(), |_| {}).await;
        assert!(matches!(made, Err(PlatformError::Refused(_))), "{address} {secret}");
    }
}

async fn ask(address: std::net::SocketAddr, head: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{head}\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses need not read all of it.
    let _ = stream.write_all(body).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap()
}

#[tokio::test]
async fn it_is_served_over_http() {
    let double = TelegramDouble::start();
    let inbox = Arc::new(InboxDouble::default());
    let webhook = webhook(&double, &inbox).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(webhook.serve(listener, "/telegram", async {
        let _ = stopped.await;
    }));
    let body = update(9).to_string();
    let head = format!("POST /telegram HTTP/1.1\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}");
    assert_eq!(ask(address, &head, body.as_bytes()).await, 200);
    assert_eq!(inbox.messages()[0].text, "hello");
    assert_eq!(ask(address, "POST /telegram HTTP/1.1", body.as_bytes()).await, 401);
    assert_eq!(ask(address, "POST /other HTTP/1.1", b"").await, 404);
    assert_eq!(ask(address, "GET /telegram HTTP/1.1", b"").await, 405);
    assert_eq!(ask(address, &head, &vec![b' '; 2 << 20]).await, 413);
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
