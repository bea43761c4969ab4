//! A GGUF file: its header, and what is in it.
//!
//! The header is read into memory first, up to a limit, and candle's reader sees nothing beyond:
//! what a header claims costs at most a small multiple of the limit.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use candle_core::Device;
use candle_core::quantized::gguf_file::{Content, Value};
use june_models::text::{Template, TokenKind, Tokenizer, Vocabulary};

use crate::config::{Config, ConfigError};
use crate::error::OpenError;
use crate::network::{self, Network};
use crate::settings::Place;

/// Headers of today's models have up to 20 MB, most of it vocabulary.
const HEADER: u64 = 32 << 20;

/// The bytes that a GGUF file starts with.
const MAGIC: &[u8; 4] = b"GGUF";

/// All that a file holds.
pub(crate) struct Opened {
    pub(crate) name: String,
    pub(crate) network: Network,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) template: Template,
}

/// What may run where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) place: Place,
    /// Whether a mixture of experts may run on the processor: there it is far too slow to be of
    /// use, and only tests do it.
    pub(crate) experts_on_cpu: bool,
}

/// Opens a file whose conversations have at most `context` tokens.
pub(crate) fn open(path: &Path, policy: Policy, context: usize) -> Result<Opened, OpenError> {
    let broken = |what: String| OpenError::broken(path, what);
    let unreadable = |error| OpenError::unreadable(path, error);
    let file = File::open(path).map_err(unreadable)?;
    let mut header = Vec::new();
    (&file).take(HEADER).read_to_end(&mut header).map_err(unreadable)?;
    if !header.starts_with(MAGIC) {
        return Err(broken("it does not start with \"GGUF\"".into()));
    }
    // Candle's reader divides by an alignment that the file names, which may be zero.
    let content = catch_unwind(AssertUnwindSafe(|| Content::read(&mut Cursor::new(&header))))
        .map_err(|_| broken("its header makes no sense".into()))?
        .map_err(|error| broken(format!("its header: {error}")))?;
    drop(header);
    let config = Config::read(&content.metadata).map_err(|error| match error {
        ConfigError::Architecture(name) => {
            let what = format!("its architecture is {name:?}");
            let hint = "use a Qwen3 model (qwen3), or run this one behind a server and set \
                        backend = \"openai\"";
            OpenError::unsupported(path, what, hint)
        }
        ConfigError::Feature(what) => {
            let hint = "use a file without it, or run this one behind a server and set backend = \
                        \"openai\"";
            OpenError::unsupported(path, what, hint)
        }
        ConfigError::Broken(what) => broken(what),
    })?;
    if config.experts.is_some() && policy.place == Place::Cpu && !policy.experts_on_cpu {
        let what = "a mixture of experts (qwen3moe) is not run on the CPU";
        let hint = "run it on an NVIDIA GPU (build June with the feature `cuda`), run it behind a \
                    server and set backend = \"openai\", or use a dense Qwen3 model of up to 8 B \
                    parameters";
        return Err(OpenError::unsupported(path, what, hint));
    }
    let device = match policy.place {
        Place::Cpu => Device::Cpu,
        Place::Cuda(number) => Device::new_cuda(number).map_err(|error| {
            let what = format!("GPU {number} cannot be used: {error}");
            let hint = "look at what nvidia-smi says, and build June with the feature `cuda`";
            OpenError::unsupported(path, what, hint)
        })?,
    };
    let vocabulary = vocabulary(&content);
    let text = |error: june_models::text::TextError| {
        OpenError::unsupported(path, error, "use a GGUF file of another maker")
    };
    if let Some(Value::String(model)) = content.metadata.get("tokenizer.ggml.model")
        && model != "gpt2"
    {
        let what = format!("its tokenizer is {:?}, not gpt2", model.chars().take(40));
        return Err(OpenError::unsupported(path, what, "use a Qwen3 model"));
    }
    let tokenizer = Tokenizer::from_vocabulary(&vocabulary).map_err(text)?;
    let template = string(&content, "tokenizer.chat_template");
    let template = Template::new(template, tokenizer.marks()).map_err(text)?;
    let positions = config.context.min(context);
    let mut reader = BufReader::new(file);
    let network = network::load(&content, &mut reader, config, positions, &device)
        .map_err(|error| broken(error.to_string()))?;
    if tokenizer.size() > network.vocabulary() {
        let (tokens, rows) = (tokenizer.size(), network.vocabulary());
        return Err(broken(format!("it has {tokens} tokens, and embeddings of {rows}")));
    }
    let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = string(&content, "general.name").map(str::to_owned).or_else(stem);
    Ok(Opened { name: name.unwrap_or_default(), network, tokenizer, template })
}

fn string<'a>(content: &'a Content, key: &str) -> Option<&'a str> {
    match content.metadata.get(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn vocabulary(content: &Content) -> Vocabulary {
    let list = |key: &str| match content.metadata.get(key) {
        Some(Value::Array(values)) => values.as_slice(),
        _ => &[],
    };
    let strings = |key: &str| -> Vec<String> {
        let texts = list(key).iter().map(|value| match value {
            Value::String(text) => text.clone(),
            _ => String::new(),
        });
        texts.collect()
    };
    let token = |key: &str| content.metadata.get(key).and_then(|value| value.to_u32().ok());
    let kinds = list("tokenizer.ggml.token_type").iter().map(|value| {
        let number = value.to_i32().or_else(|_| value.to_u32().map(|kind| kind as i32));
        TokenKind::from_gguf(number.unwrap_or_default())
    });
    Vocabulary {
        tokens: strings("tokenizer.ggml.tokens"),
        kinds: kinds.collect(),
        merges: strings("tokenizer.ggml.merges"),
        pre: string(content, "tokenizer.ggml.pre").unwrap_or_default().to_owned(),
        begin: token("tokenizer.ggml.bos_token_id"),
        end: token("tokenizer.ggml.eos_token_id"),
    }
}
