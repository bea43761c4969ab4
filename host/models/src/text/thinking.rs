//! Tells a model's reasoning from its answer, where the server leaves both in one text.

use serde::Deserialize;

use crate::text::marks::partial;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// The most bytes of white space that are held back to see what follows them.
const HELD: usize = 256;

/// Where the reasoning is in the text that a server sends.
///
/// A server that puts reasoning into a field of its own (`reasoning_content` or `reasoning`) needs
/// none of this: as soon as it does so, its text is taken as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reasoning {
    /// An answer that begins with `<think>` begins with reasoning, which `</think>` ends.
    ///
    /// Everywhere else both are plain text: an answer may speak about them. A `</think>` that
    /// nothing opened stays in the text too, since what came before it has been delivered by
    /// then; it is the sign that the model needs `Opened`.
    #[default]
    Auto,
    /// The prompt has opened the reasoning already (the templates of DeepSeek R1 and QwQ do), so
    /// that the answer begins with it and only `</think>` appears. Without one, all of the answer
    /// is reasoning.
    Opened,
    /// All is text.
    None,
}

/// A piece of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Thought(String),
}

/// Splits a text that comes in pieces. White space beside the tags goes with them, but for the
/// indentation of the answer's first line: it may be code.
#[derive(Debug)]
pub(crate) struct Splitter {
    state: State,
    /// What may be the beginning of a tag.
    held: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but white space came yet; an opening tag may follow.
    Start,
    /// Within reasoning; `fresh` while nothing but white space came.
    Thinking { fresh: bool },
    /// Reasoning has ended; nothing but white space came since.
    Ended,
    /// Text, to the end.
    Text,
}

impl Splitter {
    pub(crate) fn new(reasoning: Reasoning) -> Splitter {
        let state = match reasoning {
            Reasoning::Auto => State::Start,
            Reasoning::Opened => State::Thinking { fresh: true },
            Reasoning::None => State::Text,
        };
        Splitter { state, held: String::new() }
    }

    /// The server tells reasoning from text itself; the white space between them may be left in
    /// the text.
    pub(crate) fn trust_server(&mut self) {
        if self.held.is_empty() && self.state != State::Text {
            self.state = State::Ended;
        }
    }

    pub(crate) fn push(&mut self, more: &str) -> Vec<Piece> {
        let mut text = std::mem::take(&mut self.held);
        text.push_str(more);
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            rest = self.step(rest, &mut pieces);
        }
        pieces
    }

    /// The text is over; what was held back is what it looks like.
    pub(crate) fn end(&mut self) -> Option<Piece> {
        let held = Some(std::mem::take(&mut self.held)).filter(|held| !held.is_empty())?;
        match self.state {
            State::Thinking { .. } => Some(Piece::Thought(held)),
            State::Ended => None,
            State::Start | State::Text => Some(Piece::Text(held)),
        }
    }

    /// Takes the front of the text, and returns what is left of it.
    fn step<'a>(&mut self, text: &'a str, pieces: &mut Vec<Piece>) -> &'a str {
        match self.state {
            State::Text => {
                pieces.push(Piece::Text(text.to_owned()));
                ""
            }
            State::Start => {
                let start = text.trim_start();
                if text.len() - start.len() <= HELD {
                    if let Some(rest) = start.strip_prefix(OPEN) {
                        self.state = State::Thinking { fresh: true };
                        return rest;
                    }
                    if OPEN.starts_with(start) {
                        self.held = text.to_owned();
                        return "";
                    }
                }
                self.state = State::Text;
                text
            }
            State::Ended => {
                let space = (text.len() - text.trim_start().len()).min(HELD);
                let space = text.floor_char_boundary(space);
                if space == text.len() && space < HELD {
                    self.held = text.to_owned();
                    return "";
                }
                self.state = State::Text;
                text[..space].rfind('\n').map_or(&text[space..], |line| &text[line + 1..])
            }
            State::Thinking { fresh } => {
                let text = if fresh { text.trim_start() } else { text };
                let (thought, rest) = match text.find(CLOSE) {
                    Some(at) => {
                        self.state = State::Ended;
                        (without_tail(&text[..at]), &text[at + CLOSE.len()..])
                    }
                    None => {
                        let (thought, held) = text.split_at(safe(text, CLOSE));
                        self.held = held.to_owned();
                        (thought, "")
                    }
                };
                if !thought.is_empty() {
                    pieces.push(Piece::Thought(thought.to_owned()));
                    if self.state != State::Ended {
                        self.state = State::Thinking { fresh: false };
                    }
                }
                rest
            }
        }
    }
}

