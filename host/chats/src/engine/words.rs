//! What June itself says to people.

use std::fmt::Write as _;
use std::time::Duration;

use super::command::{CALL_COMMANDS, COMMANDS};

/// Stands where an answer will be.
pub(super) const PLACEHOLDER: &str = "…";
pub(super) const PATIENCE: &str = "_Still working on it …_";
pub(super) const NOTHING_TO_STOP: &str = "There is nothing to stop.";
pub(super) const STOPPED: &str = "_Stopped._";
pub(super) const RESET: &str = "This conversation is forgotten. What would you like to talk about?";
pub(super) const FULL: &str = "That is too much at once: this message will not be answered. \
                               Please ask again when I am through with what you asked before.";
pub(super) const WRONG_CODE: &str =
    "That is not the code, or it is too old. Ask for a new one, then send `/start CODE`.";
pub(super) const NO_VOICE: &str = "I have no voice here.";
pub(super) const VOICE_ON: &str = "I will speak my answers, too.";
pub(super) const VOICE_OFF: &str = "I will speak only to who speaks to me.";
pub(super) const SPOKEN_SHORT: &str = "_The rest is in the text._";
pub(super) const LEFT: &str = "I am no longer in the voice channel.";
pub(super) const NOT_THERE: &str = "I am in no voice channel here.";
pub(super) const NO_EARS: &str = "I cannot listen to voice messages here. Please write.";
pub(super) const NOTHING_SAID: &str = "I heard nobody speak in that. Please try again, or write.";
pub(super) const NOTHING_ASKED: &str = "I can read text and files, and listen to voice messages.";
pub(super) const OUT_OF_TIME: &str = "_Time is up; this is the answer so far._";
pub(super) const OUT_OF_TIME_SILENT: &str =
    "Time is up, and there is no answer yet. Please ask for less at once.";
pub(super) const CUT: &str = "_The answer is longer than I may send; the rest is cut off._";
pub(super) const OVER_AND_OVER: &str =
    "I was interrupted over and over while I worked on this, and gave up. Please ask again.";
pub(super) const FAULT: &str = "Something went wrong in me, and I lost this. Please ask again.";

pub(super) fn too_many(wait: Duration) -> String {
    let seconds = wait.as_millis().div_ceil(1000);
    format!("That is too much at once. Please wait {seconds} s, then ask again.")
}

pub(super) fn stranger(private: bool) -> String {
    let how = match private {
        true => "then send `/start CODE` here",
        false => "then send `/start CODE` to me in a private chat",
    };
    format!("I do not know you. Ask my owner for a code, {how}.")
}

pub(super) fn paired(agents: &[String]) -> String {
    let agent = agents.first().map_or("June", String::as_str);
    format!("Now we know each other. {}", welcome(agent))
}

pub(super) fn welcome(agent: &str) -> String {
    format!("I am June. Write to me or send a voice message, and **{agent}** answers. See `/help`.")
}

pub(super) fn help(agent: &str, calls: bool) -> String {
    let mut text = format!("**{agent}** answers what you write, say, or send as a file.\n");
    let more = CALL_COMMANDS.into_iter().filter(|_| calls);
    for (name, argument, about) in COMMANDS.into_iter().chain(more) {
        let argument = argument.map(|it| format!(" [{it}]")).unwrap_or_default();
        let _ = write!(text, "\n- `/{name}{argument}`: {about}");
    }
    text
}

pub(super) fn agents(current: &str, names: &[String]) -> String {
    format!("**{current}** answers. Choose with `/agent NAME`: {}.", names.join(", "))
}

pub(super) fn now_agent(name: &str) -> String {
    format!("From now on **{name}** answers.")
}

pub(super) fn no_agent(name: &str, names: &[String]) -> String {
    let name: String = name.chars().filter(|c| *c != '`').take(40).collect();
    format!("There is no agent `{name}`. There are: {}.", names.join(", "))
}

pub(super) fn voice(on: bool) -> String {
    let now = if on { "I speak every answer" } else { "I speak only to who speaks to me" };
    format!("{now}. Choose with `/voice on` or `/voice off`.")
}

pub(super) fn joined(channel: &str) -> String {
    let channel: String = channel.chars().filter(|c| *c != '*').collect();
    format!("I am listening in **{channel}**. Speak with me; `/leave` sends me away.")
}

pub(super) fn not_joined(why: &str) -> String {
    let (why, hint) = why.split_once("\nhint: ").unwrap_or((why, ""));
    let hint = if hint.is_empty() { String::new() } else { format!(" Perhaps {hint}.") };
    format!("I cannot join: {}.{hint}", why.trim_end_matches('.'))
}

pub(super) fn unknown(name: &str) -> String {
    let name: String = name.chars().take(40).collect();
    format!("I do not know `/{name}`. See `/help`.")
}

pub(super) fn failed(why: &str) -> String {
    let why = why.trim().trim_end_matches('.');
    format!("There is no answer: {why}.")
}

pub(super) fn failed_after(why: &str) -> String {
    let why = why.trim().trim_end_matches('.');
    format!("_The answer ends here: {why}._")
}

pub(super) fn too_large(name: &str, most: u64) -> String {
    let most = most.div_ceil(1 << 20);
    format!("The file `{name}` is too large for me: {most} MiB is the most.")
}

pub(super) fn too_many_files(most: usize) -> String {
    format!("Those are too many files for me: {most} is the most.")
}

pub(super) fn no_file(name: &str, why: &str) -> String {
    let why = why.lines().next().unwrap_or_default().trim_end_matches('.');
    format!("I could not get the file `{name}`: {why}.")
}

pub(super) fn too_long(most: Duration) -> String {
    let minutes = most.as_secs().div_ceil(60);
    format!("That voice message is too long for me: {minutes} min is the most.")
}

pub(super) fn not_heard(why: &str) -> String {
    let why = why.lines().next().unwrap_or_default().trim_end_matches('.');
    format!("I could not listen to that: {why}. Please try again, or write.")
}

/// What was heard, as a quotation above the answer.
pub(super) fn quotation(heard: &str) -> String {
    let mut words: String = heard.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = words.char_indices().nth(280) {
        words.truncate(cut);
        words.push('…');
    }
    format!("> {words}\n\n")
}
