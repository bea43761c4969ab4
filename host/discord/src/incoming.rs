//! What arrives: messages and slash commands.

use june_chats::{Attachment, Chat, Incoming, Person};
use serde::Deserialize;
use serde_json::Value;
use serenity::model::Timestamp;
use serenity::model::application::{CommandDataOptionValue, CommandInteraction};

use crate::platform::NAME;

/// When Discord's identifiers begin to count, in milliseconds of Unix time.
pub(crate) const EPOCH: u64 = 1_420_070_400_000;
/// The kinds of messages that people write: new ones and answers.
const WRITTEN: [u64; 2] = [0, 19];
const IS_VOICE_MESSAGE: u64 = 1 << 13;

/// A message; whatever else is in there is of no interest. An update of one has not everything.
#[derive(Deserialize)]
struct Message {
    id: String,
    channel_id: String,
    guild_id: Option<String>,
    webhook_id: Option<String>,
    author: Option<User>,
    content: Option<String>,
    edited_timestamp: Option<String>,
    #[serde(default)]
    mentions: Option<Vec<User>>,
    #[serde(default)]
    attachments: Option<Vec<File>>,
    #[serde(default)]
    flags: Option<u64>,
    #[serde(rename = "type")]
    kind: Option<u64>,
    referenced_message: Option<Box<Answered>>,
}

#[derive(Deserialize)]
struct Answered {
    author: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
    username: Option<String>,
    global_name: Option<String>,
    #[serde(default)]
    bot: bool,
}

#[derive(Deserialize)]
struct File {
    id: String,
    filename: String,
    content_type: Option<String>,
    size: Option<u64>,
    url: String,
    duration_secs: Option<f64>,
}

/// What is known of a message from where it came.
pub(crate) struct Source {
    /// Whether it is an update of a message.
    pub(crate) edit: bool,
    /// Whether the channel is one with the bot alone; unknown, if the message has to tell.
    pub(crate) private: Option<bool>,
}

/// The message, if a person wrote it.
///
/// # Errors
///
/// When it cannot be read, and why.
pub(crate) fn message(value: Value, source: &Source, me: u64) -> Result<Option<Incoming>, String> {
    let message: Message = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(message.incoming(source, me))
}

impl Message {
    fn incoming(self, source: &Source, me: u64) -> Option<Incoming> {
        let author = self.author.filter(|author| !author.bot)?;
        let written = self.kind.is_none_or(|kind| WRITTEN.contains(&kind));
        if !written || self.webhook_id.is_some() {
            return None;
        }
        // Links that became previews update a message too, without a time of an edit.
        let edited = match (source.edit, self.edited_timestamp) {
            (true, Some(time)) => Some(time),
            (true, None) => return None,
            (false, _) => None,
        };
        let update = match &edited {
            None => format!("{me}/m{}", self.id),
            Some(time) => format!("{me}/e{}/{time}", self.id),
        };
        let mine = me.to_string();
        let mentioned = self.mentions.iter().flatten().any(|user| user.id == mine);
        let answers = self.referenced_message.is_some_and(|answered| answered.author.id == mine);
        let text = without_mention(&self.content?, &mine);
        let flags = self.flags.unwrap_or(0);
        let spoken = flags & IS_VOICE_MESSAGE != 0;
        let (mut voice, mut files) = (None, Vec::new());
        let origin = format!("{}/{}", self.channel_id, self.id);
        for file in self.attachments.into_iter().flatten() {
            let sound = file.content_type.as_deref().is_some_and(|kind| kind.starts_with("audio/"));
            if voice.is_none() && (spoken || sound) {
                voice = Some(file.attachment(&origin));
            } else {
                files.push(file.attachment(&origin));
            }
        }
        if text.is_empty() && !mentioned && voice.is_none() && files.is_empty() {
            return None;
        }
        let id = self.id.parse().unwrap_or(0);
        let time = edited
            .and_then(|time| Timestamp::parse(&time).ok())
            .and_then(|time| u64::try_from(time.unix_timestamp()).ok())
            .unwrap_or_else(|| seconds(id));
        Some(Incoming {
            update,
            chat: chat(self.channel_id),
            private: source.private.unwrap_or(self.guild_id.is_none()),
            person: author.person(),
            message: self.id,
            edit: source.edit,
            addressed: mentioned || answers,
            text,
            voice,
            files,
            time,
        })
    }
}

impl User {
    fn person(self) -> Person {
        let name = self.global_name.or(self.username).unwrap_or_else(|| self.id.clone());
        Person { id: self.id, name }
    }
}

impl File {
    /// An address is good for a day or so. Behind it, as what no server is told, is where a new one
    /// can be had.
    fn attachment(self, origin: &str) -> Attachment {
        Attachment {
            id: format!("{}#{origin}/{}", self.url, self.id),
            name: self.filename,
            media_type: self.content_type,
            bytes: self.size,
            // No number of seconds is negative or too large after this.
            seconds: self.duration_secs.map(|seconds| seconds.ceil() as u32),
        }
    }
}

