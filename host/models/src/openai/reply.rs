//! The body of a server's reply, read as it comes: a stream of events, or one JSON object from a
//! server that does not stream.

use std::collections::VecDeque;

use serde_json::Value;

use crate::openai::answer::Answer;
use crate::openai::chunk::{Chunk, NoChunk};
use crate::openai::failure::Failure;
use crate::openai::settings::Limits;
use crate::openai::sse::Events;
use crate::types::Delta;
use crate::words::quoted;

/// A reply, while it comes in.
pub(crate) struct Reply {
    /// Who replies, for messages.
    server: String,
    limits: Limits,
    answer: Answer,
    form: Form,
    received: usize,
    /// Some piece of the answer was understood.
    understood: bool,
    /// The server said `[DONE]`.
    done: bool,
}

/// What the first byte that is not white space tells; content types are not to be relied on.
enum Form {
    Unknown,
    Events(Events),
    Whole(Vec<u8>),
}

impl Reply {
    pub(crate) fn new(server: String, limits: Limits, answer: Answer) -> Reply {
        let form = Form::Unknown;
        Reply { server, limits, answer, form, received: 0, understood: false, done: false }
    }

    /// Nothing more needs to be read.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Nothing more needs to be read, but for the usage.
    pub(crate) fn is_finished(&self) -> bool {
        self.answer.is_finished()
    }

    /// Takes more bytes, and adds the deltas that they complete.
    pub(crate) fn push(
        &mut self,
        mut bytes: &[u8],
        ready: &mut VecDeque<Delta>,
    ) -> Result<(), Failure> {
        self.received += bytes.len();
        if let Form::Unknown = self.form {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
            self.form = match bytes.first() {
                None => Form::Unknown,
                Some(b'{') => Form::Whole(Vec::new()),
                // A page of HTML: some proxy, or the wrong address.
                Some(b'<') => return Err(self.not_understood(bytes)),
                Some(_) => Form::Events(Events::new(self.limits.event)),
            };
        }
        let limit = match &self.form {
            Form::Whole(_) => self.limits.reply,
            Form::Events(_) | Form::Unknown => self.limits.stream,
        };
        if self.received > limit {
            let hint = "if that much is right, raise the limit of this model";
            return Err(self.wrong(&format!("sent more than {limit} bytes"), hint));
        }
        match &mut self.form {
            Form::Unknown => Ok(()),
            Form::Whole(whole) => {
                whole.extend_from_slice(bytes);
                Ok(())
            }
            Form::Events(events) => {
                let mut found = VecDeque::new();
                let pushed = events.push(bytes, &mut found);
                self.read(found, ready)?;
                pushed.map_err(|_| {
                    let what = format!("sent an event of more than {} bytes", self.limits.event);
                    self.wrong(&what, "look at the server's log")
                })
            }
        }
    }

    /// The server sends no more. `broken` says why, where the connection broke off.
    pub(crate) fn end(
        mut self,
        broken: Option<String>,
        ready: &mut VecDeque<Delta>,
    ) -> Result<(), Failure> {
        let server = self.server.clone();
        let broke_off = |why: &str| {
            let hint = "look at the server's log, or ask again";
            Failure::passing(format!("{server} broke off its answer{why}\nhint: {hint}"))
        };
        match std::mem::replace(&mut self.form, Form::Unknown) {
            Form::Unknown => {}
            Form::Events(mut events) => {
                let mut found = VecDeque::new();
                events.end(&mut found);
                // What a broken connection has cut off is no event.
                if broken.is_none() {
                    self.read(found, ready)?;
                }
            }
            Form::Whole(whole) => {
                if let Some(why) = broken {
                    return Err(broke_off(&format!(": {why}")));
                }
                self.chunk(&String::from_utf8_lossy(&whole), ready)?;
                self.done = true;
            }
        }
        if self.done || self.answer.is_finished() {
            let hint = "look at the server's log";
            let ended = self.answer.end(ready);
            return ended.map_err(|why| {
                Failure::unavailable(format!("{server} sent a wrong answer: {why}\nhint: {hint}"))
            });
        }
        match broken {
            Some(why) => Err(broke_off(&format!(": {why}"))),
            None if self.understood => Err(broke_off("")),
            None => Err(broke_off(", which was empty")),
        }
    }

    fn read(
        &mut self,
        events: VecDeque<String>,
        ready: &mut VecDeque<Delta>,
    ) -> Result<(), Failure> {
        for event in events {
            if self.done {
                break;
            }
            match event.trim() {
                "[DONE]" => self.done = true,
                event => self.chunk(event, ready)?,
            }
        }
        Ok(())
    }

    fn chunk(&mut self, text: &str, ready: &mut VecDeque<Delta>) -> Result<(), Failure> {
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return Err(self.not_understood(text.as_bytes()));
        };
        let chunk = match Chunk::read(&value) {
            Ok(chunk) => chunk,
            Err(NoChunk::Error(error)) => {
                return Err(Failure::reported(&self.server, error.status, &error, None));
            }
            Err(NoChunk::Malformed(why)) => {
                return Err(self.wrong(&format!("sent a wrong answer: {why}"), HINT));
            }
        };
        self.understood = true;
        self.answer
            .push(chunk, ready)
            .map_err(|why| self.wrong(&format!("sent a wrong answer: {why}"), HINT))
    }

    fn not_understood(&self, bytes: &[u8]) -> Failure {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(800)]);
        self.wrong(&format!("sent what is no answer: {}", quoted(&start, 100)), HINT)
    }

    fn wrong(&self, what: &str, hint: &str) -> Failure {
        Failure::unavailable(format!("{} {what}\nhint: {hint}", self.server))
    }
}

const HINT: &str = "check that the address is that of an OpenAI-compatible server, or look at its \
                    log";
