//! Voice messages and speech engines against real files, programs and servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[cfg(feature = "whisper")]
mod whisper;

use std::env;
use std::path::{Path, PathBuf};

/// A file of the folder that `JUNE_SHARED` names, else of `shared` beside the workspace. Where it
/// is absent, says so for this test.
fn fixture(test: &str, file: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = env::var_os("JUNE_SHARED").map_or_else(beside, PathBuf::from).join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED {test}: {} is missing; set JUNE_SHARED to the folder that holds {file}",
        path.display()
    );
    None
}
