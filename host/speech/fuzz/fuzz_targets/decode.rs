//! Any bytes as a file with sound.

#![no_main]

use std::time::Duration;

use june_speech::{Limits, decode};
use libfuzzer_sys::fuzz_target;

// A decoder's panic is caught and told as an error, so it is no finding by itself.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |file: &[u8]| {
    let limits = Limits { bytes: 1 << 20, duration: Duration::from_secs(10) };
    if let Ok(audio) = decode(file, &limits) {
        assert!(!audio.samples.is_empty() && audio.samples.len() <= 10 * 16_000);
        assert!(audio.samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
    }
});
