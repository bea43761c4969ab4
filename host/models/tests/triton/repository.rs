//! Listing, loading, unloading.

use std::time::{Duration, Instant};

use june_models::triton::{Repository, Settings, State, TritonError};

use crate::Triton;

const LONG: Duration = Duration::from_secs(60);

fn told(error: &TritonError, what: &str) {
    let text = error.to_string();
    assert!(text.contains(what) && text.contains("\nhint: "), "{text}");
}

#[tokio::test]
async fn models_are_listed_loaded_switched_and_unloaded() {
    let Some(triton) = Triton::start("models_are_listed_loaded_switched_and_unloaded") else {
        return;
    };
    let repository = triton.repository(LONG);
    let listed = repository.list().await.unwrap();
    let names: Vec<&str> = listed.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["broken", "echo", "hanging", "second", "talk"]);
    assert!(listed.iter().all(|entry| entry.state == State::Unloaded), "{listed:?}");
    assert!(!repository.ready("echo").await.unwrap());

    repository.load("echo").await.unwrap();
    assert!(repository.ready("echo").await.unwrap());
    let status = repository.status("echo").await.unwrap();
    assert_eq!((status.state, status.version.as_deref()), (State::Ready, Some("1")));

    repository.switch("second").await.unwrap();
    assert!(repository.ready("second").await.unwrap());
    assert_eq!(repository.status("echo").await.unwrap().state, State::Unavailable);

    repository.unload("second").await.unwrap();
    assert_eq!(repository.status("second").await.unwrap().state, State::Unavailable);
    assert!(!repository.ready("second").await.unwrap());
    repository.unload("second").await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_loaded_is_told_with_the_reason() {
    let Some(triton) = Triton::start("what_cannot_be_loaded_is_told_with_the_reason") else {
        return;
    };
    let repository = triton.repository(LONG);
    let broken = repository.load("broken").await.unwrap_err();
    told(&broken, "could not load \"broken\"");
    told(&broken, "there are no weights");
    assert_eq!(repository.status("broken").await.unwrap().state, State::Unavailable);

    for unknown in [
        repository.load("absent").await.unwrap_err(),
        repository.unload("absent").await.unwrap_err(),
        repository.switch("absent").await.unwrap_err(),
        repository.status("../echo").await.unwrap_err(),
    ] {
        assert!(matches!(unknown, TritonError::Unknown { .. }), "{unknown}");
        told(&unknown, "it has \"broken\", \"echo\", \"hanging\", \"second\", \"talk\"");
    }
    assert!(!repository.ready("absent").await.unwrap());
}

#[tokio::test]
async fn a_load_that_hangs_ends_at_its_deadline() {
    let Some(triton) = Triton::start("a_load_that_hangs_ends_at_its_deadline") else { return };
    let repository = triton.repository(Duration::from_secs(2));
    let started = Instant::now();
    let error = repository.load("hanging").await.unwrap_err();
    assert!(matches!(error, TritonError::TooSlow { .. }), "{error}");
    told(&error, "did not load \"hanging\" within 2s, and may go on with it");
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(repository.status("hanging").await.unwrap().state, State::Loading);
    // The others are served meanwhile.
    triton.repository(LONG).load("echo").await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    // Port 9 is that of a service that nobody runs.
    let repository = Repository::new(&Settings::new("http://127.0.0.1:9")).unwrap();
    let error = repository.list().await.unwrap_err();
    told(&error, "Triton at http://127.0.0.1:9 cannot be reached: ");
    assert!(Repository::new(&Settings::new("127.0.0.1:8000")).is_err());
}
