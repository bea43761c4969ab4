//! Refusals, in the form that OpenAI's clients read.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoResponses, ToSchema};

use crate::serve::refusal::Refusal;

/// A refusal under `/v1`.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Refusal);

impl<R: Into<Refusal>> From<R> for Refused {
    fn from(refusal: R) -> Self {
        Self(refusal.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.0.for_openai();
        if response.status().is_server_error() {
            // What an agent did before it failed may not be good to do twice.
            response.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
        }
        response
    }
}

/// The body of a request, as JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let read = Json::from_request(request, state).await;
        let Json(body) = read.map_err(|rejection: JsonRejection| {
            let error = rejection.body_text();
            Refused(match rejection.status() {
                // Clients know the one status for whatever is wrong with a request.
                StatusCode::UNPROCESSABLE_ENTITY => Refusal::bad(error),
                status => Refusal::new(status, error),
            })
        })?;
        Ok(Self(body))
    }
}

/// Why a request was not done.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::ErrorBody)]
pub(super) struct ErrorBody {
    error: Error,
}

/// Why a request was not done.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Error)]
pub(super) struct Error {
    /// What is wrong, and after `hint:` what to do about it.
    message: String,
    /// The kind of the error.
    #[schema(example = "invalid_request_error")]
    r#type: String,
    /// The member of the request that is wrong, where it is one.
    param: Option<String>,
    /// A name for the error, where it has one.
    code: Option<String>,
}

/// What any path under `/v1` may refuse.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes the responses")]
pub(super) enum Refusals {
    /// The request is wrong; nothing was done.
    #[response(status = 400)]
    Bad(ErrorBody),
    /// There is no token, or none that is known.
    #[response(status = 401)]
    Unknown(ErrorBody),
    /// The token may not do this.
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// There is nothing of this name, or this server has no ears or no voice.
    #[response(status = 404)]
    Missing(ErrorBody),
    /// The body did not arrive in time.
    #[response(status = 408)]
    Slow(ErrorBody),
    /// The body is too long.
    #[response(status = 413)]
    Long(ErrorBody),
    /// The body is of another type.
    #[response(status = 415)]
    Type(ErrorBody),
    /// The server was asked by a name that is not its own.
    #[response(status = 421)]
    Misdirected(ErrorBody),
    /// The token asks too often.
    #[response(status = 429)]
    Often(ErrorBody),
    /// The agent gave no answer, or June failed.
    #[response(status = 500)]
    Failed(ErrorBody),
    /// A model or an engine that was asked gave no answer.
    #[response(status = 502)]
    Upstream(ErrorBody),
}
