//! Writes GGUF files and folders of the hub, with headers of any model and without its weights.

/// A GGUF header that is being written.
pub(crate) struct Writer {
    metadata: Vec<u8>,
    values: u64,
    infos: Vec<u8>,
    tensors: u64,
    /// Bytes of the tensors so far, each padded.
    data: u64,
}

/// The number of a tensor type in GGUF, with weights and bytes of a block.
#[derive(Clone, Copy)]
pub(crate) struct Kind(pub(crate) u32, pub(crate) u64, pub(crate) u64);

pub(crate) const F32: Kind = Kind(0, 1, 4);
pub(crate) const Q8_0: Kind = Kind(8, 32, 34);

impl Writer {
    pub(crate) fn new(architecture: &str) -> Writer {
        let (metadata, infos) = (Vec::new(), Vec::new());
        let mut writer = Writer { metadata, values: 0, infos, tensors: 0, data: 0 };
        writer.text("general.architecture", architecture);
        writer
    }

    fn key(&mut self, key: &str, kind: u32) {
        self.values += 1;
        push_text(&mut self.metadata, key);
        self.metadata.extend(kind.to_le_bytes());
    }

    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.key(key, 8);
        push_text(&mut self.metadata, text);
    }

    pub(crate) fn number(&mut self, key: &str, number: u32) {
        self.key(key, 4);
        self.metadata.extend(number.to_le_bytes());
    }

    pub(crate) fn texts(&mut self, key: &str, texts: &[String]) {
        self.key(key, 9);
        self.metadata.extend(8_u32.to_le_bytes());
        self.metadata.extend((texts.len() as u64).to_le_bytes());
        for text in texts {
            push_text(&mut self.metadata, text);
        }
    }

    /// Adds a tensor; the shape has the outermost dimension first.
    pub(crate) fn tensor(&mut self, name: &str, kind: Kind, shape: &[u64]) {
        self.tensors += 1;
        push_text(&mut self.infos, name);
        self.infos.extend((shape.len() as u32).to_le_bytes());
        shape.iter().rev().for_each(|size| self.infos.extend(size.to_le_bytes()));
        self.infos.extend(kind.0.to_le_bytes());
        self.infos.extend(self.data.to_le_bytes());
        let bytes = shape.iter().product::<u64>() / kind.1 * kind.2;
        self.data = (self.data + bytes).next_multiple_of(32);
    }

    /// The header, and the size of the file that it describes.
    pub(crate) fn finish(self) -> (Vec<u8>, u64) {
        let counts = [self.tensors.to_le_bytes(), self.values.to_le_bytes()].concat();
        let mut bytes = [b"GGUF".as_slice(), &3_u32.to_le_bytes(), &counts].concat();
        bytes.extend(self.metadata);
        bytes.extend(self.infos);
        let size = (bytes.len() as u64).next_multiple_of(32) + self.data;
        (bytes, size)
    }
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

/// The shape of a Qwen3 mixture of experts.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) layers: u64,
    pub(crate) hidden: u64,
    pub(crate) heads: u64,
    pub(crate) kv_heads: u64,
    pub(crate) head_dim: u64,
    pub(crate) experts: u64,
    pub(crate) used: u64,
    pub(crate) expert_width: u64,
    pub(crate) vocabulary: u64,
}

/// Qwen3-30B-A3B, in all its editions.
pub(crate) const QWEN3_30B_A3B: Shape = Shape {
    layers: 48,
    hidden: 2048,
    heads: 32,
    kv_heads: 4,
    head_dim: 128,
    experts: 128,
    used: 8,
    expert_width: 768,
    vocabulary: 151_936,
};

/// The same architecture, small.
pub(crate) const SMALL: Shape = Shape {
    layers: 2,
    hidden: 64,
    heads: 4,
    kv_heads: 2,
    head_dim: 32,
    experts: 4,
    used: 2,
    expert_width: 32,
    vocabulary: 96,
};

