//! Folders as the hub has them.

use std::fs;
use std::path::Path;

use june_models::header::{Format, KvType, describe};
use serde_json::json;
use tempfile::TempDir;

use crate::writer::{QWEN3_30B_A3B, SMALL, Shape, safetensors};
use crate::{is_qwen3_30b_a3b, refused, sparse};

/// A folder with a model in two files.
fn folder(shape: Shape) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), shape.config().to_string()).unwrap();
    let tensors = shape.hub_tensors();
    let mut map = serde_json::Map::new();
    for (number, tensors) in tensors.chunks(tensors.len().div_ceil(2)).enumerate() {
        let name = format!("model-0000{}-of-00002.safetensors", number + 1);
        sparse(&folder, &name, safetensors(tensors));
        map.extend(tensors.iter().map(|(tensor, _)| (tensor.clone(), json!(name))));
    }
    let index = json!({"metadata": {"total_size": 1}, "weight_map": map});
    fs::write(folder.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
    folder
}

fn change(folder: &Path, file: &str, change: impl FnOnce(&mut serde_json::Value)) {
    let path = folder.join(file);
    let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn the_flagship_is_known_from_its_headers() {
    let folder = folder(QWEN3_30B_A3B);
    let model = describe(folder.path()).unwrap();
    is_qwen3_30b_a3b(&model);
    assert_eq!(model.format, Format::Safetensors);
    assert_eq!(model.architecture, "Qwen3MoeForCausalLM");
    assert_eq!((model.quantisation.as_str(), model.weight_bytes), ("BF16", 61_064_245_248));
    // Nearly 19,000 tensors.
    assert!(model.read < 8 << 20, "{}", model.read);
}

#[test]
fn a_folder_that_contradicts_itself_is_an_error() {
    let folder = folder(SMALL);
    let path = folder.path();
    describe(path).unwrap();
    let config = |key: &'static str, value: u64| {
        change(path, "config.json", |config| config[key] = value.into());
        let error = refused(path);
        fs::write(path.join("config.json"), SMALL.config().to_string()).unwrap();
        error
    };
    assert!(config("num_hidden_layers", 3).contains("says 3 layers, and its tensors have 2"));
    assert!(config("num_key_value_heads", 1).contains("says 32 numbers for the keys of layer 0"));
    assert!(config("hidden_size", 128).contains("says 128 numbers a token, its tensors 64"));
    assert!(config("num_experts", 8).contains("says 8 experts, and its tensors have 4"));
    assert!(config("num_experts", 0).contains("experts that its metadata denies"));

    let index = "model.safetensors.index.json";
    change(path, index, |index| {
        index["weight_map"]["new"] = "model-00001-of-00002.safetensors".into();
    });
    let error = describe(path).unwrap_err().to_string();
    assert!(error.contains("it names other tensors than the files have"), "{error}");
    change(path, index, |index| index["weight_map"]["new"] = "../config.json".into());
    let error = describe(path).unwrap_err().to_string();
    assert!(error.contains("it names a file that is not in this folder"), "{error}");
    change(path, index, |index| index["weight_map"]["new"] = "model-3.safetensors".into());
    let error = describe(path).unwrap_err().to_string();
    assert!(error.contains("model-3.safetensors cannot be read"), "{error}");
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(refused(path).contains("neither a config.json nor a config.pbtxt"));
    fs::write(path.join("config.json"), SMALL.config().to_string()).unwrap();
    assert!(refused(path).contains("a config.json and no weights"));
    fs::write(path.join("pytorch_model.bin"), "").unwrap();
    assert!(refused(path).contains("its weights are pickled"));
    fs::write(path.join("model.safetensors"), "version https://git-lfs.github.com/").unwrap();
    let error = describe(path).unwrap_err().to_string();
    assert!(error.contains("model.safetensors cannot be described: it is a pointer"), "{error}");
}

#[test]
fn quantised_weights_are_counted_as_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut config = SMALL.config();
    config["num_experts"] = 0.into();
    config["num_hidden_layers"] = 1.into();
    config["quantization_config"] = json!({"quant_method": "gptq", "bits": 4});
    fs::write(path.join("config.json"), config.to_string()).unwrap();
    let header = json!({
        "model.embed_tokens.weight": {"dtype": "F16", "shape": [96, 64], "data_offsets": [0, 12288]},
        // Eight weights in each integer: 64 by 64 of them.
        "model.layers.0.self_attn.k_proj.qweight":
            {"dtype": "I32", "shape": [8, 64], "data_offsets": [12288, 14336]},
        "model.layers.0.self_attn.k_proj.scales":
            {"dtype": "F16", "shape": [1, 64], "data_offsets": [14336, 14464]},
        "model.layers.0.self_attn.k_proj.g_idx":
            {"dtype": "I32", "shape": [64], "data_offsets": [14464, 14720]},
    })
    .to_string();
    let head = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
    let size = head.len() as u64 + 14720;
    sparse(&folder, "model.safetensors", (head, size));
    let model = describe(path).unwrap();
    assert_eq!(model.parameters, 96 * 64 + 64 * 64);
    assert_eq!(model.quantisation, "GPTQ, 4 bits");
    assert_eq!(model.weight_bytes, 14720);
    // Nothing shows the widths of keys and values, so they are as claimed.
    assert_eq!(model.kv_bytes(KvType::F16), 2 * 64 * 2);
}

#[test]
fn a_model_of_a_triton_repository_is_the_one_that_it_loads() {
    let weights = folder(SMALL);
    let repository = tempfile::tempdir().unwrap();
    let path = repository.path();
    fs::create_dir(path.join("1")).unwrap();
    fs::write(path.join("config.pbtxt"), "name: \"m\"\nbackend: \"python\"\n").unwrap();
    let yaml = |model: &str| {
        format!(
            "model: {model}\nbackend: pytorch\nmax_seq_len: 131072\nkv_cache_config:\n  dtype: \
             fp8\n  free_gpu_memory_fraction: 0.9\ntriton_config:\n  max_batch_size: 0\n  \
             decoupled: true\n"
        )
    };
    assert!(refused(path).contains("its backend is \"python\", and not TensorRT-LLM's llmapi"));
    fs::write(path.join("1/model.yaml"), yaml("Qwen/Qwen3-30B-A3B")).unwrap();
    let error = describe(path).unwrap_err().to_string();
    assert!(error.contains("\"Qwen/Qwen3-30B-A3B\", which is no model's folder"), "{error}");
    fs::write(path.join("1/model.yaml"), yaml(weights.path().to_str().unwrap())).unwrap();
    let model = describe(path).unwrap();
    let plain = describe(weights.path()).unwrap();
    assert_eq!((model.parameters, model.format), (plain.parameters, Format::Triton));
    assert_eq!((model.context, model.kv_type), (Some(131_072), Some(KvType::Fp8)));
    fs::write(path.join("1/model.yaml"), "model: [1").unwrap();
    let error = describe(path).unwrap_err().to_string();
    assert!(error.contains("model.yaml is not what"), "{error}");
}
