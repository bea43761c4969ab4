//! Each limit has a test that hits it.
#![allow(clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::time::Duration;

use common::echo;
use june_sandbox::{Error, Exit, Limits};

#[tokio::test]
async fn fuel() {
    let limits = Limits { fuel: 50_000_000, ..Limits::default() };
    let outcome = echo("print before\nloop", &limits).await;
    assert_eq!(outcome.exit, Exit::OutOfFuel);
    assert_eq!(outcome.fuel, limits.fuel);
    assert_eq!(outcome.stdout.bytes, b"before\n", "what was written is kept");
}

#[tokio::test]
async fn fuel_is_charged_for_host_calls() {
    let one = echo("print x", &Limits::default()).await.fuel;
    let two = echo("print x\nprint x", &Limits::default()).await.fuel;
    assert!(two - one > 10_000, "a line costs {} fuel", two - one);
}

#[tokio::test]
async fn memory() {
    let limits = Limits { memory: 8 << 20, ..Limits::default() };
    let inside = echo("allocate 1000000", &limits).await;
    assert_eq!(inside.exit, Exit::Returned);
    assert!((1_000_000..8 << 20).contains(&inside.peak_memory), "{}", inside.peak_memory);
    let beyond = echo("allocate 100000000", &limits).await;
    assert_eq!(beyond.exit, Exit::OutOfMemory);
    assert!(beyond.peak_memory <= limits.memory);
}

#[tokio::test]
async fn memory_too_small_to_start() {
    let outcome = echo("print x", &Limits { memory: 1, ..Limits::default() }).await;
    assert_eq!(outcome.exit, Exit::OutOfMemory);
}

#[tokio::test]
async fn table_elements() {
    let outcome = echo("print x", &Limits { table_elements: 1, ..Limits::default() }).await;
    assert_eq!(outcome.exit, Exit::Crashed("table too large".into()));
}

#[tokio::test]
async fn instances() {
    let limits = Limits { instances: 1, ..Limits::default() };
    let refused = common::try_echo("print x", &limits).await;
    assert!(matches!(refused, Err(Error::Instantiate { .. })), "{refused:?}");
}

#[tokio::test]
async fn output() {
    let limits = Limits { output: 10, ..Limits::default() };
    let outcome = echo("print 0123456789abc\nprint more", &limits).await;
    assert_eq!(outcome.exit, Exit::Returned, "the program does not notice");
    assert_eq!(outcome.stdout.bytes, b"0123456789");
    assert!(outcome.stdout.truncated);
}

#[tokio::test]
async fn call_bytes() {
    let limits = Limits { call_bytes: 1000, ..Limits::default() };
    assert_eq!(echo("write 100", &limits).await.exit, Exit::Returned);
    let outcome = echo("write 10000", &limits).await;
    assert!(matches!(outcome.exit, Exit::Crashed(_)), "{outcome:?}");
}

#[tokio::test]
async fn handles() {
    let limits = Limits { handles: 100, ..Limits::default() };
    assert_eq!(echo("handles 10", &limits).await.exit, Exit::Returned);
    let outcome = echo("handles 1000", &limits).await;
    assert!(matches!(outcome.exit, Exit::Crashed(_)), "{outcome:?}");
}

#[tokio::test]
async fn random() {
    let limits = Limits { random: 1000, ..Limits::default() };
    assert_eq!(echo("random 900", &limits).await.exit, Exit::Returned);
    let outcome = echo("random 900\nrandom 900", &limits).await;
    assert_eq!(outcome.exit, Exit::Crashed("random bytes used up".into()));
}

#[tokio::test]
async fn random_cannot_ask_for_more_than_there_is() {
    let outcome = echo("random 18446744073709551615", &Limits::default()).await;
    assert_eq!(outcome.exit, Exit::Crashed("random bytes used up".into()));
}

#[tokio::test]
async fn stack() {
    let outcome = echo("recurse", &Limits::default()).await;
    assert!(matches!(outcome.exit, Exit::Crashed(_)), "{outcome:?}");
}

#[tokio::test]
async fn wall_clock_stops_the_work() {
    let limits =
        Limits { fuel: u64::MAX / 2, wall: Duration::from_millis(50), ..Limits::default() };
    let outcome = echo("loop", &limits).await;
    assert_eq!(outcome.exit, Exit::TimedOut);
}
