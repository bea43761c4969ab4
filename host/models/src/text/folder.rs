//! The tokenizer and the template of a model in a folder, in the files that Hugging Face's models
//! come with.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use crate::text::{Template, TextError, Tokenizer};

/// Larger than any of these files is; Qwen3's `tokenizer.json` has 11 MB.
const MOST: u64 = 256 << 20;

/// Reads the tokenizer and the template of a model.
///
/// Of the folder's files, `tokenizer.json` must be there. The template is `chat_template.jinja`,
/// else what `tokenizer_config.json` says, else ChatML. `generation_config.json` says which tokens
/// end an answer.
///
/// # Errors
///
/// A file is missing, too large or malformed.
pub fn load(folder: &Path) -> Result<(Tokenizer, Template), TextError> {
    let file = |name: &str| read(&folder.join(name));
    let missing = || TextError::File {
        path: folder.join("tokenizer.json"),
        source: io::ErrorKind::NotFound.into(),
        hint: "copy tokenizer.json, tokenizer_config.json and chat_template.jinja from the \
               model's page into this folder",
    };
    let tokenizer = file("tokenizer.json")?.ok_or_else(missing)?;
    let config = json(file("tokenizer_config.json")?, "tokenizer_config.json")?;
    let generation = json(file("generation_config.json")?, "generation_config.json")?;
    let ends: Vec<u32> = match &generation["eos_token_id"] {
        Value::Array(ends) => ends.iter().filter_map(token).collect(),
        end => token(end).into_iter().collect(),
    };
    let (begin, end) = (mark(&config["bos_token"]), mark(&config["eos_token"]));
    let tokenizer = Tokenizer::from_json(&tokenizer, begin, end, &ends)?;
    let source = file("chat_template.jinja")?;
    let source = source.as_deref().or_else(|| template(&config["chat_template"]));
    let template = Template::new(source, tokenizer.marks())?;
    Ok((tokenizer, template))
}

/// The text of a file, `None` if there is none.
fn read(path: &Path) -> Result<Option<String>, TextError> {
    let hint = "check that June may read the file, or download it again";
    let refuse = |source| TextError::File { path: path.to_owned(), source, hint };
    let mut file = match File::open(path) {
        Ok(file) => file.take(MOST),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(error)),
    };
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(refuse)?;
    if file.limit() == 0 {
        return Err(refuse(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(Some(text))
}

fn json(text: Option<String>, name: &str) -> Result<Value, TextError> {
    let Some(text) = text else { return Ok(Value::Null) };
    serde_json::from_str(&text)
        .map_err(|error| TextError::Tokenizer(format!("{name} is not JSON: {error}")))
}

fn token(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

/// A mark's text, which may stand in an object that describes it.
fn mark(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["content"].as_str())
}

/// A template; of several, the one named `default`.
fn template(value: &Value) -> Option<&str> {
    let Value::Array(named) = value else { return value.as_str() };
    named.iter().find(|template| template["name"] == "default")?["template"].as_str()
}
