use super::*;
use crate::cache::{BLOCK, Cache};
use crate::fixtures::{CPU, Case, cases, difference, open};

/// The first of the largest.
fn likeliest(scores: &[f32]) -> u32 {
    let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter().position(|score| *score == best).unwrap() as u32
}

/// Goes through the tokens, and gives the scores after the last.
fn read(network: &Network, cache: &mut Cache, tokens: &[u32]) -> Vec<f32> {
    network.forward(&mut [Segment { cache, tokens, scores: true }]).unwrap().remove(0)
}

/// The likeliest tokens that follow, and what the scores were after the prompt.
fn answer(
    network: &Network,
    cache: &mut Cache,
    prompt: &[u32],
    most: usize,
) -> (Vec<u32>, Vec<f32>) {
    let first = read(network, cache, prompt);
    let mut tokens = vec![likeliest(&first)];
    while tokens.len() < most {
        let last = *tokens.last().unwrap();
        tokens.push(likeliest(&read(network, cache, &[last])));
    }
    (tokens, first)
}

/// Caches of both kinds, for attention of both kinds.
fn caches(network: &Network) -> [Cache; 2] {
    let meter = Meter::default();
    [true, false].map(|blocks| Cache::new(&network.cache_shape(), &CPU, blocks, &meter))
}

fn exact(network: &Network, cases: &[Case]) {
    for case in cases {
        for mut cache in caches(network) {
            let (tokens, first) = answer(network, &mut cache, &case.prompt, 32);
            assert_eq!(tokens, case.tokens, "{}", case.name);
            let off = difference(&first, &case.scores);
            assert!(off < 1e-3, "{}: scores are off by {off}", case.name);
        }
    }
}

#[test]
fn a_dense_network_writes_what_the_reference_does() {
    let (Some(opened), Some(cases)) = (open("dense-f32.gguf"), cases("dense-reference.json"))
    else {
        return;
    };
    exact(&opened.network, &cases);
}

#[test]
fn a_mixture_of_experts_writes_what_the_reference_does() {
    let (Some(opened), Some(cases)) = (open("moe-f32.gguf"), cases("moe-reference.json")) else {
        return;
    };
    exact(&opened.network, &cases);
}

#[test]
fn quantised_networks_come_close() {
    for (file, reference) in
        [("dense-q8_0.gguf", "dense-reference.json"), ("moe-q8_0.gguf", "moe-reference.json")]
    {
        let (Some(opened), Some(cases)) = (open(file), cases(reference)) else { return };
        for case in cases {
            let [mut cache, _] = caches(&opened.network);
            let (tokens, first) = answer(&opened.network, &mut cache, &case.prompt, 4);
            let off = difference(&first, &case.scores);
            // Scores reach about six; eight bits leave three digits or so.
            assert!(off < 0.5, "{file} {}: scores are off by {off}", case.name);
            assert_eq!(tokens[0], case.tokens[0], "{file} {}", case.name);
        }
    }
}

/// What candle-transformers 0.11.1 gets wrong: more prompt after tokens that were written.
#[test]
fn a_prompt_after_an_answer_is_read_as_if_it_had_come_at_once() {
    let (Some(opened), Some(cases)) = (open("dense-f32.gguf"), cases("dense-reference.json"))
    else {
        return;
    };
    let network = &opened.network;
    let long: Vec<u32> = (0..200).map(|i| (i * 37 + 11) % 375).collect();
    for case in &cases {
        for (mut cache, mut fresh) in caches(network).into_iter().zip(caches(network)) {
            let (written, _) = answer(network, &mut cache, &case.prompt, 5);
            // The last token of the answer has not been gone through yet.
            let more = [&written[4..], &long].concat();
            let continued = read(network, &mut cache, &more);
            let whole = [&case.prompt, &written[..], &long].concat();
            let at_once = read(network, &mut fresh, &whole);
            assert_eq!(cache.len(), whole.len());
            let off = difference(&continued, &at_once);
            assert!(off < 1e-3, "{}: scores are off by {off}", case.name);
            let next = |cache: &mut Cache, scores: &[f32]| {
                let first = likeliest(scores);
                let (tokens, _) = answer(network, cache, &[first], 8);
                (first, tokens)
            };
            assert_eq!(next(&mut cache, &continued), next(&mut fresh, &at_once), "{}", case.name);
        }
    }
}

