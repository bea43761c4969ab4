//! Sentences of a text that is still being written.

use crate::speakable;

/// What ends a sentence when white space follows.
const ENDS: [char; 4] = ['.', '!', '?', '…'];

/// What ends a sentence in scripts that have no spaces.
const WIDE_ENDS: [char; 5] = ['。', '！', '？', '｡', '।'];

/// What may stand between a sentence's end and the space after it.
const CLOSERS: [char; 17] =
    ['"', '\'', ')', ']', '}', '*', '_', '`', '~', '”', '’', '»', '」', '』', '）', '】', '》'];

/// Words that a full stop is part of. In English, German, French and Spanish, those that stand
/// before a word that belongs to them.
const ABBREVIATIONS: [&str; 48] = [
    "abb", "al", "approx", "art", "av", "bzw", "ca", "cf", "co", "col", "dr", "dra", "e.g", "ed",
    "eg", "etc", "evtl", "fig", "gen", "ggf", "i.e", "ie", "inkl", "jr", "lt", "max", "min", "mr",
    "mrs", "ms", "mt", "no", "nr", "p", "pp", "prof", "rev", "sr", "sra", "st", "str", "u.a",
    "vgl", "vol", "vs", "z.b", "d.h", "s.o",
];

/// The longest sentence, in characters: longer ones are cut between words.
const LONGEST: usize = 400;

/// Cuts a text in Markdown, which comes in pieces, into sentences to be spoken. Each is handed on
/// as soon as it is complete: at the space after its end, at the end of its line for headings, and
/// else at the end of its paragraph. How the text was cut into pieces does not matter.
///
/// ```
/// let mut sentences = june_speech::Sentences::new();
/// assert_eq!(sentences.push("Dr. Lem wrote **Solaris**. It"), ["Dr. Lem wrote Solaris."]);
/// let more = sentences.push(" is good.\n```\nx = 1. y");
/// assert_eq!(more, ["It is good.", "The code is in the text."]);
/// assert!(sentences.finish().is_empty());
/// ```
#[derive(Debug)]
pub struct Sentences {
    /// Text of which nothing was handed on.
    text: String,
    /// How many characters that is.
    length: usize,
    /// Where in it the current line begins; nowhere, if its start was handed on.
    line: Option<usize>,
    /// The text ends with a sentence's end: whether it is one depends on what comes.
    ended: bool,
    /// Within a block of code: what it was opened with.
    fence: Option<Fence>,
}

#[derive(Debug)]
struct Fence {
    mark: char,
    count: usize,
    /// The line so far, as far as it may end the block.
    line: Line,
}

#[derive(Debug, Default)]
struct Line {
    marks: usize,
    /// Something stands there that does not end the block.
    other: bool,
}

impl Default for Sentences {
    fn default() -> Self {
        Sentences::new()
    }
}

impl Sentences {
    /// No text yet.
    pub fn new() -> Sentences {
        Sentences { text: String::new(), length: 0, line: Some(0), ended: false, fence: None }
    }

    /// Adds a piece of text; returns the sentences that it completes, fit for speaking.
    pub fn push(&mut self, piece: &str) -> Vec<String> {
        let mut ready = Vec::new();
        for character in piece.chars() {
            self.take(character, &mut ready);
        }
        ready
    }

    /// The text is over; returns what is left of it.
    pub fn finish(mut self) -> Vec<String> {
        let mut ready = Vec::new();
        if self.fence.is_none() {
            self.end_line(&mut ready);
        }
        self.cut(self.text.len(), &mut ready);
        ready
    }

    fn take(&mut self, character: char, ready: &mut Vec<String>) {
        if let Some(fence) = &mut self.fence {
            if fence.take(character) {
                self.fence = None;
            }
            return;
        }
        if self.ended && self.is_end(character) {
            self.cut(self.text.len(), ready);
        }
        self.text.push(character);
        self.length += 1;
        match character {
            '\n' => self.end_line(ready),
            ' ' | '\t' if self.begins_block() => self.cut_line(ready),
            _ => {}
        }
        self.ended = self.may_end(character);
        if self.length > LONGEST {
            let space = self.text.rfind(char::is_whitespace).filter(|place| *place > 0);
            self.cut(space.unwrap_or(self.text.len()), ready);
        }
    }

    /// Whether the sentence may be over after this character, which is the last of the text.
    fn may_end(&self, character: char) -> bool {
        ENDS.contains(&character)
            || WIDE_ENDS.contains(&character)
            || (self.ended && CLOSERS.contains(&character))
    }

