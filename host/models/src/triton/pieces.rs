//! The text of a streamed answer, however a backend cuts it.

use serde::Deserialize;

/// What each event of a streamed answer holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pieces {
    /// All of the text so far, as TensorRT-LLM's `llmapi` backend sends it.
    #[default]
    Whole,
    /// What is new in it, as most other backends send it.
    New,
}

/// Text that grows.
#[derive(Debug)]
pub(crate) struct Growing {
    pieces: Pieces,
    seen: String,
}

impl Growing {
    pub(crate) fn new(pieces: Pieces) -> Growing {
        Growing { pieces, seen: String::new() }
    }

    /// What an event adds. A character that is not whole yet, shown as a replacement at the end,
    /// is waited for.
    pub(crate) fn push<'a>(&mut self, text: &'a str) -> Result<&'a str, String> {
        if self.pieces == Pieces::New {
            return Ok(text);
        }
        let text = text.trim_end_matches('\u{fffd}');
        let Some(new) = text.strip_prefix(self.seen.as_str()) else {
            // Less than before, for the end was taken back.
            if self.seen.starts_with(text) {
                return Ok("");
            }
            return Err("its answer changed what it had said before".to_owned());
        };
        self.seen.push_str(new);
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_told_apart() {
        let mut whole = Growing::new(Pieces::Whole);
        let new: Vec<_> =
            ["a", "ab", "ab\u{fffd}", "abé c"].iter().map(|text| whole.push(text)).collect();
        assert_eq!(new, [Ok("a"), Ok("b"), Ok(""), Ok("é c")]);
        assert_eq!(whole.push("ab"), Ok(""));
        assert!(whole.push("other").is_err());
        assert_eq!(Growing::new(Pieces::New).push("a"), Ok("a"));
    }
}
