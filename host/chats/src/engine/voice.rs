//! Voice: what a person said becomes text, and an answer is spoken while it is written.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use june_speech::{Audio, Encoding, Sentences, Speaker, SpeechError, Voice, decode};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{EngineError, Parts, after, words};
use crate::store::{DeliveryState, Kind, Turn, now};
use crate::{Attachment, Indicator, Line, Passed, PlatformError, Post, Stage};

/// For how long a platform is relied upon to know a key again. Discord remembers it "for a few
/// minutes".
const KEY_LIFE: Duration = Duration::from_secs(60);
/// How often a voice message is sent whose outcome is not known, where attempts have keys.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
/// How many spoken sentences may wait to be encoded.
const AHEAD: usize = 8;

/// What was heard.
pub(super) struct Heard {
    pub(super) text: String,
    pub(super) language: Option<String>,
}

/// An answer that is being spoken.
pub(super) struct Speech {
    sentences: mpsc::UnboundedSender<String>,
    /// How many bytes may still be spoken.
    room: usize,
    /// Whether something was not spoken.
    short: bool,
    /// Whether it is said in a voice channel.
    pub(super) live: bool,
    /// One task, which ends with this. It makes a voice message, unless it is said in a channel.
    speaking: JoinSet<Result<Option<Voice>, SpeechError>>,
}

impl Parts {
    /// Listens to a voice message; or says why it does not. None is noise in a voice channel, which
    /// is no message to anybody.
    pub(super) async fn hear(
        &self,
        turn: &Turn,
        voice: &Attachment,
    ) -> Result<Option<Heard>, String> {
        let Some(transcriber) = &self.transcriber else { return Err(words::NO_EARS.into()) };
        let longest = self.settings.voice;
        let seconds = voice.seconds.unwrap_or_default();
        if Duration::from_secs(seconds.into()) > longest {
            return Err(words::too_long(longest));
        }
        let most = self.settings.bytes.min(self.platform.limits().download);
        if voice.bytes.is_some_and(|bytes| bytes > most) {
            return Err(words::too_large(&voice.name, most));
        }
        // Few at once: decoded sound is large.
        let _ear = self.ears.acquire().await;
        let bytes = self.fetch(turn, voice, most).await.map_err(|why| words::not_heard(&why))?;
        let span = self.span(&turn.incoming.chat, turn.number, Stage::Hear);
        let heard = async {
            let limits = june_speech::Limits {
                bytes: usize::try_from(most).unwrap_or(usize::MAX),
                duration: longest,
            };
            let audio = spawn_blocking(move || decode(&bytes, &limits))
                .await
                .map_err(|_| SpeechError::Engine("reading the message failed".into()))??;
            let mut segments = transcriber.transcribe(audio, None);
            let mut heard = Heard { text: String::new(), language: None };
            while let Some(segment) = segments.next().await {
                let segment = segment?;
                if !heard.text.is_empty() {
                    heard.text.push(' ');
                }
                heard.text.push_str(segment.text.trim());
                heard.language = heard.language.or(segment.language);
            }
            Ok::<_, SpeechError>(heard)
        };
        let heard = heard.await;
        span.end(|| match &heard {
            Ok(heard) => Ok(Passed::Text(heard.text.clone())),
            Err(error) => Err(error.to_string()),
        });
        match heard {
            Ok(heard) if heard.text.trim().is_empty() => match self.line(turn) {
                Some(_) => Ok(None),
                None => Err(words::NOTHING_SAID.into()),
            },
            Ok(heard) => Ok(Some(heard)),
            Err(error) => Err(words::not_heard(&error.to_string())),
        }
    }

    /// The way to speak to whoever is in a voice channel, if what is answered was said there.
    fn line(&self, turn: &Turn) -> Option<Box<dyn Line>> {
        self.platform.calls()?.line(&turn.incoming)
    }

    /// Begins to speak an answer, if there is a voice. Whoever interrupts it stops the turn.
    pub(super) async fn speech(
        self: &Arc<Self>,
        turn: &Turn,
        language: Option<String>,
        cancel: &CancellationToken,
    ) -> Result<Option<Speech>, EngineError> {
        let Some(speaker) = self.speaker.clone() else { return Ok(None) };
        let (sentences, to_speak) = mpsc::unbounded_channel();
        let mut speaking = JoinSet::new();
        let line = self.line(turn);
        let live = line.is_some();
        if live {
            // Of what is said there, nobody will know how much was heard.
            self.store.intend(turn.number, Kind::Voice, 0).await?;
            let why = "June was interrupted while it spoke";
            self.voice_became(turn, DeliveryState::Uncertain, why).await?;
        }
        let (parts, turn, cancel) = (self.clone(), turn.clone(), cancel.clone());
        speaking.spawn(async move {
            match line {
                None => parts.speak(&*speaker, &turn, to_speak, language).await.map(Some),
                Some(line) => {
                    let whole = parts.talk(line, &*speaker, &turn, to_speak, language).await?;
                    if !whole {
                        cancel.cancel();
                    }
                    Ok(None)
                }
            }
        });
        let room = self.settings.spoken;
        Ok(Some(Speech { sentences, room, short: false, live, speaking }))
    }

