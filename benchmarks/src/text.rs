//! Text that somebody else chose, made fit for people.

use std::fmt::Write;

/// Whether a character neither steers a terminal nor turns the reading direction nor hides.
pub fn is_neutral(character: char) -> bool {
    match character {
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => false,
        '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => false,
        other => !other.is_control(),
    }
}

/// The text without anything that could steer a terminal or turn its reading direction: such
/// characters are shown as Rust would write them. Line feeds stay where `lines` says so.
pub fn neutral(text: &str, lines: bool) -> String {
    let mut neutral = String::with_capacity(text.len());
    for character in text.chars() {
        if is_neutral(character) || (lines && character == '\n') {
            neutral.push(character);
        } else {
            let _ = write!(neutral, "{}", character.escape_default());
        }
    }
    neutral
}

/// A number in groups of three digits.
pub fn grouped(number: u64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_steers_the_reader() {
        let text = "a\u{1b}[31mred\u{202e}x\u{9b}2J\u{7}\r\nb";
        assert_eq!(neutral(text, true), "a\\u{1b}[31mred\\u{202e}x\\u{9b}2J\\u{7}\\r\nb");
        assert_eq!(neutral("a\n", false), "a\\n");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234), "1,234");
        assert_eq!(grouped(5_529_346_795), "5,529,346,795");
    }
}
