//! June's engine beside llama.cpp: the same file, the same threads, one after the other in rounds.
//!
//!     JUNE_TEST_PYTHON=… cargo bench -p june-local
//!
//! The file has the shape of Qwen3-0.6B and random weights; it is written to a temporary folder, in
//! Q8_0 and then in Q4_K. A round reads a prompt of 512 tokens and writes 64. What is printed for
//! each side are tokens a second in its best round, and June's share of llama.cpp's.
//! `CANDLE_NUM_THREADS` sets the threads of both, `JUNE_BENCH_ROUNDS` the rounds. Other work on the machine
//! disturbs both; with one thread, processor time is a measure all the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "bench")]

use std::borrow::Cow;
use std::fmt::{Display, Formatter};
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

/// Tokens a second, and tokens a second of processor time: of all threads, so that one thread on a
/// busy machine can be compared too.
#[derive(Clone, Copy, Default)]
struct Round {
    read: f64,
    written: f64,
    read_cpu: f64,
    written_cpu: f64,
}

impl Round {
    fn with(self, other: Round, join: fn(f64, f64) -> f64) -> Round {
        Round {
            read: join(self.read, other.read),
            written: join(self.written, other.written),
            read_cpu: join(self.read_cpu, other.read_cpu),
            written_cpu: join(self.written_cpu, other.written_cpu),
        }
    }

    fn best(self, other: Round) -> Round {
        self.with(other, f64::max)
    }

    fn share(self, other: Round) -> Round {
        self.with(other, |ours, theirs| ours / theirs)
    }
}

impl Display for Round {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Round { read, written, read_cpu, written_cpu } = self;
        write!(
            f,
            "reads {read:.2} and writes {written:.2} (by processor time {read_cpu:.2} and {written_cpu:.2})"
        )
    }
}

/// Seconds of processor time that a process has taken: hundredths, from Linux's `/proc`.
fn cpu(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // After the name, which is in brackets: the state, and from the twelfth on the times.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

fn main() {
    let rounds = std::env::var("JUNE_BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    // As candle's pool reads it.
    let asked = std::env::var("CANDLE_NUM_THREADS").ok().and_then(|n| n.parse().ok());
    let threads = asked.unwrap_or_else(candle_core::utils::get_num_threads);
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, dtype) in [("Q8_0", GgmlDType::Q8_0), ("Q4_K", GgmlDType::Q4K)] {
        let path = folder.path().join(format!("{name}.gguf"));
        write(&path, dtype);
        let mut llama = Llama::start(&path, threads);
        let model = Local::open(&path, &Settings::default()).unwrap();
        let (mut june, mut other) = (Round::default(), Round::default());
        for round in 0..=rounds {
            let ours = runtime.block_on(measure(&model, round));
            let theirs = llama.as_mut().map(|llama| llama.measure(round));
            // The first round warms up.
            if round > 0 {
                june = june.best(ours);
                other = other.best(theirs.unwrap_or_default());
                println!(
                    "{name} round {round}: june {ours}, llama.cpp {}",
                    theirs.unwrap_or_default()
                );
            }
        }
        println!("{name}, {threads} threads: june {june}");
        if llama.is_some() {
            println!("{name}, {threads} threads: llama.cpp {other}");
            println!("{name}, {threads} threads: june has {} of that", june.share(other));
        }
        std::fs::remove_file(&path).unwrap();
    }
}

/// One round of June's: the time to the first token, and between the first and the last.
async fn measure(model: &Local, round: u32) -> Round {
    // Without merges each letter is a token, and the template adds 20. The first letter differs, so
    // that no round goes on from another.
    let first = char::from(b'b' + (round % 20) as u8);
    let text = first.to_string() + &"xyz".repeat(READ)[..READ - 21];
    let sampling = Sampling { temperature: Some(0.0), ..Sampling::default() };
    let messages = vec![Message::text(Role::User, text)];
    let request = Request { messages, sampling, max_tokens: Some(WRITE), ..Request::default() };
    let (start, start_cpu) = (Instant::now(), cpu(std::process::id()));
    let mut deltas = model.stream(request);
    let mut first = None;
    while let Some(delta) = deltas.next().await {
        let (now, now_cpu) = (Instant::now(), cpu(std::process::id()));
        let (first, first_cpu) = *first.get_or_insert((now, now_cpu));
        if let Delta::Finish(_, usage) = delta.unwrap() {
            assert!(usage.input_tokens.abs_diff(READ as u64) < 2, "{usage:?}");
            let (read, written) = (usage.input_tokens as f64, (usage.output_tokens - 1) as f64);
            return Round {
                read: read / (first - start).as_secs_f64(),
                written: written / (now - first).as_secs_f64(),
                read_cpu: read / (first_cpu - start_cpu),
                written_cpu: written / (now_cpu - first_cpu),
            };
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

    fn measure(&mut self, round: u32) -> Round {
        let (_, read_cpu) = self.ask(round, 1);
        let (answer, all_cpu) = self.ask(round, WRITE);
        Round {
            read: answer["read"].as_f64().unwrap(),
            written: answer["written"].as_f64().unwrap(),
            read_cpu: READ as f64 / read_cpu,
            written_cpu: f64::from(WRITE - 1) / (all_cpu - read_cpu),
        }
    }

    /// What the server says of an answer, and the processor time it took.
    fn ask(&mut self, round: u32, write: u32) -> (serde_json::Value, f64) {
        let before = cpu(self.child.id());
        let prompt: Vec<u32> = (0..READ as u32).map(|i| 65 + (i + round) % 20).collect();
        let asked = json!({"prompt": prompt, "write": write});
        writeln!(self.child.stdin.as_mut().unwrap(), "{asked}").unwrap();
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&line).expect(&line);
        assert_eq!(answer["tokens"], READ);
        (answer, cpu(self.child.id()) - before)
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
