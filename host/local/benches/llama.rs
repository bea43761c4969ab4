//! June's engine beside llama.cpp: the same file, the same threads, one after the other in rounds.
//!
//!     JUNE_TEST_PYTHON=… cargo bench -p june-local
//!
//! The file has the shape of Qwen3-0.6B and random weights; it is written to a temporary folder, in
//! Q8_0 and then in Q4_K. A round reads a prompt of 512 tokens and writes 64. What is printed for
//! each side is the best round, and June's share of llama.cpp's. Other work on the machine disturbs
//! both; `CANDLE_NUM_THREADS` sets the threads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "bench")]

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Tensor};
use futures_util::StreamExt;
use june_local::{Local, Settings};
use june_models::Model;
use june_models::types::{Delta, Message, Request, Role, Sampling};
use serde_json::json;

const LAYERS: usize = 28;
const HIDDEN: usize = 1024;
const INNER: usize = 3072;
const HEADS: usize = 16;
const KV_HEADS: usize = 8;
const WIDTH: usize = 128;
const VOCABULARY: usize = 151_936;

const READ: usize = 512;
const WRITE: u32 = 64;

/// Tokens a second.
#[derive(Clone, Copy, Default)]
struct Speed {
    read: f64,
    written: f64,
}

impl Speed {
    fn best(self, other: Speed) -> Speed {
        Speed { read: self.read.max(other.read), written: self.written.max(other.written) }
    }
}

fn main() {
    let rounds = std::env::var("JUNE_BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    let threads = candle_core::utils::get_num_threads();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, dtype) in [("Q8_0", GgmlDType::Q8_0), ("Q4_K", GgmlDType::Q4K)] {
        let path = folder.path().join(format!("{name}.gguf"));
        write(&path, dtype);
        let mut llama = Llama::start(&path, threads);
        let settings = Settings::default();
        let model = Local::open(&path, &settings).unwrap();
        let (mut ours, mut theirs) = (Speed::default(), None);
        for round in 0..=rounds {
            let june = runtime.block_on(measure(&model, round));
            let other = llama.as_mut().map(|llama| llama.measure(round));
            // The first round warms up.
            if round > 0 {
                println!(
                    "  {name} round {round}: june reads {:.0}/s, writes {:.1}/s{}",
                    june.read,
                    june.written,
                    other.map_or(String::new(), |other| format!(
                        "; llama.cpp {:.0}/s, {:.1}/s",
                        other.read, other.written
                    ))
                );
                ours = ours.best(june);
                theirs = other.map(|other| other.best(theirs.unwrap_or_default()));
            }
        }
        println!(
            "{name}, {threads} threads: june reads {:.0} tokens/s and writes {:.1}",
            ours.read, ours.written
        );
        if let Some(theirs) = theirs {
            println!(
                "{name}, {threads} threads: llama.cpp reads {:.0} tokens/s and writes {:.1}; june has {:.2} and {:.2} of that",
                theirs.read,
                theirs.written,
                ours.read / theirs.read,
                ours.written / theirs.written
            );
        }
        std::fs::remove_file(&path).unwrap();
    }
}

/// One round of June's: the time to the first token, and between the first and the last.
async fn measure(model: &Local, round: u32) -> Speed {
    // Without merges each letter is a token, and the template adds 20. The first letter differs, so
    // that no round goes on from another.
    let first = char::from(b'b' + (round % 20) as u8);
    let text = first.to_string() + &"xyz".repeat(READ)[..READ - 21];
    let sampling = Sampling { temperature: Some(0.0), ..Sampling::default() };
    let messages = vec![Message::text(Role::User, text)];
    let request = Request { messages, sampling, max_tokens: Some(WRITE), ..Request::default() };
    let start = Instant::now();
    let mut deltas = model.stream(request);
    let (mut first, mut last) = (None::<Instant>, start);
    while let Some(delta) = deltas.next().await {
        match delta.unwrap() {
            Delta::Finish(_, usage) => {
                assert!(usage.input_tokens.abs_diff(READ as u64) < 2, "{usage:?}");
                let read = usage.input_tokens as f64 / (first.unwrap() - start).as_secs_f64();
                let time = (last - first.unwrap()).as_secs_f64();
                return Speed { read, written: (usage.output_tokens - 1) as f64 / time };
            }
            _ => {
                last = Instant::now();
                first.get_or_insert(last);
            }
        }
    }
    panic!("no end")
}

