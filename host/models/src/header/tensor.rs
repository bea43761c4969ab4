//! What a header says of one tensor.

/// A tensor, as its header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// How its numbers are stored, such as `BF16` or `Q4_K`.
    pub kind: &'static str,
    /// Its dimensions, the outermost first.
    pub shape: Vec<u64>,
    /// How many weights it holds.
    pub parameters: u64,
    /// Bytes of its data.
    pub bytes: u64,
}

impl Tensor {
    /// The layer of the language model that it belongs to.
    pub(crate) fn layer(&self) -> Option<u64> {
        // Towers for images and sound have layers of their own.
        if ["vision", "visual", "audio"].iter().any(|tower| self.name.contains(tower)) {
            return None;
        }
        number_after(&self.name, &["blk", "layers", "h"])
    }

    /// Whether it belongs to an expert that not every token uses.
    pub(crate) fn is_expert(&self) -> bool {
        self.name.contains("_exps.") || self.name.contains(".experts.")
    }

    /// How many experts there must be for it: it has all of them, or is the part of one.
    pub(crate) fn experts(&self) -> Option<u64> {
        if !self.is_expert() {
            return None;
        }
        match number_after(&self.name, &["experts"]) {
            Some(number) => number.checked_add(1),
            None => self.shape.first().copied(),
        }
    }
}

/// The number that follows one of these words in a name like `model.layers.7.mlp`.
fn number_after(name: &str, words: &[&str]) -> Option<u64> {
    let mut parts = name.split('.');
    parts.find(|part| words.contains(part))?;
    parts.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str) -> Tensor {
        Tensor { name: name.into(), kind: "F32", shape: vec![8, 2], parameters: 16, bytes: 64 }
    }

    #[test]
    fn names_tell_layers_and_experts() {
        for (name, layer, experts) in [
            ("blk.47.attn_k.weight", Some(47), None),
            ("blk.3.ffn_gate_exps.weight", Some(3), Some(8)),
            ("blk.3.ffn_gate_shexp.weight", Some(3), None),
            ("model.layers.7.mlp.experts.12.up_proj.weight", Some(7), Some(13)),
            ("model.layers.7.mlp.experts.gate_up_proj_blocks", Some(7), Some(8)),
            ("model.layers.7.mlp.shared_experts.up_proj.weight", Some(7), None),
            ("vision_tower.encoder.layers.2.self_attn.k_proj.weight", None, None),
            ("model.embed_tokens.weight", None, None),
            ("layers.18446744073709551616.x", None, None),
        ] {
            let tensor = tensor(name);
            assert_eq!((tensor.layer(), tensor.experts()), (layer, experts), "{name}");
        }
    }
}
