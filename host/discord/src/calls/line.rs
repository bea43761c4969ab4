//! Speaking in a voice channel, one sentence after the other.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use june_chats::Line;
use june_speech::Audio;
use songbird::events::EventData;
use songbird::input::{Input, RawAdapter};
use songbird::tracks::{Track, TrackHandle};
use songbird::{Call, Event, EventContext, EventHandler, TrackEvent};
use tokio::sync::{Mutex, mpsc, watch};

/// What the lines of a channel share.
#[derive(Clone)]
pub(crate) struct Mouth {
    call: Arc<Mutex<Call>>,
    /// Counts how often somebody spoke while June did.
    interruptions: Arc<watch::Sender<u64>>,
    /// How many lines have something to say.
    speaking: Arc<AtomicUsize>,
}

impl Mouth {
    pub(crate) fn new(call: Arc<Mutex<Call>>) -> Mouth {
        Mouth { call, interruptions: Arc::new(watch::Sender::new(0)), speaking: Arc::default() }
    }

    /// Ends what is being said, if anything is.
    pub(crate) fn interrupt(&self) {
        if self.speaking.load(Ordering::SeqCst) > 0 {
            self.close();
        }
    }

    /// Ends what is said, or will be, by the lines that there are.
    pub(crate) fn close(&self) {
        self.interruptions.send_modify(|count| *count += 1);
    }

    pub(crate) fn line(&self) -> OneLine {
        let interruptions = self.interruptions.subscribe();
        OneLine { mouth: self.clone(), interruptions, playing: None, cut: false }
    }
}

/// A way to speak, until somebody else does.
pub(crate) struct OneLine {
    mouth: Mouth,
    interruptions: watch::Receiver<u64>,
    playing: Option<Playing>,
    /// Whether somebody did.
    cut: bool,
}

/// Sound that is being played; it falls silent with this.
struct Playing {
    track: TrackHandle,
    ended: mpsc::UnboundedReceiver<()>,
    speaking: Arc<AtomicUsize>,
}

impl Drop for Playing {
    fn drop(&mut self) {
        // At its end it stopped by itself.
        let _ = self.track.stop();
        self.speaking.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Tells that a track is over.
struct Over(mpsc::UnboundedSender<()>);

impl EventHandler for Over {
    // What the macro that songbird uses makes of an asynchronous function.
    fn act<'s, 'c, 'e, 'f>(&'s self, _: &'c EventContext<'e>) -> BoxFuture<'f, Option<Event>>
    where
        's: 'f,
        'c: 'f,
        'e: 'f,
        Self: 'f,
    {
        let _ = self.0.send(());
        async { None }.boxed()
    }
}

impl OneLine {
    /// Waits until what is being said is through. False once somebody spoke meanwhile.
    async fn through(&mut self) -> bool {
        if !self.cut {
            self.cut = match &mut self.playing {
                // The sender is in this line.
                None => self.interruptions.has_changed().unwrap_or(true),
                Some(playing) => tokio::select! {
                    biased;
                    _ = self.interruptions.changed() => true,
                    _ = playing.ended.recv() => false,
                },
            };
            self.playing = None;
        }
        !self.cut
    }

    async fn play(&mut self, audio: &Audio) {
        let samples = audio.samples.iter();
        let bytes: Vec<u8> = samples.flat_map(|sample| sample.to_le_bytes()).collect();
        let input: Input = RawAdapter::new(Cursor::new(bytes), audio.rate, 1).into();
        let mut track = Track::new(input);
        let (over, ended) = mpsc::unbounded_channel();
        for event in [TrackEvent::End, TrackEvent::Error] {
            let over = Over(over.clone());
            track.events.add_event(EventData::new(event.into(), over), Duration::ZERO);
        }
        self.mouth.speaking.fetch_add(1, Ordering::SeqCst);
        let track = self.mouth.call.lock().await.play(track);
        self.playing = Some(Playing { track, ended, speaking: self.mouth.speaking.clone() });
    }
}

impl Line for OneLine {
    fn say(&mut self, audio: Audio) -> BoxFuture<'_, bool> {
        async move {
            let heard = self.through().await;
            if heard {
                self.play(&audio).await;
            }
            heard
        }
        .boxed()
    }

    fn end(&mut self) -> BoxFuture<'_, bool> {
        self.through().boxed()
    }
}
