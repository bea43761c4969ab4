//! A conversation with a model that may use tools.

use std::mem;

use super::llm::{self, Delta, LlmError, Request, ResponseFormat, Sampling};
use super::reply::{self, Stage, Step};
use super::tools::{self, ToolError};
use super::{FinishReason, Message, Part, Role, StrategyError, ToolCall, ToolResult, Turn};

/// What is kept of a tool's answer when the conversation outgrows the model's context.
const SHORTENED: usize = 600;

/// What is noted of a call and of its answer.
const NOTED: usize = 300;

/// A conversation with a model, which may use tools.
pub struct Chat {
    /// What is asked next: the model, the conversation so far, the tools, and how to draw tokens.
    pub request: Request,
}

/// What a model said.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its words.
    pub text: String,
    /// What it thought beforehand, where it tells.
    pub reasoning: String,
    /// The tools that it asks for.
    pub calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish: FinishReason,
    /// Why it broke off, if it did so after it had begun.
    pub cut: Option<LlmError>,
}

/// Records a step, for the journal and the viewer.
pub fn note(stage: Stage, text: impl Into<String>) {
    reply::note(&Step { stage, text: text.into() });
}

impl Chat {
    /// The turn's conversation with the preferred model, the agent's instructions before it.
    ///
    /// # Errors
    ///
    /// The agent is granted no model.
    pub fn new(turn: Turn) -> Result<Self, StrategyError> {
        let Some(model) = turn.models.into_iter().next() else {
            return Err(StrategyError::Failed("the agent is granted no model".into()));
        };
        let mut messages = turn.messages;
        if !turn.instructions.is_empty() {
            messages.insert(0, Message::system(turn.instructions));
        }
        let request = Request {
            model,
            messages,
            tools: Vec::new(),
            sampling: Sampling::default(),
            max_tokens: None,
            stop: Vec::new(),
            response_format: ResponseFormat::Text,
        };
        Ok(Self { request })
    }

    /// Lets the model ask for every tool that the agent is granted.
    #[must_use]
    pub fn with_granted_tools(mut self) -> Self {
        self.request.tools = tools::list();
        self
    }

    /// Adds to the instructions, which are the first message.
    #[must_use]
    pub fn with_instructions(mut self, text: &str) -> Self {
        match self.request.messages.first_mut() {
            Some(Message { role: Role::System, parts }) => {
                parts.push(Part::Text(format!("\n\n{text}")));
            }
            _ => self.request.messages.insert(0, Message::system(text)),
        }
        self
    }

    /// Says something to the model, as the person would. Two such messages in a row become one,
    /// for not every model takes more.
    pub fn tell(&mut self, text: &str) {
        match self.request.messages.last_mut() {
            Some(Message { role: Role::User, parts }) => {
                parts.push(Part::Text(format!("\n\n{text}")));
            }
            _ => self.request.messages.push(Message::user(text)),
        }
    }

    /// Asks the model, and adds its answer to the conversation. `hear` is told the words as they
    /// come; for the person to see them, it is [`reply::say`].
    ///
    /// When the conversation does not fit the model's context, what tools answered is shortened.
    ///
    /// # Errors
    ///
    /// The model said nothing at all, and why.
    pub fn ask(&mut self, mut hear: impl FnMut(&str)) -> Result<Reply, LlmError> {
        loop {
            let mut message = Message { role: Role::Assistant, parts: Vec::new() };
            let (finish, cut) = match listen(&self.request, &mut message, &mut hear) {
                Err(LlmError::ContextOverflow(_)) if message.parts.is_empty() && self.shorten() => {
                    continue;
                }
                Err(error) if message.parts.is_empty() => return Err(error),
                Err(error) => (FinishReason::Stop, Some(error)),
                Ok(finish) => (finish, None),
            };
            let reply = Reply {
                text: message.text(),
                reasoning: message.reasoning(),
                calls: message.calls().cloned().collect(),
                finish,
                cut,
            };
            self.request.messages.push(message);
            return Ok(reply);
        }
    }

    /// Asks something beside the conversation, without tools: neither the question nor its answer
    /// becomes part of it.
    ///
    /// # Errors
    ///
    /// The model said nothing at all, and why.
    pub fn ask_aside(&mut self, question: &str) -> Result<Reply, LlmError> {
        let (before, last) = (self.request.messages.len(), self.request.messages.last().cloned());
        let tools = mem::take(&mut self.request.tools);
        self.tell(question);
        let reply = self.ask(|_| {});
        // The question may have become a part of the last message.
        self.request.messages.truncate(before.saturating_sub(1));
        self.request.messages.extend(last);
        self.request.tools = tools;
        reply
    }

    /// Calls the tools that the model asked for, all at once, and adds their answers to the
    /// conversation. A tool that fails answers with its error.
    pub fn call(&mut self, calls: &[ToolCall]) {
        for (call, outcome) in calls.iter().zip(tools::call_all(calls)) {
            let outcome = match outcome {
                Ok(result) if result.is_error => Err(result.content),
                Ok(result) => Ok(result.content),
                Err(error) => Err(error.explanation()),
            };
            self.answer(call, outcome);
        }
    }

