//! What a June without TensorRT-LLM says.

#![allow(clippy::unwrap_used, reason = "tests")]

use june_trtllm::{Error, Settings, Trtllm};

#[test]
fn without_tensorrt_llm_opening_says_how_to_get_it() {
    if std::env::var_os("TRTLLM_ROOT").is_some() {
        eprintln!("SKIPPED without_tensorrt_llm_opening_says_how_to_get_it: TRTLLM_ROOT is set");
        return;
    }
    let settings = Settings { name: "m".into(), folder: "engine".into(), memory_share: None };
    let error = Trtllm::open(&settings).unwrap_err();
    assert_eq!(error, Error::NotBuilt);
    assert!(error.to_string().contains("\nhint: build it with TRTLLM_ROOT"), "{error}");
}
