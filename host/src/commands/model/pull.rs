//! `june model pull`: a model's file from the hub.

use std::fs;
use std::process::ExitCode;

use clap::Args;
use june_models::Secret;
use june_models::hub::{HUGGING_FACE, Hub};

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
    /// qwen3-0.6b, qwen3-1.7b, qwen3-4b, qwen3-8b, or OWNER/NAME/FILE[@REVISION].
    name: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Pull) -> Result<ExitCode, Failure> {
    let reference = pulled::reference(&command.name).input()?;
    let path = pulled::place(&reference).environment()?;
    let address = paths::secret("HF_ENDPOINT").unwrap_or_else(|| HUGGING_FACE.into());
    let hub = Hub::new(&address, paths::secret("HF_TOKEN").map(Secret::new)).input()?;
    let fetch = async {
        let found = hub.find(&reference).await.environment()?;
        // A file that is in place was checked when it came.
        if fs::metadata(&path).is_ok_and(|here| here.len() == found.size) {
            eprintln!("june: {reference} is here already");
            return Ok(found);
        }
        let style = "{bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        let bar = progress_bar(found.size, style);
        let mut show = |bytes| bar.set_position(bytes);
        let fetched = hub.fetch(&reference, &found, &path, &mut show).await;
        bar.finish_and_clear();
        fetched.map(|()| found).environment()
    };
    let hint = Some("the same command goes on with it");
    let found = until_interrupted(&runtime()?, fetch, hint)?;
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
