//! The client of Triton's repository against a real server, with models written here.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod model;
mod repository;

use std::fs;
use std::time::Duration;

use june_models::openai::Proxy;
use june_models::triton::{Deadlines, Repository, Settings};
use june_tests::{PythonServer, python};
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

/// Speaks as TensorRT-LLM's llmapi backend does: each piece is all of the text so far, and a
/// character may be in pieces. What it is told to write is in the prompt, after `SAY `.
const TALK: &str = r#"
import numpy
import triton_python_backend_utils as triton

def tensor(name, text):
    return triton.Tensor(name, numpy.array([text.encode()], dtype=numpy.object_))

class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            values = {}
            for value in request.inputs():
                values[value.name()] = value.as_numpy().tolist()
            prompt = values["text_input"][0].decode()
            said = prompt.split("SAY ")[-1].split("<|im_end|>")[0]
            if "FAIL" in said:
                error = triton.TritonError("Error generating request: FAIL")
                sender.send(triton.InferenceResponse(error=error))
            else:
                limit = values["sampling_param_max_tokens"][0]
                reason = "length" if limit < len(said) else "stop"
                said = said[:limit]
                for end in range(1, len(said) + 1):
                    text = said[:end]
                    if text.endswith("é"):
                        half = text[:-1] + "\ufffd"
                        sender.send(triton.InferenceResponse(
                            [tensor("text_output", half), tensor("finish_reason", "None")]))
                    last = reason if end == len(said) else "None"
                    sender.send(triton.InferenceResponse(
                        [tensor("text_output", text), tensor("finish_reason", last)]))
            sender.send(flags=triton.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
"#;

/// The inputs and outputs of that backend that June knows.
const TALK_CONFIG: &str = r#"
backend: "python"
max_batch_size: 0
input [
  { name: "text_input" data_type: TYPE_STRING dims: [ -1 ] },
  { name: "streaming" data_type: TYPE_BOOL dims: [ 1 ] optional: true },
  { name: "return_finish_reason" data_type: TYPE_BOOL dims: [ 1 ] optional: true },
  { name: "sampling_param_max_tokens" data_type: TYPE_INT32 dims: [ 1 ] optional: true },
  { name: "sampling_param_temperature" data_type: TYPE_FP32 dims: [ 1 ] optional: true },
  { name: "sampling_param_top_p" data_type: TYPE_FP32 dims: [ 1 ] optional: true },
  { name: "sampling_param_top_k" data_type: TYPE_INT32 dims: [ 1 ] optional: true },
  { name: "sampling_param_seed" data_type: TYPE_UINT64 dims: [ 1 ] optional: true },
  { name: "sampling_param_stop" data_type: TYPE_STRING dims: [ -1 ] optional: true },
  { name: "sampling_param_exclude_input_from_output" data_type: TYPE_BOOL dims: [ 1 ] optional: true }
]
output [
  { name: "text_output" data_type: TYPE_STRING dims: [ -1 ] },
  { name: "finish_reason" data_type: TYPE_STRING dims: [ -1 ] }
]
model_transaction_policy { decoupled: true }
instance_group [ { kind: KIND_CPU } ]
"#;

/// A running server.
struct Triton {
    _server: PythonServer,
    base: String,
    _models: TempDir,
}

impl Triton {
    /// Starts one; without a Python it says so and returns nothing.
    fn start(test: &str) -> Option<Triton> {
        let python = python(test, "JUNE_TEST_PYTHON", "nvidia-pytriton")?;
        let models = tempfile::tempdir().unwrap();
        for (name, code) in [
            ("echo", ECHO),
            ("second", ECHO),
            ("broken", BROKEN),
            ("hanging", HANGING),
            ("talk", TALK),
        ] {
            let folder = models.path().join(name);
            fs::create_dir_all(folder.join("1")).unwrap();
            let config = if name == "talk" { TALK_CONFIG } else { CONFIG };
            fs::write(folder.join("config.pbtxt"), config).unwrap();
            fs::write(folder.join("1/model.py"), code).unwrap();
        }
        let script = "host/models/tests/triton_server.py";
        let server = PythonServer::start(python, script, [models.path()]);
        let base = format!("http://127.0.0.1:{}", server.port);
        Some(Triton { _server: server, base, _models: models })
    }

    fn repository(&self, load: Duration) -> Repository {
        let poll = Duration::from_millis(50);
        // The machine may be busy with other tests.
        let reply = Duration::from_secs(60);
        let deadlines = Deadlines { reply, load, poll, ..Deadlines::default() };
        let settings = Settings { proxy: Proxy::None, deadlines, ..Settings::new(&self.base) };
        Repository::new(&settings).unwrap()
    }
}
