//! An engine's folder: what `trtllm-build` wrote, and the tokenizer beside it.

use std::cmp::Ordering;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Error;

/// Larger than any configuration is.
const MOST: u64 = 16 << 20;

const REBUILD: &str = "build the engine again with trtllm-build, or name its folder";

/// What an engine says of itself, before a byte of it is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// The version of TensorRT-LLM that built it.
    pub version: String,
    /// The model's architecture, such as `Qwen3MoeForCausalLM`; empty if unsaid.
    pub architecture: String,
    /// How its weights are quantised, such as `FP8`; empty if they are not.
    pub quantization: String,
    /// The most tokens of a prompt.
    pub max_input: u32,
    /// The most tokens of prompt and answer together.
    pub max_sequence: u32,
    /// Whether it was built with paged attention over the prompt.
    pub paged: bool,
}

impl Folder {
    /// Reads `config.json` and looks for `rank0.engine`.
    ///
    /// # Errors
    ///
    /// [`Error::Folder`]: a file is missing or malformed, or the engine is for several GPUs.
    pub fn read(path: &Path) -> Result<Folder, Error> {
        let file = path.join("config.json");
        let refuse =
            |path: &Path, what: String, hint| Error::Folder { path: path.into(), what, hint };
        let malformed = |what: String| refuse(&file, what, REBUILD);
        let mut text = String::new();
        let read = File::open(&file).and_then(|file| file.take(MOST).read_to_string(&mut text));
        read.map_err(|error| malformed(error.to_string()))?;
        let config: Value = serde_json::from_str(&text)
            .map_err(|error| malformed(format!("it is not JSON: {error}")))?;
        let (model, build) = (&config["pretrained_config"], &config["build_config"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let version = text(&config["version"]);
        if release(&version).is_none() {
            return Err(malformed("it does not say which TensorRT-LLM built it".to_owned()));
        }
        let number = |name: &str| {
            let number = build[name].as_u64().and_then(|number| u32::try_from(number).ok());
            number.filter(|number| *number > 0).ok_or_else(|| {
                malformed(format!("build_config.{name} is {}, not a number", build[name]))
            })
        };
        let max_sequence = number("max_seq_len")?;
        let max_input =
            if build["max_input_len"].is_null() { max_sequence } else { number("max_input_len")? };
        let ranks = model["mapping"]["world_size"].as_u64().unwrap_or(1);
        if ranks != 1 {
            let hint = "build it for one GPU, or serve it with trtllm-serve";
            return Err(refuse(&file, format!("the engine is for {ranks} GPUs"), hint));
        }
        let engine = path.join("rank0.engine");
        if !engine.is_file() {
            return Err(refuse(&engine, "there is no such file".to_owned(), REBUILD));
        }
        Ok(Folder {
            path: path.to_owned(),
            version,
            architecture: text(&model["architecture"]),
            quantization: text(&model["quantization"]["quant_algo"]),
            max_input,
            max_sequence,
            paged: build["plugin_config"]["use_paged_context_fmha"] == true,
        })
    }

    /// Checks that this version of TensorRT-LLM can load the engine: engines are good for the minor
    /// version that built them, and those of its pre-releases for none.
    ///
    /// # Errors
    ///
    /// [`Error::EngineTooOld`] or [`Error::EngineTooNew`].
    pub fn check(&self, library: &str) -> Result<(), Error> {
        let (folder, engine) = (self.path.clone(), self.version.clone());
        let library = library.to_owned();
        match release(&self.version).cmp(&release(&library)) {
            Ordering::Equal => Ok(()),
            Ordering::Less => Err(Error::EngineTooOld { folder, engine, library }),
            Ordering::Greater => Err(Error::EngineTooNew { folder, engine, library }),
        }
    }
}

/// Major and minor version, and whether it is a release: `1.2.0rc6` comes before `1.2`.
fn release(version: &str) -> Option<(u32, u32, bool)> {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    // `1.2.1.post1` is a release; `1.2.0rc1`, `1.2.0a0` and `1.2.0.dev3` are not.
    let released = parts.all(|part| {
        part.starts_with("post")
            || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    Some((major, minor, released))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{
        "version": "1.2.1",
        "pretrained_config": {
            "architecture": "Qwen3MoeForCausalLM",
            "quantization": {"quant_algo": "FP8"},
            "mapping": {"world_size": 1}
        },
        "build_config": {
            "max_input_len": 1000, "max_seq_len": 2000,
            "plugin_config": {"use_paged_context_fmha": true}
        }
    }"#;

    fn folder(config: &str) -> (tempfile::TempDir, Result<Folder, Error>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        std::fs::write(folder.path().join("rank0.engine"), "").unwrap();
        let read = Folder::read(folder.path());
        (folder, read)
    }

    #[test]
    fn an_engine_says_what_it_is() {
        let (_folder, read) = folder(CONFIG);
        let read = read.unwrap();
        assert_eq!(
            (read.architecture.as_str(), read.quantization.as_str()),
            ("Qwen3MoeForCausalLM", "FP8")
        );
        assert_eq!((read.max_input, read.max_sequence, read.paged), (1000, 2000, true));
    }

    #[test]
    fn what_is_wrong_with_a_folder_is_told() {
        let says = |read: Result<Folder, Error>, what: &str| {
            let error = read.unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("\nhint: "), "{error}");
        };
        says(Folder::read(Path::new("/nowhere")), "config.json");
        says(folder("[").1, "not JSON");
        says(folder("{}").1, "which TensorRT-LLM");
        says(folder(&CONFIG.replace("2000", "-1")).1, "build_config.max_seq_len is -1");
        says(folder(&CONFIG.replace("2000", "1e99")).1, "max_seq_len");
        says(folder(&CONFIG.replace("\"world_size\": 1", "\"world_size\": 8")).1, "8 GPUs");
        let (folder, _read) = folder(CONFIG);
        std::fs::remove_file(folder.path().join("rank0.engine")).unwrap();
        says(Folder::read(folder.path()), "rank0.engine");
    }

    #[test]
    fn a_version_that_does_not_fit_is_named() {
        let check = |engine: &str| {
            let (_folder, read) = folder(&CONFIG.replace("1.2.1", engine));
            read.unwrap().check("1.2.1")
        };
        for engine in ["1.2.1", "1.2.0", "1.2.1.post1"] {
            assert_eq!(check(engine), Ok(()));
        }
        for engine in ["0.21.0", "1.1.0", "1.2.0rc6", "1.2.0rc6.post3", "1.2.0.dev2026"] {
            let error = check(engine).unwrap_err();
            assert!(matches!(error, Error::EngineTooOld { .. }), "{engine}: {error}");
            assert!(error.to_string().contains(&format!("TensorRT-LLM {engine}")), "{error}");
        }
        for engine in ["1.3.0", "1.3.0rc20", "2.0.0"] {
            let error = check(engine).unwrap_err();
            assert!(matches!(error, Error::EngineTooNew { .. }), "{engine}: {error}");
        }
    }
}
