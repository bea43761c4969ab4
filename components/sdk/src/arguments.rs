//! Arguments of tools: a type, and the JSON Schema (draft 2020-12) that describes it.

use std::fmt::Write as _;

/// A type that can be described to a model.
///
/// [`arguments!`](crate::arguments) writes this for structs and for enums of plain names.
pub trait Schema {
    /// Whether an object must have a member of this type.
    const REQUIRED: bool = true;

    /// Keywords of the schema, without the braces around them, such as `"type":"string"`.
    fn keywords() -> String;

    /// The schema, as JSON.
    #[must_use]
    fn schema() -> String {
        format!("{{{}}}", Self::keywords())
    }
}

macro_rules! plain {
    ($($type:ty => $keywords:literal),* $(,)?) => {
        $(impl Schema for $type {
            fn keywords() -> String {
                $keywords.into()
            }
        })*
    };
}

plain! {
    String => r#""type":"string""#,
    bool => r#""type":"boolean""#,
    f32 => r#""type":"number""#,
    f64 => r#""type":"number""#,
    i32 => r#""type":"integer""#,
    i64 => r#""type":"integer""#,
    u32 => r#""type":"integer","minimum":0"#,
    u64 => r#""type":"integer","minimum":0"#,
    usize => r#""type":"integer","minimum":0"#,
}

impl<T: Schema> Schema for Option<T> {
    const REQUIRED: bool = false;

    fn keywords() -> String {
        T::keywords()
    }
}

impl<T: Schema> Schema for Vec<T> {
    fn keywords() -> String {
        format!(r#""type":"array","items":{{{}}}"#, T::keywords())
    }
}

/// The keywords for an object. A member has a name, what is written about it, its own keywords, and
/// whether it must be there.
#[must_use]
pub fn object(members: &[(&str, &str, String, bool)]) -> String {
    let mut properties = String::new();
    let mut required = Vec::new();
    for (name, about, keywords, must) in members {
        if !properties.is_empty() {
            properties.push(',');
        }
        let _ = write!(
            properties,
            r#"{}:{{{keywords},"description":{}}}"#,
            quoted(name),
            quoted(about)
        );
        if *must {
            required.push(quoted(name));
        }
    }
    format!(
        r#""type":"object","properties":{{{properties}}},"required":[{}],"additionalProperties":false"#,
        required.join(",")
    )
}

/// The keywords for one of these names, in lower case as serde's `lowercase` has it.
#[must_use]
pub fn one_of(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| quoted(&name.to_ascii_lowercase())).collect();
    format!(r#""type":"string","enum":[{}]"#, names.join(","))
}

/// A JSON string. Text from doc comments begins with a space on each line.
fn quoted(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    serde_json::Value::from(lines.join(" ").trim()).to_string()
}

/// Defines what a tool's arguments are: a struct whose members are described by their doc comments,
/// or an enum of plain names (lower case in JSON).
///
/// The type reads itself from JSON, and [describes](Schema) itself by a JSON Schema. A member of
/// type `Option` may be left out; a member that the struct does not have is an error.
#[macro_export]
macro_rules! arguments {
    (
        $(#[doc = $about:literal])*
        $visibility:vis struct $name:ident {
            $($(#[doc = $doc:literal])+ $members:vis $member:ident: $type:ty),* $(,)?
        }
        $($rest:tt)*
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, $crate::serde::Deserialize)]
        #[serde(crate = "june_sdk::serde", deny_unknown_fields)]
        $visibility struct $name {
            $($(#[doc = $doc])+ $members $member: $type,)*
        }

        impl $crate::Schema for $name {
            fn keywords() -> String {
                $crate::object(&[$((
                    stringify!($member),
                    concat!($($doc, "\n"),+),
                    <$type as $crate::Schema>::keywords(),
                    <$type as $crate::Schema>::REQUIRED,
                )),*])
            }
        }

        $crate::arguments! { $($rest)* }
    };
    (
        $(#[doc = $about:literal])*
        $visibility:vis enum $name:ident {
            $($(#[doc = $doc:literal])* $case:ident),* $(,)?
        }
        $($rest:tt)*
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, $crate::serde::Deserialize)]
        #[serde(crate = "june_sdk::serde", rename_all = "lowercase")]
        $visibility enum $name {
            $($(#[doc = $doc])* $case,)*
        }

        impl $crate::Schema for $name {
            fn keywords() -> String {
                $crate::one_of(&[$(stringify!($case)),*])
            }
        }

        $crate::arguments! { $($rest)* }
    };
    () => {};
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate as june_sdk;

    arguments! {
        /// Not for the model.
        struct Example {
            /// What to do.
            action: Action,
            /// The "path",
            /// in two lines.
            path: Option<String>,
            /// Numbers.
            numbers: Vec<u32>,
        }

        /// What to do.
        enum Action {
            /// Reads.
            Read,
            /// Writes.
            Write,
        }
    }

    #[test]
    fn a_struct_describes_itself() {
        assert_eq!(
            Example::schema(),
            concat!(
                r#"{"type":"object","properties":{"#,
                r#""action":{"type":"string","enum":["read","write"],"description":"What to do."},"#,
                r#""path":{"type":"string","description":"The \"path\", in two lines."},"#,
                r#""numbers":{"type":"array","items":{"type":"integer","minimum":0},"#,
                r#""description":"Numbers."}},"#,
                r#""required":["action","numbers"],"additionalProperties":false}"#,
            )
        );
    }

    #[test]
    fn a_struct_reads_itself() {
        let read: Example = serde_json::from_str(r#"{"action": "write", "numbers": [1]}"#).unwrap();
        assert_eq!((read.action, read.path, read.numbers), (Action::Write, None, vec![1]));
        let unknown = r#"{"action": "write", "numbers": [], "more": 1}"#;
        assert!(serde_json::from_str::<Example>(unknown).is_err());
    }
}
