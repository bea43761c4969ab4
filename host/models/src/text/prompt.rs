//! What a template rendered.

use crate::text::Reasoning;

/// What a model is to read: the marks that the template wrote, and text in which there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Rendered text; the marks of what the template was given have the wedge in them.
    pub(crate) text: String,
    pub(crate) wedge: char,
    pub(crate) reasoning: Reasoning,
}

impl Prompt {
    /// Where the reasoning will be in the answer: whether the prompt has opened it already.
    pub fn reasoning(&self) -> Reasoning {
        self.reasoning
    }

    /// The prompt for a server that makes tokens of it itself. A mark that the template did not
    /// write has a zero-width space in it, for the server would take it for one.
    pub fn to_text(&self) -> String {
        self.text.replace(self.wedge, "\u{200b}")
    }
}
