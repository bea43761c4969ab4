//! A block of code as the parts of a Python module.

use std::borrow::Cow;
use std::collections::HashSet;

use super::python::{Scanner, Statement, Token, indent, lines, statements, width};

/// A statement at a module's top level, with what belongs to it: the comments and decorators
/// before it, its block, and its further clauses (`else`, `except`).
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    pub(super) kind: Kind,
    /// The names that it defines; for any other statement none.
    pub(super) names: Vec<&'a str>,
    /// The functions that its first line calls by their plain names.
    pub(super) calls: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `def` and `class`.
    Definition,
    Import,
    /// `from __future__ import …`
    Future,
    Assignment,
    Other,
}

impl Part<'_> {
    pub(super) fn defines(&self, wanted: &[&str]) -> bool {
        matches!(self.kind, Kind::Definition | Kind::Assignment)
            && self.names.iter().any(|name| wanted.contains(name))
            && !self.is_stub()
    }

    /// Whether it is a function's head and no more than a docstring, as models quote what they
    /// were given.
    fn is_stub(&self) -> bool {
        let statements = statements(self.text);
        let Some(head) = statements.iter().position(|one| one.begins(&["def", "async"])) else {
            return false;
        };
        let says_nothing = |one: &Statement| {
            matches!(
                one.tokens.as_slice(),
                [Token::Text, ..] | [Token::Operator("...")] | [Token::Name("pass")]
            )
        };
        statements[head].opens_block() && statements[head + 1..].iter().all(says_nothing)
    }
}

/// The parts of a text, which are all of it but the blank lines and comments at its end.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut begin, mut decorated) = (0, false);
    for statement in statements(text) {
        let clause = statement.begins(&["else", "elif", "except", "finally"]);
        if !parts.is_empty() && !decorated && (clause || !statement.indent.is_empty()) {
            if let Some(last) = parts.last_mut() {
                let start = begin - last.text.len();
                (last.text, begin) = (&text[start..statement.range.end], statement.range.end);
            }
            continue;
        }
        if decorated && let Some(last) = parts.pop() {
            begin -= last.text.len();
        }
        decorated = statement.begins(&["@"]);
        let (kind, names) = kind(&statement.tokens);
        let calls = calls(&statement.tokens);
        parts.push(Part { text: &text[begin..statement.range.end], kind, names, calls });
        begin = statement.range.end;
    }
    parts
}

fn kind<'a>(tokens: &[Token<'a>]) -> (Kind, Vec<&'a str>) {
    let names = |tokens: &[Token<'a>]| -> Vec<&'a str> {
        let name = |token: &Token<'a>| match token {
            Token::Name(name) if !token.is_keyword() => Some(*name),
            _ => None,
        };
        tokens.iter().filter_map(name).collect()
    };
    let tokens = if tokens[0].is("async") { &tokens[1..] } else { tokens };
    match tokens {
        [Token::Name("def" | "class"), name, ..] => {
            (Kind::Definition, names(std::slice::from_ref(name)))
        }
        [Token::Name("from"), Token::Name("__future__"), ..] => (Kind::Future, Vec::new()),
        [Token::Name("import" | "from"), ..] => (Kind::Import, names(tokens)),
        [Token::Name(_) | Token::Operator("(" | "[" | "*"), ..] if !tokens[0].is_keyword() => {
            match tokens.iter().position(|token| token.assigns()) {
                // Not `f(key=1)`.
                Some(sign) if !tokens[..sign].windows(2).any(is_call) => {
                    (Kind::Assignment, names(&tokens[..sign]))
                }
                _ => (Kind::Other, Vec::new()),
            }
        }
        _ => (Kind::Other, Vec::new()),
    }
}

fn is_call(pair: &[Token]) -> bool {
    matches!(pair, [name @ Token::Name(_), Token::Operator("(")] if !name.is_keyword())
}

/// The functions that are called by their plain names.
pub(super) fn calls<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let method = |place: usize| place > 0 && tokens[place - 1].is(".");
    let pairs = tokens.windows(2).enumerate();
    pairs
        .filter_map(|(place, pair)| match pair[0] {
            Token::Name(name) if is_call(pair) && !method(place) => Some(name),
            _ => None,
        })
        .collect()
}

/// Every word in a text, those in strings and comments too.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c != '_' && !c.is_alphanumeric());
    words.filter(|word| !word.is_empty())
}

