//! Tokens as text, while they come: a character may be split over several tokens.

use crate::text::Tokenizer;

/// Makes text of tokens that come one by one. What is no UTF-8 becomes U+FFFD; a character that is
/// not whole yet is held back.
#[derive(Debug, Clone)]
pub struct Decoder {
    tokenizer: Tokenizer,
    /// The beginning of a character: three bytes at most.
    held: Vec<u8>,
}

impl Decoder {
    /// A decoder at the start of a text.
    pub fn new(tokenizer: &Tokenizer) -> Decoder {
        Decoder { tokenizer: tokenizer.clone(), held: Vec::new() }
    }

    /// The text that a token completes; often it is empty. Control tokens (`<|im_end|>`) and
    /// numbers that are no token have no text; marks such as `<think>` and `<tool_call>` have.
    pub fn push(&mut self, token: u32) -> String {
        if !self.tokenizer.is_control(token) {
            self.held.extend_from_slice(self.tokenizer.bytes(token).unwrap_or_default());
        }
        let mut text = String::new();
        let mut rest = self.held.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    rest = after;
                    if let Some(length) = error.error_len() {
                        text.push(char::REPLACEMENT_CHARACTER);
                        rest = after.get(length..).unwrap_or_default();
                        continue;
                    }
                }
            }
            self.held = rest.to_vec();
            return text;
        }
    }

    /// No more tokens come: what was held back, as it is.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.held).into_owned()
    }
}
