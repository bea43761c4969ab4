//! Text that somebody else chose, made fit for a terminal.

use std::fmt::Write;

/// The text without anything that could steer a terminal or turn its reading direction: such
/// characters are shown as Rust would write them. Line feeds stay where `lines` says so.
pub(crate) fn neutral(text: &str, lines: bool) -> String {
    let mut neutral = String::with_capacity(text.len());
    for character in text.chars() {
        let harmless = match character {
            '\n' => lines,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => false,
            '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => false,
            other => !other.is_control(),
        };
        if harmless {
            neutral.push(character);
        } else {
            let _ = write!(neutral, "{}", character.escape_default());
        }
    }
    neutral
}

/// The first line of a text, neutral and short.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = neutral(line, false).chars().take(width).collect();
    if line.chars().nth(width).is_some() || text.trim_end().contains('\n') {
        short.push('…');
    }
    short
}

/// Bytes as neutral text on one line, in quotes and short.
pub(crate) fn quoted(bytes: &[u8], width: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * width)]);
    let short: String = text.chars().take(width).collect();
    let more = if short.len() < text.len() || bytes.len() > 4 * width { "…" } else { "" };
    format!("\"{}\"{more}", neutral(&short, false))
}

/// A number in groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Milliseconds of Unix time as RFC 3339 has them.
pub(crate) fn time(milliseconds: u64) -> String {
    let time = i64::try_from(milliseconds).ok();
    let time = time.and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    time.map_or_else(|| format!("{milliseconds} ms"), |time| format!("{time:.3}"))
}

/// Microseconds, in the unit that suits them.
pub(crate) fn took(microseconds: u64) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} µs"),
        1_000..1_000_000 => format!("{:.1} ms", microseconds as f64 / 1e3),
        _ => format!("{:.2} s", microseconds as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_steers_the_terminal() {
        let text = "a\u{1b}[31mred\u{202e}x\u{9b}2J\u{7}\r\nb";
        assert_eq!(neutral(text, true), "a\\u{1b}[31mred\\u{202e}x\\u{9b}2J\\u{7}\\r\nb");
        assert_eq!(one_line(text, 100), "a\\u{1b}[31mred\\u{202e}x\\u{9b}2J\\u{7}…");
        assert_eq!(one_line("abc", 2), "ab…");
        assert_eq!(quoted(b"x\n\xff", 10), "\"x\\n\u{fffd}\"");
        assert_eq!(quoted(b"xxxx", 2), "\"xx\"…");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234), "1,234");
        assert_eq!(grouped(5_529_346_795), "5,529,346,795");
    }

    #[test]
    fn times_are_told() {
        assert_eq!(time(1_767_225_600_123), "2026-01-01T00:00:00.123Z");
        assert_eq!(time(u64::MAX), format!("{} ms", u64::MAX));
        assert_eq!(took(1_500), "1.5 ms");
    }
}