/// A slash command as the text that it is elsewhere.
pub(crate) fn command(command: &CommandInteraction, me: u64) -> Incoming {
    let arguments = command.data.options.iter().filter_map(|option| match &option.value {
        CommandDataOptionValue::String(text) => Some(text.clone()),
        CommandDataOptionValue::Integer(number) => Some(number.to_string()),
        CommandDataOptionValue::Boolean(yes) => Some(yes.to_string()),
        _ => None,
    });
    let mut text = format!("/{}", command.data.name);
    for argument in arguments {
        text.push(' ');
        text.push_str(argument.trim());
    }
    let user = &command.user;
    Incoming {
        update: format!("{me}/i{}", command.id),
        chat: chat(command.channel_id.to_string()),
        private: command.guild_id.is_none(),
        person: Person {
            id: user.id.to_string(),
            name: user.global_name.clone().unwrap_or_else(|| user.name.clone()),
        },
        // There is no message, but nothing else has this identifier.
        message: command.id.to_string(),
        edit: false,
        addressed: true,
        text,
        voice: None,
        files: Vec::new(),
        time: seconds(command.id.get()),
    }
}

pub(crate) fn chat(id: String) -> Chat {
    Chat { platform: NAME.to_owned(), id }
}

/// When something with this identifier was made, in seconds of Unix time.
pub(crate) fn seconds(id: u64) -> u64 {
    ((id >> 22) + EPOCH) / 1000
}

/// The text without mentions of the bot.
fn without_mention(text: &str, me: &str) -> String {
    let mut text = text.to_owned();
    for mention in [format!("<@{me}>"), format!("<@!{me}>")] {
        text = text.replace(&format!("{mention} "), "").replace(&mention, "");
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIVE: Source = Source { edit: false, private: None };

    fn value(more: Value) -> Value {
        let mut message = json!({
            "id": "175928847299117063", "channel_id": "5", "guild_id": "6", "type": 0,
            "author": {"id": "3", "username": "ada", "global_name": "Ada"}, "content": "hello",
            "mentions": [], "attachments": [], "edited_timestamp": null, "flags": 0,
        });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    }

    fn read(more: Value) -> Option<Incoming> {
        message(value(more), &LIVE, 7).unwrap()
    }

    #[test]
    fn whose_and_where() {
        let read = read(json!({})).unwrap();
        assert_eq!((read.chat.id.as_str(), read.person.name.as_str()), ("5", "Ada"));
        assert_eq!((read.private, read.addressed), (false, false));
        // The example of Discord's documentation: 2016-04-30 11:18:25.796 UTC.
        assert_eq!(read.time, 1_462_015_105);
    }

    #[test]
    fn the_bot_is_addressed() {
        let mentions = json!([{"id": "7", "username": "june"}]);
        for (content, expected) in [
            ("<@7> hello", "hello"),
            ("hello <@!7>, you", "hello , you"),
            ("<@7>", ""),
            ("<@77> and <@7> x", "<@77> and x"),
        ] {
            let read = read(json!({"content": content, "mentions": mentions})).unwrap();
            assert_eq!((read.text.as_str(), read.addressed), (expected, true));
        }
        let own = json!({"author": {"id": "7", "bot": true}});
        assert!(read(json!({"type": 19, "referenced_message": own})).unwrap().addressed);
        let other = json!({"author": {"id": "8"}});
        assert!(!read(json!({"type": 19, "referenced_message": other})).unwrap().addressed);
    }

    #[test]
    fn voice_and_files() {
        let spoken = json!({"content": "", "flags": 8192, "attachments": [{
            "id": "1", "filename": "voice-message.ogg", "content_type": "audio/ogg", "size": 900,
            "url": "https://cdn.discordapp.com/a", "duration_secs": 2.3, "waveform": "AA==",
        }]});
        let read_voice = read(spoken).unwrap();
        let voice = read_voice.voice.unwrap();
        let id = "https://cdn.discordapp.com/a#5/175928847299117063/1";
        assert_eq!((voice.id.as_str(), voice.seconds), (id, Some(3)));
        let file = json!({"attachments": [{
            "id": "1", "filename": "a.png", "content_type": "image/png", "size": 9, "url": "u",
        }]});
        let read = read(file).unwrap();
        assert_eq!((read.voice, read.files.len()), (None, 1));
    }

    #[test]
    fn what_no_person_wrote() {
        assert_eq!(read(json!({"author": {"id": "7", "bot": true}})), None);
        assert_eq!(read(json!({"type": 7})), None);
        assert_eq!(read(json!({"webhook_id": "1"})), None);
        assert_eq!(read(json!({"content": ""})), None);
        assert!(message(json!({"content": 1}), &LIVE, 7).is_err());
    }

    #[test]
    fn edits_have_a_time() {
        let edit = Source { edit: true, private: None };
        let changed = value(json!({"edited_timestamp": "2016-05-01T00:00:00.500000+00:00"}));
        let read = message(changed, &edit, 7).unwrap().unwrap();
        assert_eq!(read.update, "7/e175928847299117063/2016-05-01T00:00:00.500000+00:00");
        assert_eq!((read.edit, read.time), (true, 1_462_060_800));
        assert_eq!(message(value(json!({})), &edit, 7), Ok(None));
    }
}
