//! Servers in Python, which some tests talk with.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{named, repository};

/// A running server. It prints its port when it listens, and ends with its standard input.
#[derive(Debug)]
pub struct PythonServer {
    child: Child,
    /// Where it listens, on the loopback address.
    pub port: u16,
}

/// The Python that the environment variable `name` says. Without it, says for this test that the
/// Python should have `package`.
pub fn python(test: &str, name: &str, package: &str) -> Option<PathBuf> {
    let python = named(name);
    if python.is_none() {
        eprintln!("SKIPPED {test}: {name} names no Python that has {package}");
    }
    python
}

/// Triton, where it is installed, with two models that it does not load by itself: `silent`, and
/// `broken`, which fails when it is loaded.
#[track_caller]
pub fn triton(test: &str, folder: &Path) -> Option<PythonServer> {
    let python = python(test, "JUNE_TEST_PYTHON", "nvidia-pytriton")?;
    let models = folder.join("models");
    let config = "backend: \"python\"\nmax_batch_size: 0\n\
                  input [ { name: \"text_input\" data_type: TYPE_STRING dims: [ 1 ] } ]\n\
                  output [ { name: \"text_output\" data_type: TYPE_STRING dims: [ 1 ] } ]\n\
                  instance_group [ { kind: KIND_CPU } ]\n";
    let silent = "class TritonPythonModel:\n    def execute(self, requests):\n        return []\n";
    let broken = "class TritonPythonModel:\n    def initialize(self, arguments):\n        \
                  raise RuntimeError('there are no weights')\n";
    for (name, code) in [("silent", silent), ("broken", broken)] {
        fs::create_dir_all(models.join(name).join("1")).unwrap();
        fs::write(models.join(name).join("config.pbtxt"), config).unwrap();
        fs::write(models.join(name).join("1/model.py"), code).unwrap();
    }
    Some(PythonServer::start(python, "host/models/tests/triton_server.py", [models]))
}

impl PythonServer {
    /// Starts a script of this repository.
    #[track_caller]
    pub fn start(
        python: PathBuf,
        script: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> PythonServer {
        let mut child = Command::new(python)
            .arg(repository(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start Python");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("have its output");
        BufReader::new(stdout).read_line(&mut line).expect("read its output");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{script} has no port: {line}"));
        PythonServer { child, port }
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        // The script ends what it started, and then itself.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
