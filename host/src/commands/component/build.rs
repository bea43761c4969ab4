//! `june component build`: a project's component.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use june_sandbox::World;
use serde_json::{Value, json};

use super::{Language, environment, inspect, world};
use crate::exit::{Blame, Failure, print};
use crate::size::show_bytes;

/// What Rust compiles components for.
const TARGET: &str = "wasm32-wasip2";

/// Build a component from its project.
///
/// The language is told by the project's files: Cargo.toml (Rust, built by cargo), app.py (Python,
/// built by componentize-py) or component.js (JavaScript, built by componentize-js). The tools for
/// Python and JavaScript are installed into June's cache folder the first time, by pip and npm.
#[derive(Args)]
pub(crate) struct Build {
    /// The project's folder.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The component's file [default: DIR/NAME.wasm, with the name that Cargo.toml or package.json
    /// gives, else that of the folder].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The component's world: strategy, tool or runner [default: the one whose handler the code
    /// has]. Not for Rust.
    #[arg(long, value_parser = world)]
    world: Option<World>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A folder with what a component is built from.
struct Project<'a> {
    folder: &'a Path,
    language: Language,
    name: String,
}

pub(super) fn run(command: &Build) -> Result<ExitCode, Failure> {
    let project = Project::find(&command.dir).input()?;
    let Project { folder, language, name } = &project;
    eprintln!("june: building {name} ({})", language.name());
    let work = tempfile::tempdir().context("cannot make a temporary folder").environment()?;
    let built = work.path().join("component.wasm");
    let built = match language {
        Language::Rust => {
            has_target(folder).environment()?;
            project.cargo().input()?
        }
        Language::Python => {
            let world = project.world("app.py", command.world, python_handler).input()?;
            let tool = environment::python().environment()?;
            project.componentize_py(&tool, world, &built).input()?;
            built
        }
        Language::Js => {
            let world = project.world("component.js", command.world, js_handler).input()?;
            let tool = environment::javascript().environment()?;
            project.componentize_js(&tool, world, &built).input()?;
            built
        }
    };
    let output = command.output.clone().unwrap_or_else(|| folder.join(format!("{name}.wasm")));
    let wasm = fs::read(&built).context("the component is gone").environment()?;
    let inspected = inspect::inspect(&wasm).context("what was built is no component").input()?;
    keep(&wasm, &output).environment()?;
    if command.json {
        let value = json!({"component": output, "name": name, "language": language,
            "sha256": inspected.sha256, "bytes": wasm.len()});
        print(&format!("{value:#}\n"))?;
    } else {
        let size = show_bytes(wasm.len() as u64);
        print(&format!("{}  {size}  sha256 {}\n", output.display(), inspected.sha256))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl<'a> Project<'a> {
    fn find(folder: &'a Path) -> Result<Self> {
        let has = |file: &str| folder.join(file).is_file();
        let (language, name) = if has("Cargo.toml") {
            (Language::Rust, cargo_name(&folder.join("Cargo.toml"))?)
        } else if has("app.py") {
            (Language::Python, None)
        } else if has("component.js") {
            (Language::Js, npm_name(&folder.join("package.json"))?)
        } else {
            bail!(
                "{} is no project of a component: it has neither Cargo.toml nor app.py nor component.js\nhint: `june component new` makes one",
                folder.display()
            );
        };
        let own = || {
            let whole = folder.canonicalize().ok()?;
            Some(whole.file_name()?.to_string_lossy().into_owned())
        };
        let name = name.filter(|name| !name.contains(['/', '\\'])).or_else(own);
        let name = name.with_context(|| format!("{} has no name", folder.display()))?;
        Ok(Self { folder, language, name })
    }

    /// The world that was named, else the one whose handler the code has.
    fn world(
        &self,
        file: &str,
        named: Option<World>,
        handler: impl Fn(World) -> &'static str,
    ) -> Result<World> {
        if let Some(world) = named {
            return Ok(world);
        }
        let path = self.folder.join(file);
        let code = fs::read_to_string(&path);
        let code = code.with_context(|| format!("cannot read {}", path.display()))?;
        let found: Vec<_> =
            World::ALL.into_iter().filter(|world| code.contains(handler(*world))).collect();
        match found[..] {
            [world] => Ok(world),
            _ => {
                let handlers = World::ALL.map(|world| format!("`{}`", handler(world)));
                bail!(
                    "{} does not tell the component's world: it has {} of {}\nhint: name it with --world",
                    path.display(),
                    if found.is_empty() { "none" } else { "several" },
                    handlers.join(", ")
                )
            }
        }
    }

    /// Builds with cargo, and tells where it put the component.
    fn cargo(&self) -> Result<PathBuf> {
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--release", "--target", TARGET]);
        cargo.arg("--message-format=json-render-diagnostics");
        if !io::stderr().is_terminal() {
            // Warnings and errors still come.
            cargo.arg("--quiet");
        }
        let ran = cargo.current_dir(self.folder).stderr(Stdio::inherit()).output();
        let ran = ran.context("cannot run cargo\nhint: install Rust with rustup")?;
        if !ran.status.success() {
            bail!("cargo could not build {}: its own message is above", self.name);
        }
        let manifest = self.folder.join("Cargo.toml").canonicalize()?;
        let messages = String::from_utf8_lossy(&ran.stdout).into_owned();
        let mut messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
        let component = messages.find_map(|message: Value| {
            let own = Path::new(message["manifest_path"].as_str()?) == manifest;
            let files = message["filenames"].as_array().filter(|_| own)?;
            let mut files = files.iter().filter_map(Value::as_str);
            files.find(|file| file.ends_with(".wasm")).map(PathBuf::from)
        });
        component.with_context(|| {
            format!(
                "cargo built {}, but no component\nhint: write `[lib]` and `crate-type = [\"cdylib\"]` in its Cargo.toml",
                self.name
            )
        })
    }

    fn componentize_py(&self, tool: &Path, world: World, output: &Path) -> Result<()> {
        let wit = self.wit()?;
        environment::said(
            Command::new(tool)
                .arg("--wit-path")
                .arg(wit)
                .args(["--world", world.name(), "componentize", "app", "--output"])
                .arg(output)
                .current_dir(self.folder),
            "app.py is run once while the component is made; only Python's standard library and files beside app.py can be imported",
        )
    }

    fn componentize_js(&self, tool: &Path, world: World, output: &Path) -> Result<()> {
        let wit = self.wit()?;
        environment::said(
            Command::new(tool)
                .args(["component.js", "--wit", wit, "--world-name", world.name()])
                .args(["--disable", "http", "fetch-event", "--out"])
                .arg(output)
                .current_dir(self.folder),
            "component.js has to hold all code: what it imports from npm has to be bundled into it first",
        )
    }

    /// The contract's folder in the project's.
    fn wit(&self) -> Result<&'static str> {
        if !self.folder.join("wit").is_dir() {
            bail!(
                "{} has no folder wit\nhint: copy it from a project that `june component new` makes",
                self.folder.display()
            );
        }
        Ok("wit")
    }
}

/// What a strategy, tool or runner in Python is a class of.
fn python_handler(world: World) -> &'static str {
    match world {
        World::Strategy => "class TurnHandler",
        World::Tool => "class ToolHandler",
        World::Runner => "class ProgramHandler",
    }
}

