//! What it takes to have a strategy between a person and a model: `make bench`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt, join_all, ready};
use futures_util::{StreamExt, stream};
use june_sandbox::capabilities::{Deltas, Llm};
use june_sandbox::contract::{
    Delta, FinishReason, LlmError, Message, Part, Request, Role, Turn, Usage,
};
use june_sandbox::{Authority, Cache, Capabilities, Engine, Grants, Limits, Origin, Strategy};
use tokio::sync::Semaphore;

/// A model that answers at once, in as many pieces as a real one would.
struct Immediate;

impl Llm for Immediate {
    fn stream(&self, _: Request) -> BoxFuture<'static, Result<Deltas, LlmError>> {
        ready(Ok(answer().boxed() as Deltas)).boxed()
    }
}

fn answer() -> impl stream::Stream<Item = Result<Delta, LlmError>> + Send {
    let usage = Usage { input_tokens: 20, output_tokens: 50 };
    let pieces = stream::iter(std::iter::repeat_n(Delta::Text("word ".into()), 50));
    pieces.chain(stream::iter([Delta::Finish((FinishReason::Stop, usage))])).map(Ok)
}

/// A model that keeps everybody waiting until it is told to answer.
struct Waiting {
    asked: AtomicUsize,
    go: Arc<Semaphore>,
}

impl Llm for Waiting {
    fn stream(&self, _: Request) -> BoxFuture<'static, Result<Deltas, LlmError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let go = self.go.clone();
        async move {
            let _permit = go.acquire().await;
            Ok(answer().boxed() as Deltas)
        }
        .boxed()
    }
}

fn component(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../components/dist")).join(name)
}

fn turn(text: &str) -> Turn {
    let message = Message { role: Role::User, parts: vec![Part::Text(text.into())] };
    Turn { messages: vec![message], models: vec!["m".into()], instructions: String::new() }
}

fn authority(model: Arc<dyn Llm>) -> Authority {
    let grants = Grants { models: ["m".into()].into(), ..Grants::default() };
    Authority {
        grants: Arc::new(grants),
        capabilities: Capabilities { llm: Some(model), ..Capabilities::default() },
        limits: Limits::default(),
        origin: Origin::default(),
    }
}

/// The median time of one of many.
async fn median(strategy: &Strategy, request: &str, authority: &Authority) -> Duration {
    const ROUNDS: usize = 2000;
    let turn = turn(request);
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let answered = strategy.respond(&turn, authority, None).await.expect("an answer");
        times.push(start.elapsed());
        assert!(matches!(answered.answer, Some(Ok(_))), "{answered:?}");
    }
    times.sort_unstable();
    times[ROUNDS / 2]
}

/// Resident memory of this process, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

async fn measure() {
    let start = Instant::now();
    let engine = Engine::new().expect("an engine");
    println!("{:<44} {:>9.1} ms", "engine", start.elapsed().as_secs_f64() * 1e3);
    let load = |name: &str| Strategy::load(&engine, &component(name), &Cache::none()).unwrap();
    let (plain, direct) = (load("tests/hostile-strategy.wasm"), load("strategies/direct.wasm"));

    let talkative = authority(Arc::new(Immediate));
    let empty = median(&plain, "notes 0", &talkative).await;
    println!("{:<44} {:>9.1} µs", "instantiate and call a strategy", micros(empty));
    let many = median(&plain, "notes 1000", &talkative).await;
    let call = micros(many.saturating_sub(empty)) / 1000.0;
    println!("{:<44} {call:>9.3} µs", "a call into the host");

    let whole = median(&direct, "Hello", &talkative).await;
    let start = Instant::now();
    for _ in 0..2000 {
        let mut deltas =
            talkative.capabilities.llm.as_ref().unwrap().stream(request()).await.unwrap();
        while deltas.next().await.is_some() {}
    }
    let alone = start.elapsed() / 2000;
    println!(
        "{:<44} {:>9.1} µs",
        "a turn of 50 tokens, beside the model's time",
        micros(whole - alone)
    );

    for conversations in [1, 1000] {
        let go = Arc::new(Semaphore::new(0));
        let model = Arc::new(Waiting { asked: AtomicUsize::new(0), go: go.clone() });
        let waiting = authority(model.clone());
        let hello = turn("Hello");
        let all = join_all((0..conversations).map(|_| direct.respond(&hello, &waiting, None)));
        let watch = async {
            while model.asked.load(Ordering::Relaxed) < conversations {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let resident = resident();
            go.add_permits(conversations);
            resident
        };
        let (answered, resident) = tokio::join!(all, watch);
        assert!(answered.into_iter().all(|answered| answered.is_ok_and(|a| a.answer.is_some())));
        let what = format!("{conversations} conversations that wait for a model");
        println!("{what:<44} {resident:>9} MiB resident");
    }
}

fn request() -> Request {
    use june_sandbox::contract::{ResponseFormat, Sampling};
    let (temperature, top_p, top_k, min_p, seed) = (None, None, None, None, None);
    Request {
        model: "m".into(),
        messages: Vec::new(),
        tools: Vec::new(),
        sampling: Sampling { temperature, top_p, top_k, min_p, seed },
        max_tokens: None,
        stop: Vec::new(),
        response_format: ResponseFormat::Text,
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(measure());
}