    /// Speaks sentences in a voice channel as they come. False once somebody interrupts.
    async fn talk(
        &self,
        mut line: Box<dyn Line>,
        speaker: &dyn Speaker,
        turn: &Turn,
        sentences: mpsc::UnboundedReceiver<String>,
        language: Option<String>,
    ) -> Result<bool, SpeechError> {
        let (spoken, mut to_say) = mpsc::channel(1);
        let saying = async {
            while let Some(audio) = to_say.recv().await {
                if !line.say(audio).await {
                    return false;
                }
            }
            line.end().await
        };
        let mut saying = pin!(saying);
        tokio::select! {
            whole = &mut saying => Ok(whole),
            spoken = self.say(speaker, turn, sentences, language, spoken) => {
                spoken?;
                Ok(saying.await)
            }
        }
    }

    /// Speaks sentences as they come, and makes a voice message of them meanwhile: with the last one
    /// it is there.
    async fn speak(
        &self,
        speaker: &dyn Speaker,
        turn: &Turn,
        sentences: mpsc::UnboundedReceiver<String>,
        language: Option<String>,
    ) -> Result<Voice, SpeechError> {
        let (spoken, to_encode) = mpsc::channel(AHEAD);
        let speaking = async {
            self.say(speaker, turn, sentences, language, spoken).await?;
            Ok(self.span(&turn.incoming.chat, turn.number, Stage::Encode))
        };
        let (spoken, voice) = tokio::join!(speaking, self.encode(to_encode));
        spoken?.end(|| match &voice {
            Ok(voice) => Ok(Passed::bytes(&voice.ogg)),
            Err(error) => Err(error.to_string()),
        });
        voice
    }

    /// Speaks sentences as they come.
    async fn say(
        &self,
        speaker: &dyn Speaker,
        turn: &Turn,
        mut sentences: mpsc::UnboundedReceiver<String>,
        language: Option<String>,
        said: mpsc::Sender<Audio>,
    ) -> Result<(), SpeechError> {
        let mut length = Duration::ZERO;
        while length <= self.settings.voice
            && let Some(sentence) = sentences.recv().await
        {
            let span = self.span(&turn.incoming.chat, turn.number, Stage::Speak);
            let spoken = speaker.speak(sentence.clone(), language.clone()).await;
            span.end(|| match &spoken {
                Ok(_) => Ok(Passed::Text(sentence)),
                Err(error) => Err(error.to_string()),
            });
            let spoken = spoken?;
            length += spoken.duration();
            if said.send(spoken).await.is_err() {
                // Encoding failed, and says why.
                break;
            }
        }
        Ok(())
    }

    /// Makes a voice message of sound as it comes. Whoever waited for a processor takes all that
    /// came in the meantime.
    async fn encode(&self, mut sound: mpsc::Receiver<Audio>) -> Result<Voice, SpeechError> {
        let mut encoding = Encoding::new();
        let mut pieces = Vec::new();
        while sound.recv_many(&mut pieces, AHEAD).await > 0 {
            let _processor = self.encoders.acquire().await;
            pieces.extend(std::iter::from_fn(|| sound.try_recv().ok()));
            let pieces = std::mem::take(&mut pieces);
            let work = spawn_blocking(move || {
                pieces.iter().try_for_each(|piece| encoding.push(piece)).map(|()| encoding)
            });
            let failed = |_| SpeechError::Engine("making the voice message failed".into());
            encoding = work.await.map_err(failed)??;
        }
        // What is left is a frame or two.
        encoding.finish()
    }

