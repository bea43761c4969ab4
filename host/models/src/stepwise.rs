//! Answers that are made step by step.

use futures_util::{StreamExt, stream};

use crate::types::Delta;
use crate::{Deltas, ModelError};

/// An answer that is made step by step. Each step gives the deltas that it completed, which may be
/// none, and from what to go on; without that, the answer is over.
pub fn stepwise<S, F>(start: S, step: fn(S) -> F) -> Deltas
where
    S: Send + 'static,
    F: Future<Output = Result<(Vec<Delta>, Option<S>), ModelError>> + Send + 'static,
{
    let steps = stream::unfold(Some(start), move |state| async move {
        Some(match step(state?).await {
            Ok((deltas, next)) => (deltas.into_iter().map(Ok).collect(), next),
            Err(error) => (vec![Err(error)], None),
        })
    });
    steps.flat_map(stream::iter).boxed()
}
