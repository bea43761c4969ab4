//! From a request to a method with its parameters, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use super::{Call, Shared, TelegramDouble, methods};
use crate::fault::Fault;
use crate::server::{Answer, broken, json as answer, response};

/// What a method came to: a result, or an error's code and description.
pub(super) type Outcome = Result<Value, (u16, String)>;

pub(super) async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let bot = format!("/bot{}/", TelegramDouble::TOKEN);
    let file = format!("/file/bot{}/", TelegramDouble::TOKEN);
    if let Some(file) = path.strip_prefix(&file) {
        return download(&shared, file);
    }
    let Some(method) = path.strip_prefix(&bot) else {
        let known = path.starts_with("/bot") || path.starts_with("/file/bot");
        return error(
            if known { 401 } else { 404 },
            if known { "Unauthorized" } else { "Not Found" },
        );
    };
    // The case of a method's name does not matter.
    let mut method = method.to_owned();
    if let Some(first) = method.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let method = method.as_str();
    let Some((parameters, files)) = parameters(request).await else {
        return error(400, "Bad Request: the request cannot be parsed");
    };
    shared
        .state
        .lock()
        .unwrap()
        .calls
        .push(Call { method: method.to_owned(), parameters: parameters.clone() });
    let fault = shared.faults.take(method);
    match &fault {
        Some(Fault::DropBefore) => return broken(),
        Some(Fault::TooMany(seconds)) => {
            return answer(
                429,
                &json!({
                    "ok": false, "error_code": 429,
                    "description": format!("Too Many Requests: retry after {seconds}"),
                    "parameters": {"retry_after": seconds},
                }),
            );
        }
        Some(Fault::Error(code, description)) => return error(*code, description),
        Some(Fault::DropAfter) | None => {}
    }
    let outcome = methods::call(&shared, method, &parameters, files).await;
    if fault == Some(Fault::DropAfter) {
        return broken();
    }
    match outcome {
        Ok(result) => answer(200, &json!({"ok": true, "result": result})),
        Err((code, description)) => error(code, &description),
    }
}

fn error(code: u16, description: &str) -> Answer {
    answer(code, &json!({"ok": false, "error_code": code, "description": description}))
}

fn download(shared: &Shared, file: &str) -> Answer {
    match shared.faults.take("file") {
        Some(Fault::DropBefore | Fault::DropAfter) => return broken(),
        Some(Fault::TooMany(_)) => return error(429, "Too Many Requests"),
        Some(Fault::Error(code, description)) => return error(code, &description),
        None => {}
    }
    // Some clients write the path as one segment.
    let file = file.replace("%2F", "/");
    let name = file.strip_prefix("files/").unwrap_or_default();
    match shared.state.lock().unwrap().files.get(name) {
        Some(bytes) => response(200, "application/octet-stream", bytes.clone()),
        None => error(404, "Not Found"),
    }
}

/// The parameters of JSON or of a form, and the files of the form.
async fn parameters(request: Request<Incoming>) -> Option<(Value, BTreeMap<String, Bytes>)> {
    let kind = request.headers().get("content-type").map(|kind| kind.to_str().map(str::to_owned));
    let kind = match kind {
        Some(kind) => kind.ok()?,
        None => String::new(),
    };
    let mut files = BTreeMap::new();
    if kind.starts_with("multipart/form-data") {
        let boundary = multer::parse_boundary(&kind).ok()?;
        let mut form = multer::Multipart::new(request.into_body().into_data_stream(), boundary);
        let mut parameters = Map::new();
        while let Some(field) = form.next_field().await.ok()? {
            let name = field.name()?.to_owned();
            if field.file_name().is_some() {
                files.insert(name, field.bytes().await.ok()?);
                continue;
            }
            // Numbers and objects are written as JSON in a form.
            let text = field.text().await.ok()?;
            let value = match name.as_str() {
                "caption" | "text" | "voice" | "parse_mode" => Value::String(text),
                _ => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            };
            parameters.insert(name, value);
        }
        return Some((Value::Object(parameters), files));
    }
    let body = request.into_body().collect().await.ok()?.to_bytes();
    if body.is_empty() {
        return Some((json!({}), files));
    }
    Some((serde_json::from_slice(&body).ok()?, files))
}
