//! Models of the shared fixtures, for tests.

use std::path::PathBuf;

use candle_core::Device;
use serde_json::Value;

use crate::file::{self, Opened, Policy};
use crate::settings::Place;

/// A file of the shared models. Where it is missing, says so.
pub(crate) fn fixture(name: &str) -> Option<PathBuf> {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    june_tests::fixture(&test, &format!("fixtures/llm/{name}"))
}

/// A fixture's model, a mixture of experts too.
pub(crate) fn open(name: &str) -> Option<Opened> {
    let policy = Policy { place: Place::Cpu, experts_on_cpu: true };
    fixture(name).map(|path| file::open(&path, policy, 1024).unwrap())
}

/// A prompt, and what the reference implementation makes of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) prompt: Vec<u32>,
    /// The 32 tokens that follow, the likeliest each time.
    pub(crate) tokens: Vec<u32>,
    /// The scores after the prompt.
    pub(crate) scores: Vec<f32>,
}

/// The cases of a reference file.
pub(crate) fn cases(name: &str) -> Option<Vec<Case>> {
    let text = std::fs::read_to_string(fixture(name)?).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();
    let tokens = |value: &Value| -> Vec<u32> { serde_json::from_value(value.clone()).unwrap() };
    let cases = reference["cases"].as_array().unwrap().iter().map(|case| Case {
        name: case["name"].as_str().unwrap().to_owned(),
        prompt: tokens(&case["prompt_ids"]),
        tokens: tokens(&case["greedy_ids_32_no_eos_stop"]),
        scores: serde_json::from_value(case["first_logits"].clone()).unwrap(),
    });
    Some(cases.collect())
}

/// The largest difference between two rows of scores.
pub(crate) fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The processor.
pub(crate) const CPU: Device = Device::Cpu;
