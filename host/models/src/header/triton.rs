//! A model of a Triton repository: `config.pbtxt`, and what its backend is told to load.

use std::path::{Path, PathBuf};

use crate::header::description::{Description, Format, KvType};
use crate::header::fault::{Fault, HeaderError};
use crate::header::folder;
use crate::header::input::Input;
use crate::repository::config::Config;
use crate::repository::llmapi::ModelYaml;

/// The most bytes of a configuration.
const LIMIT: u64 = 1 << 20;

/// Describes the model that a folder of a repository serves.
pub(crate) fn describe(path: &Path) -> Result<Description, HeaderError> {
    let (pbtxt, mut read) = text(&path.join("config.pbtxt"))?;
    let config =
        Config::parse(&pbtxt).map_err(|what| Fault::Wrong(what).at(&path.join("config.pbtxt")))?;
    let version = newest(path).map_err(|fault| fault.at(path))?;
    let yaml_path = version.join("model.yaml");
    if config.backend != "python" || !yaml_path.is_file() {
        let backend = crate::words::quoted(&config.backend, 32);
        let what = format!("its backend is {backend}, and not TensorRT-LLM's llmapi");
        let hint = "name the folder that holds the model's own config.json, or lay a repository \
                    out anew: june model repository create";
        return Err(Fault::unsupported(what, hint).at(path));
    }
    let (yaml, more) = text(&yaml_path)?;
    read += more;
    let yaml = ModelYaml::parse(&yaml).map_err(|what| Fault::Wrong(what).at(&yaml_path))?;
    let weights = version.join(&yaml.model);
    if !weights.join("config.json").is_file() {
        let model = crate::words::quoted(&yaml.model, 200);
        let what = format!("it serves {model}, which is no model's folder of this machine");
        let hint = "get the model (june model pull), and write its folder's path into model.yaml";
        return Err(Fault::unsupported(what, hint).at(&yaml_path));
    }
    let mut description = folder::describe(&weights)?;
    description.path = path.to_owned();
    description.format = Format::Triton;
    description.context = yaml.max_seq_len.or(description.context);
    if yaml.kv_cache_config.dtype.as_deref() == Some("fp8") {
        description.kv_type = Some(KvType::Fp8);
    }
    description.read += read;
    Ok(description)
}

/// A configuration's text, and how much was read for it.
fn text(path: &Path) -> Result<(String, u64), HeaderError> {
    let mut input = Input::open(path)?;
    let bytes = match input.size() {
        size if size > LIMIT => Err(Fault::wrong("it is too long for a configuration")),
        size => input.take(size, "its text"),
    };
    let text = bytes
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| Fault::wrong("it is not UTF-8")));
    Ok((text.map_err(|fault| fault.at(path))?, input.read()))
}

/// The folder of the newest version, which is the one that Triton serves unless told otherwise.
fn newest(path: &Path) -> Result<PathBuf, Fault> {
    let mut newest = None;
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.parse::<u64>().ok());
        newest = newest.max(number.filter(|number| *number > 0).map(|number| (number, name)));
    }
    let none = || Fault::unsupported("it has no folder of a version", "make one, named 1");
    newest.map(|(_, name)| path.join(name)).ok_or_else(none)
}
