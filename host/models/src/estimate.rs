//! How many tokens a text has, roughly, without the model's tokenizer.
//!
//! English prose has four to four and a half characters a token in current vocabularies, source
//! code and JSON three to three and a half, and scripts other than Latin one to two. So two tokens
//! are counted for seven ASCII characters, and one for every other character: on the safe side for
//! most text, by up to a third. A message costs four tokens more for its role and its marks, a
//! tool eight.
//!
//! [`Scale`] corrects this by what the model's server counted.

use crate::types::{Message, Part, Request, ResponseFormat, ToolSpec, Usage};

/// Tokens of a text.
pub fn text(text: &str) -> u64 {
    let (ascii, other) = text.chars().fold((0_u64, 0_u64), |(ascii, other), character| {
        if character.is_ascii() { (ascii + 1, other) } else { (ascii, other + 1) }
    });
    characters(ascii, other)
}

/// Tokens of so many ASCII characters and so many others.
pub(crate) fn characters(ascii: u64, other: u64) -> u64 {
    (2 * ascii).div_ceil(7) + other
}

/// Tokens of a message, its role and marks included. Reasoning counts as nothing: it is not sent
/// back to a model.
pub fn message(message: &Message) -> u64 {
    let parts = message.parts.iter().map(|part| match part {
        Part::Text(said) => text(said),
        Part::Reasoning(_) => 0,
        Part::Call(call) => 8 + text(&call.id) + text(&call.name) + text(&call.arguments),
        Part::Outcome(result) => 8 + text(&result.call_id) + text(&result.content),
    });
    4 + parts.sum::<u64>()
}

/// Tokens of a tool's description.
pub fn tool(tool: &ToolSpec) -> u64 {
    8 + text(&tool.name) + text(&tool.description) + text(&tool.parameters)
}

/// Tokens of all that a request has besides its messages.
pub fn frame(request: &Request) -> u64 {
    let format = match &request.response_format {
        ResponseFormat::JsonSchema(schema) => text(schema),
        ResponseFormat::Text | ResponseFormat::Grammar(_) => 0,
    };
    4 + format + request.tools.iter().map(tool).sum::<u64>()
}

/// Tokens of a request: what a model reads before it answers.
pub fn request(request: &Request) -> u64 {
    frame(request) + request.messages.iter().map(message).sum::<u64>()
}

/// How the model's own count relates to the estimates of this module.
///
/// One answer of the server is enough to correct all that follow: the prose, code and language of
/// a conversation change little, and what was counted is most of what will be sent next. Integers,
/// so that the same numbers give the same decision on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    counted: u64,
    estimated: u64,
}

impl Default for Scale {
    /// The estimates as they are.
    fn default() -> Self {
        Scale { counted: 1, estimated: 1 }
    }
}

impl Scale {
    /// From a request and the usage that came with its answer. A usage that is itself an
    /// estimate, or none at all, changes nothing; a ratio beyond four is taken for four, as such
    /// a count is more likely wrong (or of a prompt that the server holds back) than the estimate.
    pub fn new(request: &Request, usage: Usage) -> Scale {
        let estimated = self::request(request);
        if usage.approximate || usage.input_tokens == 0 {
            return Scale::default();
        }
        let counted = usage.input_tokens.clamp(estimated.div_ceil(4), estimated.saturating_mul(4));
        Scale { counted, estimated }
    }

    /// An estimate, corrected.
    pub fn apply(self, estimate: u64) -> u64 {
        let scaled = u128::from(estimate) * u128::from(self.counted);
        u64::try_from(scaled.div_ceil(u128::from(self.estimated))).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Role;

    #[test]
    fn text_is_counted_by_its_characters() {
        assert_eq!(text(""), 0);
        assert_eq!(text("a"), 1);
        assert_eq!(text("seven c"), 2);
        assert_eq!(text("日本語"), 3);
        assert_eq!(text("é"), 1);
    }

    #[test]
    fn reasoning_is_not_sent_back_and_costs_nothing() {
        let parts = vec![Part::Reasoning("long thoughts".into()), Part::Text("Yes, sir".into())];
        assert_eq!(message(&Message { role: Role::Assistant, parts }), 4 + 3);
    }

    #[test]
    fn the_servers_count_corrects_the_estimate() {
        let messages = vec![Message::text(Role::User, "x".repeat(350))];
        let request = Request { messages, ..Request::default() };
        assert_eq!(super::request(&request), 108);
        let usage = |input_tokens| Usage { input_tokens, output_tokens: 1, approximate: false };
        assert_eq!(Scale::new(&request, usage(54)).apply(108), 54);
        assert_eq!(Scale::new(&request, usage(54)).apply(3), 2);
        assert_eq!(Scale::new(&request, usage(0)).apply(3), 3);
        assert_eq!(Scale::new(&request, usage(u64::MAX)).apply(3), 12);
        assert_eq!(Scale::new(&request, Usage { approximate: true, ..usage(54) }).apply(9), 9);
        assert_eq!(Scale::new(&request, usage(400)).apply(u64::MAX), u64::MAX);
    }
}
