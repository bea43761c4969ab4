//! Laying out a model of a repository.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::header::{self, HeaderError, KvType};
use crate::words;

/// What is laid out.
#[derive(Debug, Clone)]
pub struct Layout {
    /// What Triton calls the model, and its folder.
    pub name: String,
    /// The model's folder, as the hub has it. The weights stay there, quantised as they are.
    pub model: PathBuf,
    /// Tokens of question and answer together.
    pub context: u64,
    /// How the KV cache is stored: [`KvType::Fp8`], or else as the model's own numbers are.
    pub kv: KvType,
    /// Whether answers come in pieces. Triton calls that decoupled.
    pub streaming: bool,
}

/// Why nothing was laid out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The model cannot be described.
    #[error(transparent)]
    Model(#[from] HeaderError),
    /// The model's folder has a path that cannot be written down.
    #[error("{} is no path of UTF-8\nhint: rename the folder", .0.display())]
    Path(PathBuf),
    /// The name does not do for a folder.
    #[error("\"{0}\" is no name for a model\nhint: use letters, digits, `-`, `_` and `.`")]
    Name(String),
    /// The context is longer than the model's.
    #[error(
        "the model has a context of {} tokens, not of {}\nhint: ask for less",
        words::grouped(*has), words::grouped(*asked)
    )]
    Context {
        /// The model's, in tokens.
        has: u64,
        /// What was asked for.
        asked: u64,
    },
    /// There is something already.
    #[error("{} is there already\nhint: june model repository validate says whether it is whole; remove it to lay it out anew", .0.display())]
    Exists(PathBuf),
    /// A file could not be written.
    #[error("{} cannot be written: {why}\nhint: check the folder's permissions and the disk", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
}

/// Lays out a model in a repository, all but NVIDIA's `model.py` and `helpers.py`, and returns its
/// folder.
///
/// # Errors
///
/// See [`CreateError`]. Nothing that was there is changed.
pub fn create(repository: &Path, layout: &Layout) -> Result<PathBuf, CreateError> {
    let Layout { name, model, context, .. } = layout;
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if name.is_empty() || name.starts_with('.') || name.len() > 128 || !name.chars().all(fits) {
        return Err(CreateError::Name(words::quoted(name, 64).trim_matches('"').to_owned()));
    }
    let description = header::describe(model)?;
    if let Some(has) = description.context.filter(|has| context > has) {
        return Err(CreateError::Context { has, asked: *context });
    }
    let absolute = fs::canonicalize(model).unwrap_or_else(|_| model.clone());
    let path = absolute.to_str().ok_or_else(|| CreateError::Path(absolute.clone()))?;
    let folder = repository.join(name);
    if folder.exists() {
        return Err(CreateError::Exists(folder));
    }
    let version = folder.join("1");
    let write = |path: PathBuf, text: String| {
        fs::write(&path, text).map_err(|why| CreateError::Write { path, why })
    };
    fs::create_dir_all(&version)
        .map_err(|why| CreateError::Write { path: version.clone(), why })?;
    write(folder.join("config.pbtxt"), config(name))?;
    write(version.join("model.yaml"), yaml(layout, path, &description.quantisation))?;
    Ok(folder)
}

/// What requests may hold besides the text, all of it optional: TensorRT-LLM's sampling
/// parameters, and what to tell of the answer.
const INPUTS: [(&str, &str, &str); 12] = [
    ("streaming", "BOOL", "1"),
    ("sampling_param_max_tokens", "INT32", "1"),
    ("sampling_param_temperature", "FP32", "1"),
    ("sampling_param_top_k", "INT32", "1"),
    ("sampling_param_top_p", "FP32", "1"),
    ("sampling_param_frequency_penalty", "FP32", "1"),
    ("sampling_param_presence_penalty", "FP32", "1"),
    ("sampling_param_seed", "UINT64", "1"),
    ("sampling_param_stop", "STRING", "-1"),
    ("sampling_param_exclude_input_from_output", "BOOL", "1"),
    ("return_finish_reason", "BOOL", "1"),
    ("stop", "BOOL", "1"),
];

const OUTPUTS: [&str; 2] = ["text_output", "finish_reason"];

fn config(name: &str) -> String {
    let mut text = format!(
        "name: \"{name}\"\nbackend: \"python\"\n\n# The backend takes the GPU itself: to Triton \
         it is a program of the processor.\ninstance_group [ {{ count: 1 kind: KIND_CPU }} \
         ]\n\ninput [\n  {{ name: \"text_input\" data_type: TYPE_STRING dims: [ -1 ] }}"
    );
    for (name, kind, size) in INPUTS {
        text.push_str(&format!(
            ",\n  {{ name: \"{name}\" data_type: TYPE_{kind} dims: [ {size} ] optional: true }}"
        ));
    }
    let outputs =
        OUTPUTS.map(|name| format!("  {{ name: \"{name}\" data_type: TYPE_STRING dims: [ -1 ] }}"));
    text.push_str(&format!("\n]\n\noutput [\n{}\n]\n", outputs.join(",\n")));
    text
}

fn yaml(layout: &Layout, path: &str, quantisation: &str) -> String {
    // A text in JSON is one in YAML too.
    let model = serde_json::Value::from(path);
    let dtype = if layout.kv == KvType::Fp8 { "fp8" } else { "auto" };
    let Layout { context, streaming, .. } = layout;
    format!(
        "# What TensorRT-LLM loads. Its weights are {quantisation}; how they are quantised is \
         said in their own folder.\nmodel: {model}\nbackend: pytorch\ntensor_parallel_size: \
         1\nmax_seq_len: {context}\nenable_chunked_prefill: true\nkv_cache_config:\n  dtype: \
         {dtype}\n  free_gpu_memory_fraction: 0.9\n  enable_block_reuse: true\n\n# What Triton is \
         told.\ntriton_config:\n  max_batch_size: 0\n  decoupled: {streaming}\n"
    )
}
