//! Turns: an update, and the steps from there to its answer.
//!
//! Every step is on disk before its effect: see [`State`].

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::deliveries::{Kind, names};
use super::settings::ChatSettings;
use super::{Store, StoreError, now};
use crate::agent::{Author, Message};
use crate::{Chat, Incoming};

/// How far a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is on disk, and the platform may forget it.
    Recorded,
    /// The agent was asked. After a crash it is asked again.
    Working,
    /// The answer is on disk; the agent is never asked again. Its messages are on their way.
    Answered,
    /// The text was delivered, or cannot be. The voice message is on its way.
    Told,
    /// Nothing more happens.
    Done,
    /// It needed no answer, and never had one.
    Ignored,
}

names!(State {
    Recorded = "recorded",
    Working = "working",
    Answered = "answered",
    Told = "told",
    Done = "done",
    Ignored = "ignored",
});

/// A turn that is not at its end.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) number: u64,
    pub(crate) state: State,
    pub(crate) incoming: Incoming,
}

/// A turn, as far as it came.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) number: u64,
    pub(crate) state: State,
    pub(crate) incoming: Incoming,
    /// Milliseconds of Unix time.
    pub(crate) received: u64,
    /// How often work on it was begun.
    pub(crate) attempts: u32,
    /// Whether somebody stopped it.
    pub(crate) stopped: bool,
    /// What was heard in a voice message.
    pub(crate) heard: Option<String>,
    /// The language that was heard.
    pub(crate) language: Option<String>,
    /// What the agent said.
    pub(crate) answer: Option<String>,
    /// Whether the answer is spoken, too.
    pub(crate) speak: bool,
}

/// How a turn is answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    /// The agent that answered; none where June did.
    pub(crate) agent: Option<String>,
    /// What the agent said, for the conversation and the voice.
    pub(crate) answer: Option<String>,
    /// The messages that are sent.
    pub(crate) parts: Vec<String>,
    /// Whether it is spoken, too.
    pub(crate) speak: bool,
    /// How the work ended, in words.
    pub(crate) outcome: String,
    /// What else comes of it, all or none.
    pub(crate) change: Option<Change>,
}

impl Answer {
    /// Something that June says, not an agent.
    pub(crate) fn of_june(text: String) -> Self {
        let outcome = text.lines().next().unwrap_or_default().to_owned();
        Self { parts: vec![text], outcome, ..Self::default() }
    }
}

/// What a command changes in its chat.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// The conversation begins anew.
    Reset,
    /// Another agent answers.
    Agent(String),
    /// Answers are spoken, or not.
    Voice(bool),
}

/// A turn that needs no answer.
#[derive(Debug, Clone)]
pub(crate) struct Ignored {
    pub(crate) number: u64,
    pub(crate) why: &'static str,
    /// Whether what was written is forgotten: it was not for the bot.
    pub(crate) forget: bool,
}

fn parse(number: u64, text: &str) -> Result<Incoming, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Senseless(format!("turn {number}: {error}")))
}

fn load(database: &Connection, number: u64) -> Result<Turn, StoreError> {
    let mut statement = database.prepare_cached(
        "SELECT incoming, state, received, attempts, stopped, heard, language, answer, speak
         FROM turns WHERE number = ?",
    )?;
    let mut rows = statement.query([number])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(Turn {
        number,
        incoming: parse(number, text(row, 0)?)?,
        state: row.get(1)?,
        received: row.get(2)?,
        attempts: row.get(3)?,
        stopped: row.get(4)?,
        heard: row.get(5)?,
        language: row.get(6)?,
        answer: row.get(7)?,
        speak: row.get(8)?,
    })
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, StoreError> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

/// The newest edit of a message by the same person, if it is not older than this.
fn newest_edit(database: &Connection, of: &Incoming) -> Result<Option<Incoming>, StoreError> {
    let mut statement = database.prepare_cached(
        "SELECT number, incoming FROM turns
         WHERE platform = ? AND chat = ? AND message = ? AND person = ? AND edit AND incoming != ''
         ORDER BY number DESC LIMIT 32",
    )?;
    let values = [&of.chat.platform, &of.chat.id, &of.message, &of.person.id];
    let mut rows = statement.query(values)?;
    let mut newest: Option<Incoming> = None;
    while let Some(row) = rows.next()? {
        let Ok(edit) = parse(row.get(0)?, text(row, 1)?) else { continue };
        // Of two with the same time, the one that arrived later comes first here.
        if edit.time >= of.time && newest.as_ref().is_none_or(|newest| edit.time > newest.time) {
            newest = Some(edit);
        }
    }
    Ok(newest)
}

/// The next turns that are not at their end, and the numbers of those that cannot be read.
fn page(
    database: &Connection,
    platform: &str,
    after: u64,
) -> Result<(Vec<Waiting>, Vec<u64>), StoreError> {
    let mut statement = database.prepare_cached(
        "SELECT number, state, incoming FROM turns
         WHERE platform = ? AND number > ? AND state NOT IN ('done', 'ignored')
         ORDER BY number LIMIT 256",
    )?;
    let mut rows = statement.query(params![platform, after])?;
    let (mut turns, mut unreadable) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        match parse(number, text(row, 2)?) {
            Ok(incoming) => turns.push(Waiting { number, state: row.get(1)?, incoming }),
            Err(_) => unreadable.push(number),
        }
    }
    Ok((turns, unreadable))
}

