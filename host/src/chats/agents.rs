//! The agents that people in chats speak with.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use futures_util::{StreamExt, future, stream};
use june_chats::{
    AgentError, AgentEvent, Agents, Author, Events, File, Message, Notes, NotesError, Request,
    Store,
};
use june_sandbox::capabilities::{Memory, Reply, ToolUse};
use june_sandbox::contract::{self, MemoryError, Role, Step, Turn};
use june_sandbox::workspace::Entry;
use june_sandbox::{Authority, Recording, Workspace};
use opentelemetry::trace::FutureExt;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::turns::Turns;
use crate::agents::{Agent, said};
use crate::commands::run::failed;
use crate::ready::Ready;
use crate::words::one_line;

/// Where an agent finds the files that came with a message.
const ATTACHMENTS: &str = "attachments";

/// Agents that answer in chats. Clones are the same ones.
#[derive(Clone)]
pub(crate) struct Answerers(Arc<Shared>);

struct Shared {
    ready: Ready,
    store: Store,
    turns: Arc<Turns>,
}

impl Answerers {
    /// These agents.
    pub(crate) fn new(ready: Ready, store: Store, turns: Arc<Turns>) -> Answerers {
        Answerers(Arc::new(Shared { ready, store, turns }))
    }
}

impl Agents for Answerers {
    fn names(&self) -> Vec<String> {
        self.0.ready.now().spoken.clone()
    }

    fn ask(&self, agent: &str, request: Request) -> Events {
        let (say, mut heard) = unbounded_channel();
        let (shared, agent) = (self.0.clone(), agent.to_owned());
        let work = async move {
            let reply = Arc::new(Listener(say.clone()));
            let answer = shared.answer(&agent, request, reply).await;
            // Nobody listens any more where this fails.
            let _ = say.send(answer.map(AgentEvent::Answer));
        };
        // All that the agent says takes the one way, and so keeps its order.
        let work = stream::once(work).filter_map(|()| future::ready(None));
        stream::select(stream::poll_fn(move |context| heard.poll_recv(context)), work).boxed()
    }
}

impl Shared {
    /// Returns the rest of the answer, which was not said before.
    async fn answer(
        &self,
        name: &str,
        request: Request,
        reply: Arc<dyn Reply>,
    ) -> Result<String, AgentError> {
        let loaded = self.ready.now();
        let Some(agent) = loaded.agents.get(name) else {
            return Err(AgentError(format!("there is no agent {name}")));
        };
        let mut authority = agent.now();
        authority.capabilities.reply = Some(reply);
        if authority.grants.memory {
            let notes = ChatNotes(self.store.notes(&request.chat));
            authority.capabilities.memory = Some(Arc::new(notes));
        }
        let attached = attach(agent, &mut authority, &request.files);
        let mut messages = conversation(&request);
        messages.push(said(Role::User, format!("{}{attached}", request.text).trim()));
        let turn = Turn {
            messages,
            models: agent.models.clone(),
            instructions: agent.instructions.clone(),
        };
        let session = super::session(&request.chat);
        let recording = self.turns.journal().map(|journal| Recording {
            journal,
            session: &session,
            parent: self.turns.parent(request.turn),
        });
        let context = self.turns.context(request.turn);
        let answered = agent.respond(&turn, &authority, recording.as_ref());
        let answered = answered.with_context(context).await;
        let answered = answered.map_err(|error| AgentError(error.to_string()))?;
        match &answered.answer {
            Some(Ok(answer)) => Ok(answer.text.clone()),
            _ => Err(AgentError(failed(&answered).unwrap_or_default())),
        }
    }
}

/// What was said before. Where several people speak, each is named.
fn conversation(request: &Request) -> Vec<contract::Message> {
    let mut names = BTreeSet::from([request.person.name.as_str()]);
    names.extend(request.conversation.iter().filter_map(|message| match &message.by {
        Author::Person(name) => Some(name.as_str()),
        Author::Agent => None,
    }));
    let several = names.len() > 1;
    let of = |Message { by, text }: &Message| match by {
        Author::Agent => said(Role::Assistant, text),
        Author::Person(name) if several => said(Role::User, &format!("{name}: {text}")),
        Author::Person(_) => said(Role::User, text),
    };
    request.conversation.iter().map(of).collect()
}

/// Puts files where the agent can read them, as far as its grants go, and says which there are.
fn attach(agent: &Agent, authority: &mut Authority, files: &[File]) -> String {
    let mut tree = agent.before.clone();
    let mut text = String::new();
    for File { name, bytes } in files {
        let path = format!("{ATTACHMENTS}/{name}");
        let granted = authority.grants.files.iter().any(|grant| grant.holds(&path));
        let room = authority.limits.files.saturating_sub(tree.bytes());
        let why_not = match (granted, bytes.len() <= room) {
            (false, _) => Some("which you may not read: no grant covers it"),
            (true, false) => Some("which is too large for you"),
            (true, true) => tree
                .insert(&path, Entry::file(bytes.to_vec()))
                .err()
                .map(|_| "which cannot be opened: there are too many files"),
        };
        let size = bytes.len();
        text += &match why_not {
            None => format!("\n\n(There is a file: {path}, {size} bytes.)"),
            Some(why) => {
                format!("\n\n(There is a file {}, {size} bytes, {why}.)", one_line(name, 100))
            }
        };
    }
    let workspace = &mut authority.capabilities.workspace;
    *workspace = workspace.is_some().then(|| Workspace::new(tree));
    text
}

/// Passes on what an agent says.
struct Listener(UnboundedSender<Result<AgentEvent, AgentError>>);

impl Reply for Listener {
    fn say(&self, text: &str) {
        let _ = self.0.send(Ok(AgentEvent::Said(text.to_owned())));
    }

    fn note(&self, step: &Step) {
        let _ = self.0.send(Ok(AgentEvent::Step(step.text.clone())));
    }

    fn used(&self, use_: &ToolUse<'_>) {
        if let ToolUse::Called { name, .. } = use_ {
            let _ = self.0.send(Ok(AgentEvent::Step(format!("calls {name}"))));
        }
    }
}

/// Notes of a chat, which outlast this process.
struct ChatNotes(Notes);

impl Memory for ChatNotes {
    fn get(&self, name: &str) -> Result<Option<String>, MemoryError> {
        self.0.get(name).map_err(why)
    }

    fn set(&self, name: &str, value: &str) -> Result<(), MemoryError> {
        self.0.set(name, value).map_err(why)
    }

    fn list(&self) -> Result<Vec<String>, MemoryError> {
        self.0.list().map_err(why)
    }

    fn delete(&self, name: &str) -> Result<bool, MemoryError> {
        self.0.delete(name).map_err(why)
    }
}

fn why(error: NotesError) -> MemoryError {
    match error {
        NotesError::Limit(why) => MemoryError::Limit(why),
        NotesError::Store(error) => MemoryError::Unavailable(error.to_string()),
    }
}
