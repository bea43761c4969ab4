//! Listens to an agent, and shows what it says while it says it.

use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt;
use june_speech::Sentences;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::voice::Speech;
use super::{Parts, words};
use crate::split::split;
use crate::store::{Kind, Turn};
use crate::{AgentEvent, Events, Limits, Passed, PlatformError, Request, Stage};

/// What an agent said, and how it came to an end.
pub(super) struct Said {
    pub(super) text: String,
    pub(super) end: End,
}

impl Said {
    /// Whether it is an answer, and nobody stopped it.
    pub(super) fn is_whole(&self) -> bool {
        let ended = matches!(self.end, End::Complete | End::Late | End::Cut);
        ended && !self.text.trim().is_empty()
    }
}

/// How an agent is asked.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    /// What is shown above the answer.
    pub(super) quotation: &'a str,
    /// When the answer so far is the answer.
    pub(super) deadline: Instant,
    /// Stops it.
    pub(super) cancel: &'a CancellationToken,
}

/// How an agent came to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Complete,
    Stopped,
    Late,
    Cut,
    Failed(String),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("answered"),
            Self::Stopped => f.write_str("stopped"),
            Self::Late => f.write_str("out of time"),
            Self::Cut => f.write_str("cut off"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

impl Parts {
    /// Asks an agent, and shows what it says while it says it.
    pub(super) async fn ask(
        self: &Arc<Self>,
        turn: &Turn,
        agent: &str,
        request: Request,
        asking: Asking<'_>,
        speech: &mut Option<Speech>,
    ) -> Said {
        let events = self.agents.ask(agent, request);
        let (show, shown) = watch::channel(String::new());
        if !asking.quotation.is_empty() {
            show.send_replace(asking.quotation.into());
        }
        let over = CancellationToken::new();
        let listening = async {
            let said = self.listen(turn, events, &show, asking, speech).await;
            over.cancel();
            said
        };
        // What is being written when the agent ends is waited for: a late edit must not replace
        // the complete answer.
        let (said, ()) = tokio::join!(listening, self.show(turn, shown, &over));
        said
    }

    async fn listen(
        &self,
        turn: &Turn,
        mut events: Events,
        show: &watch::Sender<String>,
        asking: Asking<'_>,
        speech: &mut Option<Speech>,
    ) -> Said {
        let Asking { deadline, cancel, .. } = asking;
        let chat = &turn.incoming.chat;
        let span = |stage| Some(self.span(chat, turn.number, stage));
        let whole = span(Stage::Agent);
        let mut first_word = span(Stage::FirstWord);
        let mut first_sentence = span(Stage::FirstSentence);
        let mut sentences = Sentences::new();
        let mut complete = |ready: Vec<String>| {
            if let (Some(first), Some(span)) =
                (ready.first(), first_sentence.take_if(|_| !ready.is_empty()))
            {
                span.end(|| Ok(Passed::Text(first.clone())));
            }
            if let Some(speech) = speech {
                speech.say(ready);
            }
        };
        let impatient = sleep(self.settings.patience);
        tokio::pin!(impatient);
        let (mut text, mut waiting) = (String::new(), true);
        let end = loop {
            let event = tokio::select! {
                biased;
                () = cancel.cancelled() => break End::Stopped,
                () = sleep_until(deadline) => break End::Late,
                () = &mut impatient, if waiting => {
                    waiting = false;
                    show.send_modify(|shown| shown.push_str(words::PATIENCE));
                    continue;
                }
                event = events.next() => event,
            };
            let (said, last) = match event {
                Some(Ok(AgentEvent::Said(said))) => (said, false),
                Some(Ok(AgentEvent::Answer(rest))) => (rest, true),
                Some(Ok(AgentEvent::Step(_))) => continue,
                Some(Err(error)) => break End::Failed(error.0),
                None => break End::Failed("the agent ended without an answer".into()),
            };
            let room = self.settings.answer.saturating_sub(text.len());
            let fits = said.get(..said.floor_char_boundary(room)).unwrap_or_default();
            if !fits.trim().is_empty()
                && let Some(span) = first_word.take()
            {
                span.end(|| Ok(Passed::Text(fits.into())));
            }
            text.push_str(fits);
            complete(sentences.push(fits));
            if !text.trim().is_empty() {
                if !waiting {
                    show.send_modify(|shown| {
                        let end = shown.trim_end_matches(words::PATIENCE).len();
                        shown.truncate(end);
                    });
                }
                waiting = false;
            }
            if !last {
                show.send_modify(|shown| shown.push_str(fits));
            }
            if fits.len() < said.len() {
                break End::Cut;
            }
            if last {
                break End::Complete;
            }
        };
        // What it still does is cancelled.
        drop(events);
        complete(sentences.finish());
        if let Some(span) = whole {
            span.end(|| match &end {
                End::Complete => Ok(Passed::Text(text.clone())),
                other => Err(other.to_string()),
            });
        }
        Said { text, end }
    }

    /// Shows a text that grows in the first message of a turn, until the text is `over`. Whatever
    /// fails here is tried again when the text is complete.
    async fn show(
        &self,
        turn: &Turn,
        mut shown: watch::Receiver<String>,
        over: &CancellationToken,
    ) {
        let Limits { units, edits, .. } = self.platform.limits();
        let chat = &turn.incoming.chat;
        let mut before = String::new();
        let mut message = None;
        loop {
            tokio::select! {
                biased;
                () = over.cancelled() => return,
                changed = shown.changed() => if changed.is_err() { return },
            }
            let mut parts = split(&shown.borrow_and_update(), self.room(), units);
            let more = parts.len() > 1;
            if parts.is_empty() {
                continue;
            }
            let mut text = parts.swap_remove(0);
            if more {
                text.push_str("\n\n…");
            }
            if text == before {
                continue;
            }
            let message = match &message {
                Some(message) => message,
                None => match self.first_message(turn).await {
                    Ok(first) => message.insert(first),
                    Err(_) => return,
                },
            };
            let pause = match self.platform.edit(chat, message, &text).await {
                Ok(()) => edits,
                Err(PlatformError::TooMany(_, wait)) => wait.max(edits),
                Err(_) => return,
            };
            before = text;
            tokio::select! {
                biased;
                () = over.cancelled() => return,
                () = sleep(pause) => {}
            }
        }
    }

    /// The first message of a turn: the one that is there from an earlier attempt, or a new one.
    async fn first_message(&self, turn: &Turn) -> Result<String, super::Unsent> {
        let deliveries = self.store.deliveries(turn.number).await?;
        let first = deliveries.into_iter().find(|it| it.kind == Kind::Text && it.part == 0);
        match first.and_then(|first| first.message) {
            Some(message) => Ok(message),
            None => self.placeholder(turn, 0).await,
        }
    }
}
