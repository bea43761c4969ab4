//! Code that stands in prose without a fence: which lines can be Python.

use super::python::{Scanner, Token, lines};

/// The runs of lines that can be Python, in their order. Blank lines and comments belong to a run
/// only between its statements; what is not finished when the run ends does not: half a statement,
/// or the head of a block that never comes.
pub(super) fn runs(text: &str) -> Vec<&str> {
    let mut scanner = Scanner::new(text);
    let mut runs = Vec::new();
    let mut tokens = Vec::new();
    // Where the run and the latest statement begin, and where the run's last whole one ends.
    let (mut start, mut begin, mut end) = (None, 0, 0);
    for (offset, line) in lines(text) {
        if !scanner.in_statement() {
            tokens.clear();
            begin = offset;
        }
        let known = tokens.len();
        scanner.scan(line, offset, &mut tokens);
        let whole = !scanner.in_statement() && !tokens.is_empty();
        if is_broken(&tokens, known) || (whole && !is_statement(&tokens, line)) {
            runs.extend(start.take().map(|start| &text[start..end.max(start)]));
            scanner.reset();
        } else if whole {
            start = start.or(Some(begin));
            let awaits_more = tokens[0].is("@") || tokens.last().is_some_and(|last| last.is(":"));
            if !awaits_more {
                end = offset + line.len();
            }
        }
    }
    runs.extend(start.map(|start| &text[start..end.max(start)]));
    runs.retain(|run| !run.is_empty());
    runs
}

/// Whether there is something at `from` or after it that Python does not have: two words in a row,
/// as nearly every sentence has.
fn is_broken(tokens: &[Token], from: usize) -> bool {
    let tokens = &tokens[from.saturating_sub(1)..];
    let value = |token: Token| matches!(token, Token::Name(_)) && !token.is_keyword();
    tokens.contains(&Token::Bad)
        || tokens.windows(2).enumerate().any(|(place, pair)| {
            let first = from == 0 && place == 0;
            let soft = first && ["match", "case", "type"].iter().any(|word| pair[0].is(word));
            match pair {
                [left, Token::Number] => value(*left) && !soft,
                // Only at the beginning: an f-string with its own quotes inside looks like this.
                [left, Token::Text] => value(*left) && first && !soft,
                [Token::Number, right] => value(*right),
                [left, right] => {
                    let closes = [")", "]", "}"].iter().any(|close| left.is(close));
                    !soft && value(*right) && (value(*left) || closes)
                }
                _ => false,
            }
        })
}

/// Whether whole tokens, which are not broken, can be a statement that somebody would write:
/// neither a lone word nor a label (`Note: …`).
fn is_statement(tokens: &[Token], line: &str) -> bool {
    let Some((&first, &last)) = tokens.first().zip(tokens.last()) else { return false };
    let has = |text: &str| tokens.iter().any(|token| token.is(text));
    let dangling = ["+", "-", "*", "/", "%", "=", "==", ".", "<", ">", "and", "or", "not", "in"];
    if dangling.iter().any(|text| last.is(text)) {
        return false;
    }
    let alone = tokens.len() == 1;
    let assigns = tokens.iter().any(|token| token.assigns());
    match first {
        Token::Text => true,
        Token::Number | Token::Bad => false,
        Token::Operator("@") => !alone,
        Token::Operator("...") => alone,
        Token::Operator("(" | "[" | "{" | "*") => assigns,
        Token::Operator(_) => false,
        Token::Name("def" | "class" | "while" | "with" | "elif" | "except") => has(":") && !alone,
        Token::Name("if") => has(":") && tokens.len() > 2,
        Token::Name("for") => has(":") && has("in"),
        Token::Name("else" | "try" | "finally") => tokens.get(1).is_some_and(|next| next.is(":")),
        Token::Name("async") => has(":"),
        Token::Name("from") => has("import"),
        Token::Name("pass" | "break" | "continue") => tokens.get(1).is_none_or(|next| next.is(";")),
        Token::Name("return" | "yield") => true,
        Token::Name("import" | "assert" | "del" | "global" | "nonlocal" | "await") => !alone,
        Token::Name("raise") => true,
        Token::Name("and" | "or" | "in" | "is" | "as") => false,
        Token::Name("match" | "case") if last.is(":") => true,
        Token::Name(_) if last.is(":") => false,
        // Within a block anything, since people write what does nothing there; else a call or an
        // assignment.
        Token::Name(_) => has("(") || assigns || line.starts_with([' ', '\t']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_no_code() {
        let prose = "Here is the function:\nNote: important\nDone.\nSure!\nIt's simple.\n- a bullet\n\
                     1. First\n**Bold**\nfor example, this\nif so, return\nreturn the list\nOutput: [1]\n\
                     Well, yes\nComplexity (time):\nfrom here on\npass the value\nHello\n`x`\n---\n\
                     with that in mind,\nThe \"best\" way.\n";
        assert_eq!(runs(prose), [""; 0]);
    }

    #[test]
    fn code_is_code() {
        let code = "import os, sys\nfrom a import (b,\n    c as d)\n\n@cache\nasync def f(x: int) -> int:\n\
                    \t\"\"\"What it\n    isn't.\"\"\"\n    # why not\n    match x:\n        case 1 | 2:\n            pass\n\
                    \x20   a, *b = x[1:], -x\n    a.b[0] += 1; g(a)\n    if not x: return lambda y: y if y else 0\n\
                    \x20   return f'{x!r:>{10}}'\n\nclass C(D):\n    x: int\n    ...\n";
        assert_eq!(runs(code), [code]);
    }

    #[test]
    fn an_unfinished_statement_is_left_out() {
        assert_eq!(runs("x = 1\ny = f(\nand that is all of it\nz = 2\n"), ["x = 1\n", "z = 2\n"]);
        assert_eq!(runs("x = 1\n@cache\nclass A:\n    def f(self):\n"), ["x = 1\n"]);
        assert_eq!(runs("if x:\n"), [""; 0]);
    }
}
