//! Any text, cut in two anywhere.

#![no_main]

use june_speech::Sentences;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, usize)| {
    let (text, place) = input;
    let place = text.floor_char_boundary(place % (text.len() + 1));
    let all = |pieces: &[&str]| {
        let mut sentences = Sentences::new();
        let mut ready: Vec<String> =
            pieces.iter().flat_map(|piece| sentences.push(piece)).collect();
        ready.extend(sentences.finish());
        ready
    };
    let (first, second) = text.split_at(place);
    assert_eq!(all(&[first, second]), all(&[text]));
});
