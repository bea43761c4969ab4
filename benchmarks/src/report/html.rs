//! Writing HTML: the one place where text becomes markup.

use std::fmt::{self, Display, Write as _};

use june_sandbox::Digest;

use crate::text::is_neutral;

/// Text as it may stand in an element or in a quoted attribute: what HTML would read as markup is
/// escaped, and what would steer the reader's eye (control characters, changes of direction,
/// characters without width) is shown as Rust would write it.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(character)?,
                other if is_neutral(other) => f.write_char(other)?,
                other => write!(f, "{}", other.escape_default())?,
            }
        }
        Ok(())
    }
}

/// A text's digest as a content security policy names it: <https://www.w3.org/TR/CSP3/#match-element-to-source-list>.
pub(super) fn source_hash(text: &str) -> String {
    let hex = Digest::of(text.as_bytes()).to_string();
    let byte =
        |place: usize| hex.get(place..place + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).filter_map(byte).collect();
    format!("'sha256-{}'", base64(&bytes))
}

/// Base64 as in RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { letter.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let text = "<a href=\"x\" b='y'>&amp;</a>\n\t\r\0\u{202e}\u{200b}é";
        assert_eq!(
            Text(text).to_string(),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;\n\t\\r\\u{0}\\u{202e}\\u{200b}é"
        );
    }

    #[test]
    fn hashes() {
        // RFC 4648, section 10.
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
        assert_eq!(source_hash(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }
}
