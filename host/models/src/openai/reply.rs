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
        if let Form::Unknown = self.form {
            // White space before an answer belongs to neither form.
            let started = bytes.trim_ascii_start();
            self.received += bytes.len() - started.len();
            bytes = started;
            self.form = match started.first() {
                None => Form::Unknown,
                Some(b'{') => Form::Whole(Vec::new()),
                // A page of HTML: some proxy, or the wrong address.
                Some(b'<') => return Err(self.not_understood(started)),
                Some(_) => Form::Events(Events::new(self.limits.event)),
            };
        }
        let limit = match &self.form {
            Form::Whole(_) => self.limits.reply,
            Form::Events(_) | Form::Unknown => self.limits.stream,
        };
        let over = self.received + bytes.len() > limit;
        let room = limit.saturating_sub(self.received);
        bytes = &bytes[..bytes.len().min(room)];
        self.received += bytes.len();
        match &mut self.form {
            Form::Unknown => {}
            Form::Whole(whole) => whole.extend_from_slice(bytes),
            Form::Events(events) => {
                let mut found = VecDeque::new();
                let pushed = events.push(bytes, &mut found);
                self.read(found, ready)?;
                if pushed.is_err() && !self.done {
                    let what = format!("sent an event of more than {} bytes", self.limits.event);
                    return Err(self.wrong(&what, "look at the server's log"));
                }
            }
        }
        if over && !self.done {
            let hint = "if that much is right, raise the limit of this model";
            return Err(self.wrong(&format!("sent more than {limit} bytes"), hint));
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collect;
    use crate::text::thinking::Reasoning;
    use crate::types::{Part, Request};

    /// The parts of the answer and what came last, if it was an error.
    fn read(chunks: &[&[u8]]) -> (Vec<Part>, Option<Failure>) {
        let limits = Limits { event: 200, reply: 400, stream: 1000 };
        let answer = Answer::new(&Request::default(), Reasoning::Auto);
        let mut reply = Reply::new("m at h".into(), limits, answer);
        let (mut ready, mut failed) = (VecDeque::new(), None);
        for chunk in chunks {
            failed = reply.push(chunk, &mut ready).err();
            if failed.is_some() || reply.is_done() {
                break;
            }
        }
        let failed = failed.or_else(|| reply.end(None, &mut ready).err());
        let mut parts = Vec::new();
        ready.into_iter().for_each(|delta| collect::push(&mut parts, delta));
        (parts, failed)
    }

    fn any_reply() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just("data: {\"choices\":[{\"delta\":{\"content\":\"<think>é\"}}]}\n\n".to_owned()),
            Just(
                "data: {\"choices\":[{\"delta\":{\"content\":\"</think> a\"}}]}\r\n\r\n".to_owned()
            ),
            Just("{\"choices\":[{\"message\":{\"content\":\"b\"}}]}".to_owned()),
            Just("data: [DONE]\n\n".to_owned()),
            Just("data: {\"error\":\"x\"}\n\n".to_owned()),
            Just("x".repeat(250)),
            "data: |:|\n|\r|<|\\{|\\}| |.{0,3}",
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat().into_bytes())
    }

    #[test]
    fn white_space_before_an_answer_belongs_to_no_line() {
        let bytes = b" data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
        for chunks in [vec![&bytes[..]], vec![&bytes[..1], &bytes[1..]]] {
            assert_eq!(read(&chunks).0, [Part::Text("a".into())]);
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_network_cuts(bytes in any_reply(), cut in 1_usize..50) {
            let chunks: Vec<&[u8]> = bytes.chunks(cut).collect();
            let (whole, cut) = (read(&[&bytes]), read(&chunks));
            prop_assert_eq!(&whole.0, &cut.0);
            // What is quoted of bytes that are no answer, and which limit is met, may differ.
            prop_assert_eq!(whole.1.is_some(), cut.1.is_some());
        }

        #[test]
        fn whatever_a_server_sends_is_an_answer_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let (parts, failed) = read(&[&bytes]);
            prop_assert!(parts.is_empty() && failed.is_some());
        }
    }
}
