//! What a component can see of the machine: nothing.
#![allow(clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::echo;
use june_sandbox::{Exit, Limits, Outcome};

async fn stdout(source: &str) -> String {
    let outcome: Outcome = echo(source, &Limits::default()).await;
    assert_eq!(outcome.exit, Exit::Returned, "{source}");
    String::from_utf8(outcome.stdout.bytes).expect("UTF-8")
}

#[tokio::test]
async fn every_run_begins_at_the_same_time() {
    assert_eq!(stdout("clock").await, "1767225600\n");
}

#[tokio::test]
async fn sleeping_passes_virtual_time_only() {
    assert_eq!(stdout("sleep 31536000\nclock").await, format!("{}\n", 1_767_225_600 + 31_536_000));
}

#[tokio::test]
async fn random_numbers_come_from_the_seed() {
    assert_eq!(stdout("random 1000").await, stdout("random 1000").await);
}

#[tokio::test]
async fn no_environment_no_arguments_no_files() {
    assert_eq!(stdout("environment").await, "0 0\n");
    let outcome = echo("open /etc/passwd", &Limits::default()).await;
    assert!(matches!(outcome.exit, Exit::Raised(_)), "{outcome:?}");
}

#[tokio::test]
async fn stdin_is_what_the_program_was_given() {
    assert_eq!(stdout("read").await, "from stdin\n");
}

#[tokio::test]
async fn exits_and_exceptions_are_told_apart() {
    let limits = Limits::default();
    assert_eq!(echo("exit 7", &limits).await.exit, Exit::Exited(7));
    let raised = echo("raise ValueError", &limits).await.exit;
    assert!(matches!(raised, Exit::Raised(exception) if exception.kind == "ValueError"));
}

#[tokio::test]
async fn the_same_run_twice_is_the_same_run() {
    let source = "print x\nrandom 100\nsleep 3\nclock\nallocate 5000000\nraise E";
    let (one, two) =
        (echo(source, &Limits::default()).await, echo(source, &Limits::default()).await);
    assert_eq!(Outcome { wall: two.wall, ..one }, two);
}

/// Fuel is what was computed, however much of it there is, and however often the engine itself
/// goes to the host meanwhile.
#[tokio::test]
async fn the_limit_does_not_change_the_fuel() {
    let source = "print x\nrandom 100\nallocate 30000000\nclock\nallocate 30000000\nread";
    let mut fuel = Vec::new();
    for limit in [150_000_000, 1_000_000_000, 75_000_000_000, 1 << 50] {
        let limits = Limits { fuel: limit, ..Limits::default() };
        let outcome = echo(source, &limits).await;
        assert_eq!(outcome.exit, Exit::Returned, "{limit}: {}", outcome.fuel);
        fuel.push(outcome.fuel);
    }
    fuel.dedup();
    assert_eq!(fuel.len(), 1, "{fuel:?}");
    assert!(fuel[0] < 150_000_000, "{fuel:?}");
}
