//! The header of a GGUF file: metadata and tensor infos.

mod claims;
mod kinds;
pub mod metadata;
mod split;

use std::io::Read;
use std::path::Path;

pub use metadata::{Metadata, Numbers, Value};

use crate::header::fault::{Fault, HeaderError};
use crate::header::input::Input;
use crate::header::tensor::Tensor;
use crate::words::quoted;

pub(crate) use claims::describe;

/// The header of a GGUF file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Gguf {
    /// Keys and values, the vocabulary and the chat template among them.
    pub metadata: Metadata,
    /// What is said of each tensor, in the file's order.
    pub tensors: Vec<Tensor>,
    /// Where the tensors' data begins in the file.
    pub data: u64,
    /// How many bytes of the file were read.
    pub read: u64,
}

impl Gguf {
    /// Reads the header of a file, and checks it against the file's size. Of a model in several
    /// files, this is the header of the one file.
    ///
    /// # Errors
    ///
    /// See [`HeaderError`].
    pub fn open(path: &Path) -> Result<Gguf, HeaderError> {
        let mut input = Input::open(path)?;
        Gguf::read(&mut input).map_err(|fault| fault.at(path))
    }

    /// Reads a header.
    ///
    /// # Errors
    ///
    /// It is cut off, malformed, longer than [`LIMIT`](crate::header::LIMIT), or describes more
    /// than the file has.
    pub fn read<R: Read>(input: &mut Input<R>) -> Result<Gguf, Fault> {
        check_start(input)?;
        let tensor_count = u64::from_le_bytes(input.array("its head")?);
        let value_count = u64::from_le_bytes(input.array("its head")?);
        let metadata = Metadata::read(input, value_count)?;
        let alignment = match metadata.get("general.alignment") {
            None => 32,
            Some(Value::Unsigned(alignment)) if alignment.is_power_of_two() => *alignment,
            Some(_) => return Err(Fault::wrong("its alignment is no power of two")),
        };
        // Where the next tensor must be, from the beginning of the data.
        let (mut next, mut end) = (0, 0);
        let mut tensors = Vec::new();
        for _ in 0..tensor_count {
            let (tensor, offset) = read_tensor(input)?;
            let name = || quoted(&tensor.name, 64);
            if offset != next {
                let name = name();
                let what = format!("tensor {name} is at {offset}, where {next} was to be expected");
                return Err(Fault::wrong(what));
            }
            let too_large = || Fault::wrong(format!("tensor {} is too large", name()));
            end = next.checked_add(tensor.bytes).ok_or_else(too_large)?;
            next = end.checked_next_multiple_of(alignment).ok_or_else(too_large)?;
            tensors.push(tensor);
        }
        let too_large = || Fault::wrong("its tensors are too large");
        let data = input.position().checked_next_multiple_of(alignment).ok_or_else(too_large)?;
        let whole = data.checked_add(end).ok_or_else(too_large)?;
        if whole > input.size() {
            let size = input.size();
            return Err(Fault::Wrong(format!(
                "it has {size} bytes, and its tensors end at {whole}: it was cut off"
            )));
        }
        Ok(Gguf { metadata, tensors, data, read: input.read() })
    }
}

fn check_start<R: Read>(input: &mut Input<R>) -> Result<(), Fault> {
    let no_gguf = |what: &str| {
        Fault::unsupported(what, "name a GGUF file, or the folder of a model from the hub")
    };
    if input.size() < 8 {
        return Err(no_gguf("it is too short for a model"));
    }
    match &input.array("its head")? {
        b"GGUF" => {}
        b"vers" => {
            let hint = "get the file itself: git lfs pull, or june model pull";
            return Err(Fault::unsupported("it is a pointer of Git LFS, not the file", hint));
        }
        _ => return Err(no_gguf("it is no GGUF file")),
    }
    match u32::from_le_bytes(input.array("its head")?) {
        2 | 3 => Ok(()),
        1 => Err(no_gguf("it is of GGUF's first version, which is out of use")),
        version if version.swap_bytes() <= 3 => Err(no_gguf("it is for big-endian machines")),
        version => Err(no_gguf(&format!("it is of GGUF's unknown version {version}"))),
    }
}

/// What is said of a tensor, and where its data is.
fn read_tensor<R: Read>(input: &mut Input<R>) -> Result<(Tensor, u64), Fault> {
    let name = metadata::text(input, "a tensor's name")?;
    let what = format!("tensor {}", quoted(&name, 64));
    let rank = u32::from_le_bytes(input.array(&what)?);
    if !(1..=4).contains(&rank) {
        return Err(Fault::wrong(format!("{what} has {rank} dimensions")));
    }
    let mut shape = Vec::new();
    for _ in 0..rank {
        shape.push(u64::from_le_bytes(input.array(&what)?));
    }
    let kind = kinds::kind(u32::from_le_bytes(input.array(&what)?))?;
    let offset = u64::from_le_bytes(input.array(&what)?);
    if shape.first().is_none_or(|row| row % kind.block != 0) {
        let name = kind.name;
        return Err(Fault::wrong(format!("{what} has rows that are no whole blocks of {name}")));
    }
    // The file has the innermost dimension first.
    shape.reverse();
    let elements = shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
    let bytes = elements.and_then(|elements| (elements / kind.block).checked_mul(kind.bytes));
    let (Some(elements), Some(bytes)) = (elements, bytes) else {
        return Err(Fault::wrong(format!("{what} is too large")));
    };
    Ok((Tensor { name, kind: kind.name, shape, parameters: elements, bytes }, offset))
}
