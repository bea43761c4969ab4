//! The marks of a model's text (`<|im_end|>`, `<tool_call>`, …), and how to keep people and tools
//! from writing them.
//!
//! A template puts marks around what it is given, and a tokenizer makes one token of each. A
//! message that holds `<|im_end|>` must not end itself: so a character that nothing in the request
//! contains, the wedge, is driven into every mark of what the template is given. Only marks that
//! the template itself wrote are whole in what it renders, and the tokenizer takes the wedges out
//! of the rest, which is then plain text to the letter.

use aho_corasick::{AhoCorasick, Input, MatchKind};

use crate::text::TextError;

/// The marks that mean something to a model, and the two that templates ask for by name.
#[derive(Debug, Clone)]
pub struct Marks {
    texts: Vec<String>,
    finder: AhoCorasick,
    /// What begins a text, `bos_token` in templates; empty if the model has none.
    pub begin: String,
    /// What ends a text, `eos_token` in templates; empty if the model has none.
    pub end: String,
}

/// A piece of a text with marks in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Plain(&'a str),
    /// The mark at this place in the list.
    Mark(usize),
}

impl Marks {
    /// These marks, each two characters or longer.
    ///
    /// # Errors
    ///
    /// A mark is shorter: such a one cannot be kept out of a text.
    pub fn new(texts: impl IntoIterator<Item = String>) -> Result<Marks, TextError> {
        let texts: Vec<String> = texts.into_iter().collect();
        if let Some(short) = texts.iter().find(|text| text.chars().nth(1).is_none()) {
            return Err(TextError::Tokenizer(format!("the mark {short:?} is too short")));
        }
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts);
        let finder = finder.map_err(|error| TextError::Tokenizer(error.to_string()))?;
        Ok(Marks { texts, finder, begin: String::new(), end: String::new() })
    }

    /// The marks of ChatML with reasoning and tools, as Qwen's models have them: for a server that
    /// keeps its tokenizer to itself.
    ///
    /// # Errors
    ///
    /// None in practice; the type is that of [`Marks::new`].
    pub fn chatml() -> Result<Marks, TextError> {
        let texts = [
            "<|endoftext|>",
            "<|im_start|>",
            "<|im_end|>",
            "<think>",
            "</think>",
            "<tool_call>",
            "</tool_call>",
            "<tool_response>",
            "</tool_response>",
        ];
        let marks = Marks::new(texts.map(str::to_owned))?;
        Ok(Marks { end: "<|im_end|>".to_owned(), ..marks })
    }

    /// The marks, in the order in which they were given.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Drives the wedge into every mark of a text, and behind an end that could be the start of
    /// one: what follows it in the template might complete it.
    pub(crate) fn guard(&self, text: &str, wedge: char) -> String {
        let mut guarded = String::with_capacity(text.len());
        let mut from = 0;
        while let Some(found) = self.finder.find(Input::new(text).span(from..text.len())) {
            // Behind its first character, from where on another mark may begin.
            let first = text[found.start()..].chars().next().map_or(1, char::len_utf8);
            guarded.push_str(&text[from..found.start() + first]);
            guarded.push(wedge);
            from = found.start() + first;
        }
        guarded.push_str(&text[from..]);
        if self.texts.iter().any(|mark| partial(text, mark) > 0) {
            guarded.push(wedge);
        }
        guarded
    }

    /// The marks of a text and what is between them, in order; nothing is empty.
    pub(crate) fn split<'a>(&self, text: &'a str) -> Vec<Piece<'a>> {
        let (mut pieces, mut from) = (Vec::new(), 0);
        for found in self.finder.find_iter(text) {
            pieces.push(Piece::Plain(&text[from..found.start()]));
            pieces.push(Piece::Mark(found.pattern().as_usize()));
            from = found.end();
        }
        pieces.push(Piece::Plain(&text[from..]));
        pieces.retain(|piece| *piece != Piece::Plain(""));
        pieces
    }
}

/// How many bytes of a text's end are the start of this mark, but not all of it.
pub(crate) fn partial(text: &str, mark: &str) -> usize {
    let mut starts = mark.char_indices().map(|(at, _)| at).rev();
    starts.find(|at| text.ends_with(&mark[..*at])).unwrap_or_default()
}

/// A character for the wedge: one that has no meaning in Unicode and that the text does not hold.
/// `None` if it holds them all, which takes half a megabyte on purpose.
pub(crate) fn wedge<'a>(texts: impl Iterator<Item = &'a str>) -> Option<char> {
    let meaningless = |character: &char| matches!(character, '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..='\u{10fffd}');
    let taken: std::collections::HashSet<char> =
        texts.flat_map(str::chars).filter(meaningless).collect();
    let mut candidates = ('\u{fdd0}'..='\u{fdef}').chain('\u{f0000}'..='\u{10fffd}');
    candidates.find(|candidate| !taken.contains(candidate))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WEDGE: char = '\u{fdd0}';

    fn marks() -> Marks {
        let texts = ["<|a|>", "|>b", "<|a|>>", "é<"];
        Marks::new(texts.map(str::to_owned)).unwrap()
    }

    #[test]
    fn the_wedge_is_in_every_mark_even_where_they_overlap() {
        let guarded = marks().guard("x<|a|>b", WEDGE);
        assert_eq!(guarded, format!("x<{WEDGE}|a|{WEDGE}>b"));
        assert_eq!(marks().guard("a <|a", WEDGE), format!("a <|a{WEDGE}"));
        assert_eq!(marks().guard("plain", WEDGE), "plain");
        assert_eq!(marks().guard("é<", WEDGE), format!("é{WEDGE}<{WEDGE}"));
    }

    #[test]
    fn the_longest_mark_is_found() {
        let marks = marks();
        let pieces = marks.split("<|a|>> <|a|>");
        assert_eq!(pieces, [Piece::Mark(2), Piece::Plain(" "), Piece::Mark(0)]);
        assert_eq!(marks.split(""), []);
    }

    #[test]
    fn a_wedge_is_what_the_text_does_not_hold() {
        assert_eq!(wedge(["a", "\u{fdd0}\u{fdd2}"].into_iter()), Some('\u{fdd1}'));
        let all: String = ('\u{fdd0}'..='\u{fdef}').chain('\u{f0000}'..='\u{10fffd}').collect();
        assert_eq!(wedge([all.as_str()].into_iter()), None);
    }

    #[test]
    fn a_mark_of_one_character_is_refused() {
        assert!(Marks::new(["a".to_owned()]).is_err());
        assert!(Marks::new([String::new()]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_guarded_has_no_mark_whatever_follows(
            text in "(<|\\||a|>|b|é){0,12}",
            after in "(<|\\||a|>|b|é){0,4}",
        ) {
            let marks = marks();
            let guarded = marks.guard(&text, WEDGE);
            prop_assert_eq!(guarded.replace(WEDGE, ""), text);
            let inside = guarded.len();
            let rendered = guarded + &after;
            for (at, _) in rendered.char_indices() {
                let rest = &rendered[at..];
                let mark = marks.texts.iter().any(|mark| rest.starts_with(mark.as_str()));
                prop_assert!(!mark || at >= inside, "{rendered:?}");
            }
        }
    }
}
