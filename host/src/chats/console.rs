//! A conversation on the command line: a platform with one chat and one person.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use june_chats::{
    Attachment, Chat, Incoming, Indicator, Limits, Person, Platform, PlatformError, Post, Units,
    Voice,
};

/// The platform's name.
const NAME: &str = "console";

/// What was sent, and the file that can be downloaded.
pub(crate) struct Console {
    file: Bytes,
    sent: Mutex<Sent>,
}

/// What was sent.
#[derive(Default)]
pub(crate) struct Sent {
    /// Messages, as they were edited last.
    pub(crate) texts: BTreeMap<usize, String>,
    pub(crate) voices: Vec<Voice>,
}

impl Console {
    /// A platform where this file can be downloaded.
    pub(crate) fn new(file: Bytes) -> Console {
        Console { file, sent: Mutex::default() }
    }

    /// A voice message that holds the file.
    pub(crate) fn incoming(&self, name: &str) -> Incoming {
        let voice = Attachment {
            id: "file".into(),
            name: name.into(),
            media_type: None,
            bytes: Some(self.file.len() as u64),
            seconds: None,
        };
        Incoming {
            update: "1".into(),
            chat: Chat { platform: NAME.into(), id: "1".into() },
            private: true,
            person: Person { id: "1".into(), name: "you".into() },
            message: "1".into(),
            edit: false,
            addressed: true,
            text: String::new(),
            voice: Some(voice),
            files: Vec::new(),
            time: 0,
        }
    }

    /// What was sent until now.
    pub(crate) fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(sent: &Sent) -> usize {
        sent.texts.len() + sent.voices.len() + 1
    }
}

impl Platform for Console {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> Limits {
        Limits {
            text: 1 << 20,
            units: Units::Scalars,
            download: u64::MAX,
            upload: u64::MAX,
            edits: Duration::from_millis(100),
            keyed: false,
        }
    }

    fn post(&self, post: Post) -> BoxFuture<'_, Result<String, PlatformError>> {
        let mut sent = self.sent();
        let id = Console::count(&sent);
        sent.texts.insert(id, post.markdown);
        ready(Ok(id.to_string())).boxed()
    }

    fn edit<'a>(
        &'a self,
        _chat: &'a Chat,
        message: &'a str,
        markdown: &'a str,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        let message = message.parse().ok();
        let mut sent = self.sent();
        let edited = match message.and_then(|id: usize| sent.texts.get_mut(&id)) {
            Some(text) => {
                markdown.clone_into(text);
                Ok(())
            }
            None => Err(PlatformError::Refused("there is no such message".into())),
        };
        ready(edited).boxed()
    }

    fn voice(&self, _post: Post, voice: Voice) -> BoxFuture<'_, Result<String, PlatformError>> {
        let mut sent = self.sent();
        let id = Console::count(&sent);
        sent.voices.push(voice);
        ready(Ok(id.to_string())).boxed()
    }

    fn indicate<'a>(
        &'a self,
        _chat: &'a Chat,
        _indicator: Indicator,
    ) -> BoxFuture<'a, Result<(), PlatformError>> {
        ready(Ok(())).boxed()
    }

    fn download<'a>(
        &'a self,
        _attachment: &'a Attachment,
        most: u64,
    ) -> BoxFuture<'a, Result<Bytes, PlatformError>> {
        let downloaded = match self.file.len() as u64 <= most {
            true => Ok(self.file.clone()),
            false => Err(PlatformError::Refused(format!("it has more than {most} bytes"))),
        };
        ready(downloaded).boxed()
    }
}
