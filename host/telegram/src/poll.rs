//! Long polling. Telegram takes the offset of a request for updates as the word that all before it
//! arrived, so each is recorded before the next request is made.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use june_chats::{Event, Inbox, Incoming, PlatformError};
use serde::Serialize;
use teloxide_core::requests::Payload;

use crate::Telegram;
use crate::call::{Failure, Reading, json, try_json};
use crate::update::{KINDS, Update};

/// How long Telegram may take to answer that there is nothing new.
const LONG: Duration = Duration::from_secs(30);
/// After this, an answer does not come any more: the connection is gone without a word.
const LOST: Duration = Duration::from_secs(45);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often another program may be told to ask for updates too. Once or twice it is only this one
/// before its restart.
const MOST_CONFLICTS: u32 = 4;

/// `getUpdates`, with updates that need not all be understood.
#[derive(Debug, Clone, Serialize)]
struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    timeout: u64,
    allowed_updates: [&'static str; 2],
}

impl Payload for GetUpdates {
    type Output = Vec<Update>;
    const NAME: &'static str = "getUpdates";
}

impl Telegram {
    /// Receives until `stop`, and goes on through faults of the network. What arrives is recorded
    /// before Telegram is told so; `tell` learns that there is something new, and of troubles. A
    /// webhook is removed first, for Telegram does not do both.
    ///
    /// # Errors
    ///
    /// When the token is not accepted, another program keeps asking for this bot's updates, or they
    /// cannot be recorded.
    pub async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        tell: impl Fn(Event) + Send + Sync,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), PlatformError> {
        let mut stop = pin!(stop);
        let mark = self.own("telegram/offset");
        let mut offset = inbox.mark(&mark)?.and_then(|offset| offset.parse::<i64>().ok());
        let (mut faults, mut conflicts, mut asked) = (0, 0, false);
        loop {
            let round = async {
                if !asked {
                    self.delete_webhook().await.map_err(Failure::Other)?;
                }
                self.updates(offset).await
            };
            let outcome = tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                outcome = round => outcome,
            };
            let wait = match outcome {
                Ok(updates) => {
                    (faults, conflicts, asked) = (0, 0, true);
                    offset = self.take(&*inbox, &tell, &mark, updates)?.or(offset);
                    continue;
                }
                Err(Failure::Conflict(text)) => {
                    conflicts += 1;
                    if conflicts > MOST_CONFLICTS {
                        return Err(PlatformError::Refused(format!(
                            "another program asks Telegram for this bot's updates: {text}\nhint: \
                             stop the other one, or give each a bot of its own"
                        )));
                    }
                    pause(conflicts)
                }
                Err(failure) => match PlatformError::from(failure) {
                    PlatformError::Unavailable(text) => {
                        faults += 1;
                        tell(Event::Trouble(text));
                        pause(faults)
                    }
                    PlatformError::TooMany(text, wait) => {
                        tell(Event::Trouble(text));
                        wait
                    }
                    other => return Err(other),
                },
            };
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn updates(&self, offset: Option<i64>) -> Result<Vec<Update>, Failure> {
        let request = GetUpdates { offset, timeout: LONG.as_secs(), allowed_updates: KINDS };
        match tokio::time::timeout(LOST, try_json(&self.bot, &self.token, &request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Other(PlatformError::Unavailable(
                "Telegram did not answer in time".to_owned(),
            ))),
        }
    }

    /// Records updates with the offset that acknowledges them, and returns that.
    fn take(
        &self,
        inbox: &dyn Inbox,
        tell: &impl Fn(Event),
        mark: &str,
        updates: Vec<Update>,
    ) -> Result<Option<i64>, PlatformError> {
        let Some(last) = updates.iter().map(|update| update.update_id).max() else {
            return Ok(None);
        };
        let next = last.saturating_add(1);
        let incoming = self.read(updates, tell);
        let new = inbox.record_to(&incoming, mark, &next.to_string())?;
        if new.contains(&true) {
            tell(Event::New);
        }
        Ok(Some(next))
    }

    /// The messages of updates. One that cannot be read would come again and again, so it is told
    /// and left behind.
    pub(crate) fn read(&self, updates: Vec<Update>, tell: &impl Fn(Event)) -> Vec<Incoming> {
        updates
            .into_iter()
            .filter_map(|update| {
                let id = update.update_id;
                update.incoming(&self.me, &self.commands).unwrap_or_else(|error| {
                    tell(Event::Trouble(format!(
                        "Telegram's update {id} is not understood, and left out: {error}"
                    )));
                    None
                })
            })
            .collect()
    }

    /// Takes back a webhook, if there is one; what has not been delivered waits.
    ///
    /// # Errors
    ///
    /// As every call.
    pub async fn delete_webhook(&self) -> Result<(), PlatformError> {
        let delete = teloxide_core::payloads::DeleteWebhook::new();
        json(&self.bot, &self.token, &Reading::<_, bool>::of(delete)).await.map(drop)
    }
}

fn pause(times: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << times.saturating_sub(1).min(10)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(3), FIRST_PAUSE * 4);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
