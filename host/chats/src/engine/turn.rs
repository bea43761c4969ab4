//! A turn, from what arrived to the end of its answer. Each step is on disk before its effect, so
//! that it can be taken up again wherever it was left.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::command::{self, Command};
use super::listen::{Asking, End, Said};
use super::voice::Speech;
use super::{EngineError, Parts, after, words};
use crate::split::split;
use crate::store::{Answer, ChatSettings, DeliveryState, State, Turn, asked, now};
use crate::{Chat, Indicator, Limits, Passed, Request, Stage};

/// Platforms show an indicator for five seconds (Telegram) or ten (Discord).
const INDICATOR: Duration = Duration::from_secs(4);

/// What a turn comes to before an agent is asked.
enum Prepared {
    /// The agent is asked this.
    Request(Request),
    /// It is not asked, and this is the answer.
    Refused(String),
    /// Noise in a voice channel: nobody asked for an answer.
    Noise,
}

impl Parts {
    /// Takes a turn up where it was left, and brings it to its end.
    pub(super) async fn turn(
        self: &Arc<Self>,
        number: u64,
        cancel: &CancellationToken,
    ) -> Result<(), EngineError> {
        let (turn, settings) = self.store.turn(number).await?;
        let mut speech = None;
        if matches!(turn.state, State::Recorded | State::Working) {
            let (answer, begun) = self.work(number, &settings, cancel).await?;
            self.store.answered(number, answer).await?;
            speech = begun;
        }
        let (turn, _) = self.store.turn(number).await?;
        if turn.state == State::Answered {
            self.deliver(&turn).await?;
            self.store.told(number).await?;
        }
        if turn.speak {
            self.send_voice(&turn, speech, cancel).await?;
        }
        self.done(number, &turn.incoming.chat).await
    }

    async fn done(&self, number: u64, chat: &Chat) -> Result<(), EngineError> {
        self.store.done(number).await?;
        if let Some(observer) = &self.observer {
            observer.done(chat, number);
        }
        Ok(())
    }

    /// Ends a turn that June has a fault with.
    pub(super) async fn give_up(self: &Arc<Self>, number: u64) -> Result<(), EngineError> {
        let (turn, _) = self.store.turn(number).await?;
        if matches!(turn.state, State::Recorded | State::Working) {
            self.store.answered(number, Answer::of_june(words::FAULT.into())).await?;
            let (turn, _) = self.store.turn(number).await?;
            self.deliver(&turn).await?;
        }
        self.done(number, &turn.incoming.chat).await
    }

    /// The agent that answers in a chat.
    pub(super) fn agent_of(&self, settings: &ChatSettings) -> String {
        let names = self.agents.names();
        let chosen = settings.agent.as_ref().filter(|name| names.contains(name));
        chosen.or(names.first()).cloned().unwrap_or_default()
    }

    /// Finds the answer.
    async fn work(
        self: &Arc<Self>,
        number: u64,
        settings: &ChatSettings,
        cancel: &CancellationToken,
    ) -> Result<(Answer, Option<Speech>), EngineError> {
        let june = |text: &str| Ok((Answer::of_june(text.into()), None));
        let mut turn = self.store.begin(number).await?;
        let chat = turn.incoming.chat.clone();
        if let Some(observer) = &self.observer {
            let waited = Duration::from_millis(now().saturating_sub(turn.received));
            observer.began(&chat, number, Stage::Wait);
            observer.ended(&chat, number, Stage::Wait, waited, Ok(Passed::Nothing));
        }
        if turn.stopped {
            return june(words::STOPPED);
        }
        if turn.attempts > self.settings.attempts {
            return june(words::OVER_AND_OVER);
        }
        if let Some(command) = Command::parse(&turn.incoming.text) {
            let answer = command::answer(command, self, &turn.incoming, settings).await;
            return Ok((answer, None));
        }
        tokio::select! {
            biased;
            answer = self.answer(&mut turn, settings, cancel) => answer,
            never = self.indicate(&chat, Indicator::Typing) => match never {},
        }
    }

