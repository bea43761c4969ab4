//! HumanEval's format (Chen et al. 2021): the completion continues the prompt, and the test
//! defines `check(candidate)`.

use super::{DatasetError, Task, TaskId};
use crate::input::quoted;
use crate::json::Object;

const HINT: &str = "a task in HumanEval's format has the strings \"task_id\", \"prompt\", \"entry_point\", \"canonical_solution\" and \"test\"";

pub(super) fn task(object: &Object) -> Result<Task, DatasetError> {
    let id: String = object.get("task_id", HINT)?;
    if id.is_empty() || id.contains(char::is_control) {
        let reason = "is empty or has control characters".to_owned();
        return Err(object.field_error("task_id", reason, HINT).into());
    }
    let entry_point: String = object.get("entry_point", HINT)?;
    // It is pasted into the test program, so it must not be able to say more than a name.
    if !is_identifier(&entry_point) {
        let reason = format!("is {}, not the name of a function", quoted(&entry_point));
        return Err(object.field_error("entry_point", reason, HINT).into());
    }
    let test: String = object.get("test", HINT)?;
    Ok(Task {
        id: TaskId(id),
        prompt: object.get("prompt", HINT)?,
        checks: format!("{test}\ncheck({entry_point})\n"),
        entry_point: Some(entry_point),
        reference: object.get("canonical_solution", HINT)?,
    })
}

/// Whether Python takes the text as one name: an identifier as in
/// <https://docs.python.org/3/reference/lexical_analysis.html#identifiers>, and no keyword.
fn is_identifier(text: &str) -> bool {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class",
        "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global",
        "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return",
        "try", "while", "with", "yield",
    ];
    let mut chars = text.chars();
    let starts = |first: char| first == '_' || unicode_ident::is_xid_start(first);
    chars.next().is_some_and(starts)
        && chars.all(unicode_ident::is_xid_continue)
        && !KEYWORDS.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::is_identifier;

    #[test]
    fn identifiers() {
        for name in ["add", "_", "__x1", "größe", "π", "match"] {
            assert!(is_identifier(name), "{name}");
        }
        for text in ["", "1a", "a.b", "a b", "a\n", "f)or(", "a-b", "lambda", "None", "²", "a\u{0}"]
        {
            assert!(!is_identifier(text), "{text:?}");
        }
    }
}
