//! `june model pull`: a model's file from the hub.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use june_models::Secret;
use june_models::hub::{Found, HUGGING_FACE, Hub, Reference};

use crate::commands::run::runtime;
use crate::commands::{progress_bar, until_interrupted};
use crate::exit::{Blame, Failure, print};
use crate::{paths, pulled};

/// Fetch a model's file from the hub, and check it.
///
/// A file that was fetched in part is gone on with. Nothing is used before its SHA-256 is the one
/// that the hub names. HF_ENDPOINT names another hub than Hugging Face's, and HF_TOKEN a token for
/// files that are not for everybody.
#[derive(Args)]
#[command(after_long_help = "Examples:\n  june model pull qwen3-0.6b\n  \
                             june model pull unsloth/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf")]
pub(crate) struct Pull {
    /// qwen3-0.6b, qwen3-1.7b, qwen3-4b or qwen3-8b, to write; whisper-tiny, whisper-base,
    /// whisper-small or whisper-turbo, to hear; or OWNER/NAME/FILE[@REVISION].
    name: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Pull) -> Result<ExitCode, Failure> {
    let reference = pulled::reference(&command.name).input()?;
    // What hears needs what finds speech.
    let also = command.name.starts_with(pulled::HEARS).then(|| pulled::reference(pulled::VAD));
    let address = paths::secret("HF_ENDPOINT").unwrap_or_else(|| HUGGING_FACE.into());
    let hub = Hub::new(&address, paths::secret("HF_TOKEN").map(Secret::new)).input()?;
    let both = async {
        let file = fetch(&hub, &reference).await?;
        if let Some(also) = also {
            fetch(&hub, &also.input()?).await?;
        }
        Ok(file)
    };
    let hint = Some("the same command goes on with it");
    let (path, found) = until_interrupted(&runtime()?, both, hint)?;
    if command.json {
        let value = serde_json::json!({
            "model": command.name, "reference": reference.to_string(), "file": path,
            "bytes": found.size, "sha256": found.sha256, "commit": found.commit,
        });
        print(&format!("{value:#}\n"))?;
    } else {
        print(&format!("{}\n", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Fetches a file, unless it is here.
async fn fetch(hub: &Hub, reference: &Reference) -> Result<(PathBuf, Found), Failure> {
    let path = pulled::place(reference).environment()?;
    let found = hub.find(reference).await.environment()?;
    // A file that is in place was checked when it came.
    if fs::metadata(&path).is_ok_and(|here| here.len() == found.size) {
        eprintln!("june: {reference} is here already");
        return Ok((path, found));
    }
    let bar = progress_bar(found.size, "{bytes}/{total_bytes}, {bytes_per_sec}, {eta} left");
    let mut show = |bytes| bar.set_position(bytes);
    let fetched = hub.fetch(reference, &found, &path, &mut show).await;
    bar.finish_and_clear();
    fetched.environment()?;
    Ok((path, found))
}
