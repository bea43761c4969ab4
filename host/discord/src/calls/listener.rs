//! What is heard in a voice channel: speakers told apart, what they say cut at silence and recorded.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use june_chats::PlatformError;
use june_speech::{Audio, FindSpeech, SPEECH_RATE};
use songbird::driver::{Channels, DecodeConfig, DecodeMode, SampleRate};
use songbird::{Call, CoreEvent, Event, EventContext, EventHandler};

use super::hearing::{Heard, Hearing};
use super::lock;

/// Samples of the time between two ticks, which is 20 ms.
const FRAME: usize = SPEECH_RATE as usize / 50;

/// How many ticks may wait until they are looked at: two minutes.
const WAITING: usize = 6_000;

/// The most people that are listened to in a channel.
const MOST_SPEAKERS: usize = 32;

/// How songbird is to hand on what it hears.
pub(crate) fn decoding() -> DecodeMode {
    DecodeMode::Decode(DecodeConfig::new(Channels::Mono, SampleRate::Hz16000))
}

/// Something that speech is found with, shared by all channels.
pub(crate) type Finder = Arc<Mutex<dyn FindSpeech>>;

/// Who takes what is heard.
pub(crate) trait Listens: Send + 'static {
    /// Whether a user may speak with the agents.
    fn knows(&self, user: u64) -> Result<bool, PlatformError>;
    /// A user begins to speak.
    fn began(&self, user: u64);
    /// A user said this.
    fn said(&self, user: u64, audio: Audio);
    /// It does not work, and why.
    fn failed(&self, why: &str);
}

/// What happens in a channel.
enum Happened {
    /// Sound with this mark is this user's.
    Speaks(u32, u64),
    /// A user left.
    Left(u64),
    /// 20 ms passed; what arrived in them.
    Tick(Vec<(u32, Vec<i16>)>),
}

/// Passes on what happens, without waiting.
#[derive(Clone)]
struct Forward(SyncSender<Happened>);

impl EventHandler for Forward {
    // What the macro that songbird uses makes of an asynchronous function.
    fn act<'s, 'c, 'e, 'f>(&'s self, event: &'c EventContext<'e>) -> BoxFuture<'f, Option<Event>>
    where
        's: 'f,
        'c: 'f,
        'e: 'f,
        Self: 'f,
    {
        let happened = match event {
            EventContext::SpeakingStateUpdate(speaking) => {
                speaking.user_id.map(|user| Happened::Speaks(speaking.ssrc, user.0))
            }
            EventContext::ClientDisconnect(left) => Some(Happened::Left(left.user_id.0)),
            EventContext::VoiceTick(tick) => {
                let speaking = tick.speaking.iter();
                let sound = speaking.filter_map(|(mark, data)| {
                    Some((*mark, data.decoded_voice.clone()?)).filter(|(_, it)| !it.is_empty())
                });
                Some(Happened::Tick(sound.collect()))
            }
            _ => None,
        };
        // A machine that is minutes late hears what it can.
        let _ = happened.map(|happened| self.0.try_send(happened));
        async { None }.boxed()
    }
}

/// Listens in a channel, on a thread of its own, until songbird's call is gone.
pub(crate) fn listen(
    call: &mut Call,
    finder: Option<Finder>,
    listens: impl Listens,
) -> std::io::Result<()> {
    let (forward, happened) = sync_channel(WAITING);
    let forward = Forward(forward);
    for event in [CoreEvent::SpeakingStateUpdate, CoreEvent::ClientDisconnect, CoreEvent::VoiceTick]
    {
        call.add_global_event(event.into(), forward.clone());
    }
    let listener = Listener { finder, listens, users: HashMap::new(), speakers: HashMap::new() };
    let thread = std::thread::Builder::new().name("voice-channel".into());
    thread.spawn(move || listener.run(&happened)).map(drop)
}

struct Listener<T> {
    finder: Option<Finder>,
    listens: T,
    /// Whose sound has which mark.
    users: HashMap<u32, u64>,
    speakers: HashMap<u64, Hearing>,
}

impl<T: Listens> Listener<T> {
    fn run(mut self, happened: &Receiver<Happened>) {
        while let Ok(happened) = happened.recv() {
            match happened {
                Happened::Speaks(mark, user) => {
                    self.users.insert(mark, user);
                }
                Happened::Left(user) => {
                    self.users.retain(|_, known| *known != user);
                    self.hear(user, None);
                    self.speakers.remove(&user);
                }
                Happened::Tick(sound) => self.tick(sound),
            }
        }
    }

