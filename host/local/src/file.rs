//! A GGUF file: its header, and what is in it.
//!
//! The header is checked by June's own reader, whose memory is bounded, before candle's sees it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use candle_core::Device;
use candle_core::quantized::gguf_file::Content;
use june_models::header::Gguf;
use june_models::text::{Template, Tokenizer, Vocabulary};

use crate::config::{Config, ConfigError};
use crate::error::OpenError;
use crate::network::{self, Network};
use crate::settings::Place;

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
    let header = Gguf::open(path)?.metadata;
    let file = File::open(path).map_err(|error| OpenError::unreadable(path, error))?;
    let mut reader = BufReader::new(file);
    let content =
        Content::read(&mut reader).map_err(|error| broken(format!("its header: {error}")))?;
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
    let text = |error: june_models::text::TextError| {
        OpenError::unsupported(path, error, "use a GGUF file of another maker")
    };
    if let Some(kind) = header.text("tokenizer.ggml.model")
        && kind != "gpt2"
    {
        let kind: String = kind.chars().take(40).collect();
        let what = format!("its tokenizer is {kind:?}, not gpt2");
        return Err(OpenError::unsupported(path, what, "use a Qwen3 model"));
    }
    let tokenizer = Tokenizer::from_vocabulary(&Vocabulary::of(&header)).map_err(text)?;
    let template = header.text("tokenizer.chat_template");
    let template = Template::new(template, tokenizer.marks()).map_err(text)?;
    let positions = config.context.min(context);
    let network = network::load(&content, &mut reader, config, positions, &device)
        .map_err(|error| broken(error.to_string()))?;
    if tokenizer.size() > network.vocabulary() {
        let (tokens, rows) = (tokenizer.size(), network.vocabulary());
        return Err(broken(format!("it has {tokens} tokens, and embeddings of {rows}")));
    }
    let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = header.text("general.name").map(str::to_owned).or_else(stem);
    Ok(Opened { name: name.unwrap_or_default(), network, tokenizer, template })
}
