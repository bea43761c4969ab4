//! As much of Python's lexical structure as it takes to tell code from prose, and a statement from
//! the inside of a string. It follows
//! <https://docs.python.org/3/reference/lexical_analysis.html>, goes through a text once, and takes
//! anything: what is no token is [`Token::Bad`].

use std::ops::Range;

/// A token, as coarse as will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An identifier or a keyword.
    Name(&'a str),
    /// A number.
    Number,
    /// A string, or the part of one that is on this line.
    Text,
    /// An operator or a delimiter.
    Operator(&'a str),
    /// What no Python program holds there.
    Bad,
}

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Longer ones first.
const OPERATORS: [&str; 25] = [
    "**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", "->", ":=", "+=", "-=", "*=", "/=",
    "%=", "&=", "|=", "^=", "@=", "**", "//", "<<", ">>", "<>",
];

impl Token<'_> {
    pub(super) fn is(self, text: &str) -> bool {
        matches!(self, Token::Name(own) | Token::Operator(own) if own == text)
    }

    pub(super) fn is_keyword(self) -> bool {
        matches!(self, Token::Name(name) if KEYWORDS.contains(&name))
    }

    /// `=` and its kin.
    pub(super) fn assigns(self) -> bool {
        matches!(self, Token::Operator(text)
            if text.ends_with('=') && !matches!(text, "==" | "!=" | "<=" | ">="))
    }
}

/// Goes through a text line by line and knows what the next line begins in.
#[derive(Debug)]
pub(super) struct Scanner {
    quote: Option<&'static str>,
    depth: usize,
    continued: bool,
    /// Where the text has its last `"""` and `'''`: what opens there is never closed, and is
    /// better taken for a slip than for the beginning of a string.
    last: [Option<usize>; 2],
}

const QUOTES: [&str; 2] = ["\"\"\"", "'''"];

impl Scanner {
    pub(super) fn new(text: &str) -> Scanner {
        let last = QUOTES.map(|quote| text.rfind(quote));
        Scanner { quote: None, depth: 0, continued: false, last }
    }

    /// Whether the next line begins within a string of several lines.
    pub(super) fn in_string(&self) -> bool {
        self.quote.is_some()
    }

    /// Whether the next line goes on with a statement.
    pub(super) fn in_statement(&self) -> bool {
        self.quote.is_some() || self.depth > 0 || self.continued
    }

    /// Forgets what was open.
    pub(super) fn reset(&mut self) {
        (self.quote, self.depth, self.continued) = (None, 0, false);
    }

    /// Adds the tokens of a line, which stands at `offset` in the text.
    pub(super) fn scan<'a>(&mut self, line: &'a str, offset: usize, tokens: &mut Vec<Token<'a>>) {
        self.continued = false;
        let mut place = 0;
        if let Some(quote) = self.quote {
            tokens.push(Token::Text);
            match end_of_string(line, quote) {
                Some(end) => (self.quote, place) = (None, end),
                None => return,
            }
        }
        while let Some(first) = line[place..].chars().next() {
            let rest = &line[place..];
            place += match first {
                ' ' | '\t' | '\u{c}' | '\n' | '\r' => 1,
                '#' => return,
                '\\' if rest[1..].trim_end().is_empty() => {
                    self.continued = true;
                    return;
                }
                '"' | '\'' => self.string(rest, offset + place, tokens),
                '0'..='9' => number(rest, tokens),
                _ if first == '_' || unicode_ident::is_xid_start(first) => {
                    let length = name_length(rest);
                    let (name, after) = rest.split_at(length);
                    if after.starts_with(['"', '\'']) && is_prefix(name) {
                        length + self.string(after, offset + place + length, tokens)
                    } else {
                        tokens.push(Token::Name(name));
                        length
                    }
                }
                _ => self.operator(first, rest, tokens),
            };
        }
    }

    /// Takes the string at the beginning of `rest` and returns its length on this line.
    fn string(&mut self, rest: &str, offset: usize, tokens: &mut Vec<Token>) -> usize {
        for (quote, last) in QUOTES.into_iter().zip(self.last) {
            if let Some(after) = rest.strip_prefix(quote) {
                if let Some(end) = end_of_string(after, quote) {
                    tokens.push(Token::Text);
                    return quote.len() + end;
                }
                if last.is_some_and(|last| last <= offset) {
                    tokens.push(Token::Bad);
                } else {
                    tokens.push(Token::Text);
                    self.quote = Some(quote);
                }
                return rest.len();
            }
        }
        match end_of_string(&rest[1..], &rest[..1]) {
            Some(end) => {
                tokens.push(Token::Text);
                1 + end
            }
            None => {
                tokens.push(Token::Bad);
                rest.len()
            }
        }
    }

    fn operator<'a>(&mut self, first: char, rest: &'a str, tokens: &mut Vec<Token<'a>>) -> usize {
        let long = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
        let length = long.map_or(first.len_utf8(), |operator| operator.len());
        let token = match first {
            '(' | '[' | '{' => {
                self.depth += 1;
                Token::Operator(&rest[..1])
            }
            ')' | ']' | '}' if self.depth > 0 => {
                self.depth -= 1;
                Token::Operator(&rest[..1])
            }
            _ if long.is_some() || "+-*/%@&|^~<>,:.;=".contains(first) => {
                Token::Operator(&rest[..length])
            }
            _ => Token::Bad,
        };
        tokens.push(token);
        length
    }
}

