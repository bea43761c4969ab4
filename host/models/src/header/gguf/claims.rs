//! What the metadata of a GGUF file claims of its model.

use std::path::Path;

use crate::header::claims::Claims;
use crate::header::description::{Description, Format};
use crate::header::fault::{Fault, HeaderError};
use crate::header::gguf::metadata::{Metadata, Value};
use crate::header::gguf::{Gguf, split};

/// Describes the model that a file has, or begins.
pub(crate) fn describe(path: &Path) -> Result<Description, HeaderError> {
    let Gguf { metadata, mut tensors, mut read, .. } = Gguf::open(path)?;
    split::add_rest(path, &metadata, &mut tensors, &mut read)?;
    let claims = claims(&metadata).map_err(|fault| fault.at(path))?;
    claims.check(&tensors, Format::Gguf, path, read).map_err(|fault| fault.at(path))
}

fn claims(metadata: &Metadata) -> Result<Claims, Fault> {
    let hint = "June runs language models; name the file of one";
    let lacks = |key: &str| Fault::unsupported(format!("its metadata has no `{key}`"), hint);
    let key = "general.architecture";
    let architecture = metadata.text(key).ok_or_else(|| lacks(key))?;
    let known = |key: &str| metadata.unsigned(&format!("{architecture}.{key}"));
    let needed = |key: &str| known(key).ok_or_else(|| lacks(&format!("{architecture}.{key}")));

    let layers = needed("block_count")?;
    let hidden = needed("embedding_length")?;
    let each = |key: &str| match metadata.get(&format!("{architecture}.{key}")) {
        None => Ok(None),
        Some(Value::Unsigned(heads)) => Ok(Some(vec![*heads])),
        Some(Value::Numbers(numbers)) if numbers.len() as u64 == layers => {
            Ok(Some(numbers.unsigned().ok_or_else(|| lacks(key))?))
        }
        Some(_) => Err(Fault::wrong(format!("its `{key}` is no number, nor one for each layer"))),
    };
    let heads = each("attention.head_count")?.ok_or_else(|| lacks("attention.head_count"))?;
    let most = heads.iter().copied().max().filter(|heads| *heads > 0);
    let usual = most.map_or(0, |heads| hidden / heads);
    let length = |key: &str| known(key).unwrap_or(usual);
    let used = known("expert_used_count").unwrap_or_default();
    Ok(Claims {
        architecture: architecture.chars().take(64).collect(),
        context: known("context_length"),
        layers,
        hidden,
        kv_heads: each("attention.head_count_kv")?.unwrap_or(heads),
        key: length("attention.key_length"),
        value: length("attention.value_length"),
        varied: known("attention.key_length_swa").is_some(),
        experts: known("expert_count").filter(|count| *count > 0).map(|count| (count, used)),
        ..Claims::default()
    })
}
