//! A reader of the header of the fixtures' GGUF files, which are well formed.

use std::collections::HashMap;
use std::path::Path;

use june_models::text::{TokenKind, Vocabulary};

pub(crate) struct Header {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) template: Option<String>,
}

#[derive(Clone)]
enum Value {
    Number(u64),
    Text(String),
    List(Vec<Value>),
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn number(&mut self, size: usize) -> u64 {
        let (number, rest) = self.0.split_at(size);
        self.0 = rest;
        number.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte))
    }

    fn text(&mut self) -> String {
        let size = self.number(8) as usize;
        let (text, rest) = self.0.split_at(size);
        self.0 = rest;
        String::from_utf8(text.to_vec()).unwrap()
    }

    fn value(&mut self, kind: u64) -> Value {
        match kind {
            0 | 1 | 7 => Value::Number(self.number(1)),
            2 | 3 => Value::Number(self.number(2)),
            4..=6 => Value::Number(self.number(4)),
            8 => Value::Text(self.text()),
            9 => {
                let (kind, count) = (self.number(4), self.number(8));
                Value::List((0..count).map(|_| self.value(kind)).collect())
            }
            _ => Value::Number(self.number(8)),
        }
    }
}

pub(crate) fn read(path: &Path) -> Header {
    let file = std::fs::read(path).unwrap();
    let mut bytes = Bytes(file.strip_prefix(b"GGUF").unwrap());
    let (_version, _tensors, count) = (bytes.number(4), bytes.number(8), bytes.number(8));
    let mut values = HashMap::new();
    for _ in 0..count {
        let name = bytes.text();
        let kind = bytes.number(4);
        values.insert(name, bytes.value(kind));
    }
    let texts = |name: &str| match &values[name] {
        Value::List(values) => values.iter().map(text).collect(),
        _ => panic!("{name}"),
    };
    let number = |name: &str| values.get(name).map(|value| number(value) as u32);
    let Value::List(kinds) = &values["tokenizer.ggml.token_type"] else { panic!() };
    let vocabulary = Vocabulary {
        tokens: texts("tokenizer.ggml.tokens"),
        kinds: kinds.iter().map(|kind| TokenKind::from_gguf(self::number(kind) as i32)).collect(),
        merges: texts("tokenizer.ggml.merges"),
        pre: text(&values["tokenizer.ggml.pre"]),
        begin: number("tokenizer.ggml.bos_token_id"),
        end: number("tokenizer.ggml.eos_token_id"),
    };
    Header { vocabulary, template: values.get("tokenizer.chat_template").map(text) }
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        _ => panic!("no text"),
    }
}

fn number(value: &Value) -> u64 {
    match value {
        Value::Number(number) => *number,
        _ => panic!("no number"),
    }
}
