//! What the sandbox's tests share: one engine, and the echo runner in it.
#![allow(dead_code, reason = "each test uses a part")]

pub(crate) mod agents;

use std::path::PathBuf;
use std::sync::LazyLock;

use june_sandbox::{Cache, Engine, Error, Limits, Outcome, Program, Runner};

pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().expect("an engine"));

/// A component that `make components` built.
pub(crate) fn component(name: &str) -> PathBuf {
    let folder = std::env::var_os("JUNE_COMPONENTS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../components/dist")),
        PathBuf::from,
    );
    let path = folder.join(format!("{name}.wasm"));
    assert!(path.is_file(), "{} is missing: run `make components` first", path.display());
    path
}

/// Runs a program of the echo runner.
pub(crate) async fn echo(source: &str, limits: &Limits) -> Outcome {
    try_echo(source, limits).await.expect("an outcome")
}

/// Runs a program of the echo runner, which may not even start.
pub(crate) async fn try_echo(source: &str, limits: &Limits) -> Result<Outcome, Error> {
    echo_runner().run(&program(source), limits, 0).await
}

/// The echo runner.
pub(crate) fn echo_runner() -> &'static Runner {
    static RUNNER: LazyLock<Runner> = LazyLock::new(|| {
        Runner::load(&ENGINE, &component("echo"), &Cache::none()).expect("the echo runner")
    });
    &RUNNER
}

/// A program of the echo runner.
pub(crate) fn program(source: &str) -> Program {
    Program { source: source.into(), stdin: b"from stdin\n".to_vec(), ..Program::default() }
}
