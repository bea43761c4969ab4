//! Long polling.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use june_chat_doubles::{Fault, InboxDouble, TelegramDouble};
use june_chats::{Event, PlatformError};
use june_telegram::Telegram;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{connected, free_of_the_token};

/// A bot that receives.
struct Receiving {
    inbox: Arc<InboxDouble>,
    events: Arc<Mutex<Vec<Event>>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), PlatformError>>,
}

impl Receiving {
    fn start(telegram: &Telegram, inbox: &Arc<InboxDouble>) -> Receiving {
        let (stop, stopped) = oneshot::channel::<()>();
        let events = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn({
            let (telegram, inbox, events) = (telegram.clone(), inbox.clone(), events.clone());
            async move {
                let tell = |event| events.lock().unwrap().push(event);
                let stop = async {
                    let _ = stopped.await;
                };
                telegram.receive(inbox, tell, stop).await
            }
        });
        Receiving { inbox: inbox.clone(), events, stop, task }
    }

    async fn stop(self) -> Vec<Event> {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
        self.events.lock().unwrap().clone()
    }
}

async fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..1500 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen");
}

#[tokio::test]
async fn messages_arrive_in_order_and_are_acknowledged() {
    let double = TelegramDouble::start();
    let telegram = connected(&double).await;
    double.push_text(5, "before the start");
    let receiving = Receiving::start(&telegram, &Arc::new(InboxDouble::default()));
    receiving.inbox.wait_for(1).await;
    let message = double.push_text(5, "first");
    double.push_edit(5, message, "first, but better");
    double.push_text(5, "/voice on");
    let messages = receiving.inbox.wait_for(4).await;
    let texts: Vec<_> = messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["before the start", "first", "first, but better", "/voice on"]);
    assert_eq!((messages[1].edit, messages[2].edit), (false, true));
    assert_eq!(messages[1].message, messages[2].message);
    assert!(messages[2].time > messages[1].time);
    assert!(messages.iter().all(|message| message.private));
    assert!(messages[3].addressed);
    until(|| double.waiting().is_empty()).await;
    assert!(receiving.stop().await.iter().all(|event| *event == Event::New));
}

#[tokio::test]
async fn what_could_not_be_recorded_is_not_acknowledged() {
    let double = TelegramDouble::start();
    let telegram = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    inbox.fill(true);
    double.push_text(5, "precious");
    let receiving = Receiving::start(&telegram, &inbox);
    let error = receiving.task.await.unwrap().unwrap_err();
    assert_eq!(error, PlatformError::Store("the disk is full".to_owned()));
    assert_eq!(double.waiting().len(), 1);
    assert!(double.calls_of("getUpdates").iter().all(|call| call["offset"].is_null()));

    // After a restart with room on the disk it arrives.
    inbox.fill(false);
    let receiving = Receiving::start(&telegram, &inbox);
    assert_eq!(inbox.wait_for(1).await[0].text, "precious");
    until(|| double.waiting().is_empty()).await;
    receiving.stop().await;
}

#[tokio::test]
async fn a_restart_goes_on_from_the_mark_and_an_update_twice_is_one() {
    let double = TelegramDouble::start();
    let telegram = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    double.push_text(5, "one");
    let receiving = Receiving::start(&telegram, &inbox);
    inbox.wait_for(1).await;
    receiving.stop().await;
    assert_eq!(inbox.marks().into_values().collect::<Vec<_>>(), ["1001"]);

    double.push_text(5, "two");
    // Telegram lost that the first was acknowledged.
    let offset = double.calls_of("getUpdates").len();
    let receiving = Receiving::start(&telegram, &inbox);
    inbox.wait_for(2).await;
    assert_eq!(double.calls_of("getUpdates")[offset]["offset"], 1001);
    double.push_again(
        1001,
        json!({"message": {
            "message_id": 2, "date": 1, "from": {"id": 5, "first_name": "Ada"},
            "chat": {"id": 5, "type": "private"}, "text": "two",
        }}),
    );
    double.push_text(5, "three");
    let texts: Vec<_> = inbox.wait_for(3).await.into_iter().map(|message| message.text).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    receiving.stop().await;
}

