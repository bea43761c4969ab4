//! How a task is put to a chat model.
//!
//! Zero-shot, one message, nothing that another task gets and this one does not:
//!
//! * **HumanEval**: the data set's prompt, in a fence, to be answered with the whole function. So
//!   do EvalPlus (Liu et al. 2023, <https://arxiv.org/abs/2305.01210>) and others who evaluate
//!   chat models; Chen et al. 2021 let a base model continue the prompt itself.
//! * **MBPP**: the description and the assertions that will be run, set-up code and imports
//!   included, as in Austin et al. 2021 (<https://arxiv.org/abs/2108.07732>, section 2.1), whose
//!   assertions tell the function's name. They put three solved tasks before it; this does not.
//!
//! The wording is June's own, and part of what a score depends on: it stays as it is. What comes
//! back goes to [`extraction`](crate::extraction).
//!
//! ```
//! use june_benchmarks::dataset::Dataset;
//! use june_benchmarks::prompt::question;
//!
//! let json = r#"[{"task_id": 1, "text": "Write a function to add.", "code": "",
//!     "test_setup_code": "", "test_list": ["assert add(1, 2) == 3"]}]"#;
//! let dataset = Dataset::parse("sums", json.as_bytes())?;
//! let question = question(&dataset.tasks[0]);
//! assert!(question.user.starts_with("Write a function to add.\n"));
//! assert!(question.user.contains("```python\nassert add(1, 2) == 3\n```"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::dataset::Task;

/// A task in the words that a chat model is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What the model is to be: the system message. The same for every task.
    pub instructions: &'static str,
    /// The task itself: the only message.
    pub user: String,
}

const INSTRUCTIONS: &str = "You are an expert Python programmer. You answer with code that is \
                            complete and correct, in one fenced block.";

/// A task's question. The same task always has the same.
pub fn question(task: &Task) -> Question {
    let user = match task.entry_point {
        Some(_) => format!(
            "Complete the Python function at the end of this program:\n\n{}\n\nAnswer with the \
             whole function, and all the imports that it needs, in one block of Python code.\n",
            fenced(&task.prompt)
        ),
        None => format!(
            "{}\n\nThe code has to pass these tests:\n\n{}\n\nAnswer with the code that the tests \
             need, imports included, in one block of Python code.\n",
            task.prompt.trim(),
            fenced(&task.checks())
        ),
    };
    Question { instructions: INSTRUCTIONS, user }
}

/// Code in a fence that is longer than any row of backticks in it.
fn fenced(code: &str) -> String {
    let mut longest = 0;
    let mut row = 0;
    for character in code.chars() {
        row = if character == '`' { row + 1 } else { 0 };
        longest = longest.max(row);
    }
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}python\n{}\n{fence}", code.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;

    fn user(json: &str) -> String {
        question(&Dataset::parse("file", json.as_bytes()).unwrap().tasks[0]).user
    }

    /// Scores depend on these words: who changes them changes what scores mean.
    #[test]
    fn wording() {
        let humaneval = r#"{"task_id": "T/0", "prompt": "import re\n\ndef f():\n    \"\"\"F.\"\"\"\n", "entry_point": "f", "canonical_solution": "    return 1\n", "test": "def check(f):\n    assert secret"}"#;
        assert_eq!(
            user(humaneval),
            "Complete the Python function at the end of this program:\n\n```python\nimport re\n\n\
             def f():\n    \"\"\"F.\"\"\"\n```\n\nAnswer with the whole function, and all the \
             imports that it needs, in one block of Python code.\n"
        );
        let mbpp = r#"{"task_id": 7, "text": " Write f.\r\n", "code": "secret", "test_setup_code": "x = 1", "test_list": ["assert f() == x", "assert f()"]}"#;
        assert_eq!(
            user(mbpp),
            "Write f.\n\nThe code has to pass these tests:\n\n```python\nx = 1\nassert f() == x\n\
             assert f()\n```\n\nAnswer with the code that the tests need, imports included, in \
             one block of Python code.\n"
        );
    }

    #[test]
    fn a_task_does_not_end_its_fence() {
        assert_eq!(fenced("\"\"\"````\n```\"\"\"\n"), "`````python\n\"\"\"````\n```\"\"\"\n`````");
    }
}
