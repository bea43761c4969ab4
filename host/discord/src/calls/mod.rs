//! Voice channels, through songbird: what people say there is heard like a voice message, and
//! answered aloud while the answer is written.

mod heard;
mod hearing;
mod line;
mod listener;
mod places;

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use june_chats::{Access, Attachment, Calls, Inbox, Incoming, Line, PlatformError};
use june_speech::{Audio, FindSpeech};
use serenity::all::{Event as Dispatch, GatewayIntents};
use serenity::gateway::VoiceGatewayManager;
use songbird::driver::{Scheduler, SchedulerConfig};
use songbird::error::JoinError;
use songbird::{Config, Songbird};
use tokio::sync::mpsc;

use crate::incoming::{EPOCH, chat, seconds};
use crate::platform::NAME;
use heard::Kept;
use line::Mouth;
use listener::{Finder, Listens};
use places::Places;

/// What the bot needs to know of, besides messages.
pub(crate) const INTENTS: GatewayIntents = GatewayIntents::GUILD_VOICE_STATES;

/// The voice channels of a bot. Clones are the same.
#[derive(Clone)]
pub(crate) struct VoiceChannels(Arc<Shared>);

struct Shared {
    me: u64,
    access: Access,
    songbird: Arc<Songbird>,
    finder: Mutex<Option<Finder>>,
    places: Mutex<Places>,
    /// The channels that the bot is in, by their guilds.
    joined: Mutex<HashMap<u64, Joined>>,
    kept: Kept,
    /// Where what is heard is recorded, and where troubles are told.
    desk: Mutex<Option<Desk>>,
    /// The last identifier that was made here.
    last: AtomicU64,
}

#[derive(Clone)]
struct Desk {
    inbox: Arc<dyn Inbox>,
    troubles: mpsc::UnboundedSender<String>,
}

/// A channel that the bot is in.
#[derive(Clone)]
struct Joined {
    channel: u64,
    mouth: Mouth,
}

impl VoiceChannels {
    pub(crate) fn new(me: u64, access: Access) -> VoiceChannels {
        // A scheduler of its own: songbird's common one lives as long as the runtime that made it.
        let scheduler = Scheduler::new(SchedulerConfig::default());
        let config = Config::default()
            .decode_mode(listener::decoding())
            .driver_timeout(Some(Duration::from_secs(10)))
            .scheduler(scheduler);
        VoiceChannels(Arc::new(Shared {
            me,
            access,
            songbird: Songbird::serenity_from_config(config),
            finder: Mutex::default(),
            places: Mutex::default(),
            joined: Mutex::default(),
            kept: Kept::default(),
            desk: Mutex::default(),
            last: AtomicU64::new(0),
        }))
    }

    /// Something that finds speech in noise, from the next channel on.
    pub(crate) fn set_finder(&self, finder: impl FindSpeech + 'static) {
        *lock(&self.0.finder) = Some(Arc::new(Mutex::new(finder)));
    }

    /// What the gateway tells of voice goes to.
    pub(crate) fn manager(&self) -> Arc<dyn VoiceGatewayManager> {
        self.0.songbird.clone()
    }

    /// From now on, what is heard is recorded here. Returns what does not work.
    pub(crate) fn record_in(&self, inbox: Arc<dyn Inbox>) -> mpsc::UnboundedReceiver<String> {
        let (troubles, told) = mpsc::unbounded_channel();
        *lock(&self.0.desk) = Some(Desk { inbox, troubles });
        told
    }

    /// What was said, if it is still known.
    pub(crate) fn kept(&self, attachment: &str) -> Option<Result<Bytes, PlatformError>> {
        if !attachment.starts_with(heard::PREFIX) {
            return None;
        }
        let gone = || PlatformError::Refused("June was restarted before it listened".to_owned());
        Some(self.0.kept.get(attachment).ok_or_else(gone))
    }