    /// Lets the agent answer.
    async fn answer(
        self: &Arc<Self>,
        turn: &mut Turn,
        settings: &ChatSettings,
        cancel: &CancellationToken,
    ) -> Result<(Answer, Option<Speech>), EngineError> {
        let deadline = after(self.settings.longest);
        let prepared = tokio::select! {
            biased;
            () = cancel.cancelled() => Prepared::Refused(words::STOPPED.to_owned()),
            () = sleep_until(deadline) => Prepared::Refused(words::OUT_OF_TIME_SILENT.to_owned()),
            prepared = self.prepare(turn) => prepared?,
        };
        let request = match prepared {
            Prepared::Request(request) => request,
            Prepared::Refused(why) => return Ok((Answer::of_june(why), None)),
            Prepared::Noise => {
                let outcome = "nothing was said".to_owned();
                return Ok((Answer { outcome, ..Answer::default() }, None));
            }
        };
        let agent = self.agent_of(settings);
        let quotation = turn.heard.as_deref().map(words::quotation).unwrap_or_default();
        let mut speech = match turn.incoming.voice.is_some() || settings.voice {
            true => self.speech(turn, turn.language.clone(), cancel).await?,
            false => None,
        };
        let asking = Asking { quotation: &quotation, deadline, cancel };
        let said = self.ask(turn, &agent, request, asking, &mut speech).await;
        // Half an answer that somebody stopped is not spoken.
        let whole = said.is_whole();
        if !whole && speech.take().is_some_and(|speech| speech.live) {
            self.voice_became(turn, DeliveryState::Failed, "stopped").await?;
        }
        let mut answer = self.answer_of(agent, &quotation, said);
        answer.speak = speech.is_some();
        Ok((answer, speech))
    }

    async fn prepare(self: &Arc<Self>, turn: &mut Turn) -> Result<Prepared, EngineError> {
        if let (Some(voice), None) = (&turn.incoming.voice, &turn.heard) {
            let heard = match self.hear(turn, voice).await {
                Ok(Some(heard)) => heard,
                Ok(None) => return Ok(Prepared::Noise),
                Err(refusal) => return Ok(Prepared::Refused(refusal)),
            };
            self.store.heard(turn.number, heard.text.clone(), heard.language.clone()).await?;
            (turn.heard, turn.language) = (Some(heard.text), heard.language);
        }
        let files = match self.files(turn).await {
            Ok(files) => files,
            Err(refusal) => return Ok(Prepared::Refused(refusal)),
        };
        let incoming = &turn.incoming;
        let text = asked(&incoming.text, turn.heard.as_deref());
        if text.is_empty() && files.is_empty() {
            return Ok(Prepared::Refused(words::NOTHING_ASKED.into()));
        }
        let (most, bytes) = (self.settings.turns, self.settings.conversation);
        let conversation =
            self.store.conversation(&incoming.chat, turn.number, most, bytes).await?;
        Ok(Prepared::Request(Request {
            chat: incoming.chat.clone(),
            turn: turn.number,
            person: incoming.person.clone(),
            conversation,
            text,
            files,
        }))
    }

    fn answer_of(&self, agent: String, quotation: &str, said: Said) -> Answer {
        let Said { text, end } = said;
        let silent = text.trim().is_empty();
        let note = match (&end, silent) {
            (End::Complete, false) => String::new(),
            (End::Complete, true) => words::failed(&format!("{agent} said nothing")),
            (End::Stopped, _) => words::STOPPED.into(),
            (End::Late, true) => words::OUT_OF_TIME_SILENT.into(),
            (End::Late, false) => words::OUT_OF_TIME.into(),
            (End::Cut, _) => words::CUT.into(),
            (End::Failed(why), true) => words::failed(why),
            (End::Failed(why), false) => words::failed_after(why),
        };
        let mut shown = format!("{quotation}{}", text.trim_end());
        if !note.is_empty() {
            shown = format!("{}\n\n{note}", close(&shown)).trim_start().to_owned();
        }
        let Limits { units, .. } = self.platform.limits();
        Answer {
            agent: Some(agent),
            answer: (!silent).then_some(text),
            parts: split(&shown, self.room(), units),
            outcome: end.to_string(),
            ..Answer::default()
        }
    }

    /// How long the Markdown of a message may be: a little is kept for what writing it in the
    /// platform's way adds.
    pub(super) fn room(&self) -> usize {
        let most = self.platform.limits().text;
        most - most / 8
    }

    /// Shows what the bot is doing, for as long as this is polled.
    pub(super) async fn indicate(&self, chat: &Chat, indicator: Indicator) -> Infallible {
        loop {
            // It helps to see it, but nothing depends on it.
            let _ = self.platform.indicate(chat, indicator).await;
            sleep(INDICATOR).await;
        }
    }
}

/// A text that ended in the middle of a block of code, with the block closed.
fn close(text: &str) -> String {
    split(text, usize::MAX, crate::Units::Scalars).pop().unwrap_or_default()
}
