//! Text by its lines, with numbers, in pieces that a model can read.

use std::fmt::Write as _;

/// Lines shown at once.
const MOST_LINES: usize = 400;

/// Bytes shown at once.
const MOST_BYTES: usize = 32 * 1024;

/// Bytes shown of one line.
const LONGEST: usize = 1024;

/// The lines from `first` to `last` with their numbers, and what is left out.
#[must_use]
pub fn numbered(text: &str, first: Option<usize>, last: Option<usize>) -> String {
    let first = first.unwrap_or(1).max(1);
    let last = last.unwrap_or(usize::MAX);
    let total = text.lines().count();
    if total == 0 {
        return "(the file is empty)".into();
    }
    let mut shown = String::new();
    let mut reached = first - 1;
    for (index, line) in text.lines().enumerate().skip(first - 1).take(MOST_LINES) {
        if index >= last || shown.len() > MOST_BYTES {
            break;
        }
        reached = index + 1;
        let _ = writeln!(shown, "{reached:>5}  {}", short(line));
    }
    if reached < first {
        return format!("(the file has {total} lines, none of them from {first} to {last})");
    }
    if first > 1 || reached < total {
        let _ = write!(shown, "(lines {first} to {reached} of {total}");
        if reached < total.min(last) {
            let _ = write!(shown, "; go on with first_line {}", reached + 1);
        }
        shown.push(')');
    }
    shown
}

/// A line, cut where it is very long.
#[must_use]
pub fn short(line: &str) -> String {
    if line.len() <= LONGEST {
        return line.into();
    }
    let cut = line.floor_char_boundary(LONGEST);
    format!("{}… ({} bytes more)", &line[..cut], line.len() - cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_numbers() {
        assert_eq!(numbered("a\nb\n", None, None), "    1  a\n    2  b\n");
        assert_eq!(numbered("", None, None), "(the file is empty)");
    }

    #[test]
    fn a_range_says_what_is_left_out() {
        let text = "a\nb\nc\nd\n";
        assert_eq!(numbered(text, Some(2), Some(3)), "    2  b\n    3  c\n(lines 2 to 3 of 4)");
        assert!(numbered(text, Some(9), None).contains("4 lines"));
        assert!(numbered(text, Some(3), Some(2)).contains("none of them"));
    }

    #[test]
    fn what_is_shown_is_bounded() {
        let shown = numbered(&"x\n".repeat(1000), None, None);
        assert!(shown.ends_with("(lines 1 to 400 of 1000; go on with first_line 401)"), "{shown}");
        assert!(numbered(&"ä".repeat(5000), None, None).contains("… (8976 bytes more)"));
        assert!(
            numbered(&format!("{}\n", "x".repeat(1000)).repeat(399), None, None).len() < 40_000
        );
    }
}
