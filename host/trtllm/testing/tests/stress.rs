//! Many requests at once, cancelled at random. `JUNE_TRTLLM_STRESS` is how many; 10,000 of them
//! belong under valgrind:
//!
//! ```text
//! JUNE_TRTLLM_STRESS=10000 valgrind --leak-check=full --error-exitcode=1 target/debug/deps/stress-…
//! ```

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use june_trtllm::Engine;
use june_trtllm::bridge::ffi::Generation;
use june_trtllm_testing as testing;
use tokio::sync::Semaphore;

/// One request, which is dropped after so many steps. Whether it came to its end.
async fn ask(engine: Arc<Engine>, length: i32, patience: usize) -> bool {
    let prompt: Vec<i32> = (0..length).collect();
    let generation = Generation { prompt, max_tokens: 100, ..Generation::default() };
    let mut running = engine.submit(generation);
    let mut tokens = Vec::new();
    for _ in 0..patience {
        let progress = running.next().await.unwrap().unwrap();
        tokens.extend(progress.tokens);
        if progress.finish.is_some() {
            assert!(tokens.iter().copied().eq(0..length as u32));
            return true;
        }
    }
    // As far as it came, every token came, in order.
    assert!(tokens.iter().copied().eq(0..tokens.len() as u32));
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_requests_with_random_cancellations_leave_nothing_behind() {
    let count = std::env::var("JUNE_TRTLLM_STRESS").ok().and_then(|count| count.parse().ok());
    let (count, mut random) = (count.unwrap_or(1000_usize), fastrand::Rng::with_seed(7));
    let (engine, places) = (Arc::new(testing::engine().unwrap()), Arc::new(Semaphore::new(200)));
    let mut asked = Vec::with_capacity(count);
    for _ in 0..count {
        let (length, patience) = (random.i32(0..60), random.usize(0..60));
        let (engine, places) = (engine.clone(), places.clone());
        asked.push(tokio::spawn(async move {
            let _place = places.acquire().await.unwrap();
            ask(engine, length, patience).await
        }));
    }
    let mut ended = 0;
    for asked in asked {
        ended += usize::from(asked.await.unwrap());
    }
    // Both happened.
    assert!(ended > count / 10 && ended < count - count / 10, "{ended} of {count}");
    loop {
        let load = engine.load().await.unwrap();
        if (load.requests, load.executor.blocks_used) == (0, 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
