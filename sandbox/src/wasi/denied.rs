//! Sockets that are not there.
//!
//! Language runtimes import `wasi:sockets` whether or not a program uses them.
//! There is nothing behind these imports: whatever can answer with an error
//! code is denied, and nothing else can be reached without a handle.

use std::sync::Arc;

use wasmtime::component::types::{ComponentInstance, ComponentItem, Type};
use wasmtime::component::{LinkerInstance, Resource, Val};
use wasmtime::{Engine, StoreContextMut, bail};

use super::io::{InputStream, IoError, OutputStream, Pollable};
use crate::calls::{Made, charge, define_resource};
use crate::state::State;

/// Stands for every resource of these packages. None but the network is made.
struct Nothing;

pub(super) fn add(
    to: &mut LinkerInstance<'_, State>,
    interface: &str,
    engine: &Engine,
    instance: &ComponentInstance,
) -> wasmtime::Result<()> {
    let (code, reason) = ("access-denied", "no network was granted");
    for (name, item) in instance.exports(engine) {
        match item.ty {
            // These are other packages', and known already.
            ComponentItem::Resource(_) => match name {
                "pollable" => super::same::<Pollable>(to, name)?,
                "input-stream" => super::same::<InputStream>(to, name)?,
                "output-stream" => super::same::<OutputStream>(to, name)?,
                "error" => super::same::<IoError>(to, name)?,
                _ => define_resource::<Nothing>(to, interface, name)?,
            },
            ComponentItem::ComponentFunc(_) => {
                let function: Arc<str> = format!("{interface}.{name}").into();
                to.func_new_async(name, move |mut store, ty, arguments, results| {
                    let function = function.clone();
                    Box::new(async move {
                        charge(&mut store)?;
                        let told: Vec<_> = arguments.iter().map(tell).collect();
                        // A borrowed handle must be given back, even unread.
                        for argument in arguments {
                            if let Val::Resource(handle) = argument {
                                handle.resource_drop_async(&mut store).await?;
                            }
                        }
                        let answer = answer(&mut store, ty.results().next(), code)?;
                        let denied = matches!(answer, Val::Result(_)).then_some(reason);
                        store.data_mut().calls.made(Made {
                            function: &function,
                            arguments: told.join(", "),
                            answer: tell(&answer),
                            denied,
                        })?;
                        match results.first_mut() {
                            Some(result) => *result = answer,
                            None => bail!("nothing was granted"),
                        }
                        Ok(())
                    })
                })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a function of this result answers.
fn answer(
    store: &mut StoreContextMut<'_, State>,
    ty: Option<Type>,
    code: &str,
) -> wasmtime::Result<Val> {
    Ok(match ty {
        Some(Type::Result(_)) => Val::Result(Err(Some(Box::new(Val::Enum(code.into()))))),
        Some(Type::Option(_)) => Val::Option(None),
        Some(Type::List(_)) => Val::List(Vec::new()),
        Some(Type::Own(_)) => {
            let handle: Resource<Nothing> = store.data_mut().table.push(Nothing)?;
            Val::Resource(handle.try_into_resource_any(store)?)
        }
        _ => bail!("nothing was granted"),
    })
}

/// A value in words.
fn tell(value: &Val) -> String {
    let list = |list: &[Val]| list.iter().map(tell).collect::<Vec<_>>().join(", ");
    match value {
        Val::Resource(_) => "a handle".into(),
        Val::String(text) => format!("{text:?}"),
        Val::Enum(name) => name.clone(),
        Val::Bool(value) => value.to_string(),
        Val::List(items) => format!("[{}]", list(items)),
        Val::Tuple(items) => format!("({})", list(items)),
        Val::Option(None) => "none".into(),
        Val::Option(Some(value)) => format!("some({})", tell(value)),
        Val::Result(Err(Some(error))) => format!("err({})", tell(error)),
        other => format!("{other:?}"),
    }
}