fn immediate(database: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    Ok(database.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

impl Store {
    /// The turns of a platform after this one that are not at their end, in the order of arrival.
    pub(crate) async fn unfinished(
        &self,
        platform: &'static str,
        after: u64,
    ) -> Result<Vec<Waiting>, StoreError> {
        self.call(move |database| {
            loop {
                let (turns, unreadable) = page(database, platform, after)?;
                // One that nobody can read must not keep the others waiting for ever.
                for number in &unreadable {
                    let sql = "UPDATE turns SET state = 'ignored', outcome = 'unreadable',
                               ended = ? WHERE number = ?";
                    database.execute(sql, params![now(), number])?;
                }
                if !turns.is_empty() || unreadable.is_empty() {
                    return Ok(turns);
                }
            }
        })
        .await
    }

    /// A turn, with what its chat is set to.
    pub(crate) async fn turn(&self, number: u64) -> Result<(Turn, ChatSettings), StoreError> {
        self.call(move |database| {
            let turn = load(database, number)?;
            let settings = ChatSettings::of(database, &turn.incoming.chat)?;
            Ok((turn, settings))
        })
        .await
    }

    /// Begins, or begins anew, the work on a turn: from here an edit of its message changes
    /// nothing.
    pub(crate) async fn begin(&self, number: u64) -> Result<Turn, StoreError> {
        self.call(move |database| {
            let work = immediate(database)?;
            let mut turn = load(&work, number)?;
            if let Some(edit) = newest_edit(&work, &turn.incoming)? {
                turn.incoming.text = edit.text;
                let text = serde_json::to_string(&turn.incoming)
                    .map_err(|error| StoreError::Senseless(error.to_string()))?;
                work.execute(
                    "UPDATE turns SET incoming = ? WHERE number = ?",
                    params![text, number],
                )?;
            }
            turn.state = State::Working;
            turn.attempts = turn.attempts.saturating_add(1);
            work.prepare_cached(
                "UPDATE turns SET state = 'working', attempts = ? WHERE number = ?",
            )?
            .execute(params![turn.attempts, number])?;
            work.commit()?;
            Ok(turn)
        })
        .await
    }

    /// Writes down what was heard in a voice message.
    pub(crate) async fn heard(
        &self,
        number: u64,
        text: String,
        language: Option<String>,
    ) -> Result<(), StoreError> {
        self.call(move |database| {
            let sql = "UPDATE turns SET heard = ?, language = ? WHERE number = ?";
            database.prepare_cached(sql)?.execute(params![text, language, number])?;
            Ok(())
        })
        .await
    }

    /// Writes down the answer and the messages that will be sent. From here the agent is not asked
    /// again.
    pub(crate) async fn answered(&self, number: u64, answer: Answer) -> Result<(), StoreError> {
        let store = self.clone();
        self.call(move |database| {
            let work = immediate(database)?;
            let chat = load(&work, number)?.incoming.chat;
            work.prepare_cached(
                "UPDATE turns SET state = 'answered', agent = ?, answer = ?, speak = ?,
                 outcome = ? WHERE number = ?",
            )?
            .execute(params![
                answer.agent,
                answer.answer,
                answer.speak,
                answer.outcome,
                number
            ])?;
            for (part, markdown) in (0_u32..).zip(&answer.parts) {
                // The first message may be there already, with what was said so far.
                work.prepare_cached(
                    "INSERT INTO deliveries (turn, kind, part, key, markdown, state, time)
                     VALUES (?, 'text', ?, ?, ?, 'planned', ?)
                     ON CONFLICT (turn, kind, part) DO UPDATE SET markdown = excluded.markdown",
                )?
                .execute(params![
                    number,
                    part,
                    store.key(number, Kind::Text, part),
                    markdown,
                    now()
                ])?;
            }
            if let Some(change) = answer.change {
                let mut settings = ChatSettings::of(&work, &chat)?;
                match change {
                    Change::Reset => {
                        settings.since = number;
                        work.execute(
                            "DELETE FROM notes WHERE platform = ? AND chat = ?",
                            params![chat.platform, chat.id],
                        )?;
                    }
                    Change::Agent(name) => settings.agent = Some(name),
                    Change::Voice(on) => settings.voice = on,
                }
                settings.write(&work, &chat)?;
            }
            work.commit()?;
            Ok(())
        })
        .await
    }

    /// The text was delivered, or cannot be.
    pub(crate) async fn told(&self, number: u64) -> Result<(), StoreError> {
        self.call(move |database| {
            let sql = "UPDATE turns SET state = 'told' WHERE number = ?";
            database.prepare_cached(sql)?.execute([number])?;
            Ok(())
        })
        .await
    }

    /// Nothing more happens.
    pub(crate) async fn done(&self, number: u64) -> Result<(), StoreError> {
        self.call(move |database| {
            let sql = "UPDATE turns SET state = 'done', ended = ? WHERE number = ?";
            database.prepare_cached(sql)?.execute(params![now(), number])?;
            Ok(())
        })
        .await
    }

    /// Writes down which turns need no answer.
    pub(crate) async fn ignore(&self, turns: Vec<Ignored>) -> Result<(), StoreError> {
        if turns.is_empty() {
            return Ok(());
        }
        self.call(move |database| {
            let work = immediate(database)?;
            for Ignored { number, why, forget } in turns {
                work.prepare_cached(
                    "UPDATE turns SET state = 'ignored', outcome = ?, ended = ?,
                     incoming = iif(?, '', incoming) WHERE number = ?",
                )?
                .execute(params![why, now(), forget, number])?;
            }
            work.commit()?;
            Ok(())
        })
        .await
    }

    /// Writes down that a turn was stopped, and that this other one stopped it.
    pub(crate) async fn stop(&self, number: u64, by: u64) -> Result<(), StoreError> {
        self.call(move |database| {
            let work = immediate(database)?;
            work.execute("UPDATE turns SET stopped = TRUE WHERE number = ?", [number])?;
            work.execute(
                "UPDATE turns SET state = 'ignored', outcome = 'stopped a turn', ended = ?
                 WHERE number = ?",
                params![now(), by],
            )?;
            work.commit()?;
            Ok(())
        })
        .await
    }

    /// Forgets what a turn's person wrote: only that they did stays.
    pub(crate) async fn forget(&self, number: u64) -> Result<(), StoreError> {
        self.call(move |database| {
            let work = immediate(database)?;
            let mut incoming = load(&work, number)?.incoming;
            incoming.text = String::new();
            incoming.voice = None;
            incoming.files = Vec::new();
            let text = serde_json::to_string(&incoming)
                .map_err(|error| StoreError::Senseless(error.to_string()))?;
            work.execute("UPDATE turns SET incoming = ? WHERE number = ?", params![text, number])?;
            work.commit()?;
            Ok(())
        })
        .await
    }

    /// What people and agents said in a chat before this turn, as far back as the chat's last
    /// reset, this many turns, or this many bytes; the oldest first.
    pub(crate) async fn conversation(
        &self,
        chat: &Chat,
        before: u64,
        turns: usize,
        bytes: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let chat = chat.clone();
        self.call(move |database| {
            let since = ChatSettings::of(database, &chat)?.since;
            let mut statement = database.prepare_cached(
                "SELECT number, incoming, heard, answer FROM turns
                 WHERE platform = ? AND chat = ? AND number > ? AND number < ?
                   AND answer IS NOT NULL AND agent IS NOT NULL
                 ORDER BY number DESC LIMIT ?",
            )?;
            let most = u64::try_from(turns).unwrap_or(u64::MAX >> 1);
            let mut rows = statement.query(params![chat.platform, chat.id, since, before, most])?;
            let (mut messages, mut total) = (Vec::new(), 0_usize);
            while let Some(row) = rows.next()? {
                let Ok(incoming) = parse(row.get(0)?, text(row, 1)?) else { continue };
                let heard: Option<String> = row.get(2)?;
                let answer: String = row.get(3)?;
                let asked = asked(&incoming.text, heard.as_deref());
                total = total.saturating_add(asked.len()).saturating_add(answer.len());
                if total > bytes {
                    break;
                }
                messages.push(Message { by: Author::Agent, text: answer });
                messages.push(Message { by: Author::Person(incoming.person.name), text: asked });
            }
            messages.reverse();
            Ok(messages)
        })
        .await
    }
}

/// What a person asks, written and spoken.
pub(crate) fn asked(text: &str, heard: Option<&str>) -> String {
    match (text.trim(), heard) {
        ("", Some(heard)) => heard.to_owned(),
        (text, Some(heard)) => format!("{text}\n\n{heard}"),
        (text, None) => text.to_owned(),
    }
}
