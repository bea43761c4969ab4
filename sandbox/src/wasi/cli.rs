//! A command line without arguments, environment and terminal, and streams
//! that lead to memory.

use wasmtime::component::{LinkerInstance, Resource};

use super::io::{InputStream, OutputStream};
use crate::calls::{define, define_resource};
use crate::state::State;

/// The component asked to exit.
#[derive(Debug, thiserror::Error)]
#[error("exit {0}")]
pub(crate) struct Exited(pub(crate) i32);

/// Stands for a terminal. There is none.
struct Terminal;

/// The interfaces that there are.
pub(super) const OFFERED: [&str; 10] = [
    "environment",
    "exit",
    "stdin",
    "stdout",
    "stderr",
    "terminal-input",
    "terminal-output",
    "terminal-stdin",
    "terminal-stdout",
    "terminal-stderr",
];

pub(super) fn add(
    to: &mut LinkerInstance<'_, State>,
    name: &str,
    interface: &str,
) -> wasmtime::Result<()> {
    match interface {
        "environment" => {
            define(to, name, "get-environment", |_, ()| Ok((Vec::<(String, String)>::new(),)))?;
            define(to, name, "get-arguments", |_, ()| Ok((Vec::<String>::new(),)))?;
            define(to, name, "initial-cwd", |_, ()| Ok((None::<String>,)))
        }
        "exit" => {
            define(to, name, "exit", |_, (status,): (Result<(), ()>,)| {
                Err::<(), _>(Exited(status.is_err().into()).into())
            })?;
            define(to, name, "exit-with-code", |_, (code,): (u8,)| {
                Err::<(), _>(Exited(code.into()).into())
            })
        }
        "stdin" => define(to, name, "get-stdin", |store, ()| {
            Ok((store.data_mut().table.push(InputStream::Stdin)?,))
        }),
        "stdout" => define(to, name, "get-stdout", |store, ()| {
            Ok((store.data_mut().table.push(OutputStream::Stdout)?,))
        }),
        "stderr" => define(to, name, "get-stderr", |store, ()| {
            Ok((store.data_mut().table.push(OutputStream::Stderr)?,))
        }),
        "terminal-input" | "terminal-output" => define_resource::<Terminal>(to, name, interface),
        "terminal-stdin" => {
            define(to, name, "get-terminal-stdin", |_, ()| Ok((None::<Resource<Terminal>>,)))
        }
        "terminal-stdout" => {
            define(to, name, "get-terminal-stdout", |_, ()| Ok((None::<Resource<Terminal>>,)))
        }
        "terminal-stderr" => {
            define(to, name, "get-terminal-stderr", |_, ()| Ok((None::<Resource<Terminal>>,)))
        }
        _ => Ok(()),
    }
}
