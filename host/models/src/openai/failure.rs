//! What went wrong with a server, and whether asking again can help.

use std::time::Duration;

use crate::error::ModelError;
use crate::openai::chunk::ServerError;
use crate::words::quoted;

/// Why an attempt ended without an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    /// Asking again gives the same.
    Final(ModelError),
    /// Asking again may help.
    Passing {
        /// Why.
        error: ModelError,
        /// How long the server wants to be left alone.
        after: Option<Duration>,
    },
    /// The server does not know `stream_options`.
    UsageOption(ModelError),
}

impl Failure {
    /// The connection failed, or ended too early.
    pub(crate) fn passing(message: String) -> Failure {
        Failure::Passing { error: ModelError::Unavailable(message), after: None }
    }

    /// The server or its answer is at fault, for good.
    pub(crate) fn unavailable(message: String) -> Failure {
        Failure::Final(ModelError::Unavailable(message))
    }

    /// The server, called `server`, reports an error: by an HTTP status, within its answer, or
    /// both.
    pub(crate) fn reported(
        server: &str,
        status: Option<u16>,
        error: &ServerError,
        after: Option<Duration>,
    ) -> Failure {
        let ServerError { message, kind, .. } = error;
        let said = if message.trim().is_empty() {
            "nothing more".to_owned()
        } else {
            quoted(message, 400)
        };
        let number = status.map_or_else(String::new, |status| format!(" {status}"));
        let what = format!("{server} answered with error{number}: {said}");
        let lower = message.to_lowercase();
        if is_overflow(&lower, kind) {
            let hint = "shorten the conversation, ask for fewer tokens, or set the model's \
                        `context` so that this is seen before";
            return Failure::Final(ModelError::ContextOverflow(format!("{what}\nhint: {hint}")));
        }
        let hint = match status {
            Some(400 | 422) if lower.contains("stream_options") => {
                return Failure::UsageOption(ModelError::Invalid(what));
            }
            Some(400 | 413 | 422) => {
                let hint = "the server's words name what it cannot serve; change the request";
                return Failure::Final(ModelError::Invalid(format!("{what}\nhint: {hint}")));
            }
            Some(401 | 403) => "check the key of this model, and that it may use the model",
            Some(404) => "check the address (most end in /v1) and the server's name for the model",
            Some(429) if kind.contains("insufficient_quota") => {
                "the account has no credit left: that is for its owner to mend"
            }
            Some(408 | 429 | 500 | 502 | 503 | 504 | 529) | None => {
                let hint = "the server is busy or broken: look at its log, or ask again later";
                let error = ModelError::Unavailable(format!("{what}\nhint: {hint}"));
                return Failure::Passing { error, after };
            }
            Some(_) => "look at the server's log",
        };
        Failure::unavailable(format!("{what}\nhint: {hint}"))
    }
}

/// Whether the error says that the conversation is too long: by its code (OpenAI, llama.cpp), or in
/// the words of OpenAI and vLLM, llama.cpp, SGLang, TensorRT-LLM, and others.
pub(crate) fn is_overflow(message: &str, kind: &str) -> bool {
    let kinds = ["context_length_exceeded", "exceed_context_size"];
    let words = [
        "maximum context length",
        "exceeds the available context size",
        "model's context length",
        "maximum model length",
        "exceed max_seq_len",
        "exceed max_num_tokens",
        "exceeds max_seq_len",
        "context window",
        "context length exceeded",
        "prompt is too long",
        "input is too long",
    ];
    kinds.iter().any(|known| kind.contains(known))
        || words.iter().any(|known| message.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(status: u16, message: &str) -> Failure {
        let error = ServerError { message: message.into(), ..ServerError::default() };
        Failure::reported("m at h", Some(status), &error, None)
    }

    #[test]
    fn a_conversation_that_is_too_long_is_recognised() {
        for (status, message) in [
            (400, "This model's maximum context length is 4096 tokens. However, you …"),
            (400, "request (2000 tokens) exceeds the available context size (1024 tokens)"),
            (400, "The input (5 tokens) is longer than the model's context length (4 tokens)."),
            (500, "the sum of prompt length and max_tokens should not exceed max_seq_len"),
        ] {
            let failure = reported(status, message);
            assert!(
                matches!(failure, Failure::Final(ModelError::ContextOverflow(_))),
                "{failure:?}"
            );
        }
        let kind = "invalid_request_error context_length_exceeded".into();
        let error = ServerError { kind, ..ServerError::default() };
        let failure = Failure::reported("m", None, &error, None);
        assert!(matches!(failure, Failure::Final(ModelError::ContextOverflow(_))));
    }

    #[test]
    fn only_what_passes_is_asked_again() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(reported(status, "busy"), Failure::Passing { .. }), "{status}");
        }
        for status in [401, 403, 404, 405, 501] {
            let failure = reported(status, "no");
            assert!(matches!(failure, Failure::Final(ModelError::Unavailable(_))), "{status}");
        }
        for status in [400, 413, 422] {
            let failure = reported(status, "no");
            assert!(matches!(failure, Failure::Final(ModelError::Invalid(_))), "{status}");
        }
        let kind = "insufficient_quota".into();
        let error = ServerError { kind, ..ServerError::default() };
        assert!(matches!(Failure::reported("m", Some(429), &error, None), Failure::Final(_)));
    }

    #[test]
    fn errors_tell_what_and_what_to_do() {
        let Failure::Final(error) = reported(404, "no model \u{1b}[31mx") else { panic!() };
        let expected = "m at h answered with error 404: \"no model [31mx\"\nhint: check the \
                        address (most end in /v1) and the server's name for the model";
        assert_eq!(error.to_string(), expected);
        let failure = reported(400, "unknown field stream_options");
        assert!(matches!(failure, Failure::UsageOption(_)));
    }
}
