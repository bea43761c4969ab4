//! What chat templates expect of Jinja beyond minijinja: Python's methods, `tojson` as Hugging
//! Face's `apply_chat_template` has it, and its functions.

use std::io;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// Adds all of it to an environment.
pub(crate) fn add(environment: &mut Environment<'static>) {
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", tojson);
    // In Python, texts are iterable and `None` is not.
    environment.add_test("iterable", |value: &Value| {
        !matches!(value.kind(), ValueKind::None | ValueKind::Bool | ValueKind::Number)
    });
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message))
    });
    environment.add_function("strftime_now", |format: String| strftime(&format));
}

/// `json.dumps` with the keys in their order, and only what JSON demands escaped.
fn tojson(value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let ascii: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    if ascii == Some(true) {
        return Err(Error::new(ErrorKind::InvalidOperation, "tojson(ensure_ascii=true)"));
    }
    let mut bytes = Vec::new();
    let written = match indent {
        None => value.serialize(&mut Serializer::with_formatter(&mut bytes, Spaced)),
        Some(indent) => {
            let indent = " ".repeat(indent.min(16));
            let formatter = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter))
        }
    };
    let failed = |what: String| Error::new(ErrorKind::BadSerialization, what);
    written.map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
    Ok(Value::from(text))
}

/// JSON with a space after each comma and colon, and with Python's form of exponents.
struct Spaced;

impl Formatter for Spaced {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let text = format!("{value:?}");
        let Some((digits, exponent)) = text.split_once('e') else {
            return writer.write_all(text.as_bytes());
        };
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |it| ('-', it));
        write!(writer, "{digits}e{sign}{exponent:0>2}")
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// The date that templates are told: when the virtual clock of components starts, so that the
/// same conversation gives the same prompt on any day. 1 January 2026, a Thursday, midnight.
fn strftime(format: &str) -> String {
    let (mut text, mut characters) = (String::new(), format.chars());
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('Y') => text.push_str("2026"),
            Some('y') => text.push_str("26"),
            Some('m' | 'd') => text.push_str("01"),
            Some('B') => text.push_str("January"),
            Some('b') => text.push_str("Jan"),
            Some('A') => text.push_str("Thursday"),
            Some('a') => text.push_str("Thu"),
            Some('H' | 'M' | 'S') => text.push_str("00"),
            Some('I') => text.push_str("12"),
            Some('p') => text.push_str("AM"),
            Some('j') => text.push_str("001"),
            Some('F') => text.push_str("2026-01-01"),
            Some('T') => text.push_str("00:00:00"),
            Some('%') | None => text.push('%'),
            Some(other) => text.extend(['%', other]),
        }
    }
    text
}

/// A template whose `{% generation %}` blocks, which tell what a model wrote from what it read
/// when it is trained, are plain blocks.
pub(crate) fn without_generation(source: &str) -> String {
    let mut rest = source;
    let mut plain = String::with_capacity(source.len());
    while let Some((before, after)) = rest.split_once("{%") {
        plain.push_str(before);
        plain.push_str("{%");
        rest = after;
        let Some((tag, after)) = after.split_once("%}") else { break };
        let name = tag.trim_matches(['-', '+', ' ', '\t', '\n', '\r']);
        let replaced = match name {
            "generation" => tag.replace(name, "if true"),
            "endgeneration" => tag.replace(name, "endif"),
            _ => continue,
        };
        plain.push_str(&replaced);
        plain.push_str("%}");
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// An error with its causes, on one line.
pub(crate) fn explained(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.replace('\n', " ")
}