    /// Sends the voice message of an answer, once at most. If it is not known whether it was sent,
    /// it is sent again only where the platform knows it by its key: the text was delivered.
    pub(super) async fn send_voice(
        self: &Arc<Self>,
        turn: &Turn,
        speech: Option<Speech>,
        cancel: &CancellationToken,
    ) -> Result<(), EngineError> {
        let deliveries = self.store.deliveries(turn.number).await?;
        let known = deliveries.into_iter().find(|it| it.kind == Kind::Voice);
        let live = speech.as_ref().is_some_and(|speech| speech.live);
        match known.filter(|_| !live).map(|known| (known.state, known.time)) {
            None | Some((DeliveryState::Planned, _)) => {}
            Some((DeliveryState::Intended, time)) => {
                let age = Duration::from_millis(now().saturating_sub(time));
                if !self.platform.limits().keyed || age > KEY_LIFE {
                    let why = "June was interrupted while it was sent";
                    return self.voice_became(turn, DeliveryState::Uncertain, why).await;
                }
            }
            Some(_) => return Ok(()),
        }
        let answer = turn.answer.as_deref().unwrap_or_default();
        let speech = match speech {
            Some(speech) => Some(speech),
            None => self.speech(turn, turn.language.clone(), cancel).await?.map(|mut speech| {
                let mut sentences = Sentences::new();
                speech.say(sentences.push(answer));
                speech.say(sentences.finish());
                speech
            }),
        };
        let Some(speech) = speech else { return Ok(()) };
        let short = speech.short;
        let voice = tokio::select! {
            biased;
            () = cancel.cancelled() => Err("stopped".to_owned()),
            voice = speech.finish() => voice.map_err(|error| error.to_string()),
            never = self.indicate(&turn.incoming.chat, Indicator::Recording) => match never {},
        };
        let most = self.platform.limits().upload;
        let fits = |voice: &Voice| u64::try_from(voice.ogg.len()).is_ok_and(|it| it <= most);
        match voice {
            Ok(Some(voice)) if fits(&voice) => self.upload(turn, voice, short).await,
            Ok(None) => {
                let (state, kind) = (DeliveryState::Sent, Kind::Voice);
                Ok(self.store.became(turn.number, kind, 0, state, None, None).await?)
            }
            Ok(Some(_)) => {
                let why = format!("it has more than the {most} bytes that the platform takes");
                self.store.intend(turn.number, Kind::Voice, 0).await?;
                self.voice_became(turn, DeliveryState::Failed, &why).await
            }
            Err(why) => {
                self.store.intend(turn.number, Kind::Voice, 0).await?;
                self.voice_became(turn, DeliveryState::Failed, &why).await
            }
        }
    }

    async fn upload(&self, turn: &Turn, voice: Voice, short: bool) -> Result<(), EngineError> {
        let give_up = after(self.settings.delivery);
        let mut attempts = 0;
        loop {
            let key = self.store.intend(turn.number, Kind::Voice, 0).await?;
            let post = Post {
                chat: turn.incoming.chat.clone(),
                markdown: if short { words::SPOKEN_SHORT.into() } else { String::new() },
                answers: None,
                key,
            };
            let span = self.span(&turn.incoming.chat, turn.number, Stage::Upload);
            let sent = self.platform.voice(post, voice.clone()).await;
            span.end(|| match &sent {
                Ok(_) => Ok(Passed::bytes(&voice.ogg)),
                Err(error) => Err(error.to_string()),
            });
            let error = match sent {
                Ok(message) => {
                    let (state, message) = (DeliveryState::Sent, Some(message));
                    return Ok(self
                        .store
                        .became(turn.number, Kind::Voice, 0, state, message, None)
                        .await?);
                }
                Err(error) => error,
            };
            let why = error.to_string();
            match error {
                // Nothing was done.
                PlatformError::TooMany(_, wait) => {
                    self.voice_became(turn, DeliveryState::Planned, &why).await?;
                    if after(wait) >= give_up {
                        return self.voice_became(turn, DeliveryState::Failed, &why).await;
                    }
                    sleep(wait).await;
                }
                PlatformError::Unauthorized(_) => {
                    self.voice_became(turn, DeliveryState::Planned, &why).await?;
                    return Err(EngineError::Unauthorized(why));
                }
                PlatformError::Refused(_) => {
                    return self.voice_became(turn, DeliveryState::Failed, &why).await;
                }
                PlatformError::Unavailable(_) | PlatformError::Store(_) => {
                    attempts += 1;
                    if !self.platform.limits().keyed || attempts >= ATTEMPTS {
                        return self.voice_became(turn, DeliveryState::Uncertain, &why).await;
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }

    pub(super) async fn voice_became(
        &self,
        turn: &Turn,
        state: DeliveryState,
        why: &str,
    ) -> Result<(), EngineError> {
        let why = Some(why.to_owned());
        Ok(self.store.became(turn.number, Kind::Voice, 0, state, None, why).await?)
    }
}

impl Speech {
    /// Speaks these too, while there is room.
    pub(super) fn say(&mut self, sentences: Vec<String>) {
        for sentence in sentences {
            match self.room.checked_sub(sentence.len()).filter(|_| !self.short) {
                Some(room) => {
                    self.room = room;
                    // Who speaks may have failed; that is told at the end.
                    let _ = self.sentences.send(sentence);
                }
                None => self.short = true,
            }
        }
    }

    /// The voice message, when all is spoken; none where it was said in a channel.
    async fn finish(self) -> Result<Option<Voice>, SpeechError> {
        let Self { sentences, mut speaking, .. } = self;
        drop(sentences);
        let failed = || SpeechError::Engine("speaking failed".into());
        speaking.join_next().await.ok_or_else(failed)?.map_err(|_| failed())?
    }
}
