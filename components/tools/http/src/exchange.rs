//! One request and its response, over wasi:http.

use wasip2::http::outgoing_handler::handle;
pub(crate) use wasip2::http::types::Method;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::{InputStream, StreamError};

use crate::address::Address;

/// Bytes of a response that are read; the rest is left.
const MOST: usize = 64 * 1024;

/// What is written to a stream at once, by the rules of wasi:io.
const PIECE: usize = 4096;

/// A request.
pub(crate) struct Exchange {
    pub(crate) address: Address,
    pub(crate) method: Method,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: String,
}

/// What came back.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Where a redirect leads.
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

pub(crate) fn exchange(wanted: &Exchange) -> Result<Response, String> {
    let invalid = |what: &str| format!("{}: the {what} is invalid", wanted.address);
    let headers =
        Fields::from_list(&wanted.headers).map_err(|error| format!("headers: {error}"))?;
    let request = OutgoingRequest::new(headers);
    let scheme = if wanted.address.tls { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).map_err(|()| invalid("scheme"))?;
    request.set_authority(Some(&wanted.address.authority)).map_err(|()| invalid("host"))?;
    request.set_path_with_query(Some(&wanted.address.path)).map_err(|()| invalid("path"))?;
    request.set_method(&wanted.method).map_err(|()| invalid("method"))?;
    let body = request.body().map_err(|()| invalid("body"))?;
    let failed = |error: ErrorCode| format!("{}: {}", wanted.address, explained(&error));
    let coming = handle(request, None).map_err(failed)?;
    send(body, &wanted.body).map_err(|why| format!("{}: {why}", wanted.address))?;
    coming.subscribe().block();
    match coming.get() {
        Some(Ok(Ok(response))) => receive(&response),
        Some(Ok(Err(error))) => Err(failed(error)),
        Some(Err(())) | None => Err(format!("{}: no response", wanted.address)),
    }
}

fn send(body: OutgoingBody, text: &str) -> Result<(), String> {
    if !text.is_empty() {
        let stream = body.write().map_err(|()| "the request takes no body")?;
        for piece in text.as_bytes().chunks(PIECE) {
            stream.blocking_write_and_flush(piece).map_err(|error| error.to_string())?;
        }
    }
    OutgoingBody::finish(body, None).map_err(|error| explained(&error))
}

fn receive(response: &IncomingResponse) -> Result<Response, String> {
    let status = response.status();
    let headers = response.headers();
    let header = |name| {
        let value = headers.get(name).into_iter().next()?;
        Some(String::from_utf8_lossy(&value).into_owned())
    };
    if let Some(location) = header("location")
        && matches!(status, 301..=303 | 307 | 308)
    {
        return Ok(Response { status, location: Some(location), text: String::new() });
    }
    let kind = header("content-type").unwrap_or_else(|| "text/plain".into());
    let text = if is_text(&kind) {
        let body = response.consume().map_err(|()| "the response has no body")?;
        read(&body)?
    } else {
        format!("(the response is {kind}, not text)")
    };
    Ok(Response { status, location: None, text })
}

fn read(body: &IncomingBody) -> Result<String, String> {
    let stream = body.stream().map_err(|()| "the response has no body")?;
    let (mut bytes, more) = read_at_most(&stream, MOST)?;
    // Not half a character at the end.
    if more
        && let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
    {
        bytes.truncate(error.valid_up_to());
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if more {
        text.push_str("\n(and more: only the first 64 KiB are shown)");
    }
    Ok(text)
}

fn read_at_most(stream: &InputStream, most: usize) -> Result<(Vec<u8>, bool), String> {
    let mut bytes = Vec::new();
    while bytes.len() <= most {
        match stream.blocking_read((most + 1 - bytes.len()) as u64) {
            Ok(piece) => bytes.extend(piece),
            Err(StreamError::Closed) => return Ok((bytes, false)),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(format!("the response broke off: {}", error.to_debug_string()));
            }
        }
    }
    bytes.truncate(most);
    Ok((bytes, true))
}

fn is_text(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or(kind).trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || ["json", "xml", "javascript", "yaml", "x-www-form-urlencoded"]
            .iter()
            .any(|end| kind.ends_with(end))
}

fn explained(error: &ErrorCode) -> String {
    match error {
        ErrorCode::HttpRequestDenied => "the agent's grants do not allow this request".into(),
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => "there is no such host".into(),
        ErrorCode::DestinationIpProhibited => "the host's address is not allowed".into(),
        ErrorCode::ConnectionRefused | ErrorCode::DestinationUnavailable => {
            "the host does not answer".into()
        }
        ErrorCode::InternalError(Some(text)) => text.clone(),
        other => other.to_string(),
    }
}