struct Llama {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Llama {
    fn start(model: &Path, threads: usize) -> Option<Llama> {
        let Some(python) = std::env::var_os("JUNE_TEST_PYTHON") else {
            eprintln!("SKIPPED llama.cpp: JUNE_TEST_PYTHON names no Python that has xllamacpp");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/llama_round.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(model)
            .arg(threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("JUNE_TEST_PYTHON runs");
        let lines = BufReader::new(child.stdout.take().unwrap());
        Some(Llama { child, lines })
    }

    fn measure(&mut self, round: u32) -> Speed {
        let prompt: Vec<u32> = (0..READ as u32).map(|i| 65 + (i + round) % 20).collect();
        let asked = json!({"prompt": prompt, "write": WRITE});
        writeln!(self.child.stdin.as_mut().unwrap(), "{asked}").unwrap();
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&line).expect(&line);
        assert_eq!(answer["tokens"], READ);
        Speed {
            read: answer["read"].as_f64().unwrap(),
            written: answer["written"].as_f64().unwrap(),
        }
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a network of random weights.
fn write(path: &Path, dtype: GgmlDType) {
    let mut random = fastrand::Rng::with_seed(1);
    let mut tensors = Vec::new();
    let mut add = |name: String, shape: &[usize]| {
        let tensor = if let [width] = shape {
            let ones = Tensor::ones(*width, candle_core::DType::F32, &Device::Cpu).unwrap();
            QTensor::quantize(&ones, GgmlDType::F32).unwrap()
        } else {
            let bytes = blocks(dtype, shape.iter().product(), &mut random);
            let storage = QStorage::from_data(Cow::Owned(bytes), &Device::Cpu, dtype).unwrap();
            QTensor::new(storage, shape).unwrap()
        };
        tensors.push((name, tensor));
    };
    add("token_embd.weight".into(), &[VOCABULARY, HIDDEN]);
    add("output_norm.weight".into(), &[HIDDEN]);
    for layer in 0..LAYERS {
        for (part, shape) in [
            ("attn_norm", &[HIDDEN][..]),
            ("attn_q", &[HEADS * WIDTH, HIDDEN]),
            ("attn_k", &[KV_HEADS * WIDTH, HIDDEN]),
            ("attn_v", &[KV_HEADS * WIDTH, HIDDEN]),
            ("attn_q_norm", &[WIDTH]),
            ("attn_k_norm", &[WIDTH]),
            ("attn_output", &[HIDDEN, HEADS * WIDTH]),
            ("ffn_norm", &[HIDDEN]),
            ("ffn_gate", &[INNER, HIDDEN]),
            ("ffn_up", &[INNER, HIDDEN]),
            ("ffn_down", &[HIDDEN, INNER]),
        ] {
            add(format!("blk.{layer}.{part}.weight"), shape);
        }
    }
    let metadata = metadata();
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let mut file = BufWriter::new(File::create(path).unwrap());
    gguf_file::write(&mut file, &metadata, &tensors).unwrap();
    file.flush().unwrap();
}

/// Blocks of random weights of about 0.02: random bytes but for the scales.
fn blocks(dtype: GgmlDType, weights: usize, random: &mut fastrand::Rng) -> Vec<u8> {
    let size = dtype.type_size();
    let mut bytes = vec![0_u8; weights / dtype.block_size() * size];
    random.fill(&mut bytes);
    // As halves: 2.7e-4; and 1.2e-4 with 9e-4 for the offset.
    let (scale, offset) =
        if dtype == GgmlDType::Q8_0 { (0x0C6C_u16, None) } else { (0x07DD, Some(0x1360_u16)) };
    for block in bytes.chunks_exact_mut(size) {
        block[..2].copy_from_slice(&scale.to_le_bytes());
        if let Some(offset) = offset {
            block[2..4].copy_from_slice(&offset.to_le_bytes());
        }
    }
    bytes
}

fn metadata() -> Vec<(String, Value)> {
    let mut tokens: Vec<String> = alphabet();
    tokens.push("aa".into());
    tokens.extend((tokens.len()..VOCABULARY - 3).map(|id| format!("t{id}")));
    tokens.extend(["<|endoftext|>", "<|im_start|>", "<|im_end|>"].map(str::to_owned));
    let kinds = (0..VOCABULARY).map(|id| Value::I32(if id < VOCABULARY - 3 { 1 } else { 3 }));
    let number = |n: usize| Value::U32(n as u32);
    let text = |s: &str| Value::String(s.to_owned());
    let fields = [
        ("general.architecture", text("qwen3")),
        ("general.name", text("random")),
        ("qwen3.block_count", number(LAYERS)),
        ("qwen3.context_length", number(40_960)),
        ("qwen3.embedding_length", number(HIDDEN)),
        ("qwen3.feed_forward_length", number(INNER)),
        ("qwen3.attention.head_count", number(HEADS)),
        ("qwen3.attention.head_count_kv", number(KV_HEADS)),
        ("qwen3.attention.key_length", number(WIDTH)),
        ("qwen3.attention.value_length", number(WIDTH)),
        ("qwen3.attention.layer_norm_rms_epsilon", Value::F32(1e-6)),
        ("qwen3.rope.freq_base", Value::F32(1e6)),
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("qwen2")),
        ("tokenizer.ggml.tokens", Value::Array(tokens.into_iter().map(Value::String).collect())),
        ("tokenizer.ggml.token_type", Value::Array(kinds.collect())),
        ("tokenizer.ggml.merges", Value::Array(vec![text("a a")])),
        ("tokenizer.ggml.eos_token_id", number(VOCABULARY - 1)),
    ];
    fields.map(|(key, value)| (key.to_owned(), value)).into()
}

/// GPT-2's letters for the 256 bytes.
fn alphabet() -> Vec<String> {
    let plain = |byte: u8| -> bool { matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF) };
    let mut other = 256_u32..;
    let letter = |byte: u8| if plain(byte) { u32::from(byte) } else { other.next().unwrap() };
    let letters = (0..=u8::MAX).map(letter);
    letters.map(|code| char::from_u32(code).unwrap().to_string()).collect()
}
