//! A request and its body, as a component builds them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{LinkerInstance, Resource};

use super::fields::Fields;
use super::types::{ErrorCode, Method, Scheme};
use super::{InputStream, OutputStream};
use crate::calls::{define, define_resource};
use crate::capabilities::Text;
use crate::journal::Digest;
use crate::state::State;

/// The longest target of a request.
const LONGEST: usize = 8 << 10;

/// A request.
pub(super) struct OutgoingRequest {
    pub(super) method: Method,
    path: Option<String>,
    scheme: Option<Scheme>,
    authority: Option<String>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    body: Option<Written>,
}

/// A body that is being written.
#[derive(Clone, Default)]
struct Written {
    bytes: Arc<Mutex<Vec<u8>>>,
    finished: Arc<AtomicBool>,
}

/// The end of a body that writes.
pub(super) struct OutgoingBody(Option<Written>, Written);

/// The body of an answer, if nobody took it yet.
pub(super) struct IncomingBody(pub(super) Option<Vec<u8>>);

/// How long a component would wait. The host decides that by itself.
#[derive(Default)]
pub(super) struct RequestOptions([Option<u64>; 3]);

/// Where a request goes.
pub(super) struct Place {
    pub(super) https: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// With the query.
    pub(super) path: String,
}

impl Place {
    pub(super) fn url(&self) -> String {
        let Self { https, host, port, path } = self;
        match (https, port) {
            (true, 443) => format!("https://{host}{path}"),
            (false, 80) => format!("http://{host}{path}"),
            (true, _) => format!("https://{host}:{port}{path}"),
            (false, _) => format!("http://{host}:{port}{path}"),
        }
    }
}

impl OutgoingRequest {
    pub(super) fn place(&self) -> Result<Place, &'static str> {
        let https = match &self.scheme {
            None | Some(Scheme::Https) => true,
            Some(Scheme::Http) => false,
            Some(Scheme::Other(_)) => return Err("a scheme is https or http"),
        };
        let authority = self.authority.as_deref().ok_or("the request has no host")?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !authority.ends_with(']') => {
                (host, port.parse().map_err(|_error| "the port is no number")?)
            }
            _ => (authority, if https { 443 } else { 80 }),
        };
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let address = host.starts_with('[')
            && host.ends_with(']')
            && host.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '[' | ']' | ':' | '.'));
        if host.is_empty() || host.len() > 255 || !(address || host.chars().all(letter)) {
            return Err("the host is no name and no address");
        }
        let path = self.path.clone().unwrap_or_else(|| "/".into());
        let visible = |c: char| c.is_ascii_graphic() && c != '#';
        if !path.starts_with('/') || path.len() > LONGEST || !path.chars().all(visible) {
            return Err("the path is no path");
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        Ok(Place { https, host, port, path })
    }

    pub(super) fn body(&self) -> Vec<u8> {
        let body = self.body.as_ref().map(|body| &body.bytes);
        body.map_or_else(Vec::new, |b| b.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.body.as_ref().is_none_or(|body| body.finished.load(Ordering::Relaxed))
    }

    /// The request as the journal has it.
    pub(super) fn told(&self) -> serde_json::Result<String> {
        let url = self.place().map_or_else(ToOwned::to_owned, |place| place.url());
        let headers: Vec<(&str, Text)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone().into()))
            .collect();
        let body = self.body();
        let body = match body.len() {
            0..=65_536 => Text::from(body),
            length => Text::Utf8(format!("{length} bytes with SHA-256 {}", Digest::of(&body))),
        };
        serde_json::to_string(&(self.method.name(), url, headers, body))
    }
}

type This = Resource<OutgoingRequest>;

pub(super) fn add(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    define_resource::<OutgoingRequest>(to, interface, "outgoing-request")?;
    let name = "[constructor]outgoing-request";
    define(to, interface, name, |store, (headers,): (Resource<Fields>,)| {
        let table = &mut store.data_mut().table;
        let headers = table.delete(headers)?.entries;
        let method = Method::Get;
        let (path, scheme, authority, body) = (None, None, None, None);
        let request = OutgoingRequest { method, path, scheme, authority, headers, body };
        Ok((table.push(request)?,))
    })?;
    add_target(to, interface)?;
    let name = "[method]outgoing-request.headers";
    define(to, interface, name, |store, (this,): (This,)| {
        let table = &mut store.data_mut().table;
        let headers = Fields::fixed(table.get(&this)?.headers.clone());
        Ok((table.push(headers)?,))
    })?;
    add_bodies(to, interface)?;
    add_options(to, interface)
}

