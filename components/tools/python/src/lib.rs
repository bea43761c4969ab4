//! A tool that runs Python programs, each in a fresh runner that has nothing but what it is given.

#![cfg(target_arch = "wasm32")]

use std::fs;

use june_sdk::program_types::File;
use june_sdk::{CallError, Limits, Program, Tool, arguments, programs, tool};

/// Bytes kept of each of stdout and stderr.
const OUTPUT: u32 = 16 * 1024;

arguments! {
    struct Request {
        /// The whole program. Nothing is left of earlier programs. Print what you want to see.
        code: String,
        /// What the program reads from its standard input.
        stdin: Option<String>,
        /// Files of the agent's folders that the program may read, such as `data/in.csv`.
        files: Option<Vec<String>>,
    }
}

struct Python;

impl Tool for Python {
    const NAME: &str = "python";
    const DESCRIPTION: &str = "Runs a Python program and tells what it printed and how it ended. Only \
        the standard library is there, no network and no other processes.";
    type Arguments = Request;

    fn call(request: Request) -> Result<String, CallError> {
        let mut program = Program::python(request.code);
        program.stdin = request.stdin.unwrap_or_default().into_bytes();
        for path in request.files.unwrap_or_default() {
            let path = path.trim_start_matches("./").trim_start_matches('/');
            let content = fs::read(format!("/{path}"))
                .map_err(|error| CallError::failed(format!("{path}: {error}")))?;
            program.files.push(File { path: path.into(), content });
        }
        let limits = Limits { output: Some(OUTPUT), ..Limits::default() };
        let outcome = programs::run(&program, limits);
        outcome
            .map_err(|error| CallError::failed(error.explanation()))?
            .report()
            .map_err(CallError::Failed)
    }
}

tool!(Python);