    /// Whether the sentence, which may be over, is so when this character follows.
    fn is_end(&self, next: char) -> bool {
        if CLOSERS.contains(&next) || ENDS.contains(&next) || WIDE_ENDS.contains(&next) {
            return false;
        }
        let line = self.line().trim_start();
        if is_fence(line).is_some() || line.starts_with('|') || self.is_open() {
            return false;
        }
        let bare = self.text.trim_end_matches(CLOSERS);
        if bare.ends_with(WIDE_ENDS) {
            return true;
        }
        if !next.is_whitespace() {
            return false;
        }
        let Some(before) = bare.strip_suffix('.') else { return true };
        // The number of a list's item.
        if self.line.is_some() && line.trim_end_matches('.').chars().all(|c| c.is_ascii_digit()) {
            return false;
        }
        let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        let mut letters = word.chars();
        let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
        let initial = initial && word != "I";
        !initial && !ABBREVIATIONS.contains(&word.to_lowercase().as_str())
    }

    /// Whether something is open that belongs together: code, or the text of a link.
    fn is_open(&self) -> bool {
        let count = |mark| self.text.matches(mark).count();
        count('`') % 2 == 1 || count('[') > count(']')
    }

    /// The line so far, if it is there from its start.
    fn line(&self) -> &str {
        self.line.and_then(|start| self.text.get(start..)).unwrap_or_default()
    }

    /// Whether the line so far is the mark of a heading, or of a list's item.
    fn begins_block(&self) -> bool {
        let line = self.line().trim();
        let number = line.strip_suffix(['.', ')']);
        matches!(line, "-" | "*" | "+")
            || (!line.is_empty() && line.len() <= 6 && line.chars().all(|c| c == '#'))
            || number.is_some_and(|number| {
                !number.is_empty()
                    && number.len() <= 9
                    && number.chars().all(|digit| digit.is_ascii_digit())
            })
    }

    fn end_line(&mut self, ready: &mut Vec<String>) {
        let line = self.line().to_owned();
        let start = line.trim_start();
        if let Some((mark, count)) = is_fence(start) {
            self.cut_line(ready);
            ready.extend(said(&line));
            self.forget();
            self.fence = Some(Fence { mark, count, line: Line::default() });
        } else if start.starts_with('|') {
            self.cut_line(ready);
            ready.extend(said(&row(start)));
            self.forget();
        } else if self.line.is_some() && start.is_empty() || start.starts_with('#') {
            self.cut(self.text.len(), ready);
        }
        self.line = Some(self.text.len());
    }

    /// Hands on the text before the current line.
    fn cut_line(&mut self, ready: &mut Vec<String>) {
        if let Some(place) = self.line {
            self.cut(place, ready);
            self.line = Some(0);
        }
    }

    /// Hands on the text before this place.
    fn cut(&mut self, place: usize, ready: &mut Vec<String>) {
        let rest = self.text.get(place..).unwrap_or_default().to_owned();
        let text = std::mem::replace(&mut self.text, rest);
        ready.extend(text.get(..place).and_then(said));
        self.length = self.text.chars().count();
        self.line = self.line.and_then(|line| line.checked_sub(place)).filter(|line| *line > 0);
        self.ended = false;
    }

    fn forget(&mut self) {
        self.text.clear();
        self.length = 0;
    }
}

/// A table's row as a sentence. By itself it is no table: that has a ruler below its head.
fn row(line: &str) -> String {
    let cells = line.trim().trim_matches('|').replace('|', ", ");
    let ruler = cells.chars().all(|c| matches!(c, '-' | ':' | ',' | ' '));
    if ruler { String::new() } else { cells }
}

impl Fence {
    /// Takes a character of the block. Whether it ends there.
    fn take(&mut self, character: char) -> bool {
        match character {
            '\n' => {
                let line = std::mem::take(&mut self.line);
                return line.marks >= self.count && !line.other;
            }
            _ if character == self.mark && !self.line.other => self.line.marks += 1,
            ' ' | '\t' | '\r' => {}
            _ => self.line.other = true,
        }
        false
    }
}

/// What a block of code is opened with, where this line opens one.
fn is_fence(line: &str) -> Option<(char, usize)> {
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let count = line.chars().take_while(|character| *character == mark).count();
    let info = line.get(count..).unwrap_or_default();
    (count >= 3 && !(mark == '`' && info.contains('`'))).then_some((mark, count))
}