/// Where a string ends: after its closing quote.
fn end_of_string(text: &str, quote: &str) -> Option<usize> {
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if text.as_bytes()[place..].starts_with(quote.as_bytes()) => {
                return Some(place + quote.len());
            }
            _ => {}
        }
    }
    None
}

fn number(rest: &str, tokens: &mut Vec<Token>) -> usize {
    tokens.push(Token::Number);
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    rest.find(|c| !inside(c)).unwrap_or(rest.len())
}

fn name_length(rest: &str) -> usize {
    rest.find(|c| c != '_' && !unicode_ident::is_xid_continue(c)).unwrap_or(rest.len())
}

/// Whether a string may begin with it, as in `rb"…"`.
fn is_prefix(name: &str) -> bool {
    const PREFIXES: [&str; 9] = ["r", "u", "b", "f", "t", "br", "rb", "fr", "rf"];
    PREFIXES.iter().any(|prefix| prefix.eq_ignore_ascii_case(name))
}

/// A logical line: a statement, or the head of a compound one.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    /// Where it stands in the text, from its first line's beginning to its last line's end.
    pub(super) range: Range<usize>,
    /// The white space before it.
    pub(super) indent: &'a str,
    /// What it is made of, never empty.
    pub(super) tokens: Vec<Token<'a>>,
}

impl Statement<'_> {
    /// Whether it is one of these keywords' statements.
    pub(super) fn begins(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.tokens[0].is(keyword))
    }

    /// Whether a block has to follow.
    pub(super) fn opens_block(&self) -> bool {
        self.tokens.last().is_some_and(|last| last.is(":"))
    }
}

/// The logical lines of a text; comments and blank lines are in none of them.
pub(super) fn statements(text: &str) -> Vec<Statement<'_>> {
    let mut scanner = Scanner::new(text);
    let mut statements: Vec<Statement> = Vec::new();
    for (offset, line) in lines(text) {
        let end = offset + line.len();
        if scanner.in_statement()
            && let Some(statement) = statements.last_mut()
        {
            scanner.scan(line, offset, &mut statement.tokens);
            statement.range.end = end;
            continue;
        }
        let mut tokens = Vec::new();
        scanner.scan(line, offset, &mut tokens);
        if tokens.is_empty() {
            // A backslash alone continues nothing.
            scanner.reset();
        } else {
            statements.push(Statement { range: offset..end, indent: indent(line), tokens });
        }
    }
    statements
}

/// The lines of a text with their line feeds, and where they begin.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    text.split_inclusive('\n').map(move |line| {
        let offset = next;
        next += line.len();
        (offset, line)
    })
}

/// The white space that a line begins with.
pub(super) fn indent(line: &str) -> &str {
    let code = line.trim_start_matches([' ', '\t']);
    &line[..line.len() - code.len()]
}

/// How wide white space is, with a tab as wide as four spaces.
pub(super) fn width(indent: &str) -> usize {
    indent.bytes().map(|byte| if byte == b'\t' { 4 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        statements(text).into_iter().flat_map(|statement| statement.tokens).collect()
    }

    #[test]
    fn logical_lines() {
        let text =
            "# c\nx = [1,\n\n  2]  # c\nif a and \\\n  b:\n\ts = '''a\n'b' ''' + \"\\\"#\"\n";
        let found: Vec<&str> =
            statements(text).iter().map(|statement| &text[statement.range.clone()]).collect();
        assert_eq!(
            found,
            ["x = [1,\n\n  2]  # c\n", "if a and \\\n  b:\n", "\ts = '''a\n'b' ''' + \"\\\"#\"\n"]
        );
        assert!(statements(text)[1].opens_block());
        assert_eq!(statements(text)[2].indent, "\t");
    }

    #[test]
    fn what_is_no_token() {
        for text in ["what?", "it's", "‘a’", "a ! b", ")", "`a`", "s = \"\"\"open", "$x", "a\\b"]
        {
            assert!(tokens(text).contains(&Token::Bad), "{text}");
        }
        for text in ["rb'a'", "f\"{a}\"", "x: int = 1", "größe != 1e-3", "@a.b", "...", "a[1:]"] {
            assert!(!tokens(text).contains(&Token::Bad), "{text}");
        }
    }

    #[test]
    fn a_string_that_is_never_closed_swallows_nothing() {
        let text = "a = '''x'''\nb = '''x\nc = 1\n";
        assert_eq!(statements(text).len(), 3);
    }
}
