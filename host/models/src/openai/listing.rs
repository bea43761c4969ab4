//! What a server tells of its models: `GET /models`.

use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::asking::{beginning, told};
use super::{Settings, connect};
use crate::ModelError;
use crate::words::quoted;

/// The most bytes that a list is read of.
const MOST: usize = 4 << 20;

/// A model that a server has. OpenAI's interface has the name alone; the rest is what servers add.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its name.
    pub id: String,
    /// Its window in tokens: vLLM, SGLang and llama.cpp tell it.
    pub context: Option<u64>,
    /// How its weights are stored: llama.cpp tells it.
    pub quantisation: Option<String>,
    /// Bits of each weight on average: llama.cpp tells sizes.
    pub bits: Option<f64>,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    max_model_len: Option<u64>,
    #[serde(default)]
    meta: Option<Meta>,
}

#[derive(Default, Deserialize)]
struct Meta {
    n_ctx: Option<u64>,
    n_params: Option<u64>,
    size: Option<u64>,
    ftype: Option<String>,
}

/// Asks a server which models it has.
///
/// # Errors
///
/// When it cannot be reached, does not let June in, or sends something else.
pub async fn list(settings: &Settings) -> Result<Vec<Listed>, ModelError> {
    let (url, client) =
        connect(settings, "/models").map_err(|error| ModelError::Invalid(error.to_string()))?;
    let server = url.origin().ascii_serialization();
    let unavailable = |why: String| {
        ModelError::Unavailable(format!(
            "{server} does not list its models: {why}\nhint: check the address and the key"
        ))
    };
    let until = Instant::now() + settings.deadlines.first;
    let ask = async {
        let response = client.get(url).send().await.map_err(|error| unavailable(told(error)))?;
        let status = response.status();
        let (body, read) = beginning(response, MOST + 1).await;
        read.map_err(|error| unavailable(told(error)))?;
        if body.len() > MOST {
            return Err(unavailable(format!("it sent more than {MOST} bytes")));
        }
        match status.is_success() {
            true => Ok(body),
            false => {
                let text = quoted(&String::from_utf8_lossy(&body), 200);
                Err(unavailable(format!("status {status}: {text}")))
            }
        }
    };
    let late = |_| unavailable(format!("nothing within {:?}", settings.deadlines.first));
    let body = timeout_at(until, ask).await.map_err(late)??;
    read(&body).map_err(|error| unavailable(format!("it sent no list: {error}")))
}

fn read(body: &[u8]) -> serde_json::Result<Vec<Listed>> {
    let list: List = serde_json::from_slice(body)?;
    let listed = |Entry { id, max_model_len, meta }| {
        let Meta { n_ctx, n_params, size, ftype } = meta.unwrap_or_default();
        let bits = size.zip(n_params).filter(|(_, count)| *count > 0);
        let bits = bits.map(|(bytes, count)| bytes as f64 * 8.0 / count as f64);
        Listed { id, context: max_model_len.or(n_ctx), quantisation: ftype, bits }
    };
    Ok(list.data.into_iter().map(listed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_tell_more_or_less() {
        let body = br#"{"object": "list", "data": [
            {"id": "plain", "object": "model", "created": 1, "owned_by": "a"},
            {"id": "vllm", "max_model_len": 131072, "root": "x", "permission": []},
            {"id": "llama", "meta": {"n_ctx": 4096, "n_params": 1000, "size": 1063, "ftype": "Q8_0"}},
            {"id": "odd", "meta": null}
        ]}"#;
        let listed = |id: &str, context, bits: Option<f64>| Listed {
            id: id.into(),
            context,
            quantisation: bits.map(|_| "Q8_0".to_owned()),
            bits,
        };
        assert_eq!(
            read(body).unwrap(),
            [
                listed("plain", None, None),
                listed("vllm", Some(131_072), None),
                listed("llama", Some(4096), Some(8.504)),
                listed("odd", None, None),
            ]
        );
        for other in ["", "{}", "[]", "{\"data\": 1}", "{\"data\": [{}]}"] {
            assert!(read(other.as_bytes()).is_err(), "{other}");
        }
    }
}
