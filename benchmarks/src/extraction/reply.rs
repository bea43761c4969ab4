//! A chat reply taken apart: reasoning, fenced blocks, and the text around them.

use super::prose;
use super::python::{Scanner, indent, lines, width};

/// A piece of code in a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) code: String,
    /// Whether it stood in a fence.
    pub(super) fenced: bool,
    /// Whether its fence does not say that it is something other than Python.
    pub(super) python: bool,
}

/// How deep fences are looked for within fences.
const DEPTH: usize = 3;

/// The code in a reply: the fenced blocks in their order, then what can be Python outside of them.
pub(super) fn blocks(reply: &str) -> Vec<Block> {
    let text = reply.strip_prefix('\u{feff}').unwrap_or(reply);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut blocks = Vec::new();
    let outside = fenced(&without_reasoning(&text), DEPTH, &mut blocks);
    blocks.extend(prose::runs(&outside).into_iter().map(|run| Block {
        code: run.into(),
        fenced: false,
        python: true,
    }));
    blocks
}

/// The reply without what a reasoning model thinks aloud: `<think>…</think>` wherever a line
/// begins with it, and everything before a `</think>` that nothing opened, since some chat
/// templates open it in the prompt. What is opened and never closed was cut off in the middle of
/// a thought, and is left out as well.
fn without_reasoning(text: &str) -> String {
    const TAGS: [(&str, &str); 3] =
        [("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>")];
    let mut kept = String::with_capacity(text.len());
    let (mut closing, mut fence) = (None, None);
    for line in text.split_inclusive('\n') {
        let mut line = line;
        if closing.is_none() && fence.is_none() {
            let tag = TAGS.iter().find(|(open, _)| line.trim_start().starts_with(open));
            closing = tag.map(|(_, close)| *close);
        }
        if let Some(close) = closing {
            let Some(end) = line.find(close) else { continue };
            (closing, line) = (None, line[end + close.len()..].trim_start_matches('\n'));
        } else if let Some((_, close)) =
            TAGS.iter().find(|(_, close)| is_marker(line.trim(), close))
        {
            let end = line.find(close).map_or(0, |place| place + close.len());
            kept.clear();
            (fence, line) = (None, line[end..].trim_start_matches('\n'));
        }
        // A fence may hold such a tag as text.
        match (&fence, Fence::opening(line)) {
            (None, opened) => fence = opened,
            (Some(open), _) if open.is_closed_by(line) => fence = None,
            _ => {}
        }
        kept.push_str(line);
    }
    kept
}

/// Whether a line is nothing but the tag, or begins or ends with it.
fn is_marker(line: &str, tag: &str) -> bool {
    line.starts_with(tag) || line.ends_with(tag)
}

/// A fence: <https://spec.commonmark.org/0.31.2/#fenced-code-blocks>.
struct Fence<'a> {
    mark: char,
    length: usize,
    indent: &'a str,
    info: &'a str,
}

