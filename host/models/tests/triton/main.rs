//! The client of Triton's repository against a real server, with models written here.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod repository;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use june_models::openai::Proxy;
use june_models::triton::{Deadlines, Repository, Settings};
use tempfile::TempDir;

/// Says back what it is told.
const ECHO: &str = r#"
import numpy
import triton_python_backend_utils as triton

class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            text = triton.get_input_tensor_by_name(request, "text_input").as_numpy()[0]
            tensor = triton.Tensor("text_output", numpy.array([text], dtype=numpy.object_))
            sender.send(triton.InferenceResponse([tensor]))
            sender.send(flags=triton.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
"#;

/// Cannot be loaded.
const BROKEN: &str = r#"
class TritonPythonModel:
    def initialize(self, arguments):
        raise RuntimeError("there are no weights")
    def execute(self, requests):
        return []
"#;

/// Is never done with loading.
const HANGING: &str = r#"
import time

class TritonPythonModel:
    def initialize(self, arguments):
        time.sleep(600)
    def execute(self, requests):
        return []
"#;

const CONFIG: &str = r#"
backend: "python"
max_batch_size: 0
input [ { name: "text_input" data_type: TYPE_STRING dims: [ 1 ] } ]
output [ { name: "text_output" data_type: TYPE_STRING dims: [ 1 ] } ]
model_transaction_policy { decoupled: true }
instance_group [ { kind: KIND_CPU } ]
"#;

/// A running server; it ends with its standard input.
struct Triton {
    child: Child,
    base: String,
    _models: TempDir,
}

impl Triton {
    /// Starts one; without a Python it says so and returns nothing.
    fn start(test: &str) -> Option<Triton> {
        let Some(python) = std::env::var_os("JUNE_TEST_PYTHON") else {
            eprintln!("SKIPPED {test}: JUNE_TEST_PYTHON names no Python that has nvidia-pytriton");
            return None;
        };
        let models = tempfile::tempdir().unwrap();
        for (name, code) in
            [("echo", ECHO), ("second", ECHO), ("broken", BROKEN), ("hanging", HANGING)]
        {
            let folder = models.path().join(name);
            fs::create_dir_all(folder.join("1")).unwrap();
            fs::write(folder.join("config.pbtxt"), CONFIG).unwrap();
            fs::write(folder.join("1/model.py"), code).unwrap();
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/triton_server.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(models.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("JUNE_TEST_PYTHON runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse::<u16>().expect("JUNE_TEST_PYTHON has nvidia-pytriton");
        Some(Triton { child, base: format!("http://127.0.0.1:{port}"), _models: models })
    }

    fn repository(&self, load: Duration) -> Repository {
        let poll = Duration::from_millis(50);
        let deadlines = Deadlines { load, poll, ..Deadlines::default() };
        let settings = Settings { proxy: Proxy::None, deadlines, ..Settings::new(&self.base) };
        Repository::new(&settings).unwrap()
    }
}

impl Drop for Triton {
    fn drop(&mut self) {
        // The script ends the server, and then itself.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
