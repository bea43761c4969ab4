//! What the bot does on Discord.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use june_chats::{
    Attachment, Chat, Indicator, Limits, Platform, PlatformError, Post, Units, Voice,
};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::Discord;
use crate::format::formatted;
use crate::rest::Body;

pub(crate) const NAME: &str = "discord";

/// The longest text, in characters.
const LONGEST_TEXT: usize = 2000;
/// What everybody may upload, where the server was not boosted.
const MOST_UPLOAD: u64 = 10 << 20;
/// People may send more than that.
const MOST_DOWNLOAD: u64 = 500 << 20;
/// Discord lets a bot do about five things in five seconds to a channel.
const EDITS: Duration = Duration::from_millis(1200);
/// The longest nonce.
const LONGEST_NONCE: usize = 25;
/// Where Discord keeps files.
const FILES: [&str; 2] = ["cdn.discordapp.com", "media.discordapp.net"];
/// Flags of a message: no previews (a link that a model wrote is opened by nobody but a person who
/// chose to), and a voice message.
const SUPPRESS_EMBEDS: u64 = 1 << 2;
const IS_VOICE_MESSAGE: u64 = 1 << 13;
const VOICE_NAME: &str = "voice-message.ogg";

impl Discord {
    async fn send_text(&self, post: Post) -> Result<String, PlatformError> {
        let path = format!("channels/{}/messages", id(&post.chat.id)?);
        let text = formatted(&post.markdown, LONGEST_TEXT);
        let mut message = message(&post);
        message["content"] = text.into();
        message["flags"] = SUPPRESS_EMBEDS.into();
        sent(&self.rest.call(Method::POST, &path, &Body::Json(message)).await?)
    }

    async fn edit_text(
        &self,
        chat: &Chat,
        message: &str,
        markdown: &str,
    ) -> Result<(), PlatformError> {
        let path = format!("channels/{}/messages/{}", id(&chat.id)?, id(message)?);
        let edit = json!({
            "content": formatted(markdown, LONGEST_TEXT),
            "flags": SUPPRESS_EMBEDS,
            "allowed_mentions": {"parse": []},
        });
        self.rest.call(Method::PATCH, &path, &Body::Json(edit)).await.map(drop)
    }

    /// A voice message has no text on Discord, so a caption becomes a message after it.
    async fn send_voice(&self, post: Post, voice: Voice) -> Result<String, PlatformError> {
        if voice.ogg.len() as u64 > MOST_UPLOAD {
            return Err(PlatformError::Refused(
                "the voice message is larger than the 10 MiB that Discord takes".to_owned(),
            ));
        }
        let path = format!("channels/{}/messages", id(&post.chat.id)?);
        let waveform = if voice.waveform.is_empty() { vec![0] } else { voice.waveform };
        let shown: Vec<_> = waveform.into_iter().take(256).collect();
        let mut spoken = message(&post);
        spoken["flags"] = IS_VOICE_MESSAGE.into();
        spoken["attachments"] = json!([{
            "id": "0",
            "filename": VOICE_NAME,
            "duration_secs": voice.duration.as_secs_f64(),
            "waveform": STANDARD.encode(shown),
        }]);
        let body = Body::File(spoken, VOICE_NAME, voice.ogg);
        let id = sent(&self.rest.call(Method::POST, &path, &body).await?)?;
        if !post.markdown.is_empty() {
            // Of a key as long as a nonce may be, the end counts.
            let from = (post.key.len() + 1).saturating_sub(LONGEST_NONCE);
            let key = format!("c{}", post.key.get(from..).unwrap_or_default());
            self.send_text(Post { key, answers: None, ..post }).await?;
        }
        Ok(id)
    }

    async fn show(&self, chat: &Chat) -> Result<(), PlatformError> {
        let path = format!("channels/{}/typing", id(&chat.id)?);
        self.rest.call(Method::POST, &path, &Body::Nothing).await.map(drop)
    }

