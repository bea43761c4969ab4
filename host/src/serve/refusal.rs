//! Why a request is refused, in the form that its asker understands.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::http::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Why a request was not done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Refusal {
    #[serde(skip)]
    pub(crate) status: StatusCode,
    /// What is wrong, for people.
    pub(crate) error: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// For OpenAI's clients: the member of the request that is wrong, and their name for the error.
    #[serde(skip)]
    named: (Option<&'static str>, Option<&'static str>),
}

impl Refusal {
    /// A refusal with this status.
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: None, named: (None, None) }
    }

    /// The request is wrong.
    pub(crate) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// There is no such thing.
    pub(crate) fn missing(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// What to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The member of the request that is wrong, where it is one.
    pub(crate) fn about(self, member: &'static str) -> Self {
        Self { named: (Some(member), self.named.1), ..self }
    }

    /// The name that OpenAI's clients know the error by.
    pub(crate) fn code(self, code: &'static str) -> Self {
        Self { named: (self.named.0, Some(code)), ..self }
    }

    /// The same, with another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// As OpenAI's clients read errors.
    pub(crate) fn for_openai(&self) -> Response {
        self.with(Json(self.openai()).into_response())
    }

    /// What OpenAI's clients read.
    pub(crate) fn openai(&self) -> Value {
        let kind = match self.status.as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let message = match &self.hint {
            Some(hint) => format!("{}\nhint: {hint}", self.error),
            None => self.error.clone(),
        };
        let (param, code) = self.named;
        json!({ "error": { "message": message, "type": kind, "param": param, "code": code } })
    }

    fn with(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        let header: Option<(HeaderName, _)> = match self.status {
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, "Bearer")),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Some((RETRY_AFTER, "1"))
            }
            _ => None,
        };
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// An error whose cause is here, with the hint that it ends with.
impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        let said = crate::exit::said(&error);
        let (error, hint) = match said.split_once("\nhint: ") {
            Some((error, hint)) => (error.to_owned(), Some(hint.to_owned())),
            None => (said, None),
        };
        let refusal = Self::new(StatusCode::INTERNAL_SERVER_ERROR, error);
        Self { hint, ..refusal }
    }
}

/// What axum says of a request that it cannot read.
macro_rules! unreadable {
    ($($rejection:ident),*) => {
        $(impl From<$rejection> for Refusal {
            fn from(rejection: $rejection) -> Self {
                Self::new(rejection.status(), rejection.body_text())
            }
        })*
    };
}

unreadable!(JsonRejection, PathRejection, QueryRejection);

/// As June's own page reads errors.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.with(Json(&self).into_response())
    }
}
