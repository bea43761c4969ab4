//! The files of the review page, which are part of the binary.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use june_sandbox::Digest;

use super::refusal::Refusal;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("page/", $name)))),*]
    };
}

const FILES: [(&str, &str); 24] = files!(
    "api.js",
    "app.js",
    "compare.js",
    "dom.js",
    "evaluation.js",
    "evaluations.js",
    "files.js",
    "icon.svg",
    "keys.js",
    "live.js",
    "marks.js",
    "messages.js",
    "models.js",
    "plots.js",
    "proof.js",
    "records.js",
    "reviews.js",
    "run.js",
    "runs.js",
    "steps.js",
    "style.css",
    "text.js",
    "theme.js",
    "value.js",
);

const INDEX: &str = include_str!("page/index.html");

/// Changes whenever a file does.
static TAG: LazyLock<String> = LazyLock::new(|| {
    let parts = FILES.iter().map(|(_, text)| *text).chain([INDEX]);
    format!("\"{:.16}\"", Digest::of_parts(parts).to_string())
});

/// A file of the page. The page's own paths all have the page.
pub(super) async fn file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let ours = |prefix: &str| path == prefix || path.starts_with(&format!("{prefix}/"));
    if ours("/api") || ours("/v1") {
        let refusal = Refusal::missing("there is nothing here").hint("/api/openapi.json");
        return if ours("/v1") { refusal.for_openai() } else { refusal.into_response() };
    }
    if method != Method::GET && method != Method::HEAD {
        let error = "this can only be read";
        return Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error).into_response();
    }
    let found = match path.strip_prefix("/assets/") {
        Some(name) => FILES.iter().find(|(known, _)| *known == name),
        None => Some(&("index.html", INDEX)),
    };
    let Some((name, text)) = found else {
        return Refusal::missing("there is no such file").into_response();
    };
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known == TAG.as_str()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, TAG.as_str())]).into_response();
    }
    let kind = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/html; charset=utf-8",
    };
    let head = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache"), (ETAG, TAG.as_str())];
    (head, *text).into_response()
}
