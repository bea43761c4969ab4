//! Strategies: what decides what to ask, what to call and what to say.

use std::marker::PhantomData;

use super::bindings::strategy::exports::june::agent::turn_handler::{Answer, Guest};
pub use super::bindings::strategy::exports::june::agent::turn_handler::{StrategyError, Turn};
use super::llm::LlmError;

/// An agent's mind. Export it with [`strategy!`](crate::strategy).
pub trait Strategy {
    /// Answers one turn: the rest of the answer, after what [`reply::say`](super::reply::say) has
    /// sent already.
    ///
    /// # Errors
    ///
    /// There is no answer: a model failed for good, or the strategy gave up.
    fn respond(turn: Turn) -> Result<String, StrategyError>;
}

impl From<LlmError> for StrategyError {
    fn from(error: LlmError) -> Self {
        Self::Llm(error.explanation())
    }
}

impl LlmError {
    /// What happened and what to do, as a sentence.
    #[must_use]
    pub fn explanation(&self) -> String {
        match self {
            Self::Denied(text) => format!("the model was denied: {text}"),
            Self::Limit(text) => format!("a limit of the run is used up: {text}"),
            Self::Invalid(text) => format!("the model cannot serve the request: {text}"),
            Self::ContextOverflow(text) => {
                format!("the conversation does not fit the model's context: {text}")
            }
            Self::Unavailable(text) => format!("the model is unavailable: {text}"),
        }
    }
}

/// Makes a component of a [`Strategy`]; [`strategy!`](crate::strategy) uses it.
#[doc(hidden)]
pub struct Exported<T>(PhantomData<T>);

impl<T: Strategy> Guest for Exported<T> {
    fn respond(turn: Turn) -> Result<Answer, StrategyError> {
        T::respond(turn).map(|text| Answer { text })
    }
}

/// Exports a type that is a [`Strategy`]. To be used once in a crate.
#[macro_export]
macro_rules! strategy {
    ($strategy:ty) => {
        const _: () = {
            type Exported = $crate::ExportedStrategy<$strategy>;
    $crate::bindings::strategy::export!(Exported with_types_in $crate::bindings::strategy);
        };
    };
}