fn add_target(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    let name = "[method]outgoing-request.method";
    define(to, interface, name, |store, (this,): (This,)| {
        Ok((store.data().table.get(&this)?.method.clone(),))
    })?;
    let name = "[method]outgoing-request.set-method";
    define(to, interface, name, |store, (this, method): (This, Method)| {
        let name = method.name();
        let valid = name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_uppercase());
        if valid && !name.is_empty() {
            store.data_mut().table.get_mut(&this)?.method = method;
            return Ok((Ok(()),));
        }
        Ok((Err(()),))
    })?;
    let name = "[method]outgoing-request.path-with-query";
    define(to, interface, name, |store, (this,): (This,)| {
        Ok((store.data().table.get(&this)?.path.clone(),))
    })?;
    let name = "[method]outgoing-request.set-path-with-query";
    define(to, interface, name, |store, (this, path): (This, Option<String>)| {
        store.data_mut().table.get_mut(&this)?.path = path;
        Ok((Ok::<(), ()>(()),))
    })?;
    let name = "[method]outgoing-request.scheme";
    define(to, interface, name, |store, (this,): (This,)| {
        Ok((store.data().table.get(&this)?.scheme.clone(),))
    })?;
    let name = "[method]outgoing-request.set-scheme";
    define(to, interface, name, |store, (this, scheme): (This, Option<Scheme>)| {
        store.data_mut().table.get_mut(&this)?.scheme = scheme;
        Ok((Ok::<(), ()>(()),))
    })?;
    let name = "[method]outgoing-request.authority";
    define(to, interface, name, |store, (this,): (This,)| {
        Ok((store.data().table.get(&this)?.authority.clone(),))
    })?;
    let name = "[method]outgoing-request.set-authority";
    define(to, interface, name, |store, (this, authority): (This, Option<String>)| {
        store.data_mut().table.get_mut(&this)?.authority = authority;
        Ok((Ok::<(), ()>(()),))
    })
}

fn add_bodies(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    define_resource::<OutgoingBody>(to, interface, "outgoing-body")?;
    define_resource::<IncomingBody>(to, interface, "incoming-body")?;
    let name = "[method]outgoing-request.body";
    define(to, interface, name, |store, (this,): (This,)| {
        let table = &mut store.data_mut().table;
        let request = table.get_mut(&this)?;
        if request.body.is_some() {
            return Ok((Err(()),));
        }
        let body = request.body.insert(Written::default()).clone();
        Ok((Ok(table.push(OutgoingBody(Some(body.clone()), body))?),))
    })?;
    let name = "[method]outgoing-body.write";
    define(to, interface, name, |store, (this,): (Resource<OutgoingBody>,)| {
        let state = store.data_mut();
        let limit = state.authority.limits.call_bytes;
        Ok((match state.table.get_mut(&this)?.0.take() {
            Some(Written { bytes, .. }) => {
                Ok(state.table.push(OutputStream::Bytes { bytes, limit })?)
            }
            None => Err(()),
        },))
    })?;
    let name = "[static]outgoing-body.finish";
    type Finish = (Resource<OutgoingBody>, Option<Resource<Fields>>);
    define(to, interface, name, |store, (this, trailers): Finish| {
        let table = &mut store.data_mut().table;
        if let Some(trailers) = trailers {
            table.delete(trailers)?;
        }
        table.delete(this)?.1.finished.store(true, Ordering::Relaxed);
        Ok((Ok::<(), ErrorCode>(()),))
    })?;
    let name = "[method]incoming-body.stream";
    define(to, interface, name, |store, (this,): (Resource<IncomingBody>,)| {
        let table = &mut store.data_mut().table;
        Ok((match table.get_mut(&this)?.0.take() {
            Some(bytes) => {
                let stream = InputStream::Bytes { bytes: Arc::new(bytes), offset: 0 };
                Ok(table.push_child(stream, &this)?)
            }
            None => Err(()),
        },))
    })
}

fn add_options(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    type This = Resource<RequestOptions>;
    define_resource::<RequestOptions>(to, interface, "request-options")?;
    define(to, interface, "[constructor]request-options", |store, ()| {
        Ok((store.data_mut().table.push(RequestOptions::default())?,))
    })?;
    let timeouts = ["connect-timeout", "first-byte-timeout", "between-bytes-timeout"];
    for (index, name) in timeouts.into_iter().enumerate() {
        let get = format!("[method]request-options.{name}");
        define(to, interface, &get, move |store, (this,): (This,)| {
            Ok((store.data().table.get(&this)?.0.get(index).copied().flatten(),))
        })?;
        let set = format!("[method]request-options.set-{name}");
        define(to, interface, &set, move |store, (this, duration): (This, Option<u64>)| {
            let options = store.data_mut().table.get_mut(&this)?;
            if let Some(option) = options.0.get_mut(index) {
                *option = duration;
            }
            Ok((Ok::<(), ()>(()),))
        })?;
    }
    Ok(())
}
