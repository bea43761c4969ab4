//! The engine's thread, with the test executor behind it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use june_trtllm::bridge::ffi::{Finish, Generation};
use june_trtllm::{Engine, Error, Progress, Running};
use june_trtllm_testing as testing;

fn generation(prompt: &[i32]) -> Generation {
    Generation { prompt: prompt.to_vec(), max_tokens: 100, ..Generation::default() }
}

/// All that a request gives.
async fn all(mut running: Running) -> Result<(Vec<Vec<u32>>, Finish), Error> {
    let mut steps = Vec::new();
    loop {
        let Progress { tokens, finish } = running.next().await.unwrap()?;
        steps.push(tokens);
        if let Some(finish) = finish {
            assert!(running.next().await.is_none());
            return Ok((steps, finish));
        }
    }
}

/// Waits until the executor holds so many requests.
async fn holds(engine: &Engine, requests: u64) {
    for _ in 0..2000 {
        let load = engine.load().await.unwrap();
        if load.executor.blocks_used == requests && load.requests as u64 == requests {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{:?}, not {requests}", engine.load().await);
}

#[tokio::test]
async fn steps_have_several_tokens_or_none() {
    let engine = testing::engine().unwrap();
    let (steps, finish) = all(engine.submit(generation(&[1, 2, 3, 4, 5, 6, 7]))).await.unwrap();
    assert_eq!(steps, [vec![1], vec![2, 3, 4], vec![], vec![5, 6], vec![7], vec![]]);
    assert_eq!(finish, Finish::End);
    holds(&engine, 0).await;
}

#[tokio::test]
async fn requests_run_together_and_end_for_their_own_reasons() {
    let engine = testing::engine().unwrap();
    let short = Generation { max_tokens: 2, ..generation(&[1, 2, 3]) };
    let ended = Generation { ends: vec![3, 2], ..generation(&[1, 2, 3]) };
    let (short, ended, whole) = tokio::join!(
        all(engine.submit(short)),
        all(engine.submit(ended)),
        all(engine.submit(generation(&[1, 2, 3]))),
    );
    assert_eq!(short.unwrap(), (vec![vec![1], vec![2]], Finish::Length));
    assert_eq!(ended.unwrap(), (vec![vec![1], vec![2]], Finish::End));
    assert_eq!(whole.unwrap().0.concat(), [1, 2, 3]);
}

#[tokio::test]
async fn a_dropped_request_is_cancelled_and_removed() {
    let engine = testing::engine().unwrap();
    let endless = Generation { max_tokens: u32::MAX, ..generation(&[testing::ENDLESS, 5]) };
    let mut running = engine.submit(endless);
    assert_eq!(running.next().await.unwrap().unwrap().tokens, [5]);
    let (steps, _) = all(engine.submit(generation(&[1, 2]))).await.unwrap();
    assert_eq!(steps.concat(), [1, 2]);
    holds(&engine, 1).await;
    drop(running);
    holds(&engine, 0).await;
}

#[tokio::test]
async fn an_exception_ends_the_request_that_caused_it() {
    let engine = testing::engine().unwrap();
    let refused = all(engine.submit(generation(&[testing::REFUSED]))).await.unwrap_err();
    assert_eq!(refused, Error::Request("the request is refused".into()));
    let failed = all(engine.submit(generation(&[testing::FAILS, 1, 2]))).await.unwrap_err();
    assert_eq!(failed, Error::Request("the request failed".into()));
    let negative = Generation { max_tokens: u32::MAX, ..generation(&[testing::NEGATIVE]) };
    let negative = all(engine.submit(negative)).await.unwrap_err();
    assert!(negative.to_string().contains("negative"), "{negative}");
    assert_eq!(all(engine.submit(generation(&[1]))).await.unwrap().1, Finish::End);
    holds(&engine, 0).await;
}

#[tokio::test]
async fn an_exception_of_the_executor_is_told_to_everybody_and_ends_nobody_elses_process() {
    for (command, what) in [
        (testing::THROWS, "the executor is broken"),
        (testing::THROWS_AN_INT, "an exception of an unknown type"),
    ] {
        let engine = testing::engine().unwrap();
        let endless = Generation { max_tokens: u32::MAX, ..generation(&[testing::ENDLESS, 5]) };
        let (broken, other) =
            tokio::join!(all(engine.submit(generation(&[command]))), all(engine.submit(endless)),);
        let expected = Error::Broken(what.into());
        assert_eq!((broken.unwrap_err(), other.unwrap_err()), (expected.clone(), expected.clone()));
        assert_eq!(all(engine.submit(generation(&[1]))).await.unwrap_err(), expected);
        assert_eq!(engine.load().await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn a_cancellation_that_throws_breaks_the_engine_and_nothing_else() {
    let engine = testing::engine().unwrap();
    let stubborn = Generation { max_tokens: u32::MAX, ..generation(&[testing::CANNOT_CANCEL, 1]) };
    drop(engine.submit(stubborn));
    let error = loop {
        if let Err(error) = engine.load().await {
            break error;
        }
    };
    assert_eq!(error, Error::Broken("it cannot be cancelled".into()));
}

#[test]
fn an_engine_that_does_not_open_says_why() {
    let error = testing::broken_engine().unwrap_err();
    assert_eq!(error, Error::Open("the engine is no engine".into()));
}

#[tokio::test]
async fn an_idle_engine_waits_for_nothing() {
    let engine = testing::engine().unwrap();
    all(engine.submit(generation(&[1, 2]))).await.unwrap();
    let before = engine.load().await.unwrap().executor.blocks;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(engine.load().await.unwrap().executor.blocks, before);
}

#[tokio::test]
async fn a_closed_engine_ends_what_is_left() {
    let engine = testing::engine().unwrap();
    let endless = Generation { max_tokens: u32::MAX, ..generation(&[testing::ENDLESS, 5]) };
    let mut running = engine.submit(endless);
    assert!(running.next().await.unwrap().is_ok());
    drop(engine);
    let error = loop {
        match running.next().await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::Closed);
    assert!(running.next().await.is_none());
}
