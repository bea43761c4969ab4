//! Triton repositories on disk: laid out, validated, listed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
// Not all of the writer is used here.
#[allow(dead_code)]
#[path = "../header/writer.rs"]
mod writer;

use std::fs;
use std::path::{Path, PathBuf};

use june_models::header::{Format, KvType, describe};
use june_models::repository::{Layout, create, list, validate};
use tempfile::TempDir;
use writer::SMALL;

/// A repository, and in another folder a model.
fn place() -> (TempDir, TempDir) {
    let (repository, model) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(model.path().join("config.json"), SMALL.config().to_string()).unwrap();
    fs::write(model.path().join("tokenizer.json"), "{}").unwrap();
    let (head, size) = writer::safetensors(&SMALL.hub_tensors());
    let path = model.path().join("model.safetensors");
    fs::write(&path, head).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(size).unwrap();
    (repository, model)
}

fn layout(model: &Path) -> Layout {
    let (name, model) = ("qwen3".to_owned(), model.to_owned());
    Layout { name, model, context: 131_072, kv: KvType::Fp8, streaming: true }
}

/// What is found, by file name.
fn found(folder: &Path) -> Vec<(String, String)> {
    let findings = validate(folder).into_iter().map(|finding| {
        assert!(!finding.fix.is_empty());
        (finding.path.file_name().unwrap().to_str().unwrap().to_owned(), finding.what)
    });
    findings.collect()
}

fn finished() -> (TempDir, TempDir, PathBuf) {
    let (repository, model) = place();
    let folder = create(repository.path(), &layout(model.path())).unwrap();
    let code = "from helpers import x\nclass TritonPythonModel: pass\n";
    fs::write(folder.join("1/model.py"), code).unwrap();
    fs::write(folder.join("1/helpers.py"), "").unwrap();
    (repository, model, folder)
}

#[test]
fn what_is_laid_out_lacks_only_what_is_nvidias() {
    let (repository, model) = place();
    let folder = create(repository.path(), &layout(model.path())).unwrap();
    assert_eq!(found(&folder), [("model.py".into(), "it is missing".into())]);
    fs::write(folder.join("1/model.py"), "from helpers import x\nclass TritonPythonModel: pass\n")
        .unwrap();
    let helpers = "it is missing, and model.py imports it".to_owned();
    assert_eq!(found(&folder), [("helpers.py".into(), helpers)]);
    fs::write(folder.join("1/helpers.py"), "").unwrap();
    assert_eq!(found(&folder), []);

    let described = describe(&folder).unwrap();
    assert_eq!((described.format, described.context), (Format::Triton, Some(131_072)));
    assert_eq!(described.kv_type, Some(KvType::Fp8));
    let listed = list(repository.path()).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].model, listed[0].findings.len()), (&Some(described), 0));

    let again = create(repository.path(), &layout(model.path())).unwrap_err().to_string();
    assert!(again.contains("qwen3 is there already\nhint: "), "{again}");
}

#[test]
fn what_cannot_be_served_is_not_laid_out() {
    let (repository, model) = place();
    for (changed, what) in [
        (Layout { context: 300_000, ..layout(model.path()) }, "262,144 tokens, not of 300,000"),
        (Layout { name: "../x".into(), ..layout(model.path()) }, "\"../x\" is no name"),
        (Layout { name: String::new(), ..layout(model.path()) }, "\"\" is no name"),
        (layout(repository.path()), "neither a config.json nor a config.pbtxt"),
    ] {
        let error = create(repository.path(), &changed).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("\nhint: "), "{error}");
    }
    assert_eq!(fs::read_dir(repository.path()).unwrap().count(), 0);
}

#[test]
fn each_missing_file_is_named() {
    for (file, left) in [
        ("config.pbtxt", "config.pbtxt"),
        ("1/model.py", "model.py"),
        ("1/helpers.py", "helpers.py"),
        ("1/model.yaml", "model.yaml"),
    ] {
        let (_repository, _model, folder) = finished();
        fs::remove_file(folder.join(file)).unwrap();
        let found = found(&folder);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, left);
    }
    let (_repository, model, folder) = finished();
    fs::remove_file(model.path().join("tokenizer.json")).unwrap();
    assert_eq!(found(&folder)[0].0, "tokenizer.json");
    assert_eq!(found(&folder.join("absent"))[0].1, "it is no folder");
}

#[test]
fn each_wrong_line_is_named() {
    for (file, from, to, what) in [
        ("config.pbtxt", "\"qwen3\"", "\"other\"", "for a model called \"other\""),
        ("config.pbtxt", "\"python\"", "\"tensorrtllm\"", "its backend is \"tensorrtllm\""),
        ("config.pbtxt", "text_input", "prompt", "no input text_input of TYPE_STRING"),
        ("config.pbtxt", "text_output", "said", "no output text_output of TYPE_STRING"),
        ("config.pbtxt", "KIND_CPU", "KIND_GPU", "instances are of \"KIND_GPU\""),
        ("config.pbtxt", "\"streaming\"", "\"stream\"", "no input streaming"),
        ("config.pbtxt", "[ 1 ] optional: true", "[ 1 ]", "its input \"streaming\" is needed"),
        ("config.pbtxt", "output [", "output ", "line 25: "),
        ("1/model.yaml", "max_batch_size: 0", "max_batch_size: 8", "max_batch_size is 8"),
        ("1/model.yaml", "decoupled: true", "decoupled: false", "cannot come in pieces"),
        ("1/model.yaml", "triton_config", "triton", "it has no triton_config"),
        ("1/model.yaml", "backend: pytorch", "backend: tensorrt", "backend is \"tensorrt\""),
        ("1/model.yaml", "131072", "999999", "max_seq_len is 999,999, and the model has 262,144"),
        ("1/model.yaml", "model: \"", "model: \"Qwen", "it would come from the hub"),
        ("1/model.yaml", "kv_cache_config:", "kv_cache_config: [", ""),
        ("1/model.py", "TritonPythonModel", "Model", "no class TritonPythonModel"),
    ] {
        let (_repository, _model, folder) = finished();
        let path = folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let found = found(&folder);
        assert!(!found.is_empty() && found[0].1.contains(what), "{file} {from}: {found:?}");
        assert!(file.ends_with(&found[0].0), "{found:?}");
    }
}
