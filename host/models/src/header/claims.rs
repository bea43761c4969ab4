//! What a model's metadata claims, checked against its tensors.

use std::collections::BTreeMap;
use std::path::Path;

use crate::header::description::{Description, Experts, Format, KvType};
use crate::header::fault::Fault;
use crate::header::tensor::Tensor;
use crate::words::quoted;

/// What the metadata claims.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) architecture: String,
    pub(crate) context: Option<u64>,
    pub(crate) layers: u64,
    /// The width of a token's vector.
    pub(crate) hidden: u64,
    /// Heads of keys and values, for each layer or once for all.
    pub(crate) kv_heads: Vec<u64>,
    /// Numbers in a key and in a value of one head.
    pub(crate) key: u64,
    pub(crate) value: u64,
    /// Layers differ in ways that these fields cannot say.
    pub(crate) varied: bool,
    /// Numbers kept for a token in a layer, where keys and values are kept as one latent vector.
    pub(crate) latent: Option<u64>,
    /// Experts of a layer, and how many a token uses.
    pub(crate) experts: Option<(u64, u64)>,
    /// How the weights are quantised, where that is not seen from the tensors' types.
    pub(crate) quantisation: Option<String>,
    pub(crate) kv_type: Option<KvType>,
}

/// What the tensors show.
#[derive(Debug, Default)]
struct Shown {
    parameters: u64,
    bytes: u64,
    /// Bytes by type.
    kinds: BTreeMap<&'static str, u64>,
    expert_parameters: u64,
    experts: u64,
    hidden: Option<u64>,
    /// The widths of keys and values, all heads together, by layer.
    layers: BTreeMap<u64, (Option<u64>, Option<u64>)>,
}

impl Claims {
    /// The description that claims and tensors agree on.
    pub(crate) fn check(
        self,
        tensors: &[Tensor],
        format: Format,
        path: &Path,
        read: u64,
    ) -> Result<Description, Fault> {
        let shown = Shown::new(tensors)?;
        if shown.parameters == 0 {
            return Err(Fault::unsupported("it has no weights", "name a file that has some"));
        }
        self.check_layers(&shown)?;
        if shown.hidden.is_some_and(|hidden| hidden != self.hidden) {
            let (shown, claimed) = (shown.hidden.unwrap_or_default(), self.hidden);
            let what = format!("its metadata says {claimed} numbers a token, its tensors {shown}");
            return Err(Fault::Wrong(what));
        }
        let experts = self.check_experts(&shown)?;
        let (kv_heads, head_dim) = (self.kv_heads.iter().copied().max(), self.key);
        let kv_numbers = self.kv_numbers(&shown)?;
        let kind = shown.kinds.iter().max_by_key(|(_, bytes)| **bytes).map(|(kind, _)| *kind);
        Ok(Description {
            path: path.to_owned(),
            format,
            architecture: self.architecture,
            parameters: shown.parameters,
            experts,
            quantisation: self.quantisation.unwrap_or_else(|| kind.unwrap_or("?").to_owned()),
            weight_bytes: shown.bytes,
            context: self.context,
            layers: self.layers,
            kv_heads: kv_heads.unwrap_or_default(),
            head_dim,
            kv_numbers,
            kv_type: self.kv_type,
            read,
        })
    }

    fn check_layers(&self, shown: &Shown) -> Result<(), Fault> {
        // Layers that guess further tokens are not always counted as layers.
        let (claimed, there) = (self.layers, shown.layers.len() as u64);
        if self.layers == 0 || there < claimed {
            let what = format!("its metadata says {claimed} layers, and its tensors have {there}");
            return Err(Fault::Wrong(what));
        }
        Ok(())
    }

