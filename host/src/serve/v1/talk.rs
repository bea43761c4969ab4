//! A turn of an agent while it goes on: a run that tells what happens in it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use june_sandbox::capabilities::{Deltas, Llm, Reply};
use june_sandbox::contract::{Delta, FinishReason, LlmError, Request, Sampling, Step, Turn};
use june_sandbox::{Answered, Authority, Error, GrantedTool, Recording, Spent, Workspace, World};
use opentelemetry::trace::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::task::AbortOnDropHandle;

use super::messages::Conversation;
use super::request::Terms;
use super::tools::{Called, ClientTool};
use crate::agents::Agent;
use crate::notes::Notes;
use crate::serve::Server;
use crate::serve::refusal::Refusal;

/// Something that happens in a turn.
pub(super) enum Event {
    /// The agent says more.
    Said(String),
    /// It calls a tool of the client.
    Called(Called),
    /// It is at its end.
    Ended(Box<Result<Answered, Error>>),
}

/// A turn that goes on. Dropped, it is given up, and the journal says so.
pub(super) struct Talk {
    pub(super) events: UnboundedReceiver<Event>,
    heard: Arc<Heard>,
    run: AbortOnDropHandle<()>,
}

impl Talk {
    /// Begins a turn.
    pub(super) fn begin(
        server: &Arc<Server>,
        agent: &Arc<Agent>,
        caller: &str,
        conversation: &Conversation,
        terms: &Terms,
    ) -> Result<Self, Refusal> {
        let (tell, events) = unbounded_channel();
        let heard = Arc::new(Heard::default());
        let mut authority = agent.now();
        lend(&mut authority, agent, &tell, &heard, terms)?;
        let own = [&agent.instructions, &conversation.instructions];
        let own = own.into_iter().filter(|text| !text.is_empty());
        let turn = Turn {
            messages: conversation.messages.clone(),
            models: agent.models.clone(),
            instructions: own.map(String::as_str).collect::<Vec<_>>().join("\n\n"),
        };
        let (agent, journal) = (agent.clone(), server.journal.clone());
        let session = format!("api/{caller}");
        let run = async move {
            let recording = Recording { journal: &journal, session: &session, parent: None };
            let answered = agent.respond(&turn, &authority, Some(&recording)).await;
            // Nobody listens any more where this fails.
            let _ = tell.send(Event::Ended(Box::new(answered)));
        };
        // Part of the request's trace, however long it goes on.
        let run = server.tasks.spawn(run.with_current_context());
        Ok(Self { events, heard, run: AbortOnDropHandle::new(run) })
    }

    /// Whether the run is at its end.
    pub(super) fn is_over(&self) -> bool {
        self.run.is_finished()
    }

    /// What its models did so far.
    pub(super) fn told(&self) -> Told {
        self.heard.lock().clone()
    }
}

/// Lends an agent what it has for this turn alone.
fn lend(
    authority: &mut Authority,
    agent: &Agent,
    tell: &UnboundedSender<Event>,
    heard: &Arc<Heard>,
    terms: &Terms,
) -> Result<(), Refusal> {
    let means = &mut authority.capabilities;
    means.reply = Some(Arc::new(Listener(tell.clone())));
    if let Some(models) = means.llm.take() {
        let (sampling, heard) = (terms.sampling, heard.clone());
        means.llm = Some(Arc::new(Overheard { models, sampling, heard }));
    }
    // The conversation is kept by the client, so the agent's notes and files last for the turn.
    if means.memory.is_some() {
        means.memory = Some(Arc::new(Notes::default()));
    }
    if means.workspace.is_some() {
        means.workspace = Some(Workspace::new(agent.before.clone()));
    }
    if let Some(tokens) = terms.tokens {
        authority.limits.tokens = authority.limits.tokens.min(tokens);
    }
    heard.lock().tokens = authority.limits.tokens;
    if terms.tools.is_empty() {
        return Ok(());
    }
    if !calls_tools(agent) {
        let error = format!("the agent `{}` calls no tools, and `tools` offers some", agent.name);
        let hint = "ask an agent whose strategy does, such as direct";
        return Err(Refusal::bad(error).hint(hint).about("tools"));
    }
    let tools = Arc::make_mut(&mut means.tools);
    let grants = Arc::make_mut(&mut authority.grants);
    for spec in &terms.tools {
        let name = &spec.name;
        if tools.contains_key(name) {
            let error = format!("the agent has a tool `{name}` of its own");
            return Err(Refusal::bad(error).hint("give yours another name").about("tools"));
        }
        let tool = ClientTool { spec: spec.clone(), tell: tell.clone() };
        let tool = GrantedTool::foreign(Arc::new(tool), name)
            .map_err(|error| Refusal::bad(error.to_string()).about("tools"))?;
        tools.insert(name.clone(), tool);
        grants.tools.insert(name.clone());
    }
    Ok(())
}

/// Whether an agent's strategy calls tools at all.
fn calls_tools(agent: &Agent) -> bool {
    let fit = agent.strategy.component().fit(World::Strategy);
    fit.imports.iter().any(|import| import.name == "june:agent/tools" && import.offered.is_some())
}

/// Passes on what an agent says.
struct Listener(UnboundedSender<Event>);

impl Reply for Listener {
    fn say(&self, text: &str) {
        let _ = self.0.send(Event::Said(text.to_owned()));
    }

    fn note(&self, _step: &Step) {}
}

/// What the models of a turn did.
#[derive(Clone, Default)]
pub(super) struct Told {
    /// What they took.
    pub(super) spent: Spent,
    /// The tokens that they may write.
    pub(super) tokens: u64,
    /// Why the last answer ended.
    pub(super) finish: Option<FinishReason>,
    /// Why there was no answer at last.
    pub(super) failed: Option<LlmError>,
}

#[derive(Default)]
struct Heard(Mutex<Told>);

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, delta: &Result<Delta, LlmError>) {
        match delta {
            Ok(Delta::Finish((finish, usage))) => {
                let mut told = self.lock();
                told.spent.input_tokens += usage.input_tokens;
                told.spent.output_tokens += usage.output_tokens;
                (told.finish, told.failed) = (Some(*finish), None);
            }
            Ok(_) => {}
            Err(error) => self.lock().failed = Some(error.clone()),
        }
    }
}

/// The models of an agent, asked with the client's sampling where the agent has none of its own.
struct Overheard {
    models: Arc<dyn Llm>,
    sampling: Sampling,
    heard: Arc<Heard>,
}

impl Llm for Overheard {
    fn stream(&self, mut request: Request) -> BoxFuture<'static, Result<Deltas, LlmError>> {
        let (own, asked) = (&mut request.sampling, self.sampling);
        own.temperature = own.temperature.or(asked.temperature);
        own.top_p = own.top_p.or(asked.top_p);
        own.seed = own.seed.or(asked.seed);
        let (asked, heard) = (self.models.stream(request), self.heard.clone());
        async move {
            let deltas = match asked.await {
                Ok(deltas) => deltas,
                Err(error) => {
                    heard.hear(&Err(error.clone()));
                    return Err(error);
                }
            };
            Ok(deltas.inspect(move |delta| heard.hear(delta)).boxed())
        }
        .boxed()
    }
}