#[tokio::test]
async fn faults_of_the_network_are_survived_and_told() {
    let double = TelegramDouble::start();
    let telegram = connected(&double).await;
    double.fail("deleteWebhook", Fault::DropBefore);
    double.fail("getUpdates", Fault::DropBefore);
    double.fail("getUpdates", Fault::DropAfter);
    double.fail("getUpdates", Fault::TooMany(0));
    double.push_text(5, "hello");
    let receiving = Receiving::start(&telegram, &Arc::new(InboxDouble::default()));
    receiving.inbox.wait_for(1).await;
    let events = receiving.stop().await;
    let troubles: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Trouble(text) => Some(text.as_str()),
            Event::New => None,
        })
        .collect();
    assert_eq!(troubles.len(), 3, "{troubles:?}");
    troubles.into_iter().for_each(free_of_the_token);
}

#[tokio::test]
async fn another_program_that_asks_too_is_an_error_in_words() {
    let double = TelegramDouble::start();
    let telegram = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    // Once is only this program before its restart.
    let receiving = Receiving::start(&telegram, &inbox);
    until(|| !double.calls_of("getUpdates").is_empty()).await;
    double.intrude();
    double.push_text(5, "still here");
    inbox.wait_for(1).await;
    receiving.stop().await;

    for _ in 0..5 {
        let told = "Conflict: terminated by other getUpdates request; make sure that only one bot \
                    instance is running";
        double.fail("getUpdates", Fault::Error(409, told.to_owned()));
    }
    let error = Receiving::start(&telegram, &inbox).task.await.unwrap().unwrap_err();
    let PlatformError::Refused(text) = error else { panic!("{error:?}") };
    assert!(text.contains("another program") && text.contains("\nhint: "), "{text}");
}

#[tokio::test]
async fn a_token_that_was_revoked_ends_it() {
    let double = TelegramDouble::start();
    let telegram = connected(&double).await;
    double.fail("getUpdates", Fault::Error(401, "Unauthorized".to_owned()));
    let receiving = Receiving::start(&telegram, &Arc::new(InboxDouble::default()));
    let error = receiving.task.await.unwrap().unwrap_err();
    assert!(matches!(error, PlatformError::Unauthorized(_)), "{error:?}");
}

#[tokio::test]
async fn an_update_that_is_not_understood_is_told_and_does_not_block() {
    let double = TelegramDouble::start();
    let telegram = connected(&double).await;
    double.push(json!({"message": {"message_id": "new kind of identifier"}}));
    double.push(json!({"something_new": {}}));
    // A kind of entity, and of content, that nobody knew; teloxide's types refuse these.
    double.push_message(
        5,
        json!({
            "text": "hi", "entities": [{"type": "hologram", "offset": 0, "length": 2}],
        }),
    );
    let receiving = Receiving::start(&telegram, &Arc::new(InboxDouble::default()));
    assert_eq!(receiving.inbox.wait_for(1).await[0].text, "hi");
    until(|| double.waiting().is_empty()).await;
    let events = receiving.stop().await;
    assert!(matches!(&events[0], Event::Trouble(text) if text.contains("1000")), "{events:?}");
    assert_eq!(events[1..], [Event::New]);
}

#[tokio::test]
async fn a_webhook_is_taken_back() {
    let double = TelegramDouble::start();
    let telegram = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    let secret = june_chats::Token::new("s");
    telegram.webhook("https://example.org/t", secret, inbox.clone(), |_| {}).await.unwrap();
    assert!(double.webhook().is_some());
    double.push_text(5, "x");
    let receiving = Receiving::start(&telegram, &inbox);
    inbox.wait_for(1).await;
    assert_eq!(double.webhook(), None);
    receiving.stop().await;
}