/// What a strategy, tool or runner in JavaScript exports.
fn js_handler(world: World) -> &'static str {
    match world {
        World::Strategy => "turnHandler",
        World::Tool => "toolHandler",
        World::Runner => "programHandler",
    }
}

/// Whether Rust can compile components here.
fn has_target(folder: &Path) -> Result<()> {
    let ran = Command::new("rustc").args(["--print", "sysroot"]).current_dir(folder).output();
    let ran = ran.context("cannot run rustc\nhint: install Rust with rustup")?;
    let sysroot = String::from_utf8_lossy(&ran.stdout).into_owned();
    if !ran.status.success() || !Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir()
    {
        bail!("the Rust target {TARGET} is missing\nhint: rustup target add {TARGET}");
    }
    Ok(())
}

fn cargo_name(manifest: &Path) -> Result<Option<String>> {
    let cannot = || format!("cannot read {}", manifest.display());
    let text = fs::read_to_string(manifest).with_context(cannot)?;
    let table: toml::Table = toml::from_str(&text).with_context(cannot)?;
    let name = table.get("package").and_then(|package| package.get("name")?.as_str());
    let name = name.ok_or_else(|| {
        anyhow!("{} describes no package\nhint: name the folder of one", manifest.display())
    })?;
    Ok(Some(name.to_owned()))
}

fn npm_name(manifest: &Path) -> Result<Option<String>> {
    if !manifest.exists() {
        return Ok(None);
    }
    let cannot = || format!("cannot read {}", manifest.display());
    let text = fs::read(manifest).with_context(cannot)?;
    let package: Value = serde_json::from_slice(&text).with_context(cannot)?;
    Ok(package["name"].as_str().map(str::to_owned))
}

/// Writes a component so that nobody ever sees a part of it.
fn keep(wasm: &[u8], output: &Path) -> Result<()> {
    let cannot = || format!("cannot write {}", output.display());
    let folder = match output.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).with_context(cannot)?;
    let unfinished = output.with_extension("wasm.partial");
    fs::write(&unfinished, wasm).with_context(cannot)?;
    fs::rename(&unfinished, output).with_context(cannot)
}
