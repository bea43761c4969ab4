//! Whether a request may be sent.

use std::future::ready;

use super::request::OutgoingRequest;
use crate::capabilities::{HttpError, HttpRequest, HttpResponse};
use crate::capability::{Decision, Worked};
use crate::grants::Asked;
use crate::state::State;

type Answer = Option<Result<HttpResponse, HttpError>>;

/// Headers that belong to the connection, and so to the host.
const CONNECTION: [&str; 10] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn decide(
    state: &State,
    request: Option<OutgoingRequest>,
    used_up: Option<String>,
) -> Decision<Answer> {
    let refused = |reason: String, answer| Decision::Refused { reason, answer: Some(Err(answer)) };
    let Some(request) = request else {
        return Decision::Refused { reason: "looked at already".into(), answer: None };
    };
    let authority = &state.authority;
    if let Some(reason) = used_up {
        return refused(reason.clone(), HttpError::Denied(reason));
    }
    let place = match request.place() {
        Ok(place) => place,
        Err(reason) => return refused(reason.into(), HttpError::Other(reason.into())),
    };
    let method = request.method.name().to_owned();
    let asked = Asked {
        method: &method,
        https: place.https,
        host: &place.host,
        port: place.port,
        path: place.path.split('?').next().unwrap_or_default(),
    };
    let url = place.url();
    let Some(grant) = authority.grants.http.iter().find(|grant| grant.covers(&asked)) else {
        let reason = format!("no grant covers {method} {url}");
        return refused(reason.clone(), HttpError::Denied(reason));
    };
    let Some(http) = authority.capabilities.http.clone() else {
        let reason = "this host has no network for components".to_owned();
        return refused(reason.clone(), HttpError::Other(reason));
    };
    // A secret goes over an open line only where the grant names the machine.
    let confidential = place.https || grant.allows_private();
    let secrets = authority.grants.secrets.iter();
    let secrets: Vec<_> = secrets
        .filter(|secret| confidential && secret.host.eq_ignore_ascii_case(&place.host))
        .cloned()
        .collect();
    let ours = |name: &str| {
        CONNECTION.iter().any(|header| name.eq_ignore_ascii_case(header))
            || secrets.iter().any(|secret| name.eq_ignore_ascii_case(&secret.header))
    };
    let mut headers = request.headers.clone();
    headers.retain(|(name, _)| !ours(name));
    let mut grant_told = grant.to_string();
    for secret in &secrets {
        grant_told.push_str(&format!(", {secret}"));
    }
    let irrevocable = !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS");
    let sent = http.send(HttpRequest {
        method,
        url,
        headers,
        body: request.body(),
        secrets,
        private: grant.allows_private(),
        limit: authority.limits.call_bytes / 2,
    });
    let work = async move { Ok(Worked::free(Some(sent.await))) };
    if !request.is_complete() {
        let reason = "the request's body was not finished".to_owned();
        let answer = Some(Err(HttpError::Other(reason)));
        let work = Box::pin(ready(Ok(Worked::free(answer))));
        return Decision::Granted { grant: grant_told, irrevocable: false, work };
    }
    Decision::Granted { grant: grant_told, irrevocable, work: Box::pin(work) }
}
