//! MBPP's two formats (Austin et al. 2021): the completion is the whole program, and the tests
//! are assertions.

use super::{DatasetError, Task, TaskId};
use crate::json::Object;

const FULL: &str = "an MBPP task has \"task_id\" (integer), the strings \"text\", \"code\" and \"test_setup_code\", and \"test_list\" (strings)";
const SANITIZED: &str = "a sanitized MBPP task has \"task_id\" (integer), the strings \"prompt\" and \"code\", and \"test_imports\" and \"test_list\" (strings)";

pub(super) fn full(object: &Object) -> Result<Task, DatasetError> {
    let setup: String = object.get("test_setup_code", FULL)?;
    task(object, "text", setup, FULL)
}

pub(super) fn sanitized(object: &Object) -> Result<Task, DatasetError> {
    let imports: Vec<String> = object.get("test_imports", SANITIZED)?;
    task(object, "prompt", imports.join("\n"), SANITIZED)
}

/// `preamble` is what the tests need to have run before them.
fn task(
    object: &Object,
    prompt: &'static str,
    preamble: String,
    hint: &'static str,
) -> Result<Task, DatasetError> {
    let id: u64 = object.get("task_id", hint)?;
    let tests: Vec<String> = object.get("test_list", hint)?;
    if tests.iter().all(|test| test.trim().is_empty()) {
        let reason = "has no test, so that every sample would pass".to_owned();
        return Err(object.field_error("test_list", reason, hint).into());
    }
    let mut checks = String::new();
    for text in std::iter::once(preamble).chain(tests) {
        if !text.is_empty() {
            checks.push_str(&text);
            checks.push('\n');
        }
    }
    Ok(Task {
        id: TaskId(id.to_string()),
        prompt: object.get(prompt, hint)?,
        entry_point: None,
        reference: object.get("code", hint)?,
        checks,
    })
}
