//! What strategies and tools were given, and the steps that they noted, for people to read.

use june_sandbox::Tree;
use june_sandbox::contract::{Part, Role, ToolCall, ToolResult, Turn};
use june_sandbox::workspace::Entry;

use crate::size::show_bytes;
use crate::words::{grouped, one_line};

/// The function by which a strategy notes a step.
pub(super) const NOTE: &str = "june:agent/reply.note";

/// A note's arguments (`{stage: plan, text: "…"}`) as its stage and its text.
pub(super) fn note(arguments: &str) -> Option<(&str, String)> {
    let inner = arguments.strip_prefix("{stage: ")?.strip_suffix("\"}")?;
    let (stage, text) = inner.split_once(", text: \"")?;
    Some((stage, unescaped(text)?))
}

/// A text as it was before it was written for debugging.
fn unescaped(text: &str) -> Option<String> {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text.chars());
    while let Some(c) = rest.next() {
        plain.push(match c {
            '\\' => match rest.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let code: String = rest.by_ref().take_while(|c| *c != '}').collect();
                    char::from_u32(u32::from_str_radix(code.strip_prefix('{')?, 16).ok()?)?
                }
                other => other,
            },
            c => c,
        });
    }
    Some(plain)
}

/// A turn on one line: the request, and how much there was beside it.
pub(super) fn turn_in_short(turn: &Turn) -> String {
    let Turn { messages, instructions, .. } = turn;
    let request = messages.last().map(|message| message.parts.as_slice()).unwrap_or_default();
    let request: String = request.iter().map(part).collect();
    let mut text = format!("\"{}\"", one_line(&request, 100));
    if messages.len() > 1 {
        text += &format!(", after {} messages", grouped(messages.len() as u64 - 1));
    }
    if !instructions.is_empty() {
        text += &format!(", instructions of {}", show_bytes(instructions.len() as u64));
    }
    text
}

/// All of a turn.
pub(super) fn turn_whole(turn: &Turn) -> String {
    let Turn { messages, models, instructions } = turn;
    let mut text = format!("models: {}\n", models.join(", "));
    if !instructions.is_empty() {
        text += &format!("instructions: {instructions}\n");
    }
    for message in messages {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        for said in message.parts.iter().map(part) {
            text += &format!("{role}: {said}\n");
        }
    }
    text
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Reasoning(text) => format!("(reasoning) {text}"),
        Part::Call(ToolCall { name, arguments, .. }) => format!("(call) {name} {arguments}"),
        Part::Outcome(ToolResult { content, .. }) => format!("(result) {content}"),
    }
}

/// How many files there are.
pub(super) fn files_in_short(files: &Tree) -> String {
    let all = files.entries().count();
    let folders = files.entries().filter(|(_, entry)| matches!(entry, Entry::Folder)).count();
    if all == 0 {
        return "none".into();
    }
    let (files, bytes) = ((all - folders) as u64, files.bytes() as u64);
    format!("{}, {}, folders {}", grouped(files), show_bytes(bytes), grouped(folders as u64))
}

/// The files, a path a line.
pub(super) fn files_whole(files: &Tree) -> String {
    let line = |(path, entry): (&str, &Entry)| match entry {
        Entry::Folder => format!("{path}/\n"),
        Entry::File(content) => format!("{path}  {}\n", show_bytes(content.len() as u64)),
    };
    files.entries().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_said() {
        for text in ["", "plain", "a \"quoted\"\n\tline \\ \u{1b}[2J \u{202e} é", "{stage: x}"] {
            let arguments = format!("{{stage: plan, text: {text:?}}}");
            assert_eq!(note(&arguments), Some(("plan", text.to_owned())), "{arguments}");
        }
        for other in ["", "70000 bytes with SHA-256 ab", "{stage: plan, text: \"\\u{zz}\"}", "\"}"]
        {
            assert_eq!(note(other), None, "{other}");
        }
    }
}
