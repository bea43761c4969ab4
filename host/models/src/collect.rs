//! A streamed answer as a whole one.

use futures_util::{Stream, StreamExt};

use crate::error::ModelError;
use crate::types::{Completion, Delta, Message, Part, Role};

/// Waits for all of an answer. Pieces of text that follow each other become one part, and so do
/// pieces of reasoning.
///
/// # Errors
///
/// The stream's own error, or [`ModelError::Unavailable`] when it ended without a
/// [`Delta::Finish`].
pub async fn collect(
    mut deltas: impl Stream<Item = Result<Delta, ModelError>> + Unpin,
) -> Result<Completion, ModelError> {
    let mut parts = Vec::new();
    while let Some(delta) = deltas.next().await {
        match delta? {
            Delta::Finish(finish, usage) => {
                let message = Message { role: Role::Assistant, parts };
                return Ok(Completion { message, finish, usage });
            }
            delta => push(&mut parts, delta),
        }
    }
    Err(ModelError::Unavailable("the answer broke off before its end\nhint: ask again".into()))
}

/// Adds a delta to the parts of a message; a [`Delta::Finish`] adds nothing.
pub fn push(parts: &mut Vec<Part>, delta: Delta) {
    match (parts.last_mut(), delta) {
        (Some(Part::Text(text)), Delta::Text(more)) => text.push_str(&more),
        (Some(Part::Reasoning(text)), Delta::Reasoning(more)) => text.push_str(&more),
        (_, Delta::Text(text)) => parts.push(Part::Text(text)),
        (_, Delta::Reasoning(text)) => parts.push(Part::Reasoning(text)),
        (_, Delta::Call(call)) => parts.push(Part::Call(call)),
        (_, Delta::Finish(..)) => {}
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::types::{FinishReason, ToolCall, Usage};

    #[tokio::test]
    async fn pieces_become_parts() {
        let call = ToolCall { id: "1".into(), name: "f".into(), arguments: "{}".into() };
        let usage = Usage { input_tokens: 3, output_tokens: 4, approximate: false };
        let deltas = [
            Delta::Reasoning("so".into()),
            Delta::Reasoning(" it is".into()),
            Delta::Text("Yes".into()),
            Delta::Text(".".into()),
            Delta::Call(call.clone()),
            Delta::Text("!".into()),
            Delta::Finish(FinishReason::ToolCalls, usage),
        ];
        let completion = collect(stream::iter(deltas.map(Ok))).await.unwrap();
        let parts = [
            Part::Reasoning("so it is".into()),
            Part::Text("Yes.".into()),
            Part::Call(call),
            Part::Text("!".into()),
        ];
        assert_eq!(completion.message.parts, parts);
        assert_eq!((completion.finish, completion.usage), (FinishReason::ToolCalls, usage));
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_an_error() {
        let deltas = stream::iter([Ok(Delta::Text("half".into()))]);
        assert!(matches!(collect(deltas).await, Err(ModelError::Unavailable(_))));
        let error = ModelError::ContextOverflow("too long".into());
        let deltas = stream::iter([Ok(Delta::Text("half".into())), Err(error.clone())]);
        assert_eq!(collect(deltas).await, Err(error));
    }
}
