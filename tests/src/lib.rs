//! What the end-to-end tests share. They run the built `june` as a person would, and know nothing
//! of its insides.
//!
//! The binary is the one that the environment variable `JUNE_BIN` names, else the one in the
//! target folder that the tests were built in. Its cache of compiled components is shared by all
//! tests: `JUNE_CACHE`, else `june-test-cache` in the target folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

mod ears;
pub mod history;
pub mod openai;
mod python;
pub mod server;

pub use ears::{ears, read_body};
pub use python::{PythonServer, python, triton};

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status; none after a signal.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ended {
    /// Fails the test unless the command ended with this status.
    #[track_caller]
    pub fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Fails the test unless standard error has this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Ended {
        assert!(self.stderr.contains(text), "not said: {text}\n{self}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ended { code, stdout, stderr } = self;
        write!(f, "exit status {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().expect("start the command");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

/// `june`, to be run in this folder.
pub fn june(folder: &Path) -> Command {
    let mut command = bare(folder);
    command.env("JUNE_CACHE", cache()).env("JUNE_JOURNAL", folder.join("journal"));
    command
}

/// `june eval` of samples for [`tasks`], to be run in this folder.
pub fn eval(folder: &Path, samples: impl AsRef<OsStr>) -> Command {
    let mut command = june(folder);
    command.arg("eval").arg(tasks()).arg("--samples").arg(samples);
    command
}

/// `june`, to be run in this folder, without a cache.
pub fn bare(folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command.current_dir(folder);
    for name in ["JUNE_CACHE", "XDG_CACHE_HOME", "HOME"] {
        command.env_remove(name);
    }
    command
}

/// The folder that the tests were built in.
fn target() -> PathBuf {
    let test = env::current_exe().expect("know the test's own path");
    // <target>/<profile>/deps/<test>
    test.ancestors().nth(3).expect("be in a target folder").into()
}

/// The binary under test.
pub fn binary() -> PathBuf {
    let built = || {
        let test = env::current_exe().expect("know the test's own path");
        test.ancestors().nth(2).expect("be in a target folder").join("june")
    };
    let path = env::var_os("JUNE_BIN").map_or_else(built, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is missing: run `make test`, or `cargo build -p june` first",
        path.display()
    );
    path
}

/// The cache of compiled components that all tests share. The first to ask fills it, the others
/// wait.
pub fn cache() -> &'static Path {
    static CACHE: OnceLock<PathBuf> = OnceLock::new();
    CACHE.get_or_init(|| {
        let folder = env::var_os("JUNE_CACHE")
            .map_or_else(|| target().join("june-test-cache"), PathBuf::from);
        fs::create_dir_all(&folder).expect("make the cache folder");
        let lock = File::create(folder.join("tests.lock")).expect("make the lock file");
        lock.lock().expect("lock the cache");
        run(bare(&folder).arg("doctor").env("JUNE_CACHE", &folder)).with(0);
        folder
    })
}

/// A folder or file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A small data set: three tasks, `Hostile/0` to `Hostile/2`; the first asks for `add(a, b)`.
pub fn tasks() -> PathBuf {
    repository("tests/hostile/tasks.jsonl")
}

/// A file of the published data, in `data/` of the shared folder. Where it is absent, says so for
/// this test.
pub fn shared(test: &str, file: &str) -> Option<PathBuf> {
    fixture(test, &format!("data/{file}"))
}

/// A file of the folder that `JUNE_SHARED` names, else of `shared` beside the workspace. Where it
/// is absent, says so for this test.
pub fn fixture(test: &str, file: &str) -> Option<PathBuf> {
    let folder = named("JUNE_SHARED").unwrap_or_else(|| repository("../shared"));
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED {test}: {} is missing; set JUNE_SHARED to the folder that holds {file}",
        path.display()
    );
    None
}

/// Whether a program is installed. Where it is not, says so for this test.
pub fn has(test: &str, program: &str) -> bool {
    let mut command = Command::new(program);
    let command = command.arg("--help").stdin(Stdio::null()).stdout(Stdio::null());
    let found = command.stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("SKIPPED {test}: {program} is not installed");
    }
    found
}

/// The path that an environment variable names.
fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// A program of the hostile corpus.
#[derive(Debug)]
pub struct Hostile {
    /// The file's name.
    pub name: String,
    /// The task that it is for.
    pub task: String,
    /// The verdicts that its header allows.
    pub verdicts: Vec<String>,
    /// The whole file: the completion.
    pub text: String,
}

/// The hostile corpus, in the order of the names.
pub fn hostile() -> Vec<Hostile> {
    let folder = fs::read_dir(repository("tests/hostile/programs")).expect("find the corpus");
    let mut programs: Vec<Hostile> =
        folder.map(|entry| read_hostile(&entry.unwrap().path())).collect();
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(programs.len() > 200, "the corpus has {} programs", programs.len());
    programs
}

fn read_hostile(path: &Path) -> Hostile {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = String::from_utf8(fs::read(path).unwrap()).expect("the corpus is UTF-8");
    let header = text.lines().find_map(|line| {
        let (task, rest) = line.trim_start().strip_prefix("# task: ")?.split_once(' ')?;
        let verdicts = rest.strip_prefix("verdict: ")?.split_whitespace().next()?;
        Some((task.to_owned(), verdicts.split('|').map(String::from).collect()))
    });
    let (task, verdicts) = header.unwrap_or_else(|| panic!("{name} has no header"));
    Hostile { name, task, verdicts, text }
}

/// Writes samples, pairs of a task and a completion, to a file in this folder.
pub fn write_samples<'a>(
    folder: &Path,
    name: &str,
    samples: impl IntoIterator<Item = (&'a str, String)>,
) -> PathBuf {
    let line = |(task, completion)| json!({"task_id": task, "completion": completion}).to_string();
    let lines: Vec<String> = samples.into_iter().map(line).collect();
    let path = folder.join(name);
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

/// Completions for `Hostile/0` that are graded in milliseconds, with verdicts of several kinds.
pub fn cheap_samples(count: usize) -> impl Iterator<Item = (&'static str, String)> {
    (0..count).map(|number| {
        let body = match number % 5 {
            0 => format!("    raise ValueError('number {number}')\n"),
            1 => format!("    return a - {number}\n"),
            2 => format!("    import sys\n    sys.exit({number})\n"),
            _ => format!("    print('this is number {number}')\n    return a + b\n"),
        };
        ("Hostile/0", body)
    })
}

/// The objects in a file of JSON lines. Fails the test where a line is not whole.
#[track_caller]
pub fn json_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    assert!(text.is_empty() || text.ends_with('\n'), "{path:?} ends in a torn line");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// The names of what is in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != "journal");
    names.sort();
    names
}

/// Waits until a file has this many lines, or the process that writes it has ended.
pub fn wait_for_lines(child: &mut Child, path: &Path, lines: usize) {
    let count = || fs::read(path).map_or(0, |text| text.iter().filter(|b| **b == b'\n').count());
    while count() < lines && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs the work while every processor is kept busy.
pub fn on_a_busy_machine<T>(work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    let processors = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
