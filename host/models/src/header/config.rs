//! What `config.json` of a model's folder claims.

use serde::Deserialize;
use serde_json::Value;

use crate::header::claims::Claims;
use crate::header::description::KvType;
use crate::header::fault::Fault;
use crate::header::safetensors::Packing;

/// The parts of `config.json` that tell a language model's size. Models for images and sound too
/// have those of the language model in `text_config`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    architectures: Option<Vec<String>>,
    model_type: Option<String>,
    num_hidden_layers: Option<u64>,
    hidden_size: Option<u64>,
    num_attention_heads: Option<u64>,
    num_key_value_heads: Option<Value>,
    head_dim: Option<u64>,
    v_head_dim: Option<u64>,
    global_head_dim: Option<u64>,
    kv_lora_rank: Option<u64>,
    qk_rope_head_dim: Option<u64>,
    max_position_embeddings: Option<u64>,
    num_experts: Option<u64>,
    num_local_experts: Option<u64>,
    n_routed_experts: Option<u64>,
    num_experts_per_tok: Option<u64>,
    quantization_config: Option<Quantisation>,
    text_config: Option<Box<Config>>,
}

/// How a folder's weights are quantised: `quantization_config`, or `quantization` of the
/// `hf_quant_config.json` that NVIDIA's Model Optimizer writes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Quantisation {
    quant_method: Option<String>,
    quant_algo: Option<String>,
    kv_cache_quant_algo: Option<String>,
    bits: Option<u64>,
    load_in_4bit: Option<bool>,
    config_groups: Option<Value>,
    format: Option<String>,
}

impl Config {
    pub(crate) fn parse(json: &[u8]) -> Result<Config, Fault> {
        serde_json::from_slice(json)
            .map_err(|error| Fault::Wrong(format!("it cannot be understood: {error}")))
    }

    /// How the weights are quantised, where they are.
    pub(crate) fn quantisation(&self) -> Option<&Quantisation> {
        let nested = self.text_config.as_ref().and_then(|text| text.quantization_config.as_ref());
        self.quantization_config.as_ref().or(nested)
    }

    /// What the model is, by this file and `quantisation`.
    pub(crate) fn claims(&self, quantisation: Option<&Quantisation>) -> Result<Claims, Fault> {
        let named = self.architectures.as_deref().and_then(<[String]>::first);
        let text = self.text_config.as_deref().unwrap_or(self);
        let lacks = |key: &str| {
            let hint = "June runs language models; name the folder of one";
            Fault::unsupported(format!("its config.json has no `{key}`"), hint)
        };
        let architecture = named.or(self.model_type.as_ref());
        let architecture = architecture.ok_or_else(|| lacks("architectures"))?;
        let layers = text.num_hidden_layers.ok_or_else(|| lacks("num_hidden_layers"))?;
        let hidden = text.hidden_size.ok_or_else(|| lacks("hidden_size"))?;
        let heads = text.num_attention_heads.filter(|heads| *heads > 0);
        let heads = heads.ok_or_else(|| lacks("num_attention_heads"))?;
        let key = text.head_dim.unwrap_or(hidden / heads);
        let kv_heads = text.num_key_value_heads.as_ref();
        let one = kv_heads.and_then(Value::as_u64);
        let count = text.num_experts.or(text.num_local_experts).or(text.n_routed_experts);
        let rope = text.qk_rope_head_dim.unwrap_or_default();
        Ok(Claims {
            architecture: architecture.chars().take(64).collect(),
            context: text.max_position_embeddings,
            layers,
            hidden,
            kv_heads: vec![one.unwrap_or(heads)],
            key,
            value: text.v_head_dim.unwrap_or(key),
            // A number for each layer, or none because layers differ.
            varied: one.is_none() || text.global_head_dim.is_some(),
            latent: text.kv_lora_rank.and_then(|rank| rank.checked_add(rope)),
            experts: count
                .filter(|count| *count > 0)
                .map(|count| (count, text.num_experts_per_tok.unwrap_or_default())),
            quantisation: quantisation.map(Quantisation::name),
            kv_type: quantisation.and_then(Quantisation::kv_type),
        })
    }
}

impl Quantisation {
    /// What it is called.
    fn name(&self) -> String {
        let method = self.quant_algo.as_ref().or(self.quant_method.as_ref());
        let method: String = method.map_or("quantised", String::as_str).chars().take(32).collect();
        let bits = self.bits().filter(|_| self.quant_algo.is_none() && method != "fp8");
        match bits {
            Some(bits) => format!("{}, {bits} bits", method.to_uppercase()),
            None => method.to_uppercase(),
        }
    }

    fn kv_type(&self) -> Option<KvType> {
        let algo = self.kv_cache_quant_algo.as_deref()?;
        algo.eq_ignore_ascii_case("fp8").then_some(KvType::Fp8)
    }

    /// Bits of a weight, as far as is said.
    fn bits(&self) -> Option<u64> {
        let groups = self.config_groups.as_ref().and_then(Value::as_object);
        let group = groups.and_then(|groups| groups.values().next());
        let number = group.and_then(|group| group.pointer("/weights/num_bits"));
        let four = self.load_in_4bit == Some(true)
            || [&self.quant_algo, &self.quant_method, &self.format].iter().any(|name| {
                name.as_deref().is_some_and(|name| name.to_lowercase().contains("fp4"))
            });
        self.bits.or_else(|| number?.as_u64()).or(four.then_some(4))
    }

    /// How weights are packed into integers, where they are.
    pub(crate) fn packing(&self) -> Option<Packing> {
        self.bits().filter(|bits| (1..=8).contains(bits)).map(|bits| Packing { bits })
    }
}