    fn tick(&mut self, sound: Vec<(u32, Vec<i16>)>) {
        let mut heard = HashSet::new();
        for (mark, frame) in sound {
            if let Some(user) = self.users.get(&mark).copied() {
                heard.insert(user);
                self.hear(user, Some(Ok(&frame)));
            }
        }
        let silent: Vec<u64> =
            self.speakers.keys().filter(|user| !heard.contains(*user)).copied().collect();
        for user in silent {
            self.hear(user, Some(Err(FRAME)));
        }
    }

    /// Takes what a user said in a tick; with nothing, it is the end of it.
    fn hear(&mut self, user: u64, arrived: Option<Result<&[i16], usize>>) {
        // Who may not speak with the agents is not listened to.
        let silent = self.speakers.get(&user).is_none_or(Hearing::is_empty);
        if silent && matches!(arrived, Some(Ok(_))) {
            match self.listens.knows(user) {
                Ok(true) if self.speakers.len() < MOST_SPEAKERS => {}
                Ok(_) => return,
                Err(error) => return self.listens.failed(&error.to_string()),
            }
            self.speakers.entry(user).or_default();
        }
        let Some(hearing) = self.speakers.get_mut(&user) else { return };
        let mut finder = self.finder.as_deref().map(lock);
        let finder = finder.as_deref_mut().map(|finder| finder as &mut dyn FindSpeech);
        let heard = match arrived {
            Some(arrived) => hearing.push(arrived, finder),
            None => hearing.end(finder),
        };
        match heard {
            Some(Heard::Began) => self.listens.began(user),
            Some(Heard::Said(samples)) => {
                self.listens.said(user, Audio { samples: samples.into(), rate: SPEECH_RATE });
            }
            None => {}
        }
        if self.speakers.get(&user).is_some_and(Hearing::is_empty) {
            self.speakers.remove(&user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    impl Listens for Notes {
        fn knows(&self, user: u64) -> Result<bool, PlatformError> {
            Ok(user != 13)
        }

        fn began(&self, user: u64) {
            self.0.lock().unwrap().push(format!("{user} begins"));
        }

        fn said(&self, user: u64, audio: Audio) {
            let pitch = audio.samples[0];
            self.0.lock().unwrap().push(format!("{user} says {pitch}, {:?}", audio.duration()));
        }

        fn failed(&self, why: &str) {
            self.0.lock().unwrap().push(why.to_owned());
        }
    }

    #[test]
    fn speakers_are_told_apart_and_strangers_are_not_heard() {
        let notes = Notes::default();
        let (send, receive) = sync_channel(WAITING);
        for (mark, user) in [(1, 11), (2, 12), (3, 13)] {
            send.send(Happened::Speaks(mark, user)).unwrap();
        }
        let frame = |mark: u32| (mark, vec![8192 * i16::try_from(mark).unwrap(); FRAME]);
        for tick in 0..200 {
            let mut sound = Vec::new();
            // Two at once, and two whom nobody knows.
            if tick < 50 {
                sound.extend([frame(1), frame(3), (9, vec![1; FRAME])]);
            }
            if (25..75).contains(&tick) {
                sound.push(frame(2));
            }
            send.send(Happened::Tick(sound)).unwrap();
        }
        // Who leaves in the middle of a sentence has said something.
        send.send(Happened::Tick(vec![frame(1)])).unwrap();
        send.send(Happened::Left(11)).unwrap();
        for _ in 0..40 {
            send.send(Happened::Tick(vec![frame(2)])).unwrap();
        }
        send.send(Happened::Left(12)).unwrap();
        drop(send);
        let (users, speakers) = (HashMap::new(), HashMap::new());
        Listener { finder: None, listens: notes.clone(), users, speakers }.run(&receive);
        let expected = [
            "11 begins",
            "12 begins",
            "11 says 0.25, 1.8s",
            "12 says 0.5, 1.8s",
            "12 begins",
            "12 says 0.5, 800ms",
        ];
        assert_eq!(*notes.0.lock().unwrap(), expected);
    }
}
