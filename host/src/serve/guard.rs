//! What every request has to pass: where it comes from, whose it is, how often and how much.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_LENGTH, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Server;
use super::measure;
use super::refusal::Refusal;
use super::token::Role;

/// How long a request's body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

/// What the browser may do with anything that is served.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Refuses what another site had a browser send, and bodies that are too long or too slow.
pub(super) async fn everyone(
    State(server): State<Arc<Server>>,
    request: Request,
    next: Next,
) -> Response {
    let openai = request.uri().path().starts_with("/v1/");
    let passed = async {
        let loaded = server.loaded();
        let table = &loaded.host.config.tables.serve;
        at_home(request.headers(), &table.hosts, table.listen)?;
        whole(request, table.body()).await
    };
    let mut response = match passed.await {
        Ok(request) => in_words(next.run(request).await, openai),
        Err(refusal) => told(&refusal, openai),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Refuses whoever has no token, or one without the role.
pub(super) async fn token(
    State((server, role)): State<(Arc<Server>, Role)>,
    mut request: Request,
    next: Next,
) -> Response {
    let openai = request.uri().path().starts_with("/v1/");
    match allowed(&server, role, &mut request) {
        Ok(caller) => measure::traced(&caller, request, next).await,
        Err(refusal) => told(&refusal, openai),
    }
}

/// A refusal, in the form that its asker reads.
fn told(refusal: &Refusal, openai: bool) -> Response {
    if openai { refusal.for_openai() } else { refusal.clone().into_response() }
}

/// Says what axum says without words: there is the path, but not for this method.
fn in_words(response: Response, openai: bool) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let refusal = Refusal::new(response.status(), "this is not asked with this method");
    let mut told = told(&refusal, openai);
    told.headers_mut().extend(response.headers().get(ALLOW).map(|it| (ALLOW, it.clone())));
    told
}

/// Who asks, if whoever asks may.
fn allowed(server: &Server, role: Role, request: &mut Request) -> Result<String, Refusal> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| header.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let unknown = |error: &str| {
        Refusal::new(StatusCode::UNAUTHORIZED, error)
            .hint("june serve token create NAME makes a token")
    };
    let (_, token) = token.ok_or_else(|| unknown("this needs a token"))?;
    let caller = server.tokens.caller(token.trim())?;
    let caller = caller.ok_or_else(|| unknown("the token is not known"))?;
    if !caller.may(role) {
        let error = format!("the token `{}` may not do this", caller.name);
        let hint = format!("it needs the role {}", role.name());
        return Err(Refusal::new(StatusCode::FORBIDDEN, error).hint(hint));
    }
    if !caller.in_time() {
        let error = format!("the token `{}` asks too often", caller.name);
        let hint = "`rate` of [serve] says how often it may";
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, error).hint(hint));
    }
    let name = caller.name.clone();
    request.extensions_mut().insert(caller);
    Ok(name)
}

/// Refuses a request that a browser sends for another site: by a name that leads here (DNS
/// rebinding), or from a page that is not ours.
fn at_home(headers: &HeaderMap, hosts: &[String], listen: SocketAddr) -> Result<(), Refusal> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
    let host = text(HOST).ok_or_else(|| Refusal::bad("the request names no host"))?;
    let authority: Option<Authority> = host.parse().ok();
    let name = authority.as_ref().map(Authority::host).unwrap_or_default();
    let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    let own = match address {
        Some(address) => address.is_loopback() || !listen.ip().is_loopback(),
        None => name.eq_ignore_ascii_case("localhost"),
    };
    if !own && !hosts.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        let error = format!("`{}` is not a name of this server", crate::words::one_line(name, 100));
        let hint = "`hosts` of [serve] in june.toml lists its names";
        return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, error).hint(hint));
    }
    let from_here = text(ORIGIN).is_none_or(|origin| {
        origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host))
    });
    let elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
        && headers.get("sec-fetch-mode").is_none_or(|mode| mode != "navigate");
    if !from_here || elsewhere {
        let error = "pages of other sites may not ask this server";
        return Err(Refusal::new(StatusCode::FORBIDDEN, error));
    }
    Ok(())
}

/// The request with all of its body, which no route needs to fear any more.
async fn whole(request: Request, most: usize) -> Result<Request, Refusal> {
    let too_long = || {
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {most} bytes"))
    };
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(too_long());
    }
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(ARRIVAL, to_bytes(body, most)).await;
    let body = body.map_err(|_late| {
        Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
    })?;
    let body = body.map_err(|error| {
        let long = std::error::Error::source(&error)
            .is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>());
        if long { too_long() } else { Refusal::bad("the body broke off") }
    })?;
    Ok(Request::from_parts(parts, Body::from(body)))
}
