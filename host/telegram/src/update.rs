//! What arrives: updates of the Bot API, of which few fields matter.

use std::ops::Range;

use june_chats::{Attachment, Chat, Incoming, MenuCommand, Person};
use serde::Deserialize;
use serde_json::Value;

use crate::Me;

/// What is asked for; a webhook registers the same.
pub(crate) const KINDS: [&str; 2] = ["message", "edited_message"];

/// An update; whatever else is in there is of no interest.
#[derive(Debug, Deserialize)]
pub(crate) struct Update {
    pub(crate) update_id: i64,
    message: Option<Value>,
    edited_message: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    message_id: i64,
    message_thread_id: Option<i64>,
    #[serde(default)]
    is_topic_message: bool,
    #[serde(default)]
    is_automatic_forward: bool,
    from: Option<User>,
    date: u64,
    edit_date: Option<u64>,
    chat: Place,
    reply_to_message: Option<Answered>,
    text: Option<String>,
    caption: Option<String>,
    #[serde(default)]
    entities: Vec<Entity>,
    #[serde(default)]
    caption_entities: Vec<Entity>,
    voice: Option<File>,
    audio: Option<File>,
    video_note: Option<File>,
    document: Option<File>,
    animation: Option<File>,
    video: Option<File>,
    #[serde(default)]
    photo: Vec<File>,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    #[serde(default)]
    is_bot: bool,
    first_name: String,
    last_name: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    id: i64,
    r#type: String,
}

/// A message that another one answers. In a topic, every message answers at least that which opened
/// the topic; nobody means that.
#[derive(Deserialize)]
struct Answered {
    from: Option<User>,
    forum_topic_created: Option<Value>,
}

/// A part of the text that means something.
#[derive(Deserialize)]
struct Entity {
    r#type: String,
    /// In UTF-16 code units, as the length.
    offset: usize,
    length: usize,
    user: Option<User>,
}

#[derive(Deserialize)]
struct File {
    file_id: String,
    file_name: Option<String>,
    mime_type: Option<String>,
    file_size: Option<u64>,
    duration: Option<u32>,
}

impl Update {
    /// The message in it, if it has one for the bot: not those of bots, nor those that tell of a
    /// change in the chat.
    ///
    /// # Errors
    ///
    /// When it has a message that cannot be read, and why.
    pub(crate) fn incoming(
        self,
        me: &Me,
        commands: &[MenuCommand],
    ) -> Result<Option<Incoming>, String> {
        let (message, edit) = match (self.message, self.edited_message) {
            (Some(message), _) => (message, false),
            (None, Some(message)) => (message, true),
            (None, None) => return Ok(None),
        };
        let message: Message =
            serde_json::from_value(message).map_err(|error| error.to_string())?;
        Ok(message.incoming(format!("{}/{}", me.id, self.update_id), edit, me, commands))
    }
}

impl Message {
    fn incoming(
        self,
        update: String,
        edit: bool,
        me: &Me,
        commands: &[MenuCommand],
    ) -> Option<Incoming> {
        let from = self.from.filter(|from| !from.is_bot && !self.is_automatic_forward)?;
        let (text, entities) = match (self.text, self.caption) {
            (Some(text), _) => (text, self.entities),
            (None, Some(caption)) => (caption, self.caption_entities),
            (None, None) => (String::new(), Vec::new()),
        };
        let (text, named) = without_mentions(&text, &entities, me, commands);
        let answers = self.reply_to_message.is_some_and(|answered| {
            answered.forum_topic_created.is_none()
                && answered.from.is_some_and(|from| from.id == me.id)
        });
        let voice = [
            (self.voice, "voice.ogg", "audio/ogg"),
            (self.audio, "audio", "audio/mpeg"),
            (self.video_note, "video.mp4", "video/mp4"),
        ]
        .into_iter()
        .find_map(|(file, name, media_type)| Some(file?.attachment(name, media_type)));
        // Of a photo, there are several sizes. An animation is told as a document too.
        let photo = self.photo.into_iter().max_by_key(|photo| photo.file_size);
        let document = self.animation.or(self.document);
        let files: Vec<_> = [
            (document, "document", "application/octet-stream"),
            (self.video, "video.mp4", "video/mp4"),
            (photo, "photo.jpg", "image/jpeg"),
        ]
        .into_iter()
        .filter_map(|(file, name, media_type)| Some(file?.attachment(name, media_type)))
        .collect();
        if text.is_empty() && !named && voice.is_none() && files.is_empty() {
            return None;
        }
        let topic = self.message_thread_id.filter(|_| self.is_topic_message);
        Some(Incoming {
            update,
            chat: Chat {
                platform: crate::platform::NAME.to_owned(),
                id: match topic {
                    None => self.chat.id.to_string(),
                    Some(topic) => format!("{}/{topic}", self.chat.id),
                },
            },
            private: self.chat.r#type == "private",
            person: Person {
                id: from.id.to_string(),
                name: match from.last_name {
                    None => from.first_name,
                    Some(last) => format!("{} {last}", from.first_name),
                },
            },
            message: self.message_id.to_string(),
            edit,
            addressed: named || answers,
            text,
            voice,
            files,
            time: self.edit_date.unwrap_or(self.date),
        })
    }
}