    /// Adds the answer to a call to the conversation, and notes it as a step.
    pub fn answer(&mut self, call: &ToolCall, outcome: Result<String, String>) {
        let is_error = outcome.is_err();
        let content = outcome.unwrap_or_else(|why| why);
        let verb = if is_error { "failed" } else { "answered" };
        let (arguments, said) = (head(&call.arguments, NOTED), head(&content, NOTED));
        note(Stage::Execute, format!("{} {arguments} {verb}: {said}", call.name));
        let result = ToolResult { call_id: call.id.clone(), content, is_error };
        self.request.messages.push(Message::tool(result));
    }

    /// Lets the model use its tools until it answers without asking for one, in at most so many
    /// rounds and then one more in which it has none.
    ///
    /// # Errors
    ///
    /// The model said nothing at all when it was last asked, and why.
    pub fn work(&mut self, rounds: u32, mut hear: impl FnMut(&str)) -> Result<Reply, LlmError> {
        for _ in 0..rounds {
            let reply = self.ask(&mut hear)?;
            if reply.is_blank() {
                self.request.messages.pop();
                self.tell("Answer the request now.");
                continue;
            }
            if reply.calls.is_empty() || reply.cut.is_some() {
                return Ok(reply);
            }
            if !reply.text.is_empty() {
                hear("\n\n");
            }
            self.call(&reply.calls);
        }
        self.finish(hear)
    }

    /// Asks for an answer with what is known, without tools.
    ///
    /// # Errors
    ///
    /// The model said nothing at all, and why.
    pub fn finish(&mut self, hear: impl FnMut(&str)) -> Result<Reply, LlmError> {
        let tools = mem::take(&mut self.request.tools);
        self.tell("No more tools can be used. Answer now, with what is known.");
        let reply = self.ask(hear);
        self.request.tools = tools;
        reply
    }

    /// Shortens what tools answered, the latest last; false when there is nothing to shorten.
    fn shorten(&mut self) -> bool {
        let Some((last, earlier)) = self.request.messages.split_last_mut() else { return false };
        let mut any = false;
        for message in earlier {
            any |= shorten(message);
        }
        any || shorten(last)
    }
}

impl Reply {
    /// Whether there is nothing in it though nothing went wrong, as happens to small models.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.calls.is_empty()
            && self.text.trim().is_empty()
            && self.finish == FinishReason::Stop
            && self.cut.is_none()
    }

    /// What is left to answer when the words have been [said](reply::say): nothing, or why they
    /// break off.
    ///
    /// # Errors
    ///
    /// There were no words.
    pub fn conclude(&self) -> Result<String, StrategyError> {
        let why = match (&self.cut, self.finish) {
            (Some(error), _) => error.explanation(),
            (None, FinishReason::Length) => "it reached the limit of tokens".into(),
            (None, FinishReason::ContentFilter) => "the server withheld the rest".into(),
            (None, _) if self.text.trim().is_empty() => {
                return Err(StrategyError::Failed("the model gave no answer".into()));
            }
            (None, _) => return Ok(String::new()),
        };
        Ok(format!("\n\n(The answer breaks off: {why}.)"))
    }
}

impl Default for Sampling {
    /// All as the model has it.
    fn default() -> Self {
        Self { temperature: None, top_p: None, top_k: None, min_p: None, seed: None }
    }
}

impl ToolError {
    /// What happened, in words for the model.
    #[must_use]
    pub fn explanation(&self) -> String {
        match self {
            Self::Denied(text) => format!("the tool was denied: {text}"),
            Self::Unknown(text) => format!("there is no such tool: {text}"),
            Self::InvalidArguments(text) => format!("the arguments are invalid: {text}"),
            Self::Limit(text) => format!("a limit is used up: {text}"),
            Self::Crashed(text) => format!("the tool crashed: {text}"),
        }
    }
}

/// Reads an answer to its end, into a message.
fn listen(
    request: &Request,
    message: &mut Message,
    mut hear: impl FnMut(&str),
) -> Result<FinishReason, LlmError> {
    let stream = llm::stream(request)?;
    let mut finish = FinishReason::Stop;
    while let Some(delta) = stream.next()? {
        match (delta, message.parts.last_mut()) {
            (Delta::Text(more), last) => {
                hear(&more);
                match last {
                    Some(Part::Text(text)) => text.push_str(&more),
                    _ => message.parts.push(Part::Text(more)),
                }
            }
            (Delta::Reasoning(more), Some(Part::Reasoning(text))) => text.push_str(&more),
            (Delta::Reasoning(more), _) => message.parts.push(Part::Reasoning(more)),
            (Delta::Call(call), _) => message.parts.push(Part::Call(call)),
            (Delta::Finish((reason, _)), _) => finish = reason,
        }
    }
    Ok(finish)
}

fn shorten(message: &mut Message) -> bool {
    let mut any = false;
    for part in &mut message.parts {
        if let Part::Outcome(result) = part
            && result.content.len() > 2 * SHORTENED
        {
            result.content = head(&result.content, SHORTENED);
            any = true;
        }
    }
    any
}

/// The beginning of a text, which says so when there is more.
fn head(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.into();
    }
    format!("{}… (shortened)", &text[..text.floor_char_boundary(most)])
}
