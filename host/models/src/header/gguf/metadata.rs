//! The metadata of a GGUF file: keys and typed values.

use std::collections::BTreeMap;
use std::io::Read;

use crate::header::fault::Fault;
use crate::header::input::Input;
use crate::words::quoted;

/// The keys of a GGUF file with their values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata(BTreeMap<String, Value>);

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Any integer that is not negative, whatever its width in the file.
    Unsigned(u64),
    /// A negative integer.
    Negative(i64),
    /// A floating-point number.
    Float(f64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(String),
    /// An array of texts.
    Texts(Vec<String>),
    /// An array of numbers or flags.
    Numbers(Numbers),
}

/// An array of numbers or flags, kept as in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    scalar: Scalar,
    bytes: Vec<u8>,
}

/// The scalar types, by their number in GGUF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scalar {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Flag,
    U64,
    I64,
    F64,
}

impl Metadata {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Takes a value out, so that a long array need not be copied.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// All keys with their values, in the keys' order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// A text, where the key has one.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An integer that is not negative, where the key has one.
    pub fn unsigned(&self, key: &str) -> Option<u64> {
        match self.get(key)? {
            Value::Unsigned(number) => Some(*number),
            _ => None,
        }
    }

    /// A number, where the key has one.
    pub fn float(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Value::Float(number) => Some(*number),
            Value::Unsigned(number) => Some(*number as f64),
            Value::Negative(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// A flag, where the key has one.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// An array of texts, where the key has one.
    pub fn texts(&self, key: &str) -> Option<&[String]> {
        match self.get(key)? {
            Value::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    /// An array of numbers, where the key has one.
    pub fn numbers(&self, key: &str) -> Option<&Numbers> {
        match self.get(key)? {
            Value::Numbers(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// Reads so many keys and values.
    pub(crate) fn read<R: Read>(input: &mut Input<R>, count: u64) -> Result<Metadata, Fault> {
        let mut metadata = BTreeMap::new();
        for _ in 0..count {
            let key = text(input, "a key of the metadata")?;
            let what = format!("the value of {}", quoted(&key, 64));
            let number = u32::from_le_bytes(input.array(&what)?);
            let value = Value::read(input, number, &what)?;
            if metadata.insert(key, value).is_some() {
                return Err(Fault::wrong(format!("it has {what} twice")));
            }
        }
        Ok(Metadata(metadata))
    }
}

/// A text with its length before it.
pub(crate) fn text<R: Read>(input: &mut Input<R>, what: &str) -> Result<String, Fault> {
    let length = u64::from_le_bytes(input.array(what)?);
    let bytes = input.take(length, what)?;
    String::from_utf8(bytes).map_err(|_| Fault::wrong(format!("{what} is not UTF-8")))
}

impl Value {
    fn read<R: Read>(input: &mut Input<R>, number: u32, what: &str) -> Result<Value, Fault> {
        match number {
            8 => Ok(Value::Text(text(input, what)?)),
            9 => Value::read_array(input, what),
            _ => {
                let scalar = Scalar::new(number, what)?;
                let bytes = input.take(scalar.width(), what)?;
                Ok(scalar.value(&bytes))
            }
        }
    }

    fn read_array<R: Read>(input: &mut Input<R>, what: &str) -> Result<Value, Fault> {
        let number = u32::from_le_bytes(input.array(what)?);
        let count = u64::from_le_bytes(input.array(what)?);
        match number {
            8 => {
                let mut texts = Vec::new();
                for _ in 0..count {
                    texts.push(text(input, what)?);
                }
                Ok(Value::Texts(texts))
            }
            9 => Err(Fault::unsupported(
                format!("{what} is an array of arrays"),
                "use a file that llama.cpp wrote: it knows no such values",
            )),
            _ => {
                let scalar = Scalar::new(number, what)?;
                let length = count.checked_mul(scalar.width());
                let length = length.ok_or_else(|| Fault::wrong(format!("{what} is too long")))?;
                Ok(Value::Numbers(Numbers { scalar, bytes: input.take(length, what)? }))
            }
        }
    }
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.scalar.width() as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The numbers, each as the value that it would be alone.
    pub fn iter(&self) -> impl Iterator<Item = Value> {
        self.bytes.chunks_exact(self.scalar.width() as usize).map(|bytes| self.scalar.value(bytes))
    }

    /// The numbers, if all are integers and none is negative.
    pub fn unsigned(&self) -> Option<Vec<u64>> {
        let number = |value| match value {
            Value::Unsigned(number) => Some(number),
            _ => None,
        };
        self.iter().map(number).collect()
    }
}

impl Scalar {
    fn new(number: u32, what: &str) -> Result<Scalar, Fault> {
        Ok(match number {
            0 => Scalar::U8,
            1 => Scalar::I8,
            2 => Scalar::U16,
            3 => Scalar::I16,
            4 => Scalar::U32,
            5 => Scalar::I32,
            6 => Scalar::F32,
            7 => Scalar::Flag,
            10 => Scalar::U64,
            11 => Scalar::I64,
            12 => Scalar::F64,
            other => return Err(Fault::wrong(format!("{what} has the unknown type {other}"))),
        })
    }

    fn width(self) -> u64 {
        match self {
            Scalar::U8 | Scalar::I8 | Scalar::Flag => 1,
            Scalar::U16 | Scalar::I16 => 2,
            Scalar::U32 | Scalar::I32 | Scalar::F32 => 4,
            Scalar::U64 | Scalar::I64 | Scalar::F64 => 8,
        }
    }

    /// The value of these bytes, of which there are `width`.
    fn value(self, bytes: &[u8]) -> Value {
        let mut wide = [0; 8];
        for (to, from) in wide.iter_mut().zip(bytes) {
            *to = *from;
        }
        let unsigned = u64::from_le_bytes(wide);
        let signed = |number: i64| match u64::try_from(number) {
            Ok(number) => Value::Unsigned(number),
            Err(_) => Value::Negative(number),
        };
        match self {
            Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => Value::Unsigned(unsigned),
            Scalar::I8 => signed((unsigned as i8).into()),
            Scalar::I16 => signed((unsigned as i16).into()),
            Scalar::I32 => signed((unsigned as i32).into()),
            Scalar::I64 => signed(unsigned as i64),
            Scalar::F32 => Value::Float(f32::from_bits(unsigned as u32).into()),
            Scalar::F64 => Value::Float(f64::from_bits(unsigned)),
            Scalar::Flag => Value::Flag(unsigned != 0),
        }
    }
}
