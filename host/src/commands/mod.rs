//! The commands, one module for each noun.

pub(crate) mod bots;
pub(crate) mod chat;
pub(crate) mod component;
pub(crate) mod config;
pub(crate) mod dataset;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod history;
pub(crate) mod journal;
pub(crate) mod mcp;
pub(crate) mod model;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod voice;

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::runtime::Runtime;

use crate::exit::{Blame, Failure, Kind};

/// How many things are done at once: so many, or one for each processor.
pub(crate) fn workers(asked: Option<u16>) -> usize {
    let processors = || thread::available_parallelism().map_or(1, |n| n.get().min(64));
    asked.map_or_else(processors, usize::from)
}

/// Returns when the person has pressed Ctrl-C.
pub(crate) async fn pressed(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for this, but not after Ctrl-C; `hint` says what is to be known then, if anything.
fn until_interrupted<T>(
    runtime: &Runtime,
    work: impl Future<Output = Result<T, Failure>>,
    hint: Option<&str>,
) -> Result<T, Failure> {
    let stop = interrupted()?;
    runtime.block_on(async {
        tokio::select! {
            ended = work => ended,
            () = pressed(&stop) => {
                let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
                Err(Failure { kind: Kind::Interrupted, error: anyhow!("interrupted{hint}") })
            }
        }
    })
}

/// A bar on standard error, `style` in the words of indicatif; nothing where that is no terminal.
fn progress_bar(all: u64, style: &str) -> ProgressBar {
    let target = match stderr().is_terminal() {
        true => ProgressDrawTarget::stderr_with_hz(10),
        false => ProgressDrawTarget::hidden(),
    };
    let style = ProgressStyle::with_template(&format!("{{bar:40}} {style}"));
    let bar = ProgressBar::with_draw_target(Some(all), target);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
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
