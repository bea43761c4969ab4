//! `june model repository`: models for Triton, laid out on disk.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use june_models::header::KvType;
use june_models::repository::{self, Layout};

use crate::exit::{Blame, Failure, print};

/// Lay out models for Triton's TensorRT-LLM, and check what is laid out.
#[derive(Subcommand)]
pub(crate) enum Command {
    Create(Create),
    Validate(Validate),
    List(List),
}

/// Lay out a model of the hub for the `llmapi` backend.
///
/// The weights stay where they are, quantised as they are. NVIDIA's own model.py and helpers.py
/// belong beside them: `validate` says where they come from.
#[derive(Args)]
#[command(after_long_help = "Example:\n  june model repository create /srv/triton \
                             Qwen3-30B-A3B-Thinking-2507-FP8 --name qwen3 --context 131072 --kv fp8")]
pub(crate) struct Create {
    /// The repository's folder.
    repository: PathBuf,
    /// The model's folder, as the hub has it.
    model: PathBuf,
    /// What Triton calls the model.
    #[arg(long)]
    name: String,
    /// Tokens of question and answer together.
    #[arg(long, default_value_t = 131_072)]
    context: u64,
    /// How keys and values are stored.
    #[arg(long, value_enum, default_value_t = Kv::Model)]
    kv: Kv,
    /// Whole answers only, not piece by piece.
    #[arg(long)]
    no_streaming: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kv {
    /// As the model's own numbers are.
    Model,
    /// Eight bits.
    Fp8,
}

/// Name what is missing or wrong in a model's folder, and what to do.
///
/// Exit status: 0 nothing, 1 something.
#[derive(Args)]
pub(crate) struct Validate {
    /// The model's folder in the repository.
    folder: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// List the models of a repository, with what is wrong in each.
#[derive(Args)]
pub(crate) struct List {
    /// The repository's folder.
    repository: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Create(command) => create(command),
        Command::Validate(command) => validate(command),
        Command::List(command) => list(command),
    }
}

fn create(command: &Create) -> Result<ExitCode, Failure> {
    let layout = Layout {
        name: command.name.clone(),
        model: command.model.clone(),
        context: command.context,
        kv: match command.kv {
            Kv::Model => KvType::Bf16,
            Kv::Fp8 => KvType::Fp8,
        },
        streaming: !command.no_streaming,
    };
    let folder = repository::create(&command.repository, &layout).input()?;
    print(&format!("{}\n", folder.display()))?;
    for finding in repository::validate(&folder) {
        eprintln!("june: {}: {}\nhint: {}", finding.path.display(), finding.what, finding.fix);
    }
    Ok(ExitCode::SUCCESS)
}

fn validate(command: &Validate) -> Result<ExitCode, Failure> {
    let findings = repository::validate(&command.folder);
    if command.json {
        let text = serde_json::to_string_pretty(&findings).environment()?;
        print(&format!("{text}\n"))?;
    } else if findings.is_empty() {
        print("all is well\n")?;
    } else {
        for finding in &findings {
            let path = finding.path.display();
            print(&format!("{path}: {}\n  hint: {}\n", finding.what, finding.fix))?;
        }
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn list(command: &List) -> Result<ExitCode, Failure> {
    let listed = repository::list(&command.repository).input()?;
    if command.json {
        let text = serde_json::to_string_pretty(&listed).environment()?;
        print(&format!("{text}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    for one in listed {
        let name = one.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let what = one.model.map_or_else(|| "not known".to_owned(), |model| model.to_string());
        let wrong = match one.findings.len() {
            0 => String::new(),
            count => format!("; {count} missing or wrong: june model repository validate"),
        };
        print(&format!("{name}  {what}{wrong}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
