//! A bot's key.

use std::fmt;

use subtle::ConstantTimeEq;

/// The token by which a bot is known to its platform. Neither printing nor an error shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes the text, without white space around it: tokens are often read from files that end in
    /// a line feed.
    pub fn new(text: impl AsRef<str>) -> Token {
        Token(text.as_ref().trim().to_owned())
    }

    /// The token itself, for the request that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is this, found out in a time that tells no more than whether the lengths differ.
    pub fn is(&self, other: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(other).into()
    }

    /// The text with every appearance of the token taken out. Platforms have it in addresses, and
    /// errors like to repeat those.
    pub fn scrub(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "[token]") }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown() {
        let token = Token::new("1:abc\n");
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(token.expose(), "1:abc");
        assert_eq!(
            token.scrub("http://host/bot1:abc/getMe failed"),
            "http://host/bot[token]/getMe failed"
        );
        assert_eq!(Token::new("").scrub("abc"), "abc");
    }
}
