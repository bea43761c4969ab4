//! The JSON Schema that a tool describes its arguments with.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::contract::short;

/// The longest schema, in bytes.
const LONGEST: usize = 64 << 10;

/// How many of the errors a model is told.
const TOLD: usize = 8;

/// A schema, compiled.
pub(crate) struct Schema(Validator);

impl Schema {
    /// Compiles a schema (draft 2020-12 unless it says otherwise). It may refer
    /// to nothing outside of itself.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("its schema has more than {LONGEST} bytes"));
        }
        let schema: Value =
            serde_json::from_str(text).map_err(|e| format!("its schema is not JSON: {e}"))?;
        // Patterns run in linear time, whoever wrote them.
        jsonschema::draft202012::options()
            .with_pattern_options(PatternOptions::regex())
            .build(&schema)
            .map(Self)
            .map_err(|error| format!("its schema is not one: {error}"))
    }

    /// Holds the text of a JSON object against the schema.
    pub(crate) fn check(&self, arguments: &str) -> Result<(), String> {
        let value: Value = serde_json::from_str(arguments)
            .map_err(|error| format!("the arguments are not JSON: {error}"))?;
        if !value.is_object() {
            return Err("the arguments are not a JSON object".into());
        }
        let errors: Vec<String> = self
            .0
            .iter_errors(&value)
            .take(TOLD)
            .map(|error| match error.instance_path().as_str() {
                "" => short(&error.to_string()),
                path => format!("{}: {}", short(path), short(&error.to_string())),
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let schema = Schema::new(
            r#"{"type": "object", "properties": {"city": {"type": "string", "pattern": "^[A-Z]"}},
                "required": ["city"], "additionalProperties": false}"#,
        )
        .unwrap();
        assert_eq!(schema.check(r#"{"city": "Oslo"}"#), Ok(()));
        for (arguments, told) in [
            ("{", "not JSON"),
            ("[]", "not a JSON object"),
            ("{}", "\"city\" is a required property"),
            (r#"{"city": 7}"#, "/city: 7 is not of type"),
            (r#"{"city": "oslo"}"#, "/city: "),
            (r#"{"city": "Oslo", "x": 1}"#, "'x'"),
        ] {
            let error = schema.check(arguments).unwrap_err();
            assert!(error.contains(told), "{arguments}: {error}");
        }
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        for text in ["", "{\"type\": 7}", "{\"$ref\": \"https://example.org/schema\"}"] {
            assert!(Schema::new(text).is_err(), "{text}");
        }
    }
}
