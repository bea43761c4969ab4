//! The parts of Triton's `config.pbtxt` that June reads.

use crate::repository::pbtxt::Message;

/// What `config.pbtxt` says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// The model's name; Triton takes the folder's where there is none.
    pub(crate) name: Option<String>,
    pub(crate) backend: String,
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) outputs: Vec<Tensor>,
    /// Where instances run. `KIND_CPU` says nothing of the GPU: Python backends that load a GPU
    /// model themselves have it.
    pub(crate) kinds: Vec<String>,
}

/// An input or an output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) data_type: String,
    pub(crate) optional: bool,
}

impl Config {
    /// Reads the file. The error says what is wrong and where.
    pub(crate) fn parse(text: &str) -> Result<Config, String> {
        let message = Message::parse(text)?;
        let own = |text: &str| text.to_owned();
        let backend = message.word("backend").or(message.word("platform")).unwrap_or_default();
        let kinds = message.messages("instance_group").filter_map(|group| group.word("kind"));
        Ok(Config {
            name: message.word("name").map(own),
            backend: own(backend),
            inputs: tensors(&message, "input"),
            outputs: tensors(&message, "output"),
            kinds: kinds.map(own).collect(),
        })
    }
}

fn tensors(message: &Message, field: &str) -> Vec<Tensor> {
    let text = |message: &Message, name: &str| message.word(name).unwrap_or_default().to_owned();
    let tensors = message.messages(field).map(|tensor| Tensor {
        name: text(tensor, "name"),
        data_type: text(tensor, "data_type"),
        optional: tensor.word("optional") == Some("true"),
    });
    tensors.collect()
}
