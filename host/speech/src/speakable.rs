//! Markdown as words to be spoken.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, TextMergeStream};
use unicode_properties::{EmojiStatus, UnicodeEmoji};

/// Said in place of a block of code, which nobody wants to hear.
const CODE: &str = "The code is in the text.";

/// What ends a sentence or a part of one: after these, a voice makes a pause.
const PAUSES: [char; 12] = ['.', '!', '?', ':', ';', ',', '…', '。', '！', '？', '：', '；'];

/// Marks of emphasis that were left over: a sentence may have one half of a pair.
const MARKS: [char; 4] = ['*', '_', '`', '~'];

/// Markdown as words to be spoken: a line for every paragraph, heading, item and table row. Links
/// become their text, and addresses their host; of a block of code, it is mentioned that it is
/// there; emoji, HTML and notes' marks are left out.
///
/// ```
/// let said = june_speech::speakable("See [the *docs*](https://example.org/a) 🙂\n\n- one\n- two");
/// assert_eq!(said, "See the docs.\none.\ntwo.");
/// ```
pub fn speakable(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES;
    let mut said = Said::default();
    for event in TextMergeStream::new(Parser::new_ext(markdown, options)) {
        said.take(event);
    }
    said.end_line();
    said.lines.join("\n")
}

#[derive(Default)]
struct Said {
    lines: Vec<String>,
    line: String,
    /// For each list that is open, the number of its next item where it has numbers.
    lists: Vec<Option<u64>>,
    code: bool,
}

impl Said {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(end) => self.end(end),
            Event::Text(_) if self.code => {}
            Event::Text(text) => self.line.push_str(&plain(&text)),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.line.push_str(&spoken(&text));
            }
            Event::SoftBreak | Event::HardBreak => self.line.push(' '),
            Event::Rule => self.end_line(),
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::CodeBlock(_) => {
                self.end_line();
                self.code = true;
                if self.lines.last().is_none_or(|line| line != CODE) {
                    self.lines.push(CODE.to_owned());
                }
            }
            Tag::List(first) => {
                self.end_line();
                self.lists.push(*first);
            }
            Tag::Item => {
                self.end_line();
                if let Some(Some(number)) = self.lists.last_mut() {
                    self.line = format!("{number}. ");
                    *number = number.saturating_add(1);
                }
            }
            Tag::TableCell if !self.line.trim().is_empty() => self.line.push_str(", "),
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::CodeBlock => self.code = false,
            TagEnd::List(_) => {
                self.end_line();
                self.lists.pop();
            }
            TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::Item
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::BlockQuote(_)
            | TagEnd::FootnoteDefinition => self.end_line(),
            _ => {}
        }
    }

    /// Ends a line, with a mark that makes a pause.
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let mut line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.chars().any(char::is_alphanumeric) {
            return;
        }
        let ended = line.trim_end_matches(|c: char| !c.is_alphanumeric() && !PAUSES.contains(&c));
        if !ended.ends_with(PAUSES) {
            line.push('.');
        }
        self.lines.push(line);
    }
}

/// Text with its addresses shortened, and without what is not said.
fn spoken(text: &CowStr<'_>) -> String {
    words(text, |word| address(word).unwrap_or_else(|| word.to_owned()))
}

/// The same for text that is not code, where marks may have been left over.
fn plain(text: &CowStr<'_>) -> String {
    words(text, |word| address(word).unwrap_or_else(|| unmarked(word)))
}

fn words(text: &str, change: impl Fn(&str) -> String) -> String {
    without_emoji(text).split_inclusive(char::is_whitespace).map(change).collect()
}

fn without_emoji(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut after = false;
    for character in text.chars() {
        let status = character.emoji_status();
        // Digits are emoji's parts; the joiner belongs to scripts too.
        let emoji = match character {
            '\u{200d}' => after,
            '\u{fe0f}' | '\u{20e3}' | '\u{e0020}'..='\u{e007f}' => true,
            _ => !matches!(
                status,
                EmojiStatus::NonEmoji
                    | EmojiStatus::NonEmojiButEmojiComponent
                    | EmojiStatus::EmojiOtherAndEmojiComponent
            ),
        };
        if !emoji {
            kept.push(character);
        }
        after = emoji;
    }
    kept
}

