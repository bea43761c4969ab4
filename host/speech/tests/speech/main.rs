//! Voice messages and speech engines against real files, programs and servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod audio;
mod hostile;
#[cfg(feature = "openai")]
mod openai;
mod process;
#[cfg(feature = "whisper")]
mod whisper;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use june_speech::{Audio, Limits, decode};

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

/// Somebody who speaks for eleven seconds.
fn speech(test: &str) -> Option<Audio> {
    let file = std::fs::read(fixture(test, "models/jfk.wav")?).unwrap();
    Some(decode(&file, &Limits::default()).unwrap())
}

/// Whether a program is installed. Where it is not, says so for this test.
fn has(test: &str, program: &str) -> bool {
    let mut command = Command::new(program);
    let command = command.arg("--help").stdin(Stdio::null()).stdout(Stdio::null());
    let found = command.stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("SKIPPED {test}: {program} is not installed");
    }
    found
}

/// How alike two sounds are where they overlap, between -1 and 1: the highest correlation with one
/// of them moved by up to 10 ms.
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let by = |shift: usize, a: &[f32], b: &[f32]| {
        let pairs =
            a.iter().skip(shift).zip(b).take(64_000).map(|(a, b)| (f64::from(*a), f64::from(*b)));
        let (ab, aa, bb) = pairs
            .fold((0.0, 0.0, 0.0), |(ab, aa, bb), (a, b)| (ab + a * b, aa + a * a, bb + b * b));
        ab / (aa * bb).sqrt()
    };
    (0..160).step_by(2).flat_map(|shift| [by(shift, a, b), by(shift, b, a)]).fold(-1.0, f64::max)
}