    /// Takes note of who is where.
    pub(crate) async fn take(&self, event: &Dispatch) {
        match event {
            Dispatch::GuildCreate(event) => lock(&self.0.places).guild(&event.guild),
            Dispatch::ChannelCreate(event) => lock(&self.0.places).channel(&event.channel),
            Dispatch::ChannelUpdate(event) => lock(&self.0.places).channel(&event.channel),
            Dispatch::VoiceStateUpdate(event) => {
                let state = &event.voice_state;
                lock(&self.0.places).changed(state);
                let Some(guild) = state.guild_id.map(|guild| guild.get()) else { return };
                let mine = state.user_id.get() == self.0.me;
                if mine && let Some(channel) = state.channel_id {
                    // Somebody may have moved the bot.
                    if let Some(joined) = lock(&self.0.joined).get_mut(&guild) {
                        joined.channel = channel.get();
                    }
                }
                let channel = lock(&self.0.joined).get(&guild).map(|joined| joined.channel);
                let Some(channel) = channel else { return };
                let gone = mine && state.channel_id.is_none();
                if gone || !lock(&self.0.places).has_people(channel) {
                    self.0.leave(guild).await;
                }
            }
            _ => {}
        }
    }
}

impl Shared {
    /// An identifier like Discord's own, for what has none: the time, and a number of its own.
    fn identifier(&self) -> u64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(EPOCH).saturating_sub(EPOCH) << 22;
        let next = |last: u64| Some(now.max(last + 1));
        let last = self.last.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
        now.max(last.unwrap_or_default() + 1)
    }

    async fn join(self: &Arc<Self>, user: u64) -> Result<String, PlatformError> {
        let place = lock(&self.places).of(user).cloned();
        let Some(place) = place else {
            return Err(PlatformError::Refused("you are in no voice channel".to_owned()));
        };
        let (guild, channel) = (place.guild, place.channel);
        let name = lock(&self.places).name(channel);
        let there = lock(&self.joined).get(&guild).is_some_and(|it| it.channel == channel);
        if there {
            return Ok(name);
        }
        self.leave(guild).await;
        let (Some(guild_id), Some(channel_id)) = (NonZeroU64::new(guild), NonZeroU64::new(channel))
        else {
            return Err(PlatformError::Refused("there is no such voice channel".to_owned()));
        };
        let call = match self.songbird.join(guild_id, channel_id).await {
            Ok(call) => call,
            Err(error) => {
                let _ = self.songbird.remove(guild_id).await;
                return Err(refused(&error));
            }
        };
        let ears = Ears { shared: self.clone(), guild };
        let mouth = Mouth::new(call.clone());
        lock(&self.joined).insert(guild, Joined { channel, mouth });
        let finder = lock(&self.finder).clone();
        let listening = listener::listen(&mut *call.lock().await, finder, ears);
        if let Err(error) = listening {
            self.leave(guild).await;
            let why = format!("a thread cannot be started: {error}");
            return Err(PlatformError::Unavailable(why));
        }
        Ok(name)
    }

    /// Leaves a guild's channel; false where the bot is in none.
    async fn leave(&self, guild: u64) -> bool {
        let joined = lock(&self.joined).remove(&guild);
        let Some(joined) = joined else { return false };
        joined.mouth.close();
        if let Some(guild) = NonZeroU64::new(guild) {
            // It may have gone already.
            let _ = self.songbird.remove(guild).await;
        }
        true
    }

    /// The guild whose channel this chat belongs to, if the bot is there.
    fn guild_of(&self, channel: &str) -> Option<u64> {
        let channel: u64 = channel.parse().ok()?;
        let joined = lock(&self.joined);
        joined.iter().find(|(_, joined)| joined.channel == channel).map(|(guild, _)| *guild)
    }
}

fn refused(error: &JoinError) -> PlatformError {
    let why = match error {
        JoinError::TimedOut => "Discord does not let me in\nhint: it takes the permissions to \
                                connect and to speak in that channel"
            .to_owned(),
        JoinError::Driver(error) => format!("the connection failed: {error}"),
        error => error.to_string(),
    };
    PlatformError::Refused(why)
}