impl File {
    fn attachment(self, name: &str, media_type: &str) -> Attachment {
        Attachment {
            id: self.file_id,
            name: self.file_name.unwrap_or_else(|| name.to_owned()),
            media_type: Some(self.mime_type.unwrap_or_else(|| media_type.to_owned())),
            bytes: self.file_size,
            seconds: self.duration,
        }
    }
}

/// The text without mentions of the bot, and whether it was mentioned or is a command for it.
fn without_mentions(
    text: &str,
    entities: &[Entity],
    me: &Me,
    commands: &[MenuCommand],
) -> (String, bool) {
    let is_me = |name: &str| name.eq_ignore_ascii_case(&me.username);
    let mut named = false;
    let mut cuts: Vec<Range<usize>> = Vec::new();
    for entity in entities {
        let Some(range) = bytes(text, entity) else { continue };
        let Some(part) = text.get(range.clone()) else { continue };
        match entity.r#type.as_str() {
            "mention" if part.strip_prefix('@').is_some_and(is_me) => cuts.push(range),
            "text_mention" if entity.user.as_ref().is_some_and(|user| user.id == me.id) => {
                cuts.push(range);
            }
            "bot_command" if range.start == 0 => match part.split_once('@') {
                Some((command, name)) if is_me(name) => cuts.push(command.len()..range.end),
                Some(_) => {}
                None => {
                    let name = part.trim_start_matches('/');
                    named |= commands.iter().any(|command| command.name == name);
                }
            },
            _ => {}
        }
    }
    named |= !cuts.is_empty();
    cuts.sort_by_key(|cut| cut.start);
    let (mut kept, mut from) = (String::new(), 0);
    for cut in cuts {
        kept.push_str(text.get(from..cut.start).unwrap_or_default());
        from = cut.end.max(from);
        // One of the spaces around the mention goes with it.
        if text.get(from..).is_some_and(|rest| rest.starts_with(' '))
            && (kept.is_empty() || kept.ends_with([' ', '\n']))
        {
            from += 1;
        }
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    (kept.trim().to_owned(), named)
}