    fn check_experts(&self, shown: &Shown) -> Result<Option<Experts>, Fault> {
        let (count, used) = match self.experts {
            Some(experts) => experts,
            None if shown.experts == 0 => return Ok(None),
            None => return Err(Fault::wrong("its tensors have experts that its metadata denies")),
        };
        if count != shown.experts {
            let there = shown.experts;
            let what = format!("its metadata says {count} experts, and its tensors have {there}");
            return Err(Fault::Wrong(what));
        }
        if count == 0 {
            return Ok(None);
        }
        if used == 0 || used > count {
            return Err(Fault::Wrong(format!("a token would use {used} of its {count} experts")));
        }
        Ok(Some(Experts { count, used, parameters: shown.expert_parameters }))
    }

    /// Heads of keys and values in a layer.
    fn heads(&self, layer: u64) -> Option<u64> {
        match self.kv_heads.as_slice() {
            [heads] => Some(*heads),
            each => each.get(usize::try_from(layer).ok()?).copied(),
        }
    }

    /// Numbers that the KV cache keeps of a token: from the tensors' shapes where they show it,
    /// else as claimed.
    fn kv_numbers(&self, shown: &Shown) -> Result<u64, Fault> {
        let too_many = || Fault::wrong("its keys and values are too many to count");
        if let Some(latent) = self.latent {
            return self.layers.checked_mul(latent).ok_or_else(too_many);
        }
        let (mut sum, mut seen) = (0_u64, false);
        for (layer, (key, value)) in &shown.layers {
            let heads = self.heads(*layer);
            for (width, size, what) in [(key, self.key, "keys"), (value, self.value, "values")] {
                let Some(width) = width else { continue };
                let claimed = heads.and_then(|heads| heads.checked_mul(size));
                if !self.varied && claimed.is_some_and(|claimed| claimed != *width) {
                    let claimed = claimed.unwrap_or_default();
                    return Err(Fault::Wrong(format!(
                        "its metadata says {claimed} numbers for the {what} of layer {layer}, its \
                         tensors {width}"
                    )));
                }
                seen = true;
                sum = sum.checked_add(*width).ok_or_else(too_many)?;
            }
        }
        if seen {
            return Ok(sum);
        }
        let heads = match self.kv_heads.as_slice() {
            [heads] => heads.checked_mul(self.layers),
            each => each.iter().try_fold(0_u64, |sum, heads| sum.checked_add(*heads)),
        };
        let size = self.key.checked_add(self.value);
        heads.zip(size).and_then(|(heads, size)| heads.checked_mul(size)).ok_or_else(too_many)
    }
}

impl Shown {
    fn new(tensors: &[Tensor]) -> Result<Shown, Fault> {
        let mut shown = Shown::default();
        for tensor in tensors {
            let Tensor { name, kind, shape, parameters, bytes } = tensor;
            let too_large = || Fault::Wrong(format!("tensor {} is too large", quoted(name, 64)));
            let sum = |sum: u64, more: u64| sum.checked_add(more).ok_or_else(too_large);
            shown.parameters = sum(shown.parameters, *parameters)?;
            shown.bytes = sum(shown.bytes, *bytes)?;
            // No larger than the sum of all.
            *shown.kinds.entry(kind).or_default() += bytes;
            if tensor.is_expert() {
                shown.expert_parameters += parameters;
                shown.experts = shown.experts.max(tensor.experts().unwrap_or_default());
            }
            let width = (shape.len() == 2).then(|| shape.first().copied()).flatten();
            if ["token_embd.weight", "model.embed_tokens.weight"].contains(&name.as_str()) {
                shown.hidden = shape.last().copied();
            }
            let Some(layer) = tensor.layer() else { continue };
            let (key, value) = shown.layers.entry(layer).or_default();
            if name.ends_with(".attn_k.weight") || name.ends_with(".self_attn.k_proj.weight") {
                *key = width;
            }
            if name.ends_with(".attn_v.weight") || name.ends_with(".self_attn.v_proj.weight") {
                *value = width;
            }
        }
        Ok(shown)
    }
}
