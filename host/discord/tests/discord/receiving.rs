//! The gateway.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use june_chat_doubles::{DiscordDouble, Fault, InboxDouble};
use june_chats::{Access, Event, Platform as _, PlatformError};
use june_discord::Discord;
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
    fn start(discord: &Discord, inbox: &Arc<InboxDouble>) -> Receiving {
        let (stop, stopped) = oneshot::channel::<()>();
        let events = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn({
            let (discord, inbox, events) = (discord.clone(), inbox.clone(), events.clone());
            async move {
                let tell = |event| events.lock().unwrap().push(event);
                let stop = async {
                    let _ = stopped.await;
                };
                discord.receive(inbox, tell, stop).await
            }
        });
        Receiving { inbox: inbox.clone(), events, stop, task }
    }

    /// Starts, and waits until the gateway knows the bot.
    async fn ready(
        double: &DiscordDouble,
        discord: &Discord,
        inbox: &Arc<InboxDouble>,
    ) -> Receiving {
        let before = double.connections().0.len();
        let receiving = Receiving::start(discord, inbox);
        until(|| double.connections().0.len() > before).await;
        receiving
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

fn texts(inbox: &InboxDouble) -> Vec<String> {
    inbox.messages().into_iter().map(|message| message.text).collect()
}

#[tokio::test]
async fn messages_arrive_in_order() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let receiving = Receiving::ready(&double, &discord, &Arc::new(InboxDouble::default())).await;
    let identity = double.connections().0.remove(0);
    // Guilds, messages in them and in private, and their content.
    let voice = if cfg!(feature = "voice-channels") { 1 << 7 } else { 0 };
    assert_eq!(identity["intents"], 1 | voice | 1 << 9 | 1 << 12 | 1 << 15);
    let first = double.push_text(5, "one");
    double.push_edit(5, first, "one, but better");
    for n in 0..40 {
        double.push_text(5, &n.to_string());
    }
    let mentions = json!([{"id": "900", "username": "june", "discriminator": "0", "avatar": null}]);
    let message = json!({"content": "<@900> in a guild", "mentions": mentions});
    double.push_message(6, Some(60), message);
    let messages = receiving.inbox.wait_for(43).await;
    assert_eq!((messages[0].text.as_str(), messages[0].private), ("one", true));
    assert_eq!((messages[1].text.as_str(), messages[1].edit), ("one, but better", true));
    assert_eq!(messages[0].message, messages[1].message);
    assert_eq!(messages[1].time, 1_733_011_200);
    let numbers: Vec<_> = messages[2..42].iter().map(|message| message.text.clone()).collect();
    assert_eq!(numbers, (0..40).map(|n| n.to_string()).collect::<Vec<_>>());
    let last = &messages[42];
    assert_eq!((last.text.as_str(), last.private, last.addressed), ("in a guild", false, true));
    assert_eq!(last.person.name, "Ada");
    assert!(receiving.stop().await.iter().all(|event| *event == Event::New));
}

#[tokio::test]
async fn a_voice_message_comes_with_its_sound() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let receiving = Receiving::ready(&double, &discord, &Arc::new(InboxDouble::default())).await;
    double.push_voice(5, &b"OggS and so on"[..], 1.5);
    let voice = receiving.inbox.wait_for(1).await.remove(0).voice.unwrap();
    assert_eq!((voice.seconds, voice.bytes), (Some(2), Some(14)));
    assert_eq!(discord.download(&voice, 100).await.unwrap(), &b"OggS and so on"[..]);
    receiving.stop().await;
}

#[tokio::test]
async fn a_file_whose_address_is_too_old_is_fetched_from_its_new_one() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let receiving = Receiving::ready(&double, &discord, &Arc::new(InboxDouble::default())).await;
    let message = double.push_voice(5, &b"OggS and so on"[..], 1.5);
    let voice = receiving.inbox.wait_for(1).await.remove(0).voice.unwrap();
    let (address, _) = voice.id.split_once('#').unwrap();
    double.expire(address);
    assert_eq!(discord.download(&voice, 100).await.unwrap(), &b"OggS and so on"[..]);
    let large = discord.download(&voice, 10).await.unwrap_err().to_string();
    assert!(large.contains("larger than"), "{large}");
    // What was taken back is gone, with a word about it.
    double.delete(5, message);
    let gone = discord.download(&voice, 100).await.unwrap_err();
    let expected = "the file is no longer on Discord's servers".to_owned();
    assert_eq!(gone, PlatformError::Refused(expected));
    receiving.stop().await;
}

#[tokio::test]
async fn a_first_private_message_is_found_after_a_restart() {
    let double = DiscordDouble::start();
    let access = Access::People(["7", "not a number"].map(str::to_owned).into());
    let settings = june_discord::Settings { access, ..super::settings(&double) };
    let discord = Discord::connect(settings).await.unwrap();
    // Written before the bot ran for the first time.
    double.push_unseen(7, None, json!({"content": "old"}));
    let inbox = Arc::new(InboxDouble::default());
    inbox.pair("5");
    let opened = || double.calls().iter().filter(|(call, _)| call.contains("@me/channels")).count();
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    until(|| opened() == 3).await;
    double.push_text(8, "live");
    inbox.wait_for(1).await;
    receiving.stop().await;

    double.push_unseen(5, None, json!({"content": "hello?"}));
    double.push_unseen(7, None, json!({"content": "new"}));
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    inbox.wait_for(3).await;
    assert_eq!(texts(&inbox), ["live", "hello?", "new"]);
    assert!(inbox.messages().iter().all(|message| message.private));
    assert_eq!(opened(), 3, "each is asked for once");
    assert!(receiving.stop().await.iter().all(|event| *event == Event::New));
}