impl Shape {
    /// Its tensors by the names of GGUF.
    pub(crate) fn gguf_tensors(&self) -> Vec<(String, Vec<u64>)> {
        let Shape { hidden, heads, kv_heads, head_dim, experts, expert_width, .. } = *self;
        let (query, key) = (heads * head_dim, kv_heads * head_dim);
        let mut tensors = vec![("token_embd.weight".to_owned(), vec![self.vocabulary, hidden])];
        for layer in 0..self.layers {
            for (name, shape) in [
                ("attn_norm", vec![hidden]),
                ("attn_q", vec![query, hidden]),
                ("attn_q_norm", vec![head_dim]),
                ("attn_k", vec![key, hidden]),
                ("attn_k_norm", vec![head_dim]),
                ("attn_v", vec![key, hidden]),
                ("attn_output", vec![hidden, query]),
                ("ffn_norm", vec![hidden]),
                ("ffn_gate_inp", vec![experts, hidden]),
                ("ffn_gate_exps", vec![experts, expert_width, hidden]),
                ("ffn_up_exps", vec![experts, expert_width, hidden]),
                ("ffn_down_exps", vec![experts, hidden, expert_width]),
            ] {
                tensors.push((format!("blk.{layer}.{name}.weight"), shape));
            }
        }
        tensors.push(("output_norm.weight".to_owned(), vec![hidden]));
        tensors.push(("output.weight".to_owned(), vec![self.vocabulary, hidden]));
        tensors
    }

    /// Its metadata and tensors in GGUF, 8 bits a weight.
    pub(crate) fn gguf(&self) -> Writer {
        let mut writer = Writer::new("qwen3moe");
        for (key, number) in [
            ("block_count", self.layers),
            ("context_length", 262_144),
            ("embedding_length", self.hidden),
            ("attention.head_count", self.heads),
            ("attention.head_count_kv", self.kv_heads),
            ("attention.key_length", self.head_dim),
            ("attention.value_length", self.head_dim),
            ("expert_count", self.experts),
            ("expert_used_count", self.used),
        ] {
            writer.number(&format!("qwen3moe.{key}"), number.try_into().unwrap());
        }
        for (name, shape) in self.gguf_tensors() {
            let kind = if shape.len() == 1 { F32 } else { Q8_0 };
            writer.tensor(&name, kind, &shape);
        }
        writer
    }

    /// Its `config.json`.
    pub(crate) fn config(&self) -> serde_json::Value {
        serde_json::json!({
            "architectures": ["Qwen3MoeForCausalLM"],
            "model_type": "qwen3_moe",
            "num_hidden_layers": self.layers,
            "hidden_size": self.hidden,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "num_experts": self.experts,
            "num_experts_per_tok": self.used,
            "moe_intermediate_size": self.expert_width,
            "max_position_embeddings": 262_144,
        })
    }

    /// Its tensors by the names of the hub.
    pub(crate) fn hub_tensors(&self) -> Vec<(String, Vec<u64>)> {
        let Shape { hidden, heads, kv_heads, head_dim, expert_width, .. } = *self;
        let (query, key) = (heads * head_dim, kv_heads * head_dim);
        let embedding = vec![self.vocabulary, hidden];
        let mut tensors = vec![("model.embed_tokens.weight".to_owned(), embedding.clone())];
        for layer in 0..self.layers {
            let mut add = |name: &str, shape: Vec<u64>| {
                tensors.push((format!("model.layers.{layer}.{name}.weight"), shape));
            };
            add("input_layernorm", vec![hidden]);
            add("self_attn.q_proj", vec![query, hidden]);
            add("self_attn.q_norm", vec![head_dim]);
            add("self_attn.k_proj", vec![key, hidden]);
            add("self_attn.k_norm", vec![head_dim]);
            add("self_attn.v_proj", vec![key, hidden]);
            add("self_attn.o_proj", vec![hidden, query]);
            add("post_attention_layernorm", vec![hidden]);
            add("mlp.gate", vec![self.experts, hidden]);
            for expert in 0..self.experts {
                add(&format!("mlp.experts.{expert}.gate_proj"), vec![expert_width, hidden]);
                add(&format!("mlp.experts.{expert}.up_proj"), vec![expert_width, hidden]);
                add(&format!("mlp.experts.{expert}.down_proj"), vec![hidden, expert_width]);
            }
        }
        tensors.push(("model.norm.weight".to_owned(), vec![hidden]));
        tensors.push(("lm_head.weight".to_owned(), embedding));
        tensors
    }
}

/// The head of a safetensors file with these tensors, two bytes a weight, and the file's size.
pub(crate) fn safetensors(tensors: &[(String, Vec<u64>)]) -> (Vec<u8>, u64) {
    let (mut header, mut end) = (serde_json::Map::new(), 0);
    for (name, shape) in tensors {
        let start = end;
        end += shape.iter().product::<u64>() * 2;
        let info = serde_json::json!({
            "dtype": "BF16", "shape": shape, "data_offsets": [start, end],
        });
        header.insert(name.clone(), info);
    }
    let json = serde_json::to_vec(&header).unwrap();
    let bytes = [&(json.len() as u64).to_le_bytes()[..], &json].concat();
    let size = bytes.len() as u64 + end;
    (bytes, size)
}
