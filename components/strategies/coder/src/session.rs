//! The conversation in which code is written, run and repaired.

use june_sdk::llm::LlmError;
use june_sdk::reply::Stage;
use june_sdk::serde_json::{self, Value};
use june_sdk::types::ToolSpec;
use june_sdk::{
    Chat, Limits, Program, Reply, Schema as _, StrategyError, ToolCall, Turn, arguments, note,
    programs, tools,
};

use crate::blocks::{fenced, last_block};

/// Rounds of asking the model and calling its tools.
const ROUNDS: u32 = 32;

/// How often an answer whose code fails is given back.
const REPAIRS: u32 = 4;

/// Bytes kept of what a program writes.
const OUTPUT: u32 = 16 * 1024;

/// The tool that runs programs, whoever does it.
const PYTHON: &str = "python";

arguments! {
    struct Code {
        /// The whole program. Nothing is left of earlier programs. Print what you want to see.
        code: String,
    }
}

pub(crate) struct Session {
    chat: Chat,
    /// Whether the strategy itself is the tool that runs programs.
    runs_itself: bool,
    /// The last program that was run, and whether it worked.
    last: Option<(String, bool)>,
}

impl Session {
    pub(crate) fn new(turn: Turn) -> Result<Self, StrategyError> {
        let mut chat = Chat::new(turn)?
            .with_granted_tools()
            .with_instructions(include_str!("prompts/coder.md"));
        let runs_itself = chat.request.tools.iter().all(|tool| tool.name != PYTHON);
        if runs_itself {
            chat.request.tools.push(ToolSpec {
                name: PYTHON.into(),
                description:
                    "Runs a Python program and tells what it printed and how it ended. Only \
                    the standard library is there."
                        .into(),
                parameters: Code::schema(),
            });
        }
        Ok(Self { chat, runs_itself, last: None })
    }

    pub(crate) fn work(&mut self) -> Result<String, StrategyError> {
        let mut repairs = 0;
        for _ in 0..ROUNDS {
            let reply = match self.chat.ask(|_| {}) {
                Ok(reply) => reply,
                Err(error) => return self.give_up(error),
            };
            if reply.is_blank() {
                self.chat.request.messages.pop();
                self.chat.tell("Go on.");
            } else if !reply.calls.is_empty() && reply.cut.is_none() {
                self.call(&reply.calls);
            } else if repairs < REPAIRS
                && let Some(error) = self.fault(&reply)
            {
                repairs += 1;
                note(Stage::Reflect, format!("The code fails: {error}"));
                let (repair, again) =
                    (include_str!("prompts/repair.md"), include_str!("prompts/again.md"));
                self.chat.tell(&format!("{repair}\n{error}\n\n{again}"));
            } else {
                return self.conclude(&reply);
            }
        }
        match self.chat.finish(|_| {}) {
            Ok(reply) => self.conclude(&reply),
            Err(error) => self.give_up(error),
        }
    }

    /// Calls the tools. A program is remembered, with what came of it.
    fn call(&mut self, calls: &[ToolCall]) {
        if !calls.iter().any(|call| call.name == PYTHON) {
            return self.chat.call(calls);
        }
        for call in calls {
            if call.name != PYTHON {
                self.chat.call(std::slice::from_ref(call));
                continue;
            }
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
            let code = arguments["code"].as_str();
            let outcome = match code {
                Some(code) if self.runs_itself => run(code),
                None if self.runs_itself => Err("the arguments lack `code`".into()),
                _ => run_with_tool(call),
            };
            if let Some(code) = code {
                self.last = Some((code.into(), outcome.is_ok()));
            }
            self.chat.answer(call, outcome);
        }
    }

    /// Why the code in an answer does not work, if it is not known to work and was not tried yet.
    fn fault(&mut self, reply: &Reply) -> Option<String> {
        let block = last_block(&reply.text)?;
        let known = self.last.as_ref().is_some_and(|(code, _)| code.trim() == block.code.trim());
        if known || reply.cut.is_some() || !block.is_python() {
            return None;
        }
        let outcome = if self.runs_itself {
            run(&block.code)
        } else {
            let arguments = serde_json::json!({"code": block.code}).to_string();
            run_with_tool(&ToolCall { id: "check".into(), name: PYTHON.into(), arguments })
        };
        self.last = Some((block.code, outcome.is_ok()));
        outcome.err()
    }

    /// The answer, with the last program that worked where the model left the code out.
    fn conclude(&self, reply: &Reply) -> Result<String, StrategyError> {
        let mut text = reply.text.clone();
        if last_block(&text).is_none()
            && let Some((code, true)) = &self.last
        {
            text.push_str(&format!("\n\n{}", fenced(code)));
        }
        if text.trim().is_empty() {
            reply.conclude()?;
        }
        Ok(text.trim_start().to_owned() + &reply.conclude().unwrap_or_default())
    }

    /// The last program, where there is one, and why there is no more.
    fn give_up(&self, error: LlmError) -> Result<String, StrategyError> {
        let Some((code, worked)) = &self.last else { return Err(error.into()) };
        let state = if *worked { "it ran to its end" } else { "it did not work yet" };
        let why = error.explanation();
        Ok(format!(
            "This is as far as I got ({why}). The last program, {state}:\n\n{}",
            fenced(code)
        ))
    }
}

fn run(code: &str) -> Result<String, String> {
    let limits = Limits { output: Some(OUTPUT), ..Limits::default() };
    let outcome = programs::run(&Program::python(code), limits);
    outcome.map_err(|error| error.explanation())?.report()
}

fn run_with_tool(call: &ToolCall) -> Result<String, String> {
    match tools::call(call) {
        Ok(result) if result.is_error => Err(result.content),
        Ok(result) => Ok(result.content),
        Err(error) => Err(error.explanation()),
    }
}
