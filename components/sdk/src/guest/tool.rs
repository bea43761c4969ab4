//! Tools: what an agent can use.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

pub use super::bindings::tool::exports::june::agent::tool_handler::CallError;
use super::bindings::tool::exports::june::agent::tool_handler::Guest;
use super::types::ToolSpec;
use crate::Schema;

/// Something that an agent can use. Export it with [`tool!`](crate::tool).
pub trait Tool {
    /// Lower-case letters, digits, `-` and `_`.
    const NAME: &str;

    /// When to use the tool, written for the model.
    const DESCRIPTION: &str;

    /// What the model has to say; best defined with [`arguments!`](crate::arguments).
    type Arguments: DeserializeOwned + Schema;

    /// Does the work, and says in words for the model what came of it.
    ///
    /// # Errors
    ///
    /// The call failed, and why, in words for the model.
    fn call(arguments: Self::Arguments) -> Result<String, CallError>;
}

impl CallError {
    /// The tool tried and failed, and why.
    #[must_use]
    pub fn failed(why: impl ToString) -> Self {
        Self::Failed(why.to_string())
    }

    /// The arguments make no sense, and why.
    #[must_use]
    pub fn invalid(why: impl ToString) -> Self {
        Self::InvalidArguments(why.to_string())
    }
}

/// Makes a component of a [`Tool`]; [`tool!`](crate::tool) uses it.
#[doc(hidden)]
pub struct Exported<T>(PhantomData<T>);

impl<T: Tool> Guest for Exported<T> {
    fn describe() -> ToolSpec {
        ToolSpec {
            name: T::NAME.into(),
            description: T::DESCRIPTION.into(),
            parameters: T::Arguments::schema(),
        }
    }

    fn call(arguments: String) -> Result<String, CallError> {
        T::call(serde_json::from_str(&arguments).map_err(CallError::invalid)?)
    }
}

/// Exports a type that is a [`Tool`]. To be used once in a crate.
#[macro_export]
macro_rules! tool {
    ($tool:ty) => {
        const _: () = {
            type Exported = $crate::ExportedTool<$tool>;
    $crate::bindings::tool::export!(Exported with_types_in $crate::bindings::tool);
        };
    };
}