impl<'a> Fence<'a> {
    /// The fence that a line opens. It may be indented as far as it likes, as in a list.
    fn opening(line: &'a str) -> Option<Fence<'a>> {
        let text = line.trim();
        let mark = text.chars().next().filter(|mark| ['`', '~'].contains(mark))?;
        let info = text.trim_start_matches(mark);
        let length = text.len() - info.len();
        let opens = length >= 3 && !(mark == '`' && info.contains('`'));
        opens.then(|| Fence { mark, length, indent: indent(line), info: info.trim() })
    }

    /// The fence that a line opens after some words, as in "This works: ```python".
    fn after_words(line: &'a str) -> Option<Fence<'a>> {
        let place = line.find("```")?;
        let fence = Fence::opening(&line[place..])?;
        (is_python(fence.info) && !fence.info.is_empty()).then_some(fence)
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let text = line.trim();
        text.len() >= self.length && text.chars().all(|c| c == self.mark)
    }
}

/// Whether a fence's tag may be one of Python's: none at all, `python3`, `py`, `{.python}`, …
fn is_python(info: &str) -> bool {
    let tag = info.trim_start_matches(['{', '.', ' ']).to_ascii_lowercase();
    let word = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    word.is_empty()
        || matches!(word, "py" | "py3" | "python" | "python2" | "python3" | "pycon" | "ipython")
        || matches!(word, "ipython3" | "cpython" | "sage" | "code")
}

/// Adds the fenced blocks and returns the text outside, with a line that is no Python where each
/// of them was.
///
/// A fence closes its block by CommonMark's rules, and by two of what models do. One that is
/// indented further than the block, within a string of several lines, belongs to a docstring; so
/// does one with a tag, and the one after it. One with a tag outside of a string opens the next
/// block where the last was never closed.
fn fenced(text: &str, depth: usize, blocks: &mut Vec<Block>) -> String {
    let mut outside = String::new();
    let mut scanner = Scanner::new(text);
    let mut open: Option<(Fence, String)> = None;
    let (mut quoted, mut tokens) = (false, Vec::new());
    for (offset, line) in lines(text) {
        let Some((fence, code)) = &mut open else {
            match Fence::opening(line).or_else(|| Fence::after_words(line)) {
                Some(fence) => {
                    outside.push_str("```\n");
                    open = Some((fence, String::new()));
                    scanner.reset();
                }
                None => outside.push_str(&without_backticks(line)),
            }
            continue;
        };
        let inner = Fence::opening(line).filter(|inner| inner.mark == fence.mark);
        let tagged = inner.as_ref().is_some_and(|inner| !inner.info.is_empty());
        let deeper = width(indent(line)) > width(fence.indent);
        if scanner.in_string() && inner.is_some() && (quoted || tagged || deeper) {
            quoted = tagged || !quoted;
        } else if fence.is_closed_by(line) {
            close(open.take(), true, depth, blocks);
            continue;
        } else if let Some(inner) = inner.filter(|inner| tagged && inner.length == fence.length) {
            close(open.take(), false, depth, blocks);
            open = Some((inner, String::new()));
            scanner.reset();
            continue;
        } else if (fence.mark, fence.length) == ('`', 3)
            && !scanner.in_string()
            && let Some(last) = line.trim_end().strip_suffix("```")
            && !last.trim().is_empty()
            && !last.contains('`')
        {
            // Closed at the end of its last line.
            code.push_str(unindented(last, fence.indent));
            code.push('\n');
            close(open.take(), true, depth, blocks);
            continue;
        }
        if !scanner.in_string() {
            quoted = false;
        }
        code.push_str(unindented(line, fence.indent));
        tokens.clear();
        scanner.scan(line, offset, &mut tokens);
    }
    close(open, false, depth, blocks);
    outside
}

/// Adds a block. One that was never closed goes to the reply's end, prose and all; one that holds
/// further fences is Markdown.
fn close(open: Option<(Fence, String)>, whole: bool, depth: usize, blocks: &mut Vec<Block>) {
    let Some((fence, code)) = open else { return };
    let nested = fence.length > 3 || matches!(fence.info, "markdown" | "md");
    if nested && depth > 0 && code.lines().any(|line| Fence::opening(line).is_some()) {
        fenced(&code, depth - 1, blocks);
        return;
    }
    let python = is_python(fence.info);
    let block = |code: &str| Block { code: code.into(), fenced: true, python };
    if whole {
        blocks.push(block(&code));
    } else {
        blocks.extend(prose::runs(&code).into_iter().map(block));
    }
}

/// A line without as much of the fence's indentation as it has.
fn unindented<'a>(line: &'a str, indent: &str) -> &'a str {
    let common = line.bytes().zip(indent.bytes()).take_while(|(a, b)| a == b).count();
    &line[common..]
}

/// A line that is nothing but a code span, without its backticks.
fn without_backticks(line: &str) -> String {
    let text = line.trim();
    let span = text.trim_matches('`');
    let ticks = text.len() - span.len();
    let is_span =
        ticks > 0 && !span.contains('`') && text == format!("{0}{span}{0}", "`".repeat(ticks / 2));
    if is_span { format!("{span}\n") } else { line.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(reply: &str) -> Vec<String> {
        blocks(reply).into_iter().map(|block| block.code).collect()
    }

    #[test]
    fn reasoning() {
        assert_eq!(without_reasoning("<think>\na = 1\n</think>\n\nb = 2\n"), "\nb = 2\n");
        assert_eq!(without_reasoning("a = 1\n</think>b = 2\n"), "b = 2\n");
        assert_eq!(without_reasoning("```\na\n</think>\nb = 2\n"), "b = 2\n");
        assert_eq!(without_reasoning("<think>a</think> b <think>c"), " b <think>c");
        assert_eq!(without_reasoning("x\n<thinking>a\n```\nb"), "x\n");
        let code = "```\nif tag == '</think>':\n    pass\n<think>\n```\n";
        assert_eq!(without_reasoning(code), code);
    }

    #[test]
    fn fences() {
        assert_eq!(codes("~~~py\nx = `1`\n```\n~~~~\n"), ["x = `1`\n```\n"]);
        assert_eq!(codes("  ```\n  a\n    b\n c\n  ```\n"), ["a\n  b\nc\n"]);
        assert_eq!(codes("````\n```\nx\n```\n````\n"), ["x\n"]);
        assert_eq!(codes("```python\na = 1\n\nso:\n```python\nb = 1\n```"), ["a = 1\n", "b = 1\n"]);
        assert_eq!(codes("so: ```python\na = 1```\n"), ["a = 1\n"]);
        assert_eq!(codes("so: ```a = 1```\n"), [""; 0]);
        assert_eq!(codes("`a = 1`\n"), ["a = 1\n"]);
    }

    #[test]
    fn tags() {
        for tag in
            ["", "python", "Python3", "py title=\"a.py\"", "{.python}", "{python}", "python:a"]
        {
            assert!(is_python(tag), "{tag}");
        }
        for tag in ["bash", "text", "json", "pyramid", "c++"] {
            assert!(!is_python(tag), "{tag}");
        }
    }
}
