use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use june_models::types::{FinishReason, Sampling};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::cache::BLOCK;
use crate::fixtures::{cases, open};
use crate::sampling::{Penalties, Sampler};

const GREEDY: Sampling =
    Sampling { temperature: Some(0.0), top_p: None, top_k: None, min_p: None, seed: None };

/// An engine with the dense fixture, that no token stops.
struct Running {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

fn start(limits: Limits) -> Option<Running> {
    let network = open("dense-f32.gguf")?.network;
    let (jobs, receiver) = channel();
    let engine = Engine::new(network, Vec::new(), limits, receiver);
    Some(Running { jobs, thread: thread::spawn(move || engine.run()) })
}

const LIMITS: Limits = Limits { cache_bytes: 64 << 20, at_once: 16 };

impl Running {
    fn ask(&self, prompt: &[u32], most: usize) -> UnboundedReceiver<Event> {
        self.ask_as(prompt, most, GREEDY)
    }

    fn ask_as(&self, prompt: &[u32], most: usize, wanted: Sampling) -> UnboundedReceiver<Event> {
        let (events, receiver) = unbounded_channel();
        let sampler = Sampler::new(&wanted, &Sampling::default(), Penalties::default(), prompt);
        let prompt = prompt.to_vec();
        self.jobs.send(Job { prompt, most, sampler, constraint: None, events }).unwrap();
        receiver
    }

    /// The engine ends when nobody can ask any more.
    fn end(self) {
        drop(self.jobs);
        self.thread.join().unwrap();
    }
}

/// All of an answer that ends for want of room.
fn all(mut events: UnboundedReceiver<Event>) -> Vec<u32> {
    let mut tokens = Vec::new();
    loop {
        match events.blocking_recv() {
            Some(Event::Token(token)) => tokens.push(token),
            Some(Event::End(reason, written)) => {
                assert_eq!((reason, written), (FinishReason::Length, tokens.len()));
                return tokens;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn many_at_once_get_what_each_gets_alone() {
    let (Some(engine), Some(cases)) = (start(LIMITS), cases("dense-reference.json")) else {
        return;
    };
    let asked: Vec<_> = (0..4).flat_map(|_| &cases).collect();
    let answers: Vec<_> = asked.iter().map(|case| engine.ask(&case.prompt, 32)).collect();
    for (case, answer) in asked.iter().zip(answers) {
        assert_eq!(all(answer), case.tokens, "{}", case.name);
    }
    engine.end();
}

#[test]
fn turns_go_on_from_what_is_kept() {
    let (Some(engine), Some(cases)) = (start(LIMITS), cases("dense-reference.json")) else {
        return;
    };
    for case in &cases {
        // The whole prompt again, with more and more of the answer in it.
        for turn in [0, 1, 7, 8, 20] {
            let prompt = [&case.prompt, &case.tokens[..turn]].concat();
            let rest = all(engine.ask(&prompt, 32 - turn));
            assert_eq!(rest, case.tokens[turn..], "{} from {turn}", case.name);
        }
        // Another turn after the same beginning, and the first one again.
        let other = [&case.prompt[..], &case.tokens[..9], &[3, 4, 5]].concat();
        let once = all(engine.ask(&other, 8));
        assert_eq!(all(engine.ask(&other, 8)), once);
        assert_eq!(all(engine.ask(&case.prompt, 32)), case.tokens);
    }
    engine.end();
}

#[test]
fn memory_holds_even_when_there_is_too_little_for_all() {
    let Some(cases) = cases("dense-reference.json") else { return };
    let Some(opened) = open("dense-f32.gguf") else { return };
    let block = opened.network.cache_shape().bytes() * BLOCK;
    // Room for three blocks, and each of the answers takes two at its end.
    let Some(engine) = start(Limits { cache_bytes: 3 * block, ..LIMITS }) else { return };
    let asked: Vec<_> = (0..3).flat_map(|_| &cases).collect();
    let answers: Vec<_> = asked.iter().map(|case| engine.ask(&case.prompt, 32)).collect();
    for (case, answer) in asked.iter().zip(answers) {
        let tokens = all(answer);
        // The longest prompt has no room for its whole answer beside others, but alone it has.
        assert_eq!(tokens, case.tokens, "{}", case.name);
    }
    engine.end();
}

#[test]
fn an_answer_that_outgrows_the_memory_ends() {
    let Some(opened) = open("dense-f32.gguf") else { return };
    let block = opened.network.cache_shape().bytes() * BLOCK;
    let Some(engine) = start(Limits { cache_bytes: 2 * block, ..LIMITS }) else { return };
    let tokens = all(engine.ask(&[1, 2, 3], 1000));
    // The last token drawn is not in the cache.
    assert_eq!(tokens.len(), 2 * BLOCK - 3 + 1);
    engine.end();
}

#[test]
fn dropping_the_answer_stops_it() {
    let Some(engine) = start(LIMITS) else { return };
    let mut answer = engine.ask(&[1, 2, 3], 1000);
    assert!(matches!(answer.blocking_recv(), Some(Event::Token(_))));
    drop(answer);
    // It ends, though a thousand tokens were asked for; and one that waits is never begun.
    drop(engine.ask(&[1; 900], 100));
    let (done, ended) = channel();
    thread::spawn(move || {
        engine.end();
        done.send(()).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(20)).unwrap();
}

#[test]
fn a_long_prompt_does_not_stall_an_answer() {
    let Some(engine) = start(LIMITS) else { return };
    let mut first = engine.ask(&[1, 2, 3], 500);
    assert!(matches!(first.blocking_recv(), Some(Event::Token(_))));
    let mut long = engine.ask(&(0..900).map(|i| i % 375).collect::<Vec<_>>(), 1);
    // Before the prompt has been read, in pieces of 64, the answer went on for ten tokens at least.
    assert!(matches!(long.blocking_recv(), Some(Event::Token(_))));
    let mut tokens = 0;
    while let Ok(Event::Token(_)) = first.try_recv() {
        tokens += 1;
    }
    assert!(tokens >= 10, "{tokens}");
    drop((first, long));
    engine.end();
}

#[test]
fn a_seed_writes_the_same_again() {
    let Some(engine) = start(LIMITS) else { return };
    let warm = |seed| Sampling { temperature: Some(1.0), seed: Some(seed), ..GREEDY };
    let once = all(engine.ask_as(&[5, 6, 7], 40, warm(1)));
    assert_eq!(all(engine.ask_as(&[5, 6, 7], 40, warm(1))), once);
    assert_ne!(all(engine.ask_as(&[5, 6, 7], 40, warm(2))), once);
    engine.end();
}

#[test]
fn a_fault_is_an_error_and_the_engine_goes_on() {
    let (Some(engine), Some(cases)) = (start(LIMITS), cases("dense-reference.json")) else {
        return;
    };
    // A token that the network does not know.
    let mut answer = engine.ask(&[1, 100_000], 5);
    assert!(matches!(answer.blocking_recv(), Some(Event::Failed(ModelError::Unavailable(_)))));
    let case = &cases[0];
    assert_eq!(all(engine.ask(&case.prompt, 32)), case.tokens);
    engine.end();
}