/// The parts of a program, or what follows the `body` that it begins with, without what shows it
/// off: the first `kept` parts, then those that are a definition or an import, or assign to a name
/// that the program uses without calling for it what is wanted or reading input. All else there
/// are examples, prints, tests of the model's own, which may be wrong or ask for input, and
/// `if __name__ == "__main__"`.
pub(super) fn without_examples<'a>(
    parts: Vec<Part<'a>>,
    kept: usize,
    body: &str,
    wanted: &[&str],
) -> Vec<Part<'a>> {
    let mut used: HashSet<&str> = words(body).collect();
    for (place, part) in parts.iter().enumerate() {
        if place < kept || part.kind == Kind::Definition {
            used.extend(words(part.text));
        }
    }
    let keep = |part: &Part| match part.kind {
        Kind::Definition | Kind::Import | Kind::Future => true,
        Kind::Assignment => {
            part.names.iter().any(|name| used.contains(name))
                && !part.calls.iter().any(|call| wanted.contains(call) || *call == "input")
        }
        Kind::Other => false,
    };
    let parts = parts.into_iter().enumerate();
    parts.filter(|(place, part)| *place < kept || keep(part)).map(|(_, part)| part).collect()
}

/// Code as typed at Python's prompt, without the prompts and without what was printed.
pub(super) fn without_prompts(code: &str) -> Cow<'_, str> {
    let first = code.lines().find(|line| !line.trim().is_empty());
    if !first.is_some_and(|line| line.trim_start().starts_with(">>>")) {
        return code.into();
    }
    let typed = code.lines().filter_map(|line| {
        let line = line.trim_start();
        let rest = line.strip_prefix(">>>").or_else(|| line.strip_prefix("..."))?;
        Some(rest.strip_prefix(' ').unwrap_or(rest))
    });
    typed.flat_map(|line| [line, "\n"]).collect::<String>().into()
}

/// Code without the indentation that all of it has.
pub(super) fn dedented(code: &str) -> Cow<'_, str> {
    let statements = statements(code);
    let Some(first) = statements.first() else { return code.into() };
    if first.indent.is_empty() || !statements.iter().all(|one| one.indent.starts_with(first.indent))
    {
        return code.into();
    }
    let lines = code.split_inclusive('\n');
    lines.map(|line| line.strip_prefix(first.indent).unwrap_or(line)).collect::<String>().into()
}

/// Whether a block can be the body of a function: it returns something, yet not in a function of
/// its own.
pub(super) fn is_body(code: &str) -> bool {
    let mut within: Option<usize> = None;
    for statement in statements(code) {
        let column = width(statement.indent);
        if within.is_some_and(|outer| column <= outer) {
            within = None;
        }
        if within.is_some() {
            continue;
        }
        if statement.begins(&["return", "yield", "raise"]) || returns_at_once(&statement) {
            return true;
        }
        if statement.begins(&["def", "class", "async"]) {
            within = Some(column);
        }
    }
    false
}

/// As in `if a: return b`.
fn returns_at_once(statement: &Statement) -> bool {
    let compound = statement.begins(&["if", "for", "while", "with", "else", "elif"]);
    compound && statement.tokens.iter().any(|token| token.is("return"))
}

/// A function's body, indented by `margin` to continue the function's head, and what follows it.
///
/// What it may look like: indented as it should be; by some other amount; not at all; or not in
/// its first line only, as where the reply was trimmed. An indented body ends where something is
/// not; one that is not indented, with its last statement that is neither definition nor import.
pub(super) fn indented<'a>(body: &'a str, margin: &str) -> (String, &'a str) {
    let statements = statements(body);
    let Some(first) = statements.first() else { return (String::new(), "") };
    let trimmed = statements.get(1).is_some_and(|second| {
        let column = width(second.indent);
        first.indent.is_empty() && column > if first.opens_block() { width(margin) } else { 0 }
    });
    let (own, end) = if trimmed {
        (margin.to_owned(), first_line_at_margin(&statements[1..], body.len()))
    } else if first.indent.is_empty() {
        let parts = parts(body);
        let code = |part: &&Part| !matches!(part.kind, Kind::Definition | Kind::Import);
        let after: usize =
            parts.iter().rev().take_while(|part| !code(part)).map(|p| p.text.len()).sum();
        let all: usize = parts.iter().map(|part| part.text.len()).sum();
        (String::new(), if after == all { body.len() } else { all - after })
    } else {
        (first.indent.to_owned(), first_line_at_margin(&statements, body.len()))
    };
    let (body, rest) = body.split_at(end);
    let mut scanner = Scanner::new(body);
    let mut text = String::with_capacity(body.len());
    let mut tokens = Vec::new();
    for (offset, line) in lines(body) {
        if scanner.in_string() || line.trim().is_empty() {
            text.push_str(line);
        } else {
            let spaces = indent(line);
            let added = if trimmed && offset <= first.range.start { "" } else { spaces };
            let inner = width(added).saturating_sub(width(&own));
            text.push_str(margin);
            text.extend(std::iter::repeat_n(' ', inner));
            text.push_str(&line[spaces.len()..]);
        }
        tokens.clear();
        scanner.scan(line, offset, &mut tokens);
    }
    (text, rest)
}

/// Where the statements begin that are not indented at all.
fn first_line_at_margin(statements: &[Statement], end: usize) -> usize {
    let outside = statements.iter().find(|statement| statement.indent.is_empty());
    outside.map_or(end, |statement| statement.range.start)
}
