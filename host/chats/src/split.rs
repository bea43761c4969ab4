//! Long answers in several messages.

use crate::Units;

/// The longest opening line of a block of code that is written again in the next message.
const LONGEST_FENCE: usize = 64;

impl Units {
    /// How long a text is.
    pub fn count(self, text: &str) -> usize {
        text.chars().map(|c| self.of(c)).sum()
    }

    fn of(self, c: char) -> usize {
        match self {
            Self::Scalars => 1,
            Self::Utf16 => c.len_utf16(),
        }
    }
}

/// Splits Markdown into messages of at most `most` units (not less than 256), at the end of a
/// paragraph where there is one, else of a line, a sentence or a word. A block of code that is cut
/// is closed, and opened again in the next message. White space at the cuts is dropped; nothing
/// else is lost. The beginning does not depend on what follows later than its own length, so the
/// first message of an answer that grows stays as it is.
pub fn split(markdown: &str, most: usize, units: Units) -> Vec<String> {
    let most = most.max(256);
    let mut parts = Vec::new();
    let mut rest = markdown.trim_end();
    // The opening line of the block of code that the rest begins in.
    let mut open: Option<Fence<'_>> = None;
    while !rest.trim().is_empty() {
        let head = open.map_or(0, |fence| units.count(fence.line) + 1);
        // Room for the line that closes a block.
        let tail = LONGEST_FENCE + 1;
        let whole = units.count(rest) + head + tail <= most;
        let end = match whole {
            true => rest.len(),
            false => cut(rest, open, most.saturating_sub(head + tail), units),
        };
        let (piece, next) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let after = fence_after(piece, open);
        let piece = piece.trim_end();
        if !piece.trim().is_empty() {
            let mut part = String::with_capacity(piece.len() + head + tail);
            if let Some(fence) = open {
                part.push_str(fence.line);
                part.push('\n');
            }
            part.push_str(if open.is_some() { piece } else { piece.trim_start_matches('\n') });
            if let Some(fence) = after {
                part.push('\n');
                part.extend(std::iter::repeat_n(fence.letter, fence.length));
            }
            parts.push(part);
        }
        open = after;
        rest = next.trim_start_matches('\n');
    }
    parts
}

/// An open block of code (CommonMark, section 4.5).
#[derive(Debug, Clone, Copy)]
struct Fence<'a> {
    line: &'a str,
    letter: char,
    length: usize,
}

impl<'a> Fence<'a> {
    /// The fence that a line opens.
    fn opened_by(line: &'a str) -> Option<Self> {
        let (letter, length, rest) = Self::marker(line)?;
        let usable = line.chars().count() <= LONGEST_FENCE && !line.contains('\r');
        (usable && !(letter == '`' && rest.contains('`'))).then_some(Self { line, letter, length })
    }

    fn closed_by(&self, line: &str) -> bool {
        Self::marker(line).is_some_and(|(letter, length, rest)| {
            letter == self.letter && length >= self.length && rest.trim().is_empty()
        })
    }

    /// The letter of a fence, how often it stands there, and what follows.
    fn marker(line: &str) -> Option<(char, usize, &str)> {
        let text = line.trim_start_matches(' ');
        let letter = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let rest = text.trim_start_matches(letter);
        let length = text.len() - rest.len();
        (line.len() - text.len() <= 3 && length >= 3).then_some((letter, length, rest))
    }
}

/// The block of code that is open after this text.
fn fence_after<'a>(text: &'a str, open: Option<Fence<'a>>) -> Option<Fence<'a>> {
    text.split('\n').fold(open, |open, line| match open {
        Some(fence) if fence.closed_by(line) => None,
        Some(fence) => Some(fence),
        None => Fence::opened_by(line),
    })
}

/// Where to cut a text that is too long: a byte position, not 0.
fn cut<'a>(text: &'a str, open: Option<Fence<'a>>, most: usize, units: Units) -> usize {
    let mut used = 0;
    let mut limit = text.len();
    for (at, c) in text.char_indices() {
        used += units.of(c);
        if used > most {
            limit = at;
            break;
        }
    }
    // A cut far from the end would make many small messages.
    let enough = limit / 4;
    let (mut paragraph, mut line, mut sentence, mut word) = (0, 0, 0, 0);
    let mut fence = open;
    let mut start = 0;
    for piece in text.get(..limit).unwrap_or(text).split_inclusive('\n') {
        let end = start + piece.len();
        let bare = piece.trim_end_matches('\n');
        let opens = fence.is_none() && Fence::opened_by(bare).is_some();
        fence = fence_after(bare, fence);
        if piece.ends_with('\n') {
            // Right after the line that opens a block nobody cuts.
            if !opens {
                line = end;
            }
            if fence.is_none() && bare.trim().is_empty() {
                paragraph = end;
            }
        }
        let mut before = ' ';
        for (at, c) in piece.char_indices() {
            if c == ' ' && fence.is_none() && !opens {
                word = start + at + 1;
                if matches!(before, '.' | '!' | '?' | '…' | ':') {
                    sentence = word;
                }
            }
            before = c;
        }
        start = end;
    }
    [paragraph, line, sentence, word]
        .into_iter()
        .find(|at| *at > enough)
        .unwrap_or(limit)
        .max(text.chars().next().map_or(1, char::len_utf8))
}
