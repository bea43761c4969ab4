//! What can keep a component from being flattened.

use wasm_encoder::reencode;

/// Why [`flatten`](crate::flatten) gave no component. It never gives a wrong
/// one instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is not WebAssembly, or does not validate.
    #[error("the input is not a valid component: {0}")]
    Input(#[from] wasmparser::Error),
    /// The input is a core module.
    #[error("the input is a core module, not a component")]
    CoreModule,
    /// The input is valid, but has something that merging does not cover.
    #[error("not supported: {0}")]
    Unsupported(Feature),
    /// An index or a name leads nowhere, although the input validated.
    #[error("the component refers to {0} that it does not have")]
    Dangling(&'static str),
    /// An instruction or a type could not be written again.
    #[error("cannot encode: {0}")]
    Encode(String),
    /// The merged component does not validate: a bug here, not in the input.
    #[error("the flattened component does not validate: {0}")]
    Output(#[source] wasmparser::Error),
}

/// What merging does not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Feature {
    /// A core module that is imported, exported, aliased or passed on.
    #[error("a core module used as a value")]
    ModuleValue,
    /// A `start` in the component (not in its core modules).
    #[error("a component start function")]
    ComponentStart,
    /// A recursive, structural, shared or non-final type, or one of a
    /// continuation.
    #[error("a core type other than a plain function type")]
    Type,
    /// An import or export of a function by its exact type.
    #[error("an exact function type")]
    ExactFunction,
    /// A constant expression beyond constants, `global.get`, `ref.func`,
    /// `ref.null` and integer arithmetic.
    #[error("a constant expression with {0}")]
    ConstExpr(&'static str),
    /// The merged module would be unreasonably large.
    #[error("core modules of more than 1 GiB, or 1,000,000 functions, counted by instance")]
    Size,
    /// A section that this version does not know.
    #[error("a section of kind {0}")]
    Section(u8),
}

impl From<reencode::Error<Error>> for Error {
    fn from(error: reencode::Error<Error>) -> Self {
        match error {
            reencode::Error::UserError(error) => error,
            reencode::Error::ParseError(error) => Error::Input(error),
            other => Error::Encode(other.to_string()),
        }
    }
}

impl From<Error> for reencode::Error<Error> {
    fn from(error: Error) -> Self {
        reencode::Error::UserError(error)
    }
}
