//! Commands: `/name arguments`.

use super::{Parts, words};
use crate::store::{Answer, Change, ChatSettings};
use crate::{Incoming, MenuCommand};

/// Name, argument where one may follow, and what it does.
pub(super) const COMMANDS: [(&str, Option<&str>, &str); 6] = [
    ("start", Some("code"), "Begin, or pair with a code"),
    ("help", None, "What this bot does"),
    ("reset", None, "Forget this conversation"),
    ("agent", Some("name"), "Who answers, or choose"),
    ("voice", Some("on or off"), "Speak every answer, or not"),
    ("stop", None, "Stop the answer that is coming"),
];

/// The same for platforms with voice channels.
pub(super) const CALL_COMMANDS: [(&str, Option<&str>, &str); 2] = [
    ("join", None, "Listen and speak in your voice channel"),
    ("leave", None, "Leave the voice channel"),
];

/// The commands that people have, for a platform's menu.
pub fn commands() -> Vec<MenuCommand> {
    COMMANDS.map(of_menu).into()
}

/// Further commands, where the platform has voice channels.
pub fn call_commands() -> Vec<MenuCommand> {
    CALL_COMMANDS.map(of_menu).into()
}

fn of_menu((name, argument, about): (&str, Option<&str>, &str)) -> MenuCommand {
    MenuCommand { name: name.into(), about: about.into(), argument: argument.map(Into::into) }
}

/// A command that somebody gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Start(&'a str),
    Help,
    Reset,
    Agent(&'a str),
    Voice(&'a str),
    Stop,
    Join,
    Leave,
    Unknown(&'a str),
}

impl<'a> Command<'a> {
    /// The command that a text is; none where it is no command. A path, or a slash alone, is none.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let rest = text.trim().strip_prefix('/')?;
        let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let argument = argument.trim();
        // Telegram adds the bot's name in groups: `/help@name`.
        let name = name.split_once('@').map_or(name, |(name, _)| name);
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return None;
        }
        Some(match name.to_ascii_lowercase().as_str() {
            "start" => Self::Start(argument),
            "help" => Self::Help,
            "reset" => Self::Reset,
            "agent" => Self::Agent(argument),
            "voice" => Self::Voice(argument),
            "stop" => Self::Stop,
            "join" => Self::Join,
            "leave" => Self::Leave,
            _ => Self::Unknown(name),
        })
    }
}

/// What a command is answered with, and what it changes.
pub(super) async fn answer(
    command: Command<'_>,
    parts: &Parts,
    incoming: &Incoming,
    settings: &ChatSettings,
) -> Answer {
    let calls = parts.platform.calls();
    let names = parts.agents.names();
    let agent = parts.agent_of(settings);
    let (text, change) = match command {
        Command::Start(_) => (words::welcome(&agent), None),
        Command::Help => (words::help(&agent, calls.is_some()), None),
        Command::Reset => (words::RESET.into(), Some(Change::Reset)),
        Command::Agent("") => (words::agents(&agent, &names), None),
        Command::Agent(name) => match names.iter().find(|known| known.eq_ignore_ascii_case(name)) {
            Some(name) => (words::now_agent(name), Some(Change::Agent(name.clone()))),
            None => (words::no_agent(name, &names), None),
        },
        Command::Voice(argument) => match argument.to_ascii_lowercase().as_str() {
            "on" if parts.speaker.is_none() => (words::NO_VOICE.into(), None),
            "on" => (words::VOICE_ON.into(), Some(Change::Voice(true))),
            "off" => (words::VOICE_OFF.into(), Some(Change::Voice(false))),
            _ => (words::voice(settings.voice), None),
        },
        Command::Stop => (words::NOTHING_TO_STOP.into(), None),
        Command::Join => match calls {
            Some(calls) => match calls.join(incoming).await {
                Ok(channel) => (words::joined(&channel), None),
                Err(error) => (words::not_joined(&error.to_string()), None),
            },
            None => (words::unknown("join"), None),
        },
        Command::Leave => match calls {
            Some(calls) if calls.leave(incoming).await => (words::LEFT.into(), None),
            Some(_) => (words::NOT_THERE.into(), None),
            None => (words::unknown("leave"), None),
        },
        Command::Unknown(name) => (words::unknown(name), None),
    };
    Answer { change, ..Answer::of_june(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_text() {
        assert_eq!(Command::parse("/agent  coder "), Some(Command::Agent("coder")));
        assert_eq!(Command::parse(" /HELP@june_bot"), Some(Command::Help));
        assert_eq!(Command::parse("/etc/passwd is a file"), None);
        assert_eq!(Command::parse("/ or not"), None);
        assert_eq!(Command::parse("say /stop"), None);
        assert_eq!(Command::parse("/dance"), Some(Command::Unknown("dance")));
    }
}