#[test]
fn a_prompt_may_come_in_pieces_of_any_size() {
    let (Some(opened), Some(cases)) = (open("dense-f32.gguf"), cases("dense-reference.json"))
    else {
        return;
    };
    let network = &opened.network;
    for case in &cases {
        for size in [1, 2, 3, 7, BLOCK] {
            for mut cache in caches(network) {
                let mut last = Vec::new();
                for piece in case.prompt.chunks(size) {
                    last = read(network, &mut cache, piece);
                }
                let off = difference(&last, &case.scores);
                assert!(off < 1e-3, "{} by {size}: scores are off by {off}", case.name);
            }
        }
    }
}

#[test]
fn a_batch_gives_each_what_it_would_get_alone() {
    let (Some(opened), Some(cases)) = (open("dense-f32.gguf"), cases("dense-reference.json"))
    else {
        return;
    };
    let network = &opened.network;
    let meter = Meter::default();
    let mut caches: Vec<Cache> = cases.iter().map(|_| network.new_cache(&meter)).collect();
    let mut tokens: Vec<Vec<u32>> = cases.iter().map(|case| case.prompt.clone()).collect();
    let mut written = vec![Vec::new(); cases.len()];
    for _ in 0..32 {
        let segments = caches.iter_mut().zip(&tokens);
        let mut segments: Vec<Segment<'_>> =
            segments.map(|(cache, tokens)| Segment { cache, tokens, scores: true }).collect();
        let scores = network.forward(&mut segments).unwrap();
        tokens = scores.iter().map(|scores| vec![likeliest(scores)]).collect();
        written.iter_mut().zip(&tokens).for_each(|(written, next)| written.push(next[0]));
    }
    for (case, written) in cases.iter().zip(&written) {
        assert_eq!(*written, case.tokens, "{}", case.name);
    }
}

#[test]
fn a_fork_goes_its_own_way() {
    let (Some(opened), Some(cases)) = (open("dense-f32.gguf"), cases("dense-reference.json"))
    else {
        return;
    };
    let network = &opened.network;
    let case = cases.iter().max_by_key(|case| case.prompt.len()).unwrap();
    for (blocks, mut whole) in [true, false].into_iter().zip(caches(network)) {
        let meter = Meter::default();
        let mut cache = Cache::new(&network.cache_shape(), &CPU, blocks, &meter);
        let (tokens, _) = answer(network, &mut cache, &case.prompt, 32);
        for len in [0, 1, 5, case.prompt.len() - 1, case.prompt.len() + 3] {
            let known = [&case.prompt[..], &tokens].concat();
            let other = [&known[..len], &[7, 8, 9]].concat();
            let mut fork = cache.fork(len).unwrap();
            let forked = read(network, &mut fork, &other[len..]);
            let mut fresh = whole.fork(0).unwrap();
            let alone = read(network, &mut fresh, &other);
            assert!(difference(&forked, &alone) < 1e-3, "{len}");
        }
        // What the forks did has not changed the original.
        let last = *tokens.last().unwrap();
        let after = read(network, &mut cache, &[last]);
        let all = [&case.prompt[..], &tokens].concat();
        assert!(difference(&after, &read(network, &mut whole, &all)) < 1e-3);
        drop(cache);
        assert_eq!(meter.bytes(), 0);
    }
}

#[test]
fn what_conversations_share_counts_once() {
    let Some(opened) = open("dense-f32.gguf") else { return };
    let network = &opened.network;
    let meter = Meter::default();
    let bytes = network.cache_shape().bytes() * BLOCK;
    let mut cache = network.new_cache(&meter);
    assert_eq!(cache.growth(BLOCK + 1), 2 * bytes);
    read(network, &mut cache, &[1; BLOCK + 1]);
    assert_eq!(meter.bytes(), 2 * bytes);
    let mut fork = cache.fork(BLOCK + 1).unwrap();
    assert_eq!((meter.bytes(), fork.growth(1)), (2 * bytes, bytes));
    read(network, &mut fork, &[1]);
    assert_eq!(meter.bytes(), 3 * bytes);
    drop(cache);
    assert_eq!(meter.bytes(), 2 * bytes);
}

#[test]
fn half_the_bits_for_keys_and_values_come_close() {
    let (Some(opened), Some(cases)) = (open("dense-f32.gguf"), cases("dense-reference.json"))
    else {
        return;
    };
    let network = &opened.network;
    let shape = cache::Shape { dtype: DType::BF16, ..network.cache_shape() };
    assert_eq!(2 * shape.bytes(), network.cache_shape().bytes());
    for case in cases {
        let mut cache = Cache::new(&shape, &CPU, false, &Meter::default());
        let off = difference(&read(network, &mut cache, &case.prompt), &case.scores);
        assert!(off < 0.2, "{}: scores are off by {off}", case.name);
    }
}
