//! The gateway, and what came while it was not connected.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use june_chats::{Access, Event, Inbox, Incoming, PlatformError};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};
use serenity::all::{
    ClientBuilder, Context, Event as Dispatch, GatewayError, GatewayIntents, HttpBuilder,
    Interaction, RawEventHandler,
};
use tokio::sync::{mpsc, oneshot};

use crate::incoming::{self, Source};
use crate::marks::Marks;
use crate::platform::NAME;
use crate::rest::Body;
use crate::{Discord, TOKEN_HINT};

/// The most messages that Discord gives at once.
const PAGE: usize = 100;
/// The most people that are looked for at once: Discord does not like many at a time.
const MOST_PEOPLE: usize = 50;
/// The most pages that are fetched of one channel: whoever wrote more in the meantime does not wait
/// for an answer to all.
const MOST_PAGES: usize = 20;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the bot needs to know of.
const INTENTS: GatewayIntents = GatewayIntents::GUILDS
    .union(GatewayIntents::GUILD_MESSAGES)
    .union(GatewayIntents::DIRECT_MESSAGES)
    .union(GatewayIntents::MESSAGE_CONTENT);

/// Passes events on in their order.
struct Forward(mpsc::UnboundedSender<Dispatch>);

impl RawEventHandler for Forward {
    // What the macro that serenity uses makes of an asynchronous function.
    fn raw_event<'s, 'f>(&'s self, _: Context, event: Dispatch) -> BoxFuture<'f, ()>
    where
        's: 'f,
        Self: 'f,
    {
        let _ = self.0.send(event);
        async {}.boxed()
    }
}

impl Discord {
    /// Receives until `stop`, and goes on through faults of the network. `tell` learns that there is
    /// something new, and of troubles.
    ///
    /// # Errors
    ///
    /// When the token is not accepted, the bot may not read messages, or they cannot be recorded.
    pub async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        tell: impl Fn(Event) + Send + Sync,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), PlatformError> {
        // Asked here too, because serenity takes Discord's own gateway when this fails.
        self.rest.call(Method::GET, "gateway", &Body::Nothing).await?;
        let mark = format!("{}/discord/channels", self.me);
        let marks = Marks::read(inbox.mark(&mark)?.as_deref());
        let (events, mut arrived) = mpsc::unbounded_channel();
        #[cfg(feature = "voice-channels")]
        let mut troubles = self.calls.record_in(inbox.clone());
        #[cfg(not(feature = "voice-channels"))]
        let (_none, mut troubles) = mpsc::unbounded_channel();
        let mut gateway = self.start(events)?;
        let mut stop = pin!(stop);
        let mut receiver = Receiver { discord: self, inbox: &*inbox, tell: &tell, mark, marks };
        loop {
            let event = tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                ended = &mut gateway.ended => return ended.unwrap_or_else(|_| {
                    Err(PlatformError::Unavailable("the connection to Discord ended".to_owned()))
                }),
                Some(why) = troubles.recv() => {
                    tell(Event::Trouble(why));
                    continue;
                }
                event = arrived.recv() => event,
            };
            let Some(event) = event else { continue };
            tokio::select! {
                biased;
                taken = receiver.take(event) => taken?,
                () = &mut stop => return Ok(()),
            }
        }
    }

    /// Connects the gateway on a thread of its own. serenity gives each event a task, and only on
    /// one thread those run in the order of the events.
    fn start(&self, events: mpsc::UnboundedSender<Dispatch>) -> Result<Gateway, PlatformError> {
        let http = HttpBuilder::new(self.token.expose())
            .proxy(&*self.server)
            .ratelimiter_disabled(true)
            .build();
        let failed = |error: std::io::Error| {
            PlatformError::Refused(format!("cannot start a thread for Discord: {error}"))
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let token = self.token.clone();
        #[cfg(feature = "voice-channels")]
        let calls = self.calls.clone();
        let work = async move {
            #[cfg(feature = "voice-channels")]
            let client = ClientBuilder::new_with_http(http, INTENTS | crate::calls::INTENTS)
                .voice_manager_arc(calls.manager());
            #[cfg(not(feature = "voice-channels"))]
            let client = ClientBuilder::new_with_http(http, INTENTS);
            let client = client.raw_event_handler(Forward(events));
            let mut client = client.await.map_err(|error| failure(&error, &token))?;
            let shards = client.shard_manager.clone();
            let outcome = tokio::select! {
                started = client.start() => started.map_err(|error| failure(&error, &token)),
                _ = stopped => Ok(()),
            };
            // Tells Discord that the bot is gone.
            let _ = tokio::time::timeout(Duration::from_secs(1), shards.shutdown_all()).await;
            outcome
        };
        std::thread::Builder::new()
            .name("discord".to_owned())
            .spawn(move || {
                let _ = end.send(runtime.block_on(work));
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Gateway { ended, _stop: stop })
    }
}

/// A connection to the gateway, until it is dropped.
struct Gateway {
    ended: oneshot::Receiver<Result<(), PlatformError>>,
    _stop: oneshot::Sender<()>,
}

/// What takes events, one after the other.
struct Receiver<'a, T> {
    discord: &'a Discord,
    inbox: &'a dyn Inbox,
    tell: &'a T,
    mark: String,
    marks: Marks,
}