/// What is said of a piece of Markdown, on one line.
fn said(markdown: &str) -> Option<String> {
    let said = speakable(markdown.trim()).replace('\n', " ");
    Some(said).filter(|said| !said.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The sentences of a text that comes in one piece.
    fn whole(text: &str) -> Vec<String> {
        let mut sentences = Sentences::new();
        let mut ready = sentences.push(text);
        ready.extend(sentences.finish());
        ready
    }

    #[test]
    fn a_sentence_is_there_as_soon_as_it_is_complete() {
        let mut sentences = Sentences::new();
        assert_eq!(sentences.push("Hello there"), [""; 0]);
        assert_eq!(sentences.push("."), [""; 0], "it may be a number");
        assert_eq!(sentences.push(" "), ["Hello there."]);
        assert_eq!(sentences.push("Is it 3.5"), [""; 0]);
        assert_eq!(sentences.push("? Yes!) No"), ["Is it 3.5?", "Yes!)"]);
        assert_eq!(sentences.finish(), ["No."]);
    }

    #[test]
    fn full_stops_that_end_nothing() {
        for text in [
            "Dr. Lem met Mrs. Smith at approx. 3.14 km.",
            "See e.g. example.org, i.e. J. R. R. Tolkien.",
            "Das ist z.B. ca. drei bzw. vier.",
            "Version 1.2.3 of a.out is here.",
        ] {
            assert_eq!(whole(text), [text]);
        }
        assert_eq!(whole("So am I. You too."), ["So am I.", "You too."]);
        assert_eq!(
            whole("Wait... What?! \"Yes.\" Good."),
            ["Wait...", "What?!", "\"Yes.\"", "Good."]
        );
    }

    #[test]
    fn scripts_without_spaces() {
        assert_eq!(
            whole("今日は雨です。「傘を。」持って！はい"),
            ["今日は雨です。", "「傘を。」", "持って！", "はい."]
        );
    }

    #[test]
    fn markdown_is_not_cut_apart() {
        let text = "# A title\nFirst **point. Second** one.\n\n- item a\n- item b. More\n1. one\n2. \
                    two\nSee [a. b](https://example.org/c) and `x. y`. End";
        assert_eq!(
            whole(text),
            [
                "A title.",
                "First point.",
                "Second one.",
                "item a.",
                "item b.",
                "More.",
                "1. one.",
                "2. two See a. b and x. y.",
                "End.",
            ]
        );
    }

    #[test]
    fn nothing_within_code() {
        let mut sentences = Sentences::new();
        let text = "Look:\n~~~py\nx. y. z!\n```\n";
        assert_eq!(sentences.push(text), ["Look:", "The code is in the text."]);
        assert_eq!(sentences.push("a. b\n ~~~~ \nAfter it. And"), ["After it."]);
        assert_eq!(sentences.finish(), ["And."]);
        assert_eq!(whole("It is ``` not. Code ``` here. Ok."), ["It is not. Code here.", "Ok."]);
    }

    #[test]
    fn rows_of_tables() {
        let text = "Here:\n| Town | People |\n|---|--:|\n| Oslo | 1. 5 |\n\nDone.";
        assert_eq!(whole(text), ["Here:", "Town , People.", "Oslo , 1. 5.", "Done."]);
    }

    #[test]
    fn a_sentence_without_an_end_is_cut_between_words() {
        let ready = Sentences::new().push(&"word ".repeat(200));
        assert_eq!(ready.len(), 2);
        assert!(ready.iter().all(|said| said.len() <= LONGEST + 1 && said.ends_with("word.")));
        assert_eq!(Sentences::new().push(&"x".repeat(1000)).len(), 2);
    }

    /// Texts in which much happens.
    fn texts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[a-zA-Z0-9 .!?。*_`#|\\n\\[\\]()~>-]{0,12}",
            Just("```\n".to_owned()),
            Just("\n- ".to_owned()),
            Just("Dr. ".to_owned()),
            Just("| a | b |\n".to_owned()),
            "\\PC{0,8}",
        ];
        prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn pieces_give_the_same_sentences(
            text in texts(),
            cuts in prop::collection::vec(1_usize..9, 1..9),
        ) {
            let characters: Vec<char> = text.chars().collect();
            let mut sentences = Sentences::new();
            let (mut ready, mut place) = (Vec::new(), 0);
            for size in cuts.iter().cycle() {
                if place >= characters.len() {
                    break;
                }
                let end = (place + size).min(characters.len());
                ready.extend(sentences.push(&characters[place..end].iter().collect::<String>()));
                place = end;
            }
            ready.extend(sentences.finish());
            prop_assert_eq!(ready, whole(&text));
        }

        #[test]
        fn words_are_not_lost(words in prop::collection::vec("[a-z]{1,9}[.!?,]?", 1..80)) {
            let text = words.join(" ");
            let letters = |text: &str| -> String { text.chars().filter(|c| c.is_alphabetic()).collect() };
            prop_assert_eq!(letters(&whole(&text).concat()), letters(&text));
        }
    }
}
