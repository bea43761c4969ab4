//! Text that a server wrote, made fit for an error message.

/// The first `width` characters in quotes, on one line, with nothing that could steer a terminal.
pub(crate) fn quoted(text: &str, width: usize) -> String {
    let text = text.trim();
    let mut quoted = String::from("\"");
    for character in text.chars().take(width) {
        match character {
            '\n' | '\r' | '\t' => quoted.push(' '),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {}
            '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => {}
            other if other.is_control() => {}
            other => quoted.push(other),
        }
    }
    quoted.push_str(if text.chars().nth(width).is_some() { "\"…" } else { "\"" });
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_short_and_harmless() {
        assert_eq!(quoted(" a\u{1b}[31m\nb\u{202e} ", 20), "\"a[31m b\"");
        assert_eq!(quoted("abcd", 2), "\"ab\"…");
    }
}