/// The host of an address, with the marks around it; none for another word.
fn address(word: &str) -> Option<String> {
    let (before, rest) = ["https://", "http://"]
        .iter()
        .find_map(|scheme| word.split_once(scheme))
        .filter(|(before, _)| !before.chars().any(char::is_alphanumeric))?;
    let after = rest.trim_end_matches(char::is_alphanumeric).chars().rev();
    let after: Vec<char> = after.take_while(|c| !c.is_alphanumeric() && *c != '/').collect();
    let after: String = if rest.ends_with(char::is_alphanumeric) {
        String::new()
    } else {
        after.into_iter().rev().collect()
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let host = host.trim_end_matches(|c: char| !c.is_alphanumeric());
    Some(format!("{before}{host}{after}"))
}

/// A word without the marks of emphasis at its ends. One that is marks alone stays: `2 * 3`.
fn unmarked(word: &str) -> String {
    let Some(first) = word.find(char::is_alphanumeric) else { return word.to_owned() };
    let last = word.rfind(char::is_alphanumeric).unwrap_or(first);
    let end =
        last + word.get(last..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let (Some(before), Some(inside), Some(after)) =
        (word.get(..first), word.get(first..end), word.get(end..))
    else {
        return word.to_owned();
    };
    format!("{}{inside}{}", before.replace(MARKS, ""), after.replace(MARKS, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emphasis_headings_and_lists() {
        let text = "# Title\n\nSome **bold**, *slanted* and ~~wrong~~ `code()`.\n\n1. one\n2. two\n   \
                    - inner\n\n> quoted\n> text\n\n---\n\n- [x] done";
        let expected = "Title.\nSome bold, slanted and wrong code().\n1. one.\n2. two.\ninner.\n\
                        quoted text.\ndone.";
        assert_eq!(speakable(text), expected);
    }

    #[test]
    fn code_is_mentioned() {
        let text = "Try this:\n\n```python\nprint('x. y')\n```\n\n    indented\n\nDone!";
        assert_eq!(speakable(text), "Try this:\nThe code is in the text.\nDone!");
    }

    #[test]
    fn tables_are_read_by_rows() {
        let text = "| Town | People |\n|---|--:|\n| Oslo | 700 000 |\n| Rome | 2.8 million |";
        assert_eq!(speakable(text), "Town, People.\nOslo, 700 000.\nRome, 2.8 million.");
    }

    #[test]
    fn links_and_addresses() {
        for (text, said) in [
            ("See [the docs](https://example.org/x?y=1#z).", "See the docs."),
            ("See <https://www.example.org/x>!", "See example.org!"),
            ("See https://user:pw@example.org:8080/a_b/c., then", "See example.org., then."),
            ("(https://example.org)", "(example.org)."),
            ("[https://example.org/long/way](https://example.org/long/way)", "example.org."),
            ("![a cat](cat.png)", "a cat."),
            ("Write to <someone@example.org>", "Write to someone@example.org."),
        ] {
            assert_eq!(speakable(text), said, "{text}");
        }
    }

    #[test]
    fn emoji_and_html_are_left_out() {
        assert_eq!(speakable("Hi 👋🏽 there 👨‍👩‍👧! 1️⃣ 🇳🇴 ❤️"), "Hi there ! 1.");
        assert_eq!(speakable("a <b>bold</b> word<br>\n\n<div>\nx\n</div>"), "a bold word.");
        assert_eq!(speakable("👍"), "");
        assert_eq!(speakable(""), "");
        assert_eq!(speakable("क्‍ष"), "क्‍ष.");
    }

    #[test]
    fn marks_that_are_left_over() {
        assert_eq!(speakable("**One sentence."), "One sentence.");
        assert_eq!(speakable("and two.**"), "and two.");
        assert_eq!(speakable("2 * 3 is six, and x_1 too"), "2 * 3 is six, and x_1 too.");
    }

    #[test]
    fn what_ends_with_a_pause_gets_no_full_stop() {
        for text in ["Done!", "Really?", "first:", "He said \"no.\"", "完了。", "well…"] {
            assert_eq!(speakable(text), text);
        }
    }
}
