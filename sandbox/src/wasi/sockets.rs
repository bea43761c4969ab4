//! Sockets that are not there.
//!
//! Language runtimes import `wasi:sockets` whether or not a program uses it.
//! No socket is behind these imports: whatever can answer with an error code
//! answers `access-denied`, and nothing else can be reached without a socket.

use wasmtime::component::types::{ComponentInstance, ComponentItem, Type};
use wasmtime::component::{LinkerInstance, Resource, ResourceType, Val};
use wasmtime::{Engine, bail};
use wasmtime_wasi_io::poll::DynPollable;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use crate::state::State;

/// Stands for every resource of `wasi:sockets`. None but the network is made.
struct Socket;

pub(super) fn deny(
    mut linker: LinkerInstance<'_, State>,
    engine: &Engine,
    interface: &ComponentInstance,
) -> wasmtime::Result<()> {
    for (name, item) in interface.exports(engine) {
        match item.ty {
            ComponentItem::Resource(_) => {
                let kind = match name {
                    "pollable" => ResourceType::host::<DynPollable>(),
                    "input-stream" => ResourceType::host::<DynInputStream>(),
                    "output-stream" => ResourceType::host::<DynOutputStream>(),
                    _ => ResourceType::host::<Socket>(),
                };
                linker.resource(name, kind, |_, _| Ok(()))?;
            }
            ComponentItem::ComponentFunc(_) => {
                linker.func_new_async(name, |mut store, ty, arguments, results| {
                    Box::new(async move {
                        // A borrowed handle must be given back, even unread.
                        for argument in arguments {
                            if let Val::Resource(handle) = argument {
                                handle.resource_drop_async(&mut store).await?;
                            }
                        }
                        let Some(result) = results.first_mut() else {
                            bail!("sockets are not linked")
                        };
                        *result = match ty.results().next() {
                            Some(Type::Result(_)) => {
                                Val::Result(Err(Some(Box::new(Val::Enum("access-denied".into())))))
                            }
                            Some(Type::Own(_)) => Val::Resource(
                                Resource::<Socket>::new_own(0).try_into_resource_any(&mut store)?,
                            ),
                            _ => bail!("sockets are not linked"),
                        };
                        Ok(())
                    })
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}