/// Where an entity is in bytes; none if it is not between characters of the text.
fn bytes(text: &str, entity: &Entity) -> Option<Range<usize>> {
    let end = entity.offset.checked_add(entity.length)?;
    let (mut units, mut starts) = (0, None);
    for (place, width) in text
        .char_indices()
        .map(|(place, character)| (place, character.len_utf16()))
        .chain([(text.len(), 1)])
    {
        if units == entity.offset {
            starts = Some(place);
        }
        if units == end {
            return Some(starts?..place);
        }
        units += width;
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn me() -> Me {
        Me { id: 7, username: "June_Bot".to_owned() }
    }

    fn read(message: Value) -> Option<Incoming> {
        let command = MenuCommand { name: "reset".into(), about: "x".into(), argument: None };
        let update: Update =
            serde_json::from_value(json!({"update_id": 5, "message": message})).unwrap();
        update.incoming(&me(), &[command]).unwrap()
    }

    fn message(more: Value) -> Value {
        let mut message = json!({
            "message_id": 1, "date": 100, "chat": {"id": -20, "type": "supergroup"},
            "from": {"id": 3, "is_bot": false, "first_name": "Ada", "last_name": "L"},
        });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    }

    #[test]
    fn the_bot_is_addressed_by_name() {
        let entity = |kind: &str, offset: usize, length: usize| json!([{"type": kind, "offset": offset, "length": length}]);
        for (text, entities, expected, addressed) in [
            ("hello", json!([]), "hello", false),
            ("@june_bot hello", entity("mention", 0, 9), "hello", true),
            // Four units of UTF-16 before it, nine bytes.
            ("👋🏽 @june_bot hello", entity("mention", 5, 9), "👋🏽 hello", true),
            ("well, @JUNE_BOT", entity("mention", 6, 9), "well,", true),
            ("a @june_bot, b", entity("mention", 2, 9), "a , b", true),
            ("@other hello", entity("mention", 0, 6), "@other hello", false),
            ("/reset@june_bot now", entity("bot_command", 0, 15), "/reset now", true),
            ("/reset@other_bot", entity("bot_command", 0, 16), "/reset@other_bot", false),
            ("/reset", entity("bot_command", 0, 6), "/reset", true),
            ("/roll", entity("bot_command", 0, 5), "/roll", false),
            ("not /reset", entity("bot_command", 4, 6), "not /reset", false),
            // Lies about where it is.
            ("👋 x", entity("mention", 1, 2), "👋 x", false),
            ("x", entity("mention", 0, 9), "x", false),
            ("x", entity("mention", usize::MAX, usize::MAX), "x", false),
            // A kind that did not exist when this was written.
            ("x y", entity("hologram", 0, 1), "x y", false),
        ] {
            let read = read(message(json!({"text": text, "entities": entities}))).unwrap();
            assert_eq!((read.text.as_str(), read.addressed), (expected, addressed), "{text}");
        }
        let mention = json!([{"type": "text_mention", "offset": 0, "length": 4,
            "user": {"id": 7, "is_bot": true, "first_name": "June"}}]);
        let read = read(message(json!({"text": "June help", "entities": mention}))).unwrap();
        assert_eq!((read.text.as_str(), read.addressed), ("help", true));
    }

    #[test]
    fn the_bot_is_addressed_by_an_answer() {
        let own = json!({"message_id": 9, "from": {"id": 7, "is_bot": true, "first_name": "June"}});
        assert!(read(message(json!({"text": "x", "reply_to_message": own}))).unwrap().addressed);
        let other = json!({"message_id": 9, "from": {"id": 8, "first_name": "Bo"}});
        assert!(!read(message(json!({"text": "x", "reply_to_message": other}))).unwrap().addressed);
        let mut topic = own;
        topic.as_object_mut().unwrap().insert("forum_topic_created".into(), json!({"name": "t"}));
        assert!(!read(message(json!({"text": "x", "reply_to_message": topic}))).unwrap().addressed);
    }

    #[test]
    fn whose_and_where() {
        let read = read(message(json!({
            "text": "x", "message_thread_id": 4, "is_topic_message": true,
        })))
        .unwrap();
        assert_eq!(read.chat, Chat { platform: "telegram".into(), id: "-20/4".into() });
        assert_eq!(read.person, Person { id: "3".into(), name: "Ada L".into() });
        assert_eq!((read.update.as_str(), read.message.as_str(), read.time), ("7/5", "1", 100));
        assert!(!read.private);
    }

    #[test]
    fn files_of_all_kinds() {
        let voice = json!({"file_id": "v", "file_unique_id": "u", "duration": 3,
            "mime_type": "audio/ogg", "file_size": 900});
        let read_voice = read(message(json!({"voice": voice}))).unwrap();
        assert_eq!(
            read_voice.voice,
            Some(Attachment {
                id: "v".into(),
                name: "voice.ogg".into(),
                media_type: Some("audio/ogg".into()),
                bytes: Some(900),
                seconds: Some(3),
            })
        );
        let photo = json!([
            {"file_id": "small", "file_size": 10, "width": 1, "height": 1},
            {"file_id": "large", "file_size": 1000, "width": 10, "height": 10},
            {"file_id": "medium", "file_size": 100, "width": 5, "height": 5},
        ]);
        let seen = read(message(json!({"photo": photo, "caption": "look @june_bot",
            "caption_entities": [{"type": "mention", "offset": 5, "length": 9}]})))
        .unwrap();
        assert_eq!((seen.text.as_str(), seen.addressed), ("look", true));
        assert_eq!(seen.files.iter().map(|file| file.id.as_str()).collect::<Vec<_>>(), ["large"]);
        let document =
            json!({"file_id": "d", "file_name": "../a.pdf", "mime_type": "application/pdf"});
        let file = read(message(json!({"document": document}))).unwrap().files.remove(0);
        assert_eq!((file.name.as_str(), file.bytes), ("../a.pdf", None));
    }

    #[test]
    fn what_is_not_for_the_bot() {
        assert_eq!(read(message(json!({"new_chat_title": "x"}))), None);
        let bot = json!({"id": 8, "is_bot": true, "first_name": "Other"});
        assert_eq!(read(message(json!({"text": "x", "from": bot}))), None);
        assert_eq!(read(message(json!({"text": "x", "is_automatic_forward": true}))), None);
        let poll: Update = serde_json::from_value(json!({"update_id": 1, "poll": {}})).unwrap();
        assert_eq!(poll.incoming(&me(), &[]), Ok(None));
        let broken: Update =
            serde_json::from_value(json!({"update_id": 1, "message": {"text": 1}})).unwrap();
        assert!(broken.incoming(&me(), &[]).is_err());
    }
}
