//! The file of a transcript.

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::error::ModelError;
use crate::types::{FinishReason, Usage};

/// The most bytes of a transcript.
const MOST: u64 = 16 << 20;

/// Why a file is no transcript.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// The file cannot be read.
    #[error("{file}: {error}\nhint: give the path of a transcript, a TOML file of answers")]
    Read {
        /// The file.
        file: String,
        /// Why.
        error: std::io::Error,
    },
    /// The text is not TOML, or has keys or values that a transcript does not have.
    #[error(
        "{file}:{line}:{column}: {message}\nhint: an [[answer]] has when, repeat, reasoning, \
         text, calls, finish, usage, delay and error"
    )]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The character of the line, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// There is no answer in it.
    #[error("{file}: there is no answer in it\nhint: write one, under [[answer]]")]
    Empty {
        /// The file.
        file: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transcript {
    pub(super) context: Option<u32>,
    #[serde(default)]
    pub(super) answer: Vec<Answer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) when: When,
    #[serde(default)]
    pub(super) repeat: bool,
    #[serde(default)]
    pub(super) reasoning: Pieces,
    #[serde(default)]
    pub(super) text: Pieces,
    #[serde(default)]
    pub(super) calls: Vec<Call>,
    pub(super) finish: Option<FinishReason>,
    pub(super) usage: Option<Counts>,
    /// Milliseconds.
    pub(super) delay: Option<u64>,
    pub(super) error: Option<Failure>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    pub(super) text: Option<String>,
    pub(super) result: Option<String>,
    pub(super) conversation: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) name: String,
    #[serde(default)]
    pub(super) arguments: Arguments,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Counts {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Failure {
    Invalid(String),
    ContextOverflow(String),
    Unavailable(String),
}

/// A text, or several.
#[derive(Debug, Default)]
pub(super) struct Pieces(pub(super) Vec<String>);

/// JSON text.
#[derive(Debug)]
pub(super) struct Arguments(pub(super) String);

impl Transcript {
    pub(super) fn parse(file: &str, text: &str) -> Result<Transcript, TranscriptError> {
        let transcript: Transcript = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            TranscriptError::Syntax {
                file: file.to_owned(),
                line: 1 + before.matches('\n').count(),
                column: 1 + line.chars().count(),
                message: error.message().to_owned(),
            }
        })?;
        if transcript.answer.is_empty() {
            return Err(TranscriptError::Empty { file: file.to_owned() });
        }
        Ok(transcript)
    }
}

/// A transcript's name and text.
pub(super) fn read(path: &Path) -> Result<(String, String), TranscriptError> {
    let file = path.display().to_string();
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(MOST + 1).read_to_string(&mut text))
        .and_then(|length| match length as u64 > MOST {
            true => Err(std::io::Error::other("it has more than 16 MiB")),
            false => Ok(()),
        });
    match read {
        Ok(()) => Ok((file, text)),
        Err(error) => Err(TranscriptError::Read { file, error }),
    }
}

impl From<Failure> for ModelError {
    fn from(failure: Failure) -> ModelError {
        match failure {
            Failure::Invalid(text) => ModelError::Invalid(text),
            Failure::ContextOverflow(text) => ModelError::ContextOverflow(text),
            Failure::Unavailable(text) => ModelError::Unavailable(text),
        }
    }
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Usage {
        let Counts { input_tokens, output_tokens } = counts;
        Usage { input_tokens, output_tokens, approximate: false }
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Arguments("{}".to_owned())
    }
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Arguments(text)),
            object @ serde_json::Value::Object(_) => Ok(Arguments(object.to_string())),
            _ => Err(de::Error::custom("arguments are a table, or JSON as text")),
        }
    }
}

impl<'de> Deserialize<'de> for Pieces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Pieces;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text or an array of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Pieces, E> {
                Ok(Pieces(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Pieces, A::Error> {
                let mut pieces = Vec::new();
                while let Some(text) = texts.next_element()? {
                    pieces.push(text);
                }
                Ok(Pieces(pieces))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
