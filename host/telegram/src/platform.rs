//! What the bot does on Telegram.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use june_chats::{
    Attachment, Chat, Indicator, Limits, Platform, PlatformError, Post, Units, Voice,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use teloxide_core::net::Download as _;
use teloxide_core::payloads::{EditMessageText, GetFile, SendChatAction, SendMessage, SendVoice};
use teloxide_core::types::{
    ChatAction, ChatId, FileId, InputFile, LinkPreviewOptions, MessageId, Recipient,
    ReplyParameters, ThreadId,
};

use crate::Telegram;
use crate::call::{Failure, Reading, Sent, json, network, try_json, try_multipart};
use crate::format::Formatted;

pub(crate) const NAME: &str = "telegram";

/// The longest text, in UTF-16 code units.
const LONGEST_TEXT: usize = 4096;
/// The longest caption.
const LONGEST_CAPTION: usize = 1024;
/// What the cloud Bot API lets bots download and upload.
const MOST_DOWNLOAD: u64 = 20_000_000;
const MOST_UPLOAD: u64 = 50_000_000;
/// Telegram lets a bot send about one message a second to a chat, and edits count.
const EDITS: Duration = Duration::from_millis(1500);

#[derive(Deserialize)]
struct File {
    file_path: Option<String>,
    file_size: Option<u64>,
}

/// A chat, and the topic in it.
#[derive(Clone)]
struct Place {
    chat: i64,
    topic: Option<ThreadId>,
}

impl Place {
    fn of(chat: &Chat) -> Result<Place, PlatformError> {
        let (id, topic) = match chat.id.split_once('/') {
            None => (chat.id.as_str(), None),
            Some((id, topic)) => (id, Some(topic)),
        };
        let read = || {
            Some(Place {
                chat: id.parse().ok()?,
                topic: match topic {
                    None => None,
                    Some(topic) => Some(ThreadId(MessageId(topic.parse().ok()?))),
                },
            })
        };
        read().ok_or_else(|| {
            PlatformError::Refused(format!("{:?} is no chat of Telegram's", chat.id))
        })
    }

    fn recipient(&self) -> Recipient {
        Recipient::Id(ChatId(self.chat))
    }
}

impl Telegram {
    /// Does it in the chat, or in the supergroup that the chat became; plainly, if Telegram does not
    /// take the formatting.
    async fn write<T, F>(
        &self,
        chat: &Chat,
        markdown: &str,
        most: usize,
        attempt: impl Fn(Place, Formatted) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut place = Place::of(chat).map_err(Failure::Other)?;
        let mut formatted = Formatted::of(markdown, most);
        loop {
            match attempt(place.clone(), formatted.clone()).await {
                Err(Failure::Moved(to)) if to != place.chat => {
                    place = Place { chat: to, topic: None };
                }
                Err(Failure::Other(PlatformError::Refused(text)))
                    if !formatted.entities.is_empty() && of_formatting(&text) =>
                {
                    formatted = Formatted::plain(markdown);
                }
                outcome => return outcome,
            }
        }
    }

    async fn send_text(&self, post: Post) -> Result<String, PlatformError> {
        let sent = self
            .write(&post.chat, &post.markdown, LONGEST_TEXT, |place, formatted| {
                let mut message = SendMessage::new(place.recipient(), formatted.text);
                message.entities = Some(formatted.entities).filter(|some| !some.is_empty());
                message.message_thread_id = place.topic;
                message.link_preview_options = Some(no_preview());
                message.reply_parameters = answer(post.answers.as_deref());
                let request = Reading::<_, Sent>::of(message);
                async move { try_json(&self.bot, &self.token, &request).await }
            })
            .await?;
        Ok(sent.message_id.to_string())
    }

