//! Who may ask, and how often.

use std::time::Duration;

use tokio::time::Instant;

use super::command::Command;
use super::{EngineError, Parts, words};
use crate::rate::{Buckets, Rate, Verdict};
use crate::store::Pairing;
use crate::{Access, Incoming, Settings};

/// A stranger is told once an hour what to do.
const STRANGER: Rate = Rate { burst: 1, every: Duration::from_secs(3600) };
/// All strangers together are told this often: whoever has many accounts gains nothing.
const STRANGERS: Rate = Rate { burst: 30, every: Duration::from_secs(10) };
/// How often a person may try a code.
const CODES: Rate = Rate { burst: 5, every: Duration::from_secs(120) };
/// That a chat's lane is full is said this often.
const FULL: Rate = Rate { burst: 1, every: Duration::from_secs(30) };

/// What is done with an update.
pub(super) enum Entry {
    /// It has its turn.
    Turn,
    /// What runs in its chat is stopped.
    Stop,
    /// It is answered at once with this.
    Say {
        text: String,
        /// Whether what was written is forgotten.
        forget: bool,
    },
    /// It is not answered.
    Ignore {
        why: &'static str,
        /// Whether what was written is forgotten.
        forget: bool,
    },
}

/// Remembers who asked how often.
pub(super) struct Doorkeeper {
    people: Buckets<String>,
    chats: Buckets<String>,
    full: Buckets<String>,
    strangers: Buckets<String>,
    all_strangers: Buckets<()>,
    codes: Buckets<String>,
}

impl Doorkeeper {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            people: Buckets::new(settings.person),
            chats: Buckets::new(settings.chat),
            full: Buckets::new(FULL),
            strangers: Buckets::new(STRANGER),
            all_strangers: Buckets::new(STRANGERS),
            codes: Buckets::new(CODES),
        }
    }

    /// Decides about an update. `full` says that no more may wait in its chat.
    pub(super) async fn admit(
        &mut self,
        parts: &Parts,
        incoming: &Incoming,
        full: bool,
    ) -> Result<Entry, EngineError> {
        let ignore = |why, forget| Ok(Entry::Ignore { why, forget });
        if !incoming.private && !incoming.addressed {
            return ignore("not for the bot", true);
        }
        if !is_known(parts, incoming).await? {
            return match incoming.edit {
                true => ignore("an edit by a stranger", true),
                false => self.stranger(parts, incoming).await,
            };
        }
        if incoming.edit {
            return ignore("an edit", false);
        }
        let command = Command::parse(&incoming.text);
        // However much somebody asked: what runs can be stopped.
        if matches!(command, Some(Command::Stop)) {
            return Ok(Entry::Stop);
        }
        let now = Instant::now();
        let verdicts =
            [self.people.take(&incoming.person.id, now), self.chats.take(&incoming.chat.id, now)];
        for verdict in verdicts {
            match verdict {
                Verdict::Go => {}
                Verdict::Tell(wait) => {
                    return Ok(Entry::Say { text: words::too_many(wait), forget: false });
                }
                Verdict::Silent => return ignore("too many messages", false),
            }
        }
        if !full {
            return Ok(Entry::Turn);
        }
        match self.full.take(&incoming.chat.id, now) {
            Verdict::Go => Ok(Entry::Say { text: words::FULL.into(), forget: false }),
            _ => ignore("too many wait", false),
        }
    }

    async fn stranger(&mut self, parts: &Parts, incoming: &Incoming) -> Result<Entry, EngineError> {
        let now = Instant::now();
        let say = |text| Ok(Entry::Say { text, forget: true });
        let code = match Command::parse(&incoming.text) {
            Some(Command::Start(code)) if incoming.private && !code.is_empty() => Some(code),
            _ => None,
        };
        let Some(code) = code else {
            let told = self.strangers.take(&incoming.person.id, now) == Verdict::Go
                && self.all_strangers.take(&(), now) == Verdict::Go;
            return match told {
                true => say(words::stranger(incoming.private)),
                false => Ok(Entry::Ignore { why: "a stranger", forget: true }),
            };
        };
        match self.codes.take(&incoming.person.id, now) {
            Verdict::Go => {}
            Verdict::Tell(wait) => return say(words::too_many(wait)),
            Verdict::Silent => return Ok(Entry::Ignore { why: "too many codes", forget: true }),
        }
        let (person, code) = (incoming.person.clone(), code.to_owned());
        let pairing = parts.store.try_code(parts.platform.name(), person, code).await?;
        match pairing {
            Pairing::Paired => say(words::paired(&parts.agents.names())),
            Pairing::Wrong => say(words::WRONG_CODE.into()),
        }
    }
}

async fn is_known(parts: &Parts, incoming: &Incoming) -> Result<bool, EngineError> {
    match &parts.settings.access {
        Access::Everyone => return Ok(true),
        Access::People(people) if people.contains(&incoming.person.id) => return Ok(true),
        Access::People(_) => {}
    }
    let (platform, person) = (parts.platform.name(), incoming.person.id.clone());
    Ok(parts.store.is_paired(platform, person).await?)
}
