//! Many requests at once, cancelled at random; the same under valgrind.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use june_trtllm::Engine;
use june_trtllm::bridge::ffi::Generation;
use june_trtllm_testing as testing;
use tokio::sync::Semaphore;

/// How many requests.
const COUNT: usize = 10_000;

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
    let mut random = fastrand::Rng::with_seed(7);
    let (engine, places) = (Arc::new(testing::engine().unwrap()), Arc::new(Semaphore::new(200)));
    let mut asked = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
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
    assert!(ended > COUNT / 10 && ended < COUNT - COUNT / 10, "{ended} of {COUNT}");
    loop {
        let load = engine.load().await.unwrap();
        if (load.requests, load.executor.blocks_used) == (0, 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn valgrind_finds_no_leak_and_no_wrong_access() {
    let test = "valgrind_finds_no_leak_and_no_wrong_access";
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("SKIPPED {test}: there is no valgrind");
        return;
    }
    // What is possibly lost, or still reachable, is the main thread's own.
    let output = Command::new("valgrind")
        .args(["--leak-check=full", "--errors-for-leak-kinds=definite,indirect"])
        .args(["--show-leak-kinds=definite,indirect", "--error-exitcode=9"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "many_requests_with_random_cancellations_leave_nothing_behind"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("definitely lost: 0 bytes") || said.contains("no leaks are possible"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}