impl Calls for VoiceChannels {
    fn join<'a>(&'a self, command: &'a Incoming) -> BoxFuture<'a, Result<String, PlatformError>> {
        let user = command.person.id.parse().unwrap_or(0);
        self.0.join(user).boxed()
    }

    fn leave<'a>(&'a self, command: &'a Incoming) -> BoxFuture<'a, bool> {
        async move {
            let user: u64 = command.person.id.parse().unwrap_or(0);
            let of_person = || lock(&self.0.places).of(user).map(|place| place.guild);
            match self.0.guild_of(&command.chat.id).or_else(of_person) {
                Some(guild) => self.0.leave(guild).await,
                None => false,
            }
        }
        .boxed()
    }

    fn line(&self, said: &Incoming) -> Option<Box<dyn Line>> {
        let voice = said.voice.as_ref().filter(|it| it.id.starts_with(heard::PREFIX));
        let guild = self.0.guild_of(voice.map(|_| said.chat.id.as_str())?)?;
        let mouth = lock(&self.0.joined).get(&guild)?.mouth.clone();
        Some(Box::new(mouth.line()))
    }
}

/// Who listens in a guild's channel.
struct Ears {
    shared: Arc<Shared>,
    guild: u64,
}

impl Ears {
    fn joined(&self) -> Option<Joined> {
        lock(&self.shared.joined).get(&self.guild).cloned()
    }

    fn desk(&self) -> Option<Desk> {
        lock(&self.shared.desk).clone()
    }

    fn record(&self, user: u64, audio: &Audio) -> Result<(), String> {
        let Some(Joined { channel, .. }) = self.joined() else { return Ok(()) };
        let Some(person) = lock(&self.shared.places).person(user, channel) else { return Ok(()) };
        let Some(Desk { inbox, .. }) = self.desk() else { return Ok(()) };
        let voice = june_speech::encode(audio).map_err(|error| error.to_string())?;
        let number = self.shared.identifier();
        let id = format!("{}{number}", heard::PREFIX);
        let said = Attachment {
            id: id.clone(),
            name: "speech.ogg".into(),
            media_type: Some("audio/ogg".into()),
            bytes: Some(voice.ogg.len() as u64),
            seconds: Some(voice.duration.as_secs_f64().ceil() as u32),
        };
        let incoming = Incoming {
            update: format!("{}/v{number}", self.shared.me),
            chat: chat(channel.to_string()),
            private: false,
            person,
            message: number.to_string(),
            edit: false,
            // Whoever speaks where the bot was called to speaks with it.
            addressed: true,
            text: String::new(),
            voice: Some(said),
            files: Vec::new(),
            time: seconds(number),
        };
        self.shared.kept.keep(id, voice.ogg);
        inbox.record(&[incoming]).map(drop).map_err(|error| error.to_string())
    }
}

impl Listens for Ears {
    fn knows(&self, user: u64) -> Result<bool, PlatformError> {
        let user = user.to_string();
        match &self.shared.access {
            Access::Everyone => return Ok(true),
            Access::People(people) if people.contains(&user) => return Ok(true),
            Access::People(_) => {}
        }
        let Some(Desk { inbox, .. }) = self.desk() else { return Ok(false) };
        Ok(inbox.paired(NAME)?.contains(&user))
    }

    fn began(&self, _: u64) {
        if let Some(joined) = self.joined() {
            joined.mouth.interrupt();
        }
    }

    fn said(&self, user: u64, audio: Audio) {
        if let Err(why) = self.record(user, &audio) {
            self.failed(&why);
        }
    }

    fn failed(&self, why: &str) {
        if let Some(Desk { troubles, .. }) = self.desk() {
            let _ = troubles.send(format!("what was said in a voice channel is lost: {why}"));
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
