//! Files that other programs wrote.

use june_models::header::{Description, Gguf, KvType, describe};
use june_tests::fixture;

fn model(test: &str, name: &str) -> Option<Description> {
    Some(describe(&fixture(test, &format!("fixtures/llm/{name}"))?).unwrap())
}

#[test]
fn a_model_is_the_same_in_every_form() {
    for name in ["dense", "moe"] {
        let test = "a_model_is_the_same_in_every_form";
        let Some(folder) = model(test, name) else { return };
        let Some(whole) = model(test, &format!("{name}-f32.gguf")) else { return };
        let Some(small) = model(test, &format!("{name}-q8_0.gguf")) else { return };
        for gguf in [&whole, &small] {
            assert_eq!(gguf.parameters, folder.parameters, "{name}");
            assert_eq!(gguf.experts, folder.experts, "{name}");
            assert_eq!(gguf.layers, folder.layers, "{name}");
            assert_eq!(gguf.kv_bytes(KvType::Bf16), folder.kv_bytes(KvType::Bf16), "{name}");
        }
        assert_eq!((whole.quantisation.as_str(), small.quantisation.as_str()), ("F32", "Q8_0"));
        assert!(small.weight_bytes < whole.weight_bytes / 3);
        assert_eq!(whole.experts.is_some(), name == "moe");
    }
}

#[test]
fn a_vocabulary_is_read_from_a_file() {
    let Some(path) = fixture("a_vocabulary_is_read_from_a_file", "fixtures/llm/dense-f32.gguf")
    else {
        return;
    };
    let gguf = Gguf::open(&path).unwrap();
    let tokens = gguf.metadata.texts("tokenizer.ggml.tokens").unwrap();
    let types = gguf.metadata.numbers("tokenizer.ggml.token_type").unwrap();
    assert_eq!((tokens.len(), types.len()), (types.len(), types.unsigned().unwrap().len()));
    assert!(tokens.iter().any(|token| token == "<|im_end|>"));
    assert!(gguf.metadata.text("tokenizer.chat_template").unwrap().contains("<|im_start|>"));
}
