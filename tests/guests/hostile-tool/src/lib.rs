//! A tool that tries what it must not, and tells what came of it.

#![cfg(target_arch = "wasm32")]

use std::fs;
use std::io::Write as _;

use june_sdk::{CallError, Tool, ToolCall, arguments, tool, tools};

arguments! {
    struct Attempt {
        /// What to try.
        action: Action,
        /// A path, or a tool's name.
        path: Option<String>,
        /// A number of bytes, or of files.
        count: Option<u64>,
    }

    enum Action { Nothing, Read, Write, Append, List, Fill, Crowd, Link, Rename, Recurse, Loop, Allocate, Trap }
}

struct Hostile;

tool!(Hostile);

impl Tool for Hostile {
    const NAME: &str = "hostile";
    const DESCRIPTION: &str = "Tries what it must not.";
    type Arguments = Attempt;

    fn call(attempt: Attempt) -> Result<String, CallError> {
        let path = attempt.path.unwrap_or_default();
        let count = attempt.count.unwrap_or(1);
        let told = match attempt.action {
            Action::Nothing => Ok("nothing".into()),
            Action::Read => fs::read_to_string(&path),
            Action::Write => fs::write(&path, "hostile").map(|()| "written".into()),
            // What is there already is told in what is added.
            Action::Append => (|| {
                let mut text = fs::read_to_string(&path).unwrap_or_default();
                text.push_str(&format!("{}\n", text.len()));
                fs::write(&path, &text)?;
                Ok(text)
            })(),
            Action::List => fs::read_dir(&path).map(|entries| {
                let names = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
                names.collect::<Vec<_>>().join(" ")
            }),
            Action::Fill => (|| {
                let mut file = fs::File::create(&path)?;
                for _ in 0..count {
                    file.write_all(&[0; 65536])?;
                }
                Ok("filled".into())
            })(),
            Action::Crowd => (|| {
                for number in 0..count {
                    fs::write(format!("{path}/{number}"), "")?;
                }
                Ok("crowded".into())
            })(),
            Action::Link => link("/etc/passwd", &path).map(|()| "linked".into()),
            Action::Rename => fs::rename(&path, "/outside").map(|()| "renamed".into()),
            Action::Recurse => {
                let arguments = "{\"action\": \"recurse\"}".into();
                let call = ToolCall { id: "1".into(), name: "hostile".into(), arguments };
                Ok(format!("{:?}", tools::call(&call)))
            }
            Action::Loop => loop {
                std::hint::black_box(0);
            },
            Action::Allocate => Ok(vec![1_u8; count as usize].len().to_string()),
            Action::Trap => std::process::abort(),
        };
        told.map_err(|error| CallError::failed(error.to_string()))
    }
}

fn link(to: &str, at: &str) -> std::io::Result<()> {
    #[expect(deprecated, reason = "the one way that the standard library has here")]
    fs::soft_link(to, at)
}
