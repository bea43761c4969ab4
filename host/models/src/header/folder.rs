//! A model's folder as the hub has them: `config.json` and safetensors in one file or several.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::header::config::{Config, Quantisation};
use crate::header::description::{Description, Format};
use crate::header::fault::{Fault, HeaderError};
use crate::header::input::Input;
use crate::header::safetensors;

const INDEX: &str = "model.safetensors.index.json";

/// The most files with weights.
const MOST: usize = 1024;

/// The most tensors of one model.
const TENSORS: usize = 1 << 20;

/// Describes the model of a folder.
pub(crate) fn describe(folder: &Path) -> Result<Description, HeaderError> {
    let mut read = 0;
    let path = folder.join("config.json");
    let config = Config::parse(&whole(&path, &mut read)?).map_err(|fault| fault.at(&path))?;
    let separate = separate_quantisation(folder, &mut read)?;
    let quantisation = config.quantisation().or(separate.as_ref());
    let claims = config.claims(quantisation).map_err(|fault| fault.at(folder))?;
    let packing = quantisation.and_then(Quantisation::packing);

    let (files, mut named) = files(folder, &mut read)?;
    let mut tensors = Vec::new();
    for file in &files {
        let mut input = Input::open(file)?;
        let found = safetensors::read(&mut input, packing).map_err(|fault| fault.at(file))?;
        read += input.read();
        tensors.extend(found);
        if tensors.len() > TENSORS {
            return Err(Fault::Wrong(format!("it has more than {TENSORS} tensors")).at(file));
        }
    }
    if let Some(named) = &mut named {
        let found: BTreeSet<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        if found.len() != tensors.len() || !named.iter().map(String::as_str).eq(found) {
            let path = folder.join(INDEX);
            return Err(Fault::wrong("it names other tensors than the files have").at(&path));
        }
    }
    claims.check(&tensors, Format::Safetensors, folder, read).map_err(|fault| fault.at(folder))
}

/// All of a small file.
pub(crate) fn whole(path: &Path, read: &mut u64) -> Result<Vec<u8>, HeaderError> {
    let mut input = Input::open(path)?;
    let bytes = input.take(input.size(), "its text").map_err(|fault| fault.at(path))?;
    *read += input.read();
    Ok(bytes)
}

/// How NVIDIA's Model Optimizer says that weights are quantised, where it has a file of its own
/// for that.
fn separate_quantisation(
    folder: &Path,
    read: &mut u64,
) -> Result<Option<Quantisation>, HeaderError> {
    #[derive(Deserialize)]
    struct Optimizer {
        quantization: Quantisation,
    }
    let path = folder.join("hf_quant_config.json");
    if !path.is_file() {
        return Ok(None);
    }
    let parsed = serde_json::from_slice::<Optimizer>(&whole(&path, read)?);
    let why = |error| Fault::Wrong(format!("it cannot be understood: {error}")).at(&path);
    Ok(Some(parsed.map_err(why)?.quantization))
}

/// The files with weights, and the tensors that an index says they have.
fn files(
    folder: &Path,
    read: &mut u64,
) -> Result<(Vec<PathBuf>, Option<BTreeSet<String>>), HeaderError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let path = folder.join(INDEX);
    let single = folder.join("model.safetensors");
    if !path.is_file() {
        if single.is_file() {
            return Ok((vec![single], None));
        }
        let pickled = folder.join("pytorch_model.bin").exists()
            || folder.join("pytorch_model.bin.index.json").exists();
        let (what, hint) = if pickled {
            ("its weights are pickled", "get the model as safetensors: pickles can run anything")
        } else {
            ("it has a config.json and no weights", "get the weights too: june model pull")
        };
        return Err(Fault::unsupported(what, hint).at(folder));
    }
    let fault = |what: String| Fault::Wrong(what).at(&path);
    let index: Index = serde_json::from_slice(&whole(&path, read)?)
        .map_err(|error| fault(format!("it cannot be understood: {error}")))?;
    let names: BTreeSet<&String> = index.weight_map.values().collect();
    if names.len() > MOST {
        return Err(fault(format!("it names more than {MOST} files")));
    }
    let mut files = Vec::new();
    for name in names {
        let mut parts = Path::new(name).components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(fault("it names a file that is not in this folder".to_owned()));
        }
        files.push(folder.join(name));
    }
    Ok((files, Some(index.weight_map.into_keys().collect())))
}
