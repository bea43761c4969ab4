//! Models on this machine: files in the folder `models` of June's cache, which `june model pull`
//! fetches.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use june_models::hub::Reference;

use crate::paths;

/// The model that finds speech; it comes with every model that hears.
pub(crate) const VAD: &str = "silero-vad";

/// What the names of models that hear begin with.
pub(crate) const HEARS: &str = "whisper-";

/// A model that June knows by a name of its own.
pub(crate) struct Known {
    /// Its name.
    pub(crate) name: &'static str,
    /// The file on the hub.
    pub(crate) reference: &'static str,
}

/// Models that run anywhere, smallest first: those that write, those that hear, and the one that
/// finds speech for these.
pub(crate) const KNOWN: [Known; 9] = [
    Known { name: "qwen3-0.6b", reference: "Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf" },
    Known { name: "qwen3-1.7b", reference: "Qwen/Qwen3-1.7B-GGUF/Qwen3-1.7B-Q8_0.gguf" },
    Known { name: "qwen3-4b", reference: "Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf" },
    Known { name: "qwen3-8b", reference: "Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf" },
    Known { name: "whisper-tiny", reference: "ggerganov/whisper.cpp/ggml-tiny.bin" },
    Known { name: "whisper-base", reference: "ggerganov/whisper.cpp/ggml-base.bin" },
    Known { name: "whisper-small", reference: "ggerganov/whisper.cpp/ggml-small.bin" },
    Known {
        name: "whisper-turbo",
        reference: "ggerganov/whisper.cpp/ggml-large-v3-turbo-q5_0.bin",
    },
    Known { name: VAD, reference: "ggml-org/whisper-vad/ggml-silero-v6.2.0.bin" },
];

/// The file on the hub that a name stands for: one of June's, or a reference itself.
pub(crate) fn reference(name: &str) -> Result<Reference> {
    match KNOWN.iter().find(|known| known.name == name) {
        Some(known) => Ok(known.reference.parse()?),
        None if name.contains('/') => Ok(name.parse()?),
        None => {
            let names: Vec<_> = KNOWN.iter().map(|known| known.name).collect();
            bail!(
                "no model is named `{name}`\nhint: June knows {}; others are OWNER/NAME/FILE of the hub",
                names.join(", ")
            )
        }
    }
}

/// Where a file of the hub is kept.
pub(crate) fn place(reference: &Reference) -> Result<PathBuf> {
    Ok(folder()?.join(reference.name()))
}

/// A model's file: a path as it stands, relative to `near`; else a model that was pulled.
pub(crate) fn find(name: &str, near: &Path) -> Result<PathBuf> {
    if name.contains('/') || name.ends_with(".gguf") || name.ends_with(".bin") {
        let path = near.join(name);
        if !path.is_file() {
            bail!(
                "there is no file {}\nhint: a path is relative to the folder of june.toml",
                path.display()
            );
        }
        return Ok(path);
    }
    let known = KNOWN.iter().find(|known| known.name == name);
    let known = known.map(|known| place(&known.reference.parse()?)).transpose()?;
    let found = all()?.into_iter().find(|(here, _)| here == name).map(|(_, path)| path);
    known
        .filter(|path| path.is_file())
        .or(found)
        .with_context(|| format!("the model `{name}` is not here\nhint: june model pull {name}"))
}

/// The best model that hears, of those that are here.
pub(crate) fn hearing() -> Option<PathBuf> {
    let known = KNOWN.iter().rev().filter(|known| known.name.starts_with(HEARS));
    known.filter_map(|known| find(known.name, Path::new("")).ok()).next()
}

/// All models that write and are here, by their names: June's own, else the file's without its ending.
pub(crate) fn all() -> Result<Vec<(String, PathBuf)>> {
    let folder = folder()?;
    let Ok(entries) = folder.read_dir() else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.extension().is_some_and(|ending| ending == "gguf") {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let known = KNOWN.iter().find(|known| known.reference.ends_with(&*format!("/{file}")));
            let name = match known {
                Some(known) => known.name.to_owned(),
                None => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            };
            all.push((name, path));
        }
    }
    all.sort();
    Ok(all)
}

fn folder() -> Result<PathBuf> {
    Ok(paths::cache()?.join("models"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_model_is_a_file_of_the_hub() {
        for known in &KNOWN {
            let reference = reference(known.name).unwrap();
            let ending = if known.name.starts_with("qwen3") { ".gguf" } else { ".bin" };
            assert!(reference.name().ends_with(ending) && !known.name.contains('/'));
        }
        assert!(reference("gpt-5").unwrap_err().to_string().contains("June knows qwen3-0.6b"));
    }
}