#[tokio::test]
async fn a_person_who_was_paired_elsewhere_is_found() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    double.push_unseen(5, None, json!({"content": "long ago"}));
    double.push_text(8, "live");
    inbox.wait_for(1).await;
    receiving.stop().await;

    double.push_unseen(5, None, json!({"content": "hello?"}));
    inbox.pair("5");
    // The network is not at its best either.
    double.fail("POST users/@me/channels", Fault::DropBefore);
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    inbox.wait_for(2).await;
    assert_eq!(texts(&inbox), ["live", "hello?"]);
    receiving.stop().await;
}

#[tokio::test]
async fn what_was_written_before_a_restart_is_fetched() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    double.push_text(5, "one");
    inbox.wait_for(1).await;
    receiving.stop().await;

    for n in 0..150 {
        double.push_unseen(5, None, json!({"content": n.to_string()}));
    }
    // The network is not at its best either.
    double.fail("GET channels/*/messages", Fault::DropBefore);
    double.fail("GET channels/*/messages", Fault::Error(502, "Bad Gateway".to_owned()));
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    double.push_text(5, "live");
    inbox.wait_for(152).await;
    let mut expected = vec!["one".to_owned()];
    expected.extend((0..150).map(|n| n.to_string()));
    expected.push("live".to_owned());
    assert_eq!(texts(&inbox), expected);
    assert!(inbox.messages().iter().all(|message| message.private));
    let events = receiving.stop().await;
    let troubles = events.iter().filter(|event| matches!(event, Event::Trouble(_))).count();
    assert_eq!(troubles, 2, "{events:?}");
}

#[tokio::test]
async fn what_could_not_be_recorded_is_fetched_after_a_restart() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    double.push_text(5, "one");
    inbox.wait_for(1).await;
    inbox.fill(true);
    double.push_text(5, "precious");
    let error = receiving.task.await.unwrap().unwrap_err();
    assert_eq!(error, PlatformError::Store("the disk is full".to_owned()));
    inbox.fill(false);
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    inbox.wait_for(2).await;
    assert_eq!(texts(&inbox), ["one", "precious"]);
    receiving.stop().await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_resumed() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    double.push_text(5, "one");
    inbox.wait_for(1).await;
    double.close(Some(4000));
    double.push_text(5, "two");
    inbox.wait_for(2).await;
    until(|| double.connections().1 == 1).await;
    double.push_text(5, "three");
    inbox.wait_for(3).await;
    assert_eq!(texts(&inbox), ["one", "two", "three"]);
    assert_eq!(double.connections().0.len(), 1, "no new session was needed");
    receiving.stop().await;
}

#[tokio::test]
async fn a_slash_command_is_recorded_and_then_acknowledged() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    let first = double.push_command(5, "voice", Some("on"));
    let command = inbox.wait_for(1).await.remove(0);
    assert_eq!((command.text.as_str(), command.addressed), ("/voice on", true));
    assert_eq!((command.person.id.as_str(), command.chat.id.as_str()), ("5", "5"));
    until(|| !double.acknowledged().is_empty()).await;
    let (interaction, told) = double.acknowledged().remove(0);
    assert_eq!(
        (interaction, &told["type"], &told["data"]["flags"]),
        (first, &4.into(), &64.into())
    );
    // What is not on disk is not acknowledged: who asked sees that it failed.
    inbox.fill(true);
    double.push_command(5, "reset", None);
    let error = receiving.task.await.unwrap().unwrap_err();
    assert!(matches!(error, PlatformError::Store(_)), "{error:?}");
    assert_eq!(double.acknowledged().len(), 1);
}

#[tokio::test]
async fn a_bot_that_may_not_read_is_told_what_to_do() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    double.refuse_content(true);
    let inbox = Arc::new(InboxDouble::default());
    let error = Receiving::start(&discord, &inbox).task.await.unwrap().unwrap_err();
    let PlatformError::Refused(text) = error else { panic!("{error:?}") };
    assert!(text.contains("\nhint: ") && text.contains("Message Content Intent"), "{text}");
}

#[tokio::test]
async fn a_token_that_was_revoked_ends_it() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    double.close(Some(4004));
    let error = receiving.task.await.unwrap().unwrap_err();
    let PlatformError::Unauthorized(text) = error else { panic!("{error:?}") };
    free_of_the_token(&text);
}

#[tokio::test]
async fn its_own_messages_and_those_of_bots_are_not_for_it() {
    let double = DiscordDouble::start();
    let discord = connected(&double).await;
    let inbox = Arc::new(InboxDouble::default());
    let receiving = Receiving::ready(&double, &discord, &inbox).await;
    double.push_text(5, "one");
    inbox.wait_for(1).await;
    let post = june_chats::Post {
        chat: super::chat(5),
        markdown: "answer".to_owned(),
        answers: None,
        key: "k".to_owned(),
    };
    discord.post(post).await.unwrap();
    double.push_text(5, "two");
    inbox.wait_for(2).await;
    assert_eq!(texts(&inbox), ["one", "two"]);
    receiving.stop().await;
}
