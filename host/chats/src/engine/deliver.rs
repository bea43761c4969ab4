//! Sends the text of an answer, so that it is there once whatever happens.
//!
//! A message is posted as a placeholder, its identifier is written down, and then it is filled by
//! an edit. The edit can be repeated: the same text twice is one text. If it is not known whether
//! the placeholder was posted, another one is: at worst an empty one stays behind.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{EngineError, Parts, Unsent, after, words};
use crate::store::{Delivery, DeliveryState, Kind, Turn};
use crate::{Passed, PlatformError, Post, Stage};

/// The first pause before something is tried again, and the longest.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Parts {
    /// Sends the messages of a turn that were not sent yet, in their order.
    pub(super) async fn deliver(&self, turn: &Turn) -> Result<(), EngineError> {
        let span = self.span(&turn.incoming.chat, turn.number, Stage::Delivery);
        let give_up = after(self.settings.delivery);
        let mut refused: Option<String> = None;
        let mut text = String::new();
        for delivery in self.store.deliveries(turn.number).await? {
            let open = !matches!(delivery.state, DeliveryState::Sent | DeliveryState::Failed);
            if delivery.kind != Kind::Text || !open {
                continue;
            }
            if refused.is_none() {
                refused = self.deliver_part(turn, &delivery, give_up).await?;
            }
            let (state, error) = match &refused {
                None => (DeliveryState::Sent, None),
                // A message without the one before it would only confuse.
                Some(error) => (DeliveryState::Failed, Some(error.clone())),
            };
            self.store.became(turn.number, Kind::Text, delivery.part, state, None, error).await?;
            text.push_str(delivery.markdown.as_deref().unwrap_or_default());
        }
        span.end(|| match refused {
            None => Ok(Passed::Text(text)),
            Some(error) => Err(error),
        });
        Ok(())
    }

    /// Sends a message, as often as it takes; or says why it cannot be sent.
    async fn deliver_part(
        &self,
        turn: &Turn,
        delivery: &Delivery,
        give_up: Instant,
    ) -> Result<Option<String>, EngineError> {
        let mut pause = PAUSE;
        let mut message = delivery.message.clone();
        // A message that is gone is posted anew, once.
        let mut renewed = false;
        loop {
            let error = match self.attempt(turn, delivery, &mut message).await {
                Ok(()) => return Ok(None),
                Err(Unsent::Engine(error)) => return Err(error),
                Err(Unsent::Platform(error)) => error,
            };
            let wait = match error {
                PlatformError::Unauthorized(why) => return Err(EngineError::Unauthorized(why)),
                PlatformError::TooMany(_, wait) => wait,
                PlatformError::Refused(_) if message.is_some() && !renewed => {
                    renewed = true;
                    message = None;
                    continue;
                }
                PlatformError::Refused(why) => return Ok(Some(why)),
                PlatformError::Unavailable(_) | PlatformError::Store(_) => {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    pause / 2
                }
            };
            if after(wait) >= give_up {
                return Ok(Some(error.to_string()));
            }
            sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        turn: &Turn,
        delivery: &Delivery,
        message: &mut Option<String>,
    ) -> Result<(), Unsent> {
        let message = match message {
            Some(message) => message,
            None => message.insert(self.placeholder(turn, delivery.part).await?),
        };
        let markdown = delivery.markdown.as_deref().unwrap_or_default();
        Ok(self.platform.edit(&turn.incoming.chat, message, markdown).await?)
    }

    /// Posts what an answer will be written into, and writes down what it is called.
    pub(super) async fn placeholder(&self, turn: &Turn, part: u32) -> Result<String, Unsent> {
        let key = self.store.intend(turn.number, Kind::Text, part).await?;
        let incoming = &turn.incoming;
        let post = Post {
            chat: incoming.chat.clone(),
            markdown: words::PLACEHOLDER.into(),
            answers: (part == 0).then(|| incoming.message.clone()),
            key,
        };
        let message = self.platform.post(post).await?;
        let posted = DeliveryState::Posted;
        self.store
            .became(turn.number, Kind::Text, part, posted, Some(message.clone()), None)
            .await?;
        Ok(message)
    }
}
