//! Requests that a grant covers.
//!
//! A component builds a request and reads an answer by many calls, all of them
//! in memory. One of them, the first look at the answer, sends the request: the
//! grants decide it, and the journal has it under the name of
//! `outgoing-handler.handle`. No redirect is followed: a component that wants
//! to follow one sends another request.

use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{LinkerInstance, Resource};
use wasmtime::{Engine, StoreContextMut, bail};

use self::fields::Fields;
use self::request::{IncomingBody, OutgoingRequest};
use self::types::ErrorCode;
use super::io::{InputStream, IoError, OutputStream, Pollable};
use crate::calls::{define, define_resource};
use crate::capabilities::{HttpError, HttpResponse};
use crate::capability::carry_out;
use crate::state::State;

mod decision;
mod fields;
mod request;
mod types;

/// An answer that has not been looked at.
struct FutureResponse(Option<OutgoingRequest>);

/// An answer.
struct IncomingResponse {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

/// What may follow a body: nothing.
struct FutureTrailers;

/// Resources of a server, which a component here is not.
struct Nothing;

pub(super) fn add_handler(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
) -> wasmtime::Result<()> {
    type Parameters = (Resource<OutgoingRequest>, Option<Resource<request::RequestOptions>>);
    define(to, interface, "handle", |store, (request, options): Parameters| {
        let table = &mut store.data_mut().table;
        if let Some(options) = options {
            table.delete(options)?;
        }
        let request = table.delete(request)?;
        let future = table.push(FutureResponse(Some(request)))?;
        Ok((Ok::<_, ErrorCode>(future),))
    })
}

pub(super) fn add_types(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
    engine: &Engine,
    instance: &ComponentInstance,
) -> wasmtime::Result<()> {
    super::same::<InputStream>(to, "input-stream")?;
    super::same::<OutputStream>(to, "output-stream")?;
    super::same::<IoError>(to, "io-error")?;
    super::same::<Pollable>(to, "pollable")?;
    for name in ["incoming-request", "outgoing-response", "response-outparam"] {
        define_resource::<Nothing>(to, interface, name)?;
    }
    fields::add(to, interface)?;
    request::add(to, interface)?;
    add_response(to, interface)?;
    define(to, interface, "http-error-code", |_, (_,): (Resource<IoError>,)| {
        Ok((None::<ErrorCode>,))
    })?;
    // A server's functions can be imported, not called: there is no request.
    let servers = [
        "[method]incoming-request.",
        "[method]outgoing-response.",
        "[constructor]out",
        "[method]response-outparam.",
        "[static]response-outparam.",
    ];
    for (name, item) in instance.exports(engine) {
        let is_servers = servers.iter().any(|prefix| name.starts_with(prefix))
            && name != "[constructor]outgoing-request";
        if let (ComponentItem::ComponentFunc(_), true) = (item.ty, is_servers) {
            to.func_new(name, |_, _, _, _| bail!("this component serves no requests"))?;
        }
    }
    Ok(())
}

fn add_response(to: &mut LinkerInstance<'_, State>, interface: &str) -> wasmtime::Result<()> {
    define_resource::<FutureResponse>(to, interface, "future-incoming-response")?;
    define_resource::<IncomingResponse>(to, interface, "incoming-response")?;
    define_resource::<FutureTrailers>(to, interface, "future-trailers")?;
    let name = "[method]future-incoming-response.subscribe";
    define(to, interface, name, |store, (this,): (Resource<FutureResponse>,)| {
        Ok((store.data_mut().table.push_child(Pollable::Ready, &this)?,))
    })?;
    to.func_wrap_async(
        "[method]future-incoming-response.get",
        |mut store: StoreContextMut<'_, State>, (this,): (Resource<FutureResponse>,)| {
            Box::new(async move { Ok((get(&mut store, &this).await?,)) })
        },
    )?;
    type This = Resource<IncomingResponse>;
    define(to, interface, "[method]incoming-response.status", |store, (this,): (This,)| {
        Ok((store.data().table.get(&this)?.status,))
    })?;
    define(to, interface, "[method]incoming-response.headers", |store, (this,): (This,)| {
        let table = &mut store.data_mut().table;
        let headers = Fields::fixed(table.get(&this)?.headers.clone());
        Ok((table.push(headers)?,))
    })?;
    define(to, interface, "[method]incoming-response.consume", |store, (this,): (This,)| {
        let table = &mut store.data_mut().table;
        Ok((match table.get_mut(&this)?.body.take() {
            Some(body) => Ok(table.push(IncomingBody(Some(body)))?),
            None => Err(()),
        },))
    })?;
    let name = "[static]incoming-body.finish";
    define(to, interface, name, |store, (this,): (Resource<IncomingBody>,)| {
        let table = &mut store.data_mut().table;
        table.delete(this)?;
        Ok((table.push(FutureTrailers)?,))
    })?;
    let name = "[method]future-trailers.subscribe";
    define(to, interface, name, |store, (this,): (Resource<FutureTrailers>,)| {
        Ok((store.data_mut().table.push_child(Pollable::Ready, &this)?,))
    })?;
    let name = "[method]future-trailers.get";
    define(to, interface, name, |_, (_,): (Resource<FutureTrailers>,)| {
        type Trailers = Option<Resource<Fields>>;
        Ok((Some(Ok::<Result<Trailers, ErrorCode>, ()>(Ok(None))),))
    })
}

type Looked = Option<Result<Result<Resource<IncomingResponse>, ErrorCode>, ()>>;

/// Looks at an answer, for which the request is sent now.
async fn get(
    store: &mut StoreContextMut<'_, State>,
    this: &Resource<FutureResponse>,
) -> wasmtime::Result<Looked> {
    let request = store.data_mut().table.get_mut(this)?.0.take();
    let asked = match &request {
        Some(request) => request.told()?,
        None => String::from("[\"looked at already\"]"),
    };
    let function = "wasi:http/outgoing-handler.handle";
    let answer: Option<Result<HttpResponse, HttpError>> =
        carry_out(store, function, asked, 1, |state, caller| {
            decision::decide(state, request, caller.used_up)
        })
        .await?;
    Ok(match answer {
        None => Some(Err(())),
        Some(Err(error)) => Some(Ok(Err(error.into()))),
        Some(Ok(response)) => {
            let HttpResponse { status, headers, body } = response;
            let headers = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
            let response = IncomingResponse { status, headers, body: Some(body.into()) };
            Some(Ok(Ok(store.data_mut().table.push(response)?)))
        }
    })
}