impl<T: Fn(Event) + Sync> Receiver<'_, T> {
    async fn take(&mut self, event: Dispatch) -> Result<(), PlatformError> {
        #[cfg(feature = "voice-channels")]
        self.discord.calls.take(&event).await;
        match event {
            Dispatch::Ready(_) => {
                self.find_people().await?;
                for (channel, mark) in self.marks.channels() {
                    self.catch_up(channel, mark.last, mark.private).await?;
                }
                Ok(())
            }
            Dispatch::GuildCreate(event) => {
                // A channel in which the bot was not addressed before, but may have been since.
                let Some(newest) = self.marks.newest() else { return Ok(()) };
                for channel in event.guild.channels.values() {
                    let id = channel.id.get();
                    let later = channel.last_message_id.is_some_and(|last| last.get() > newest);
                    if later && !self.marks.has(id) {
                        self.catch_up(id, newest, false).await?;
                    }
                }
                Ok(())
            }
            Dispatch::MessageCreate(event) => {
                self.message(&event.message, &Source { edit: false, private: None })
            }
            Dispatch::MessageUpdate(event) => {
                self.message(&event, &Source { edit: true, private: None })
            }
            Dispatch::InteractionCreate(event) => match event.interaction {
                Interaction::Command(command) => {
                    let incoming = incoming::command(&command, self.discord.me);
                    self.record(std::slice::from_ref(&incoming))?;
                    // Discord waits 3 seconds for this; only who asked sees it.
                    let shown = json!({"type": 4, "data": {"content": incoming.text, "flags": 64,
                        "allowed_mentions": {"parse": []}}});
                    let path = format!("interactions/{}/{}/callback", command.id, command.token);
                    let answer = Body::Json(shown);
                    match self.discord.rest.call(Method::POST, &path, &answer).await {
                        Ok(_) => {}
                        Err(error) => (self.tell)(Event::Trouble(format!(
                            "a command was taken, but Discord does not know: {error}"
                        ))),
                    }
                    Ok(())
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn message(&mut self, message: &impl Serialize, source: &Source) -> Result<(), PlatformError> {
        let message = serde_json::to_value(message).unwrap_or_default();
        let incoming = self.read(message, source);
        self.record(incoming.as_slice())
    }

    fn read(&self, message: Value, source: &Source) -> Option<Incoming> {
        incoming::message(message, source, self.discord.me).unwrap_or_else(|error| {
            (self.tell)(Event::Trouble(format!(
                "a message from Discord is not understood, and left out: {error}"
            )));
            None
        })
    }

    /// Records messages with their channels' marks.
    fn record(&mut self, messages: &[Incoming]) -> Result<(), PlatformError> {
        if messages.is_empty() {
            return Ok(());
        }
        let mut marks = self.marks.clone();
        for message in messages.iter().filter(|message| !message.edit) {
            if let (Ok(channel), Ok(id)) = (message.chat.id.parse(), message.message.parse()) {
                marks = marks.with(channel, id, message.private);
            }
        }
        let new = self.inbox.record_to(messages, &self.mark, &marks.written())?;
        self.marks = marks;
        if new.contains(&true) {
            (self.tell)(Event::New);
        }
        Ok(())
    }

    /// Finds the private channels of people who never wrote there while the bot was connected:
    /// Discord tells of such a channel only to who asks for it by the person. Each is asked for
    /// once.
    async fn find_people(&mut self) -> Result<(), PlatformError> {
        let mark = format!("{}/discord/people", self.discord.me);
        let found = self.inbox.mark(&mark)?;
        let mut found: BTreeSet<String> =
            found.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let mut people = self.inbox.paired(NAME)?;
        if let Access::People(named) = &self.discord.access {
            people.extend(named.iter().cloned());
        }
        people.retain(|person| !found.contains(person));
        people.truncate(MOST_PEOPLE);
        let newest = self.marks.newest();
        for person in people {
            let body = Body::Json(json!({ "recipient_id": person }));
            let channel = self.ask(Method::POST, "users/@me/channels", &body).await?;
            let number = |name: &str| {
                channel.as_ref().and_then(|channel| channel[name].as_str()?.parse::<u64>().ok())
            };
            if let Some(id) = number("id").filter(|id| !self.marks.has(*id)) {
                // What was written before the bot ran for the first time is not answered.
                let last = newest.or_else(|| number("last_message_id")).unwrap_or(0);
                let marks = self.marks.with(id, last, true);
                self.inbox.record_to(&[], &self.mark, &marks.written())?;
                self.marks = marks;
            }
            found.insert(person);
            let text = serde_json::to_string(&found).unwrap_or_default();
            self.inbox.record_to(&[], &mark, &text)?;
        }
        Ok(())
    }

    /// Asks until there is an answer: what comes after it must not be recorded before. None where
    /// Discord refuses.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Body,
    ) -> Result<Option<Value>, PlatformError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.discord.rest.call(method.clone(), path, body).await {
                Ok(value) => return Ok(Some(value)),
                Err(PlatformError::Refused(_)) => return Ok(None),
                Err(PlatformError::Unavailable(text) | PlatformError::TooMany(text, _)) => {
                    (self.tell)(Event::Trouble(text));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Fetches what was written in a channel after a message.
    async fn catch_up(
        &mut self,
        channel: u64,
        mut after: u64,
        private: bool,
    ) -> Result<(), PlatformError> {
        let source = Source { edit: false, private: Some(private) };
        for _ in 0..MOST_PAGES {
            let path = format!("channels/{channel}/messages?after={after}&limit={PAGE}");
            let page = self.ask(Method::GET, &path, &Body::Nothing).await?;
            // The channel is gone, or the bot may not read it.
            let Some(Value::Array(page)) = page else { return Ok(()) };
            let id = |message: &Value| -> u64 {
                message["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0)
            };
            let full = page.len() >= PAGE;
            let mut page: Vec<_> =
                page.into_iter().map(|message| (id(&message), message)).collect();
            page.sort_by_key(|(id, _)| *id);
            let Some(last) = page.last().map(|(id, _)| *id).filter(|last| *last > after) else {
                return Ok(());
            };
            let messages: Vec<_> =
                page.into_iter().filter_map(|(_, message)| self.read(message, &source)).collect();
            self.record(&messages)?;
            after = last;
            if !full {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Why serenity gave up.
fn failure(error: &serenity::Error, token: &june_chats::Token) -> PlatformError {
    match error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => {
            PlatformError::Unauthorized(format!(
                "Discord does not accept the bot's token\n{TOKEN_HINT}"
            ))
        }
        serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents) => PlatformError::Refused(
            "Discord does not let the bot read messages\nhint: switch on \"Message Content \
                 Intent\" for the bot in Discord's developer portal, on the page \"Bot\""
                .to_owned(),
        ),
        error => PlatformError::Unavailable(
            token.scrub(&format!("the connection to Discord ended: {error}")),
        ),
    }
}