    async fn fetch(&self, attachment: &Attachment, most: u64) -> Result<Bytes, PlatformError> {
        if attachment.bytes.is_some_and(|bytes| bytes > most) {
            return Err(PlatformError::too_large(most));
        }
        #[cfg(feature = "voice-channels")]
        if let Some(kept) = self.calls.kept(&attachment.id) {
            return kept;
        }
        let (address, origin) = attachment.id.split_once('#').unwrap_or((&attachment.id, ""));
        if let Some(bytes) = self.download_from(address, most).await? {
            return Ok(bytes);
        }
        let renewed = match self.renewed(origin).await? {
            Some(address) => self.download_from(&address, most).await?,
            None => None,
        };
        renewed.ok_or_else(|| {
            PlatformError::Refused("the file is no longer on Discord's servers".to_owned())
        })
    }

    async fn download_from(
        &self,
        address: &str,
        most: u64,
    ) -> Result<Option<Bytes>, PlatformError> {
        if !self.has_files(address) {
            return Err(PlatformError::Refused("the file is not on Discord's servers".to_owned()));
        }
        self.rest.download(address, most).await
    }

    /// The address that a file has now: the message tells it. None where there is no such file.
    async fn renewed(&self, origin: &str) -> Result<Option<String>, PlatformError> {
        let mut parts = origin.split('/').map(str::parse::<u64>);
        let (Some(Ok(channel)), Some(Ok(message)), Some(Ok(file))) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Ok(None);
        };
        let path = format!("channels/{channel}/messages/{message}");
        let message = match self.rest.call(Method::GET, &path, &Body::Nothing).await {
            Err(PlatformError::Refused(_)) => return Ok(None),
            message => message?,
        };
        let file = file.to_string();
        let mut files = message["attachments"].as_array().into_iter().flatten();
        let found = files.find(|found| found["id"].as_str() == Some(&file));
        Ok(found.and_then(|found| found["url"].as_str()).map(str::to_owned))
    }

    /// Whether an address is of a server for files: Discord's, or the one from the settings.
    fn has_files(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else { return false };
        let official = url.scheme() == "https"
            && url.port().is_none()
            && url.host_str().is_some_and(|host| FILES.contains(&host));
        let set = Url::parse(&self.server)
            .is_ok_and(|server| &*self.server != crate::SERVER && server.origin() == url.origin());
        official || set
    }
}

impl Platform for Discord {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> Limits {
        Limits {
            text: LONGEST_TEXT,
            units: Units::Scalars,
            download: MOST_DOWNLOAD,
            upload: MOST_UPLOAD,
            edits: EDITS,
            // For a few minutes, as Discord documents `enforce_nonce`.
            keyed: true,
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

    /// Discord knows typing only.
    fn indicate<'a>(
        &'a self,
        chat: &'a Chat,
        _: Indicator,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        self.show(chat).boxed()
    }

    #[cfg(feature = "voice-channels")]
    fn calls(&self) -> Option<&dyn june_chats::Calls> {
        Some(&self.calls)
    }

    fn download<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> BoxFuture<'a, Result<Bytes, PlatformError>> {
        self.fetch(attachment, most).boxed()
    }
}

/// What every new message has: nobody is notified by it, whatever a model wrote, and the same nonce
/// twice is the same message.
fn message(post: &Post) -> Value {
    let mut message = json!({
        "nonce": post.key,
        "enforce_nonce": true,
        "allowed_mentions": {"parse": []},
    });
    if let Some(answers) = &post.answers {
        message["message_reference"] = json!({"message_id": answers, "fail_if_not_exists": false});
    }
    message
}

fn sent(message: &Value) -> Result<String, PlatformError> {
    message["id"].as_str().map(str::to_owned).ok_or_else(|| {
        PlatformError::Unavailable("Discord does not say which message was sent".to_owned())
    })
}

/// An identifier, which becomes part of an address.
fn id(text: &str) -> Result<u64, PlatformError> {
    text.parse().map_err(|_| {
        PlatformError::Refused(format!("{text:?} is no channel or message of Discord's"))
    })
}
