//! The header of a safetensors file: a length, then JSON that names each tensor.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::header::fault::Fault;
use crate::header::input::Input;
use crate::header::tensor::Tensor;
use crate::words::quoted;

/// How many weights an integer holds, where integers are packs of quantised weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    /// Bits of a weight; 1 to 8.
    pub bits: u64,
}

/// Reads a header and checks it against the file's size.
///
/// # Errors
///
/// It is cut off, malformed, too long, or describes another file than this.
pub fn read<R: Read>(input: &mut Input<R>, packing: Option<Packing>) -> Result<Vec<Tensor>, Fault> {
    let head: [u8; 8] = input.array("its head")?;
    if head.starts_with(b"version") {
        let hint = "get the file itself: git lfs pull, or june model pull";
        return Err(Fault::unsupported("it is a pointer of Git LFS, not the file", hint));
    }
    let json = input.take(u64::from_le_bytes(head), "its header")?;
    let header: Header = serde_json::from_slice(&json)
        .map_err(|error| Fault::Wrong(format!("its header cannot be understood: {error}")))?;
    let mut infos = header.0;
    infos.sort_by_key(|(_, info)| info.data_offsets);
    let mut end = 0;
    let mut tensors = Vec::new();
    for (name, info) in infos {
        let (start, stop) = info.data_offsets;
        if start != end || stop < start {
            let name = quoted(&name, 64);
            let what = format!("tensor {name} is at {start}, where {end} was to be expected");
            return Err(Fault::Wrong(what));
        }
        end = stop;
        tensors.push(info.tensor(name, packing)?);
    }
    let whole = input.position().checked_add(end);
    if whole != Some(input.size()) {
        let size = input.size();
        let what = format!("it has {size} bytes, and its header and tensors another number");
        return Err(Fault::Wrong(what));
    }
    if tensors.windows(2).any(|pair| pair[0].name == pair[1].name) {
        return Err(Fault::wrong("it has a tensor twice"));
    }
    Ok(tensors)
}

/// The tensors by name, in the header's order.
struct Header(Vec<(String, Info)>);

#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Shape,
    data_offsets: (u64, u64),
}

/// Dimensions, of which no tensor in use has more than eight.
struct Shape(Vec<u64>);

impl Info {
    fn tensor(self, name: String, packing: Option<Packing>) -> Result<Tensor, Fault> {
        let wrong = |what: &str| Fault::Wrong(format!("tensor {} {what}", quoted(&name, 64)));
        let (kind, bits) = dtype(&self.dtype)
            .ok_or_else(|| wrong(&format!("has the unknown type {}", quoted(&self.dtype, 16))))?;
        let Shape(shape) = self.shape;
        let elements = shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
        let elements = elements.ok_or_else(|| wrong("is too large"))?;
        let bytes = elements.checked_mul(bits).map(|bits| bits.div_ceil(8));
        let (start, stop) = self.data_offsets;
        if bytes != stop.checked_sub(start) {
            return Err(wrong("has another shape than its data"));
        }
        let parameters = match (packing, kind) {
            _ if is_auxiliary(&name) => 0,
            (Some(packing), "U8" | "I32" | "U32") => {
                // As many as fit, for widths such as 3 bits are packed across integers.
                elements.checked_mul(bits).ok_or_else(|| wrong("is too large"))? / packing.bits
            }
            _ => elements,
        };
        Ok(Tensor { name, kind, shape, parameters, bytes: bytes.unwrap_or_default() })
    }
}

/// Whether a tensor helps to read quantised weights and holds none itself.
fn is_auxiliary(name: &str) -> bool {
    let last = name.rsplit(['.', '/']).next().unwrap_or_default();
    let names = ["qzeros", "g_idx", "weight_shape", "absmax", "quant_map", "zero_point"];
    last.contains("scale") || names.iter().any(|known| last.contains(known))
}

/// The type of this name, with the bits of a number.
fn dtype(name: &str) -> Option<(&'static str, u64)> {
    Some(match name {
        "BOOL" => ("BOOL", 8),
        "F4" => ("F4", 4),
        "F6_E2M3" | "F6_E3M2" => ("F6", 6),
        "U8" => ("U8", 8),
        "I8" => ("I8", 8),
        "F8_E5M2" | "F8_E4M3" => ("FP8", 8),
        "F8_E8M0" => ("F8_E8M0", 8),
        "I16" => ("I16", 16),
        "U16" => ("U16", 16),
        "F16" => ("F16", 16),
        "BF16" => ("BF16", 16),
        "I32" => ("I32", 32),
        "U32" => ("U32", 32),
        "F32" => ("F32", 32),
        "F64" => ("F64", 64),
        "I64" => ("I64", 64),
        "U64" => ("U64", 64),
        "C64" => ("C64", 64),
        _ => return None,
    })
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Header;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut tensors = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        tensors.push((name, map.next_value()?));
                    }
                }
                Ok(Header(tensors))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shape, D::Error> {
        struct Sizes;
        impl<'de> Visitor<'de> for Sizes {
            type Value = Shape;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("at most eight dimensions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sizes: A) -> Result<Shape, A::Error> {
                let mut shape = Vec::new();
                while let Some(size) = sizes.next_element()? {
                    if shape.len() == 8 {
                        return Err(serde::de::Error::invalid_length(9, &self));
                    }
                    shape.push(size);
                }
                Ok(Shape(shape))
            }
        }
        deserializer.deserialize_seq(Sizes)
    }
}
