//! Tool calls that a model writes into its text, as Hermes' and Qwen's do:
//! `<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::text::ids::{Ids, MOST_CALLS};
use crate::text::thinking::{safe, without_tail};
use crate::types::{Delta, Request, ToolCall};

const OPEN: &str = "<tool_call>";
const CLOSE: &str = "</tool_call>";

/// Takes calls out of a text that comes in pieces. White space beside a call goes with it. What
/// turns out to be no call is text, to the letter.
#[derive(Debug)]
pub(crate) struct Calls {
    ids: Ids,
    /// How many more calls are taken.
    room: usize,
    state: State,
    /// Text: what may be the beginning of a tag. A call: all of it, and the white space before.
    held: String,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// `fresh` while nothing but white space came since a call.
    Text { fresh: bool },
    /// Within a call, whose JSON begins at `body` and was looked through up to `seen`.
    Call { body: usize, seen: usize, string: bool, escaped: bool },
}

/// How a call goes on.
enum Scan {
    /// Its closing tag is at this place.
    Closed(usize),
    /// It cannot be JSON.
    Broken,
    /// More text is needed.
    Open(State),
}

impl Calls {
    /// For the answer to this request. Where no tool is offered, no text is a call.
    pub(crate) fn new(request: &Request) -> Calls {
        let room = if request.tools.is_empty() { 0 } else { MOST_CALLS };
        let state = State::Text { fresh: false };
        Calls { ids: Ids::new(request), room, state, held: String::new() }
    }

    pub(crate) fn push(&mut self, more: &str) -> Vec<Delta> {
        let mut deltas = Vec::new();
        self.held.push_str(more);
        loop {
            match self.state {
                State::Text { fresh } => {
                    if fresh {
                        let space = self.held.len() - self.held.trim_start().len();
                        self.held.drain(..space);
                    }
                    if self.room == 0 {
                        self.say(self.held.len(), &mut deltas);
                        return deltas;
                    }
                    let Some(at) = self.held.find(OPEN) else {
                        self.say(safe(&self.held, OPEN), &mut deltas);
                        return deltas;
                    };
                    self.say(without_tail(&self.held[..at]).len(), &mut deltas);
                    let body = self.held.find(OPEN).unwrap_or_default() + OPEN.len();
                    self.state = State::Call { body, seen: body, string: false, escaped: false };
                }
                State::Call { body, seen, string, escaped } => {
                    match scan(&self.held, body, seen, string, escaped) {
                        Scan::Open(state) => {
                            self.state = state;
                            return deltas;
                        }
                        Scan::Closed(end) => match call(&self.held[body..end], &mut self.ids) {
                            Some(call) => {
                                deltas.push(Delta::Call(call));
                                self.held.drain(..end + CLOSE.len());
                                self.room -= 1;
                                self.state = State::Text { fresh: true };
                            }
                            None => self.give_up(body, &mut deltas),
                        },
                        Scan::Broken => self.give_up(body, &mut deltas),
                    }
                }
            }
        }
    }

    /// The text is over. A call that lacks no more than its closing tag is one.
    pub(crate) fn end(&mut self) -> Vec<Delta> {
        let mut deltas = Vec::new();
        if let State::Call { body, .. } = self.state {
            if let Some(call) = call(&self.held[body..], &mut self.ids) {
                return vec![Delta::Call(call)];
            }
            self.give_up(body, &mut deltas);
            deltas.extend(self.push(""));
            if let State::Call { .. } = self.state {
                deltas.extend(self.end());
                return deltas;
            }
        }
        self.say(self.held.len(), &mut deltas);
        deltas
    }

    /// Says that much of what was held back.
    fn say(&mut self, length: usize, deltas: &mut Vec<Delta>) {
        if length > 0 {
            deltas.push(Delta::Text(self.held.drain(..length).collect()));
            self.state = State::Text { fresh: false };
        }
    }

    /// The opening tag was no more than text; a call may still be in what follows it.
    fn give_up(&mut self, body: usize, deltas: &mut Vec<Delta>) {
        self.say(body, deltas);
        self.state = State::Text { fresh: false };
    }
}

/// Looks for the closing tag. A tag within a string of the JSON is part of the string; outside of
/// strings, JSON has few characters, so that prose about tags is soon known for what it is.
fn scan(held: &str, body: usize, seen: usize, string: bool, escaped: bool) -> Scan {
    let (mut string, mut escaped) = (string, escaped);
    for (offset, byte) in held.as_bytes()[seen..].iter().enumerate() {
        let at = seen + offset;
        if string {
            match byte {
                0..0x20 => return Scan::Broken,
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => string = false,
                _ => {}
            }
            continue;
        }
        let started = held.as_bytes()[body..at].iter().any(|byte| !byte.is_ascii_whitespace());
        match byte {
            b'<' if held[at..].starts_with(CLOSE) => return Scan::Closed(at),
            b'<' if CLOSE.starts_with(&held[at..]) => {
                return Scan::Open(State::Call { body, seen: at, string, escaped });
            }
            b' ' | b'\t' | b'\r' | b'\n' | b'{' => {}
            _ if !started => return Scan::Broken,
            b'"' => string = true,
            b'}' | b'[' | b']' | b':' | b',' | b'.' | b'+' | b'-' => {}
            b'0'..=b'9' | b'a'..=b'z' | b'E' => {}
            _ => return Scan::Broken,
        }
    }
    Scan::Open(State::Call { body, seen: held.len(), string, escaped })
}

/// The call that this JSON describes.
fn call(json: &str, ids: &mut Ids) -> Option<ToolCall> {
    #[derive(Deserialize)]
    struct Written<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
        #[serde(borrow)]
        arguments: Option<&'a RawValue>,
    }
    let Written { name, arguments } = serde_json::from_str(json).ok()?;
    if name.is_empty() {
        return None;
    }
    let arguments = arguments.map_or("{}", RawValue::get);
    // Some models write the arguments as a string that holds JSON.
    let arguments = serde_json::from_str(arguments).unwrap_or_else(|_| arguments.to_owned());
    Some(ToolCall { id: ids.give(String::new()), name: name.into_owned(), arguments })
}

#[cfg(test)]
#[path = "calls/tests.rs"]
mod tests;
