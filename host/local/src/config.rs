//! The sizes of a network, from a GGUF file's metadata.

use std::collections::HashMap;

use candle_core::quantized::gguf_file::Value;

/// The sizes of a Qwen3 network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub(crate) layers: usize,
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_width: usize,
    /// Positions that it was trained for.
    pub(crate) context: usize,
    pub(crate) epsilon: f32,
    pub(crate) rope_base: f32,
    /// None for a dense network.
    pub(crate) experts: Option<Experts>,
}

/// The sizes of a mixture of experts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Experts {
    pub(crate) count: usize,
    /// Experts that a token goes through.
    pub(crate) used: usize,
}

/// Why there is no [`Config`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConfigError {
    /// Another kind of network.
    Architecture(String),
    /// A feature that is not implemented.
    Feature(String),
    /// A value is missing or makes no sense.
    Broken(String),
}

impl Config {
    /// Reads and checks the metadata. Each size has a bound far above any real network's, so that
    /// products of them cannot overflow.
    pub(crate) fn read(metadata: &HashMap<String, Value>) -> Result<Config, ConfigError> {
        let architecture = match metadata.get("general.architecture") {
            Some(Value::String(name)) => name.as_str(),
            _ => return Err(ConfigError::Broken("it does not name its architecture".into())),
        };
        if !matches!(architecture, "qwen3" | "qwen3moe") {
            return Err(ConfigError::Architecture(architecture.chars().take(40).collect()));
        }
        let fields = Fields { architecture, metadata };
        if let Some(Value::String(kind)) = fields.get("rope.scaling.type")
            && kind != "none"
        {
            let what = format!("positions scaled by {:.20}", kind.escape_debug().to_string());
            return Err(ConfigError::Feature(what));
        }
        let heads = fields.size("attention.head_count", 1..=1 << 12)?;
        let kv_heads = fields.size("attention.head_count_kv", 1..=1 << 12)?;
        if heads % kv_heads != 0 {
            let what = format!("{heads} heads cannot share {kv_heads} key heads evenly");
            return Err(ConfigError::Broken(what));
        }
        let hidden = fields.size("embedding_length", 1..=1 << 20)?;
        let head_width = match fields.get("attention.key_length") {
            Some(_) => fields.size("attention.key_length", 2..=1 << 12)?,
            None => hidden / heads,
        };
        if head_width < 2 || head_width % 2 != 0 {
            return Err(ConfigError::Broken(format!("heads of width {head_width}")));
        }
        if let Some(width) = fields.get("attention.value_length")
            && whole(width) != Some(head_width as u64)
        {
            return Err(ConfigError::Feature("values of another width than keys".into()));
        }
        let experts = if architecture == "qwen3moe" {
            let count = fields.size("expert_count", 1..=1 << 12)?;
            let used = fields.size("expert_used_count", 1..=count)?;
            Some(Experts { count, used })
        } else {
            None
        };
        Ok(Config {
            layers: fields.size("block_count", 1..=1 << 10)?,
            hidden,
            heads,
            kv_heads,
            head_width,
            context: fields.size("context_length", 1..=1 << 24)?,
            epsilon: fields.float("attention.layer_norm_rms_epsilon", 1e-6)?,
            rope_base: fields.float("rope.freq_base", 10_000.0)?,
            experts,
        })
    }
}

struct Fields<'a> {
    architecture: &'a str,
    metadata: &'a HashMap<String, Value>,
}

impl Fields<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.metadata.get(&format!("{}.{name}", self.architecture))
    }

    fn size(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, ConfigError> {
        let size = self.get(name).and_then(whole).and_then(|size| usize::try_from(size).ok());
        match size {
            Some(size) if range.contains(&size) => Ok(size),
            Some(size) => {
                let (least, most) = range.into_inner();
                let what = format!("{name} is {size}, not from {least} to {most}");
                Err(ConfigError::Broken(what))
            }
            None => Err(ConfigError::Broken(format!("{name} is missing, or no whole number"))),
        }
    }

    fn float(&self, name: &str, default: f32) -> Result<f32, ConfigError> {
        let value = match self.get(name) {
            None => default,
            Some(Value::F32(value)) => *value,
            Some(Value::F64(value)) => *value as f32,
            Some(_) => f32::NAN,
        };
        if value.is_finite() && value > 0.0 {
            Ok(value)
        } else {
            Err(ConfigError::Broken(format!("{name} is not a number above 0")))
        }
    }
}

fn whole(value: &Value) -> Option<u64> {
    match *value {
        Value::U8(value) => Some(value.into()),
        Value::U16(value) => Some(value.into()),
        Value::U32(value) => Some(value.into()),
        Value::U64(value) => Some(value),
        Value::I8(value) => value.try_into().ok(),
        Value::I16(value) => value.try_into().ok(),
        Value::I32(value) => value.try_into().ok(),
        Value::I64(value) => value.try_into().ok(),
        _ => None,
    }
}
