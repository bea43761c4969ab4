//! A tool that computes, for models that cannot. The parser is all there is to it.

pub mod expression;

#[cfg(target_arch = "wasm32")]
mod tool {
    use june_sdk::{CallError, Tool, arguments, tool};

    use crate::expression::evaluate;

    arguments! {
        struct Question {
            /// An expression such as `2 * (3 + 4) ^ 2` or `sqrt(2) / max(1, pi)`. Operators:
            /// + - * / ^ and % (the remainder). Functions: abs, ceil, cos, exp, floor, ln, log
            /// (base 10), max, min, round, sin, sqrt, tan; angles are in radians. Constants: pi, e.
            expression: String,
        }
    }

    struct Calculator;

    impl Tool for Calculator {
        const NAME: &str = "calculator";
        const DESCRIPTION: &str = "Computes an arithmetic expression, to 15 digits.";
        type Arguments = Question;

        fn call(question: Question) -> Result<String, CallError> {
            evaluate(&question.expression).map_err(CallError::invalid)
        }
    }

    tool!(Calculator);
}