    async fn edit_text(
        &self,
        chat: &Chat,
        message: &str,
        markdown: &str,
    ) -> Result<(), PlatformError> {
        let id = message.parse().map(MessageId).map_err(|_| {
            PlatformError::Refused(format!("{message:?} is no message of Telegram's"))
        })?;
        let edited = self
            .write(chat, markdown, LONGEST_TEXT, |place, formatted| {
                let mut edit = EditMessageText::new(place.recipient(), id, formatted.text);
                edit.entities = Some(formatted.entities).filter(|some| !some.is_empty());
                edit.link_preview_options = Some(no_preview());
                let request = Reading::<_, IgnoredAny>::of(edit);
                async move { try_json(&self.bot, &self.token, &request).await }
            })
            .await;
        match edited {
            Ok(_) | Err(Failure::Unchanged) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn send_voice(&self, post: Post, voice: Voice) -> Result<String, PlatformError> {
        if voice.ogg.len() as u64 > MOST_UPLOAD {
            return Err(PlatformError::Refused(
                "the voice message is larger than the 50 MB that Telegram takes".to_owned(),
            ));
        }
        // Telegram shows whole seconds.
        let seconds = voice.duration.as_secs_f64().round().max(1.0) as u32;
        let sent = self
            .write(&post.chat, &post.markdown, LONGEST_CAPTION, |place, formatted| {
                let file = InputFile::memory(voice.ogg.clone()).file_name("voice.ogg");
                let mut message = SendVoice::new(place.recipient(), file);
                message.caption = Some(formatted.text).filter(|text| !text.is_empty());
                message.caption_entities = Some(formatted.entities).filter(|some| !some.is_empty());
                message.message_thread_id = place.topic;
                message.duration = Some(seconds);
                message.reply_parameters = answer(post.answers.as_deref());
                let request = Reading::<_, Sent>::of(message);
                async move { try_multipart(&self.bot, &self.token, &request).await }
            })
            .await?;
        Ok(sent.message_id.to_string())
    }

    async fn show(&self, chat: &Chat, indicator: Indicator) -> Result<(), PlatformError> {
        let place = Place::of(chat)?;
        let action = match indicator {
            Indicator::Typing => ChatAction::Typing,
            Indicator::Recording => ChatAction::RecordVoice,
        };
        let mut show = SendChatAction::new(place.recipient(), action);
        show.message_thread_id = place.topic;
        json(&self.bot, &self.token, &Reading::<_, bool>::of(show)).await.map(drop)
    }

    async fn fetch(&self, attachment: &Attachment, most: u64) -> Result<Bytes, PlatformError> {
        within(attachment.bytes, most)?;
        let get = GetFile::new(FileId(attachment.id.clone()));
        let file: File = json(&self.bot, &self.token, &Reading::of(get)).await?;
        within(file.file_size, most)?;
        let path = file.file_path.ok_or_else(|| {
            PlatformError::Refused("Telegram does not let the bot download this file".to_owned())
        })?;
        let mut stream = std::pin::pin!(self.bot.download_file_stream(&path));
        let mut body = BytesMut::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| {
                let text = network(&error, &self.token);
                match error.status() {
                    Some(status) if status.is_client_error() => PlatformError::Refused(format!(
                        "Telegram refused the download with status {status}"
                    )),
                    Some(status) => PlatformError::Unavailable(format!(
                        "Telegram answered a download with status {status}"
                    )),
                    None => PlatformError::Unavailable(text),
                }
            })?;
            within(Some(body.len() as u64 + chunk.len() as u64), most)?;
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

impl Platform for Telegram {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> Limits {
        Limits {
            text: LONGEST_TEXT,
            units: Units::Utf16,
            download: MOST_DOWNLOAD,
            upload: MOST_UPLOAD,
            edits: EDITS,
            keyed: false,
        }
    }

    fn post(&self, post: Post) -> BoxFuture<'_, Result<String, PlatformError>> {
        self.send_text(post).boxed()
    }

    fn edit<'a>(
        &'a self,
        chat: &'a Chat,
        message: &'a str,
        markdown: &'a str,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        self.edit_text(chat, message, markdown).boxed()
    }

    fn voice(&self, post: Post, voice: Voice) -> BoxFuture<'_, Result<String, PlatformError>> {
        self.send_voice(post, voice).boxed()
    }

    fn indicate<'a>(
        &'a self,
        chat: &'a Chat,
        indicator: Indicator,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        self.show(chat, indicator).boxed()
    }

    fn download<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> BoxFuture<'a, Result<Bytes, PlatformError>> {
        self.fetch(attachment, most).boxed()
    }
}

/// Whether Telegram refuses how the text is formatted, rather than the message.
fn of_formatting(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["entit", "message is too long", "caption is too long", "message_too_long"]
        .iter()
        .any(|sign| text.contains(sign))
}

/// No previews: an address that a model wrote is opened by nobody but a person who chose to.
fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

/// What the message answers; it is sent all the same if that is gone.
fn answer(message: Option<&str>) -> Option<ReplyParameters> {
    let message = message?.parse().ok()?;
    Some(ReplyParameters::new(MessageId(message)).allow_sending_without_reply())
}

fn within(bytes: Option<u64>, most: u64) -> Result<(), PlatformError> {
    if bytes.is_some_and(|bytes| bytes > most) {
        return Err(PlatformError::too_large(most));
    }
    Ok(())
}
