//! JSON objects of which only some fields are wanted.
//!
//! Not serde's derive, because its errors do not name the field that has the wrong type, it
//! takes an array where an object is due, and it refuses a repeated key, where Python, which
//! wrote these files, takes the last.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::input::{InputError, Record};

/// The wanted fields of one JSON object, not parsed yet.
pub(crate) struct Object<'a> {
    record: Record<'a>,
    fields: Vec<(&'static str, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Checks the record's syntax and keeps the fields named in `wanted`.
    pub(crate) fn read(
        record: Record<'a>,
        wanted: &'static [&'static str],
    ) -> Result<Object<'a>, InputError> {
        let mut json = serde_json::Deserializer::from_str(record.text);
        let fields = json
            .deserialize_map(Fields(wanted))
            .and_then(|fields| json.end().map(|()| fields))
            .map_err(|error| syntax_error(&record, &error))?;
        Ok(Object { record, fields })
    }

    /// The whole object as written in the file.
    pub(crate) fn to_raw(&self) -> Result<Box<RawValue>, InputError> {
        serde_json::from_str(self.record.text).map_err(|error| syntax_error(&self.record, &error))
    }

    /// The field as written in the file, if it is there.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let field = self.fields.iter().find(|(field, _)| *field == name);
        field.map(|(_, value)| *value)
    }

    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        name: &'static str,
        hint: &'static str,
    ) -> Result<T, InputError> {
        let Some(value) = self.raw(name) else {
            return Err(self.field_error(name, "is missing".to_owned(), hint));
        };
        serde_json::from_str(value.get())
            .map_err(|error| self.field_error(name, format!("is wrong: {}", reason(&error)), hint))
    }

    /// An error about a field of this object, at the field's own line.
    pub(crate) fn field_error(
        &self,
        field: &'static str,
        reason: String,
        hint: &'static str,
    ) -> InputError {
        let line = match self.raw(field) {
            Some(value) => self.record.part(value.get()).line,
            None => self.record.line,
        };
        InputError::Field { file: self.record.file.to_owned(), line, field, reason, hint }
    }
}

/// Calls `each` with every element of a JSON array, in order, and stops at the first error.
pub(crate) fn each_element<'a, E: From<InputError>>(
    array: Record<'a>,
    mut each: impl FnMut(Record<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut failure = None;
    let mut json = serde_json::Deserializer::from_str(array.text);
    let read = json
        .deserialize_seq(Elements(|element: &'a RawValue| {
            each(array.part(element.get())).map_err(|error| failure = Some(error)).is_ok()
        }))
        .and_then(|()| json.end());
    match (failure, read) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) => Err(syntax_error(&array, &error).into()),
        (None, Ok(())) => Ok(()),
    }
}

fn syntax_error(record: &Record, error: &serde_json::Error) -> InputError {
    InputError::Json {
        file: record.file.to_owned(),
        line: record.line + error.line().saturating_sub(1),
        column: error.column(),
        reason: reason(error),
    }
}

/// The parser's words without its position, which is within the record and not within the file,
/// and cut short, because they may quote a value of many megabytes.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
    let mut short: String = words.chars().take(120).collect();
    if short.len() < words.len() {
        short.push('…');
    }
    short
}

struct Fields(&'static [&'static str]);

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(&'static str, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        #[derive(Deserialize)]
        struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

        let mut fields: Self::Value = Vec::with_capacity(self.0.len());
        while let Some(Key(key)) = map.next_key()? {
            let Some(&name) = self.0.iter().find(|name| **name == key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value()?;
            match fields.iter_mut().find(|(field, _)| *field == name) {
                Some(field) => field.1 = value,
                None => fields.push((name, value)),
            }
        }
        Ok(fields)
    }
}

struct Elements<F>(F);

impl<'de, F: FnMut(&'de RawValue) -> bool> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element()? {
            if !(self.0)(element) {
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
