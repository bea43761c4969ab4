//! The commands, one module for each noun.

pub(crate) mod chat;
pub(crate) mod component;
pub(crate) mod config;
pub(crate) mod dataset;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod journal;
pub(crate) mod mcp;
pub(crate) mod model;
pub(crate) mod run;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;

use crate::exit::{Blame, Failure};

/// How many things are done at once: so many, or one for each processor.
fn workers(asked: Option<u16>) -> usize {
    let processors = || thread::available_parallelism().map_or(1, |n| n.get().min(64));
    asked.map_or_else(processors, usize::from)
}

/// Returns when the person has pressed Ctrl-C.
async fn pressed(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The name under which an evaluation's runs are found in the journal: its folder's.
fn session_of(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_error| folder.into());
    absolute.file_name().unwrap_or(absolute.as_os_str()).to_string_lossy().into_owned()
}

/// Becomes true when the person presses Ctrl-C.
fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let signal = stop.clone();
    ctrlc::set_handler(move || signal.store(true, Ordering::Relaxed))
        .context("cannot handle Ctrl-C")
        .environment()?;
    Ok(stop)
}