/// How much of the text cannot belong to the tag and the white space before it.
pub(crate) fn safe(text: &str, tag: &str) -> usize {
    without_tail(&text[..text.len() - partial(text, tag)]).len()
}

/// The text without the white space at its end, but for what is more than is held back.
pub(crate) fn without_tail(text: &str) -> &str {
    let trimmed = text.trim_end().len();
    let most = text.ceil_char_boundary(text.len().saturating_sub(HELD));
    &text[..trimmed.max(most)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reasoning and text.
    fn split(reasoning: Reasoning, pieces: &[&str]) -> (String, String) {
        let (mut splitter, mut thought, mut text) =
            (Splitter::new(reasoning), String::new(), String::new());
        let mut add = |piece| match piece {
            Piece::Text(more) => text.push_str(&more),
            Piece::Thought(more) => thought.push_str(&more),
        };
        for piece in pieces {
            splitter.push(piece).into_iter().for_each(&mut add);
        }
        splitter.end().into_iter().for_each(&mut add);
        (thought, text)
    }

    fn both(thought: &str, text: &str) -> (String, String) {
        (thought.to_owned(), text.to_owned())
    }

    #[test]
    fn reasoning_comes_first_or_not_at_all() {
        use Reasoning::Auto;
        let answer = "\n<think>\nso it is\n</think>\n\nYes. <think>no</think>";
        assert_eq!(split(Auto, &[answer]), both("so it is", "Yes. <think>no</think>"));
        assert_eq!(split(Auto, &["Say <think>."]), both("", "Say <think>."));
        assert_eq!(split(Auto, &["<think>\n\n</think>\n\nYes"]), both("", "Yes"));
        assert_eq!(split(Auto, &["<think>for ever"]), both("for ever", ""));
        assert_eq!(split(Auto, &["a</think>b"]), both("", "a</think>b"));
        assert_eq!(split(Auto, &[" <thi"]), both("", " <thi"));
        assert_eq!(split(Auto, &["<thought>"]), both("", "<thought>"));
        assert_eq!(split(Auto, &["<think>a </thin"]), both("a </thin", ""));
        assert_eq!(split(Auto, &["<think>a</think>\n\n  b"]), both("a", "  b"));
        assert_eq!(split(Auto, &["<think>a</think> b"]), both("a", "b"));
        let space = " ".repeat(10_000);
        assert_eq!(split(Auto, &[&space, "<think>a"]).1, space.clone() + "<think>a");
        assert_eq!(split(Auto, &["<think>a", &space, "b"]).0, format!("a{space}b"));
    }

    #[test]
    fn the_prompt_may_have_opened_it() {
        let opened = Reasoning::Opened;
        assert_eq!(split(opened, &["so\n</think>\nYes</think>"]), both("so", "Yes</think>"));
        assert_eq!(split(opened, &["so"]), both("so", ""));
        assert_eq!(split(Reasoning::None, &["<think>a</think>"]), both("", "<think>a</think>"));
    }

    #[test]
    fn text_of_a_server_that_splits_itself_is_text() {
        let mut splitter = Splitter::new(Reasoning::Opened);
        splitter.trust_server();
        assert_eq!(splitter.push("Yes"), [Piece::Text("Yes".into())]);
    }

    #[test]
    fn pieces_are_not_held_back_for_long() {
        let mut splitter = Splitter::new(Reasoning::Auto);
        assert_eq!(splitter.push("<think>a b"), [Piece::Thought("a b".into())]);
        assert_eq!(splitter.push(" <"), []);
        assert_eq!(splitter.push("b"), [Piece::Thought(" <b".into())]);
        assert_eq!(splitter.push("</th"), []);
        assert_eq!(splitter.push("ink>"), []);
        assert_eq!(splitter.push("x"), [Piece::Text("x".into())]);
        assert_eq!(splitter.push("y <"), [Piece::Text("y <".into())]);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_text_is_cut(
            text in "(<think>|</think>|<|</| |\n|é|a|[ \u{2003}]{255,258}){0,12}",
            cut in 1_usize..4,
        ) {
            let characters: Vec<char> = text.chars().collect();
            let pieces: Vec<String> =
                characters.chunks(cut).map(|piece| piece.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            for reasoning in [Reasoning::Auto, Reasoning::Opened, Reasoning::None] {
                prop_assert_eq!(split(reasoning, &[&text]), split(reasoning, &pieces));
            }
        }
    }
}
