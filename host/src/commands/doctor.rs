//! `june doctor`: is everything here that June needs?

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use june_benchmarks::dataset::known;
use june_models::guard::{Driver, Gpu, Machine, Placement};
use june_sandbox::{Exit, Limits, Program};
use june_speech::Espeak;
use june_trtllm::Folder;
use serde::Serialize;

use super::{dataset, eval};
use crate::chats::speech;
use crate::config::{Config, ModelTable, SttTable, Tables, TtsTable};
use crate::exit::{Blame, Failure, print, said};
use crate::{local, paths, pulled};

/// Check that everything is here that June needs, and say what to do where it is not.
///
/// Exit status: 0 all is well, 1 something that June needs is missing.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Check {
    name: String,
    /// Whether June works without it.
    optional: bool,
    ok: bool,
    detail: String,
}

pub(crate) fn run(command: &Doctor) -> Result<ExitCode, Failure> {
    let mut checks = vec![
        check("cache folder", false, paths::cache().and_then(writable)),
        check("python runner", false, run_python().map_err(|failure| failure.error)),
    ];
    for data in known() {
        let found = dataset::find(data).map(|path| path.display().to_string());
        checks.push(check(&format!("data set {}", data.name), true, found));
    }
    let machine = Machine::here();
    checks.push(check("GPU", true, gpus(&machine)));
    match Config::find(None) {
        Err(error) => checks.push(check("june.toml", true, Err(error))),
        Ok(config) => {
            for (name, table) in config.all_models() {
                let found = model(name, table, &config.folder(), &machine);
                checks.push(check(&format!("model {name}"), true, found));
            }
            checks.push(check("speech to text", true, ears(&config)));
            checks.push(check("text to speech", true, voice(&config)));
            let Tables { telegram, discord, .. } = &config.tables;
            for (platform, token) in [("Telegram", &telegram.token), ("Discord", &discord.token)] {
                let found = paths::secret(token).map(|_| format!("a token in {token}"));
                let found = found.ok_or_else(|| anyhow!("no token: {token} is not set"));
                checks.push(check(platform, true, found));
            }
        }
    }
    let well = checks.iter().all(|check| check.ok || check.optional);
    if command.json {
        let text = serde_json::to_string_pretty(&checks).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        for check in &checks {
            let mark = match (check.ok, check.optional) {
                (true, _) => "ok",
                (false, true) => "absent",
                (false, false) => "MISSING",
            };
            print(&format!(
                "{mark:<8} {:<24} {}\n",
                check.name,
                check.detail.replace('\n', "\n                                  ")
            ))?;
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn check(name: &str, optional: bool, found: Result<String>) -> Check {
    let ok = found.is_ok();
    let detail = found.unwrap_or_else(|error| said(&error));
    Check { name: name.into(), optional, ok, detail }
}

/// What hears.
fn ears(config: &Config) -> Result<String> {
    match &config.tables.stt {
        SttTable::OpenAi(table) => reachable(&table.url),
        SttTable::Whisper(table) => {
            let (model, vad) = speech::files(table, &config.folder())?;
            let vad = vad.map_or_else(
                || format!("nothing (june model pull {})", pulled::VAD),
                |vad| vad.display().to_string(),
            );
            Ok(format!("{}; speech is found by {vad}", model.display()))
        }
    }
}

/// What speaks.
fn voice(config: &Config) -> Result<String> {
    match &config.tables.tts {
        TtsTable::None => Ok("none, as june.toml says".into()),
        TtsTable::Espeak => match Espeak::open(speech::ESPEAK) {
            Ok(_) => Ok(speech::ESPEAK.into()),
            Err(error) => bail!("{error}"),
        },
        TtsTable::Piper(table) => {
            let voice = config.folder().join(&table.voice);
            match voice.is_file() {
                true => Ok(format!("Piper, {}", voice.display())),
                false => bail!("there is no voice {}", voice.display()),
            }
        }
        TtsTable::OpenAi(table) => reachable(&table.url),
    }
}

/// The GPUs, and how much of their memory is free.
fn gpus(machine: &Machine) -> Result<String> {
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let each = machine.gpus.iter().map(|Gpu { name, total, free, .. }| {
        format!("{name}, {:.1} of {:.1} GB free", gigabytes(*free), gigabytes(*total))
    });
    let gpus: Vec<String> = each.collect();
    match &machine.driver {
        Driver::Version(version) if !gpus.is_empty() => {
            Ok(format!("{} (driver {version})", gpus.join("; ")))
        }
        Driver::Version(version) => bail!("none, with NVIDIA's driver {version}"),
        Driver::Absent => {
            bail!("no NVIDIA driver: models run on servers, or small ones on the processor")
        }
        Driver::Broken(why) => bail!("NVIDIA's driver does not work: {why}"),
    }
}

/// Whether a model could be asked: its server is there, or the machine can run it.
fn model(name: &str, table: &ModelTable, folder: &Path, machine: &Machine) -> Result<String> {
    match table {
        ModelTable::Local(table) => {
            let path = table.path(name, folder)?;
            let placed = local::placed(&path, &table.settings(), machine);
            let (model, placement) = placed.map_err(|why| anyhow!(why))?;
            Ok(match placement {
                Placement::Gpu { index, .. } => format!("{model}; on GPU {index}"),
                Placement::Cpu { .. } => format!("{model}; on the processor"),
            })
        }
        ModelTable::OpenAi(table) => reachable(&table.url),
        ModelTable::Triton(table) => reachable(&table.url),
        ModelTable::Trtllm(table) => {
            let engine = Folder::read(&folder.join(&table.engine))?;
            let (architecture, version) = (&engine.architecture, &engine.version);
            Ok(format!("{architecture}, built by TensorRT-LLM {version}"))
        }
        ModelTable::Scripted(table) => Ok(format!("the transcript {}", table.file.display())),
    }
}

/// Whether something listens at an address.
fn reachable(url: &str) -> Result<String> {
    let parsed = reqwest::Url::parse(url)?;
    let addresses = parsed.socket_addrs(|| None)?;
    let mut why = anyhow!("{url} has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, Duration::from_secs(2)) {
            Ok(_) => return Ok(format!("{url} is reachable")),
            Err(error) => why = anyhow!("{url} cannot be reached: {error}\nhint: start the server"),
        }
    }
    Err(why)
}

fn writable(folder: PathBuf) -> Result<String> {
    std::fs::create_dir_all(&folder)?;
    tempfile::tempfile_in(&folder)?;
    Ok(folder.display().to_string())
}

/// Runs a program, for nothing less shows that programs run.
fn run_python() -> Result<String, Failure> {
    let runner = eval::load_runner()?;
    let program = Program::python("import sys; print(sys.version.split()[0])");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().environment()?;
    let outcome = runtime.block_on(runner.run(&program, &Limits::default(), 0)).environment()?;
    if outcome.exit != Exit::Returned {
        return Err(anyhow::anyhow!("a first program ended with {:?}", outcome.exit)).environment();
    }
    let version = String::from_utf8_lossy(&outcome.stdout.bytes);
    Ok(format!("CPython {}, component {}", version.trim(), runner.component().digest()))
}
