//! What is missing or wrong in a model of a repository.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::header;
use crate::repository::config::Config;
use crate::repository::llmapi::ModelYaml;
use crate::words;

/// Something that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// The most bytes of a file that is read here.
const LIMIT: u64 = 1 << 20;

/// Goes through a model's folder; nothing when all is well.
pub fn validate(folder: &Path) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    if !folder.is_dir() {
        findings.add(folder, "it is no folder", "june model repository create lays one out");
        return findings.0;
    }
    findings.check_config(folder);
    let version = folder.join("1");
    if version.is_dir() {
        findings.check_code(&version);
        findings.check_yaml(&version);
    } else {
        findings.add(&version, "it is missing", "make this folder, with model.py and model.yaml");
    }
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, path: &Path, what: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Finding { path: path.to_owned(), what: what.into(), fix: fix.into() });
    }

    /// A file's text.
    fn text(&mut self, path: &Path, missing: &str) -> Option<String> {
        let size = fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| file.len());
        match size {
            None => self.add(path, "it is missing", missing),
            Some(size) if size > LIMIT => self.add(path, "it has more than 1 MiB", missing),
            Some(_) => match fs::read_to_string(path) {
                Ok(text) => return Some(text),
                Err(error) => self.add(path, error.to_string(), missing),
            },
        }
        None
    }

    fn check_config(&mut self, folder: &Path) {
        let path = &folder.join("config.pbtxt");
        let again = "june model repository create writes one, in an empty place";
        let Some(text) = self.text(path, again) else { return };
        let config = match Config::parse(&text) {
            Ok(config) => config,
            Err(what) => return self.add(path, what, "mend that line"),
        };
        let named = folder.file_name().and_then(|name| name.to_str());
        if let (Some(name), Some(folder)) = (config.name.as_deref(), named)
            && name != folder
        {
            let name = words::quoted(name, 64);
            let what = format!("it is for a model called {name}, and not for this folder");
            self.add(path, what, format!("write name: \"{folder}\""));
        }
        if config.backend != "python" {
            let what = format!("its backend is {}", words::quoted(&config.backend, 32));
            self.add(path, what, "write backend: \"python\", for that is what llmapi is");
        }
        for (tensors, field, name) in
            [(&config.inputs, "input", "text_input"), (&config.outputs, "output", "text_output")]
        {
            let there = tensors.iter().find(|tensor| tensor.name == name);
            if there.is_none_or(|tensor| tensor.data_type != "TYPE_STRING") {
                let fix = format!("add {{ name: \"{name}\" data_type: TYPE_STRING dims: [ -1 ] }}");
                self.add(path, format!("it has no {field} {name} of TYPE_STRING"), fix);
            }
        }
        for input in config.inputs.iter().filter(|input| input.name != "text_input") {
            if !input.optional {
                let name = words::quoted(&input.name, 64);
                self.add(path, format!("its input {name} is needed"), "write optional: true");
            }
        }
        if !config.inputs.iter().any(|input| input.name == "streaming") {
            let fix = "add { name: \"streaming\" data_type: TYPE_BOOL dims: [ 1 ] optional: true }";
            self.add(path, "it has no input streaming", fix);
        }
        for kind in config.kinds.iter().filter(|kind| *kind != "KIND_CPU") {
            let kind = words::quoted(kind, 32);
            let fix = "write KIND_CPU: the backend takes the GPU itself";
            self.add(path, format!("its instances are of {kind}"), fix);
        }
    }

    /// NVIDIA's part. Which of its files there are differs between releases; what `model.py`
    /// imports has to be beside it.
    fn check_code(&mut self, version: &Path) {
        let place = "copy it from Triton's container (the -trtllm-python-py3 images), where it is \
                     in all_models/llmapi/tensorrt_llm/1";
        let path = &version.join("model.py");
        let Some(code) = self.text(path, place) else { return };
        if !code.contains("TritonPythonModel") {
            self.add(path, "it has no class TritonPythonModel", place);
        }
        let helpers = &version.join("helpers.py");
        if code.contains("from helpers import") && !helpers.is_file() {
            self.add(helpers, "it is missing, and model.py imports it", place);
        }
    }

    fn check_yaml(&mut self, version: &Path) {
        let path = &version.join("model.yaml");
        let again = "june model repository create writes one, in an empty place";
        let Some(text) = self.text(path, again) else { return };
        let yaml = match ModelYaml::parse(&text) {
            Ok(yaml) => yaml,
            Err(what) => return self.add(path, what, "mend it"),
        };
        match &yaml.triton_config {
            None => {
                let fix = "add triton_config, with max_batch_size: 0 and decoupled: true";
                self.add(path, "it has no triton_config, which model.py reads", fix);
            }
            Some(triton) => {
                if triton.max_batch_size != 0 {
                    let fix = "write max_batch_size: 0: the backend takes no batches, and makes \
                               its own of the requests it has";
                    self.add(path, format!("max_batch_size is {}", triton.max_batch_size), fix);
                }
                if !triton.decoupled {
                    let fix = "write decoupled: true";
                    self.add(path, "it is not decoupled: answers cannot come in pieces", fix);
                }
            }
        }
        if yaml.backend.as_deref().is_some_and(|backend| backend != "pytorch") {
            let backend = words::quoted(&yaml.backend.unwrap_or_default(), 32);
            let fix = "write backend: pytorch";
            self.add(path, format!("its backend is {backend}"), fix);
        }
        let model = version.join(&yaml.model);
        if !model.is_dir() {
            let name = words::quoted(&yaml.model, 200);
            let what = format!("its model {name} is no folder: it would come from the hub");
            return self.add(path, what, "june model pull gets it; write the folder's path here");
        }
        if !model.join("tokenizer.json").is_file() {
            let fix = "get it from where the model is from";
            self.add(&model.join("tokenizer.json"), "it is missing", fix);
        }
        match header::describe(&model) {
            Err(error) => {
                let text = error.to_string();
                let (what, fix) = text.split_once("\nhint: ").unwrap_or((&text, "mend it"));
                self.add(&model, what, fix);
            }
            Ok(description) => {
                let asked = yaml.max_seq_len.unwrap_or_default();
                if let Some(has) = description.context.filter(|has| asked > *has) {
                    let (asked, has) = (words::grouped(asked), words::grouped(has));
                    let what = format!("max_seq_len is {asked}, and the model has {has}");
                    self.add(path, what, format!("write at most {}", has.replace(',', "")));
                }
            }
        }
    }
}
