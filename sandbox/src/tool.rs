//! Tools: components of world `tool`, and the way from an agent to them.

use std::path::Path;
use std::sync::Arc;

use june_journal::Journal;
use june_journal::record::Parent;

use crate::bindings::tool::ToolPre;
use crate::calls::Ledger;
use crate::capabilities::{ForeignTool, ToolUse};
use crate::capability::Worked;
use crate::contract::{CallError, ToolCall, ToolError, ToolResult, ToolSpec};
use crate::grants::Mode;
use crate::replay::{Recorded, Replay, ReplayError, Subject};
use crate::run::{self, Call, Closing, Failure, Job};
use crate::schema::Schema;
use crate::state::{Spent, State};
use crate::strategy::Authority;
use crate::workspace::Tree;
use crate::{
    Cache, Capabilities, Component, Engine, Error, Exit, Grants, Limits, Outcome, Recording,
};

/// A component of world `tool`, ready to be called. Clones share it, and it may
/// answer many calls at once.
#[derive(Clone)]
pub struct Tool {
    engine: Engine,
    component: Component,
    instance: ToolPre<State>,
    spec: ToolSpec,
}

/// What became of a call.
#[derive(Clone, Debug)]
pub struct Called {
    /// The tool's answer; none where it did not come to one, and the outcome
    /// says why.
    pub answer: Option<Result<String, CallError>>,
    /// How the run ended.
    pub outcome: Outcome,
    /// What it took beside fuel.
    pub spent: Spent,
    /// The files as it left them.
    pub files: Tree,
    /// The run in the journal, and the number of its last record.
    pub recorded: Option<(u64, u64)>,
}

impl Tool {
    /// Loads a tool, and asks it to describe itself.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not a component of world `tool`, or
    /// the tool does not describe itself.
    pub async fn load(engine: &Engine, path: &Path, cache: &Cache) -> Result<Self, Error> {
        let component = Component::load(engine, path, cache)?;
        let instance = ToolPre::new(component.link("tool")?).map_err(|source| Error::World {
            name: component.name().to_owned(),
            world: "tool",
            source,
        })?;
        let nameless =
            ToolSpec { name: String::new(), description: String::new(), parameters: String::new() };
        let tool = Self { engine: engine.clone(), component, instance, spec: nameless };
        let limits = Limits { fuel: 1_000_000_000, ..Limits::default() };
        let authority = Authority { limits, ..Authority::default() };
        let job = tool.job(&authority, &authority.grants, &Tree::default(), tool.describing());
        let finished = run::execute(job, Ledger::Count).await?;
        let spec = finished.value.as_deref().and_then(|value| serde_json::from_str(value).ok());
        let Some(spec) = spec else {
            let exit = finished.outcome.exit;
            let why = format!("{} {}", exit.name(), exit.detail());
            return Err(Error::Undescribed { name: tool.component.name().into(), why });
        };
        Ok(Self { spec, ..tool })
    }

    /// The component.
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// How the tool describes itself.
    pub fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    /// Calls the tool in an instance of its own, with the granted part of these
    /// files, and records the run where there is a journal. The arguments are
    /// not checked here.
    ///
    /// # Errors
    ///
    /// When no instance could be made, or the run cannot be recorded.
    pub async fn call(
        &self,
        arguments: &str,
        authority: &Authority,
        files: &Tree,
        recording: Option<&Recording<'_>>,
    ) -> Result<Called, Error> {
        let files = files.granted(&authority.grants.files);
        let call = self.calling(arguments);
        let job = self.job(authority, &authority.grants, &files, call);
        let input = |journal: &Journal| {
            let arguments = journal.data(arguments.as_bytes().to_vec())?;
            Ok([("arguments".to_owned(), arguments)].into())
        };
        let (finished, recorded) = run::perform(job, recording, input).await?;
        let answer = finished.value.as_deref().map(serde_json::from_str).transpose();
        Ok(Called {
            answer: answer.unwrap_or_default(),
            outcome: finished.outcome,
            spent: finished.spent,
            files: finished.files,
            recorded,
        })
    }

    /// Runs a recorded call again, and compares.
    ///
    /// # Errors
    ///
    /// When this is another component than the run's, or the sandbox fails.
    pub async fn replay(&self, recorded: &Recorded) -> Result<Replay, ReplayError> {
        recorded.is_of(&self.component)?;
        let Subject::Call { arguments, grants, files } = &recorded.subject else {
            return Err(recorded.of_another_world());
        };
        let grants = Arc::new(Grants { files: grants.clone(), ..Grants::default() });
        let authority = Authority {
            limits: recorded.limits.clone(),
            seed: recorded.start.seed,
            ..Authority::default()
        };
        let job = self.job(&authority, &grants, files, self.calling(arguments));
        Ok(recorded.compare(&run::execute(job, Ledger::Compare(recorded.expected())).await?))
    }

    fn job<'a>(
        &'a self,
        authority: &'a Authority,
        grants: &Arc<Grants>,
        files: &Tree,
        call: Call,
    ) -> Job<'a> {
        Job {
            engine: &self.engine,
            component: &self.component,
            world: "tool",
            limits: &authority.limits,
            seed: authority.seed,
            grants: grants.clone(),
            capabilities: authority.capabilities.clone(),
            files: files.clone(),
            stdin: &[],
            call,
        }
    }

    fn calling(&self, arguments: &str) -> Call {
        let (instance, arguments) = (self.instance.clone(), arguments.to_owned());
        Box::new(move |store| {
            Box::pin(async move {
                let instance = instance.instantiate_async(&mut *store).await;
                let instance = instance.map_err(Failure::instantiate)?;
                let handler = instance.june_agent_tool_handler();
                let answer = handler.call_call(store, &arguments).await.map_err(Failure::Trap)?;
                Closing::new(&answer)
            })
        })
    }

    fn describing(&self) -> Call {
        let instance = self.instance.clone();
        Box::new(move |store| {
            Box::pin(async move {
                let instance = instance.instantiate_async(&mut *store).await;
                let instance = instance.map_err(Failure::instantiate)?;
                let handler = instance.june_agent_tool_handler();
                Closing::new(&handler.call_describe(store).await.map_err(Failure::Trap)?)
            })
        })
    }
}

/// A tool under the name, the grants and the limits that an agent has it with.
#[derive(Clone)]
pub struct GrantedTool(Arc<Granted>);

struct Granted {
    kind: Kind,
    spec: ToolSpec,
    schema: Schema,
    grants: Grants,
    limits: Limits,
}

enum Kind {
    Component(Tool),
    Foreign(Arc<dyn ForeignTool>),
}

/// What a call of a tool comes with.
pub(crate) struct CallContext {
    pub(crate) capabilities: Capabilities,
    /// What the caller was granted.
    pub(crate) user: Arc<Grants>,
    pub(crate) fuel: u64,
    pub(crate) depth: u32,
    pub(crate) calls: u64,
    pub(crate) seed: u64,
    pub(crate) place: Option<(Journal, Arc<str>, Parent)>,
}

impl GrantedTool {
    /// A component, known by this name.
    ///
    /// # Errors
    ///
    /// When its schema is none.
    pub fn component(
        tool: Tool,
        name: &str,
        grants: Grants,
        limits: Limits,
    ) -> Result<Self, Error> {
        let spec = ToolSpec { name: name.into(), ..tool.spec.clone() };
        Self::new(Kind::Component(tool), spec, grants, limits)
    }

    /// A tool that is no component, known by this name.
    ///
    /// # Errors
    ///
    /// When its schema is none.
    pub fn foreign(tool: Arc<dyn ForeignTool>, name: &str) -> Result<Self, Error> {
        let spec = ToolSpec { name: name.into(), ..tool.spec() };
        Self::new(Kind::Foreign(tool), spec, Grants::default(), Limits::default())
    }

    fn new(kind: Kind, spec: ToolSpec, grants: Grants, limits: Limits) -> Result<Self, Error> {
        let schema = Schema::new(&spec.parameters)
            .map_err(|why| Error::Undescribed { name: spec.name.clone(), why })?;
        Ok(Self(Arc::new(Granted { kind, spec, schema, grants, limits })))
    }

    /// How the model sees the tool.
    pub fn spec(&self) -> &ToolSpec {
        &self.0.spec
    }

    /// What the tool was granted. In an agent's service it has the part of this
    /// that the agent has.
    pub fn grants(&self) -> &Grants {
        &self.0.grants
    }

    /// Whether the tool is a component.
    pub fn is_component(&self) -> bool {
        matches!(self.0.kind, Kind::Component(_))
    }

    /// Whether a call does what the sandbox cannot undo, and does not record by
    /// itself.
    pub(crate) fn is_irrevocable(&self) -> bool {
        !self.is_component()
    }

    /// Whether it may change files in the service of somebody with these grants.
    pub(crate) fn writes(&self, user: &Grants) -> bool {
        writes(&self.0.grants.narrowed(user))
    }

    /// Holds arguments against the schema.
    ///
    /// # Errors
    ///
    /// When they do not satisfy it.
    pub fn check(&self, arguments: &str) -> Result<(), ToolError> {
        self.0.schema.check(arguments).map_err(ToolError::InvalidArguments)
    }

    pub(crate) async fn call(
        self,
        call: ToolCall,
        context: CallContext,
    ) -> wasmtime::Result<Worked<Result<ToolResult, ToolError>>> {
        let person = context.capabilities.reply.clone();
        let ToolCall { id, name, arguments } = call;
        if let Some(person) = &person {
            person.used(&ToolUse::Called { name: &name, arguments: &arguments });
        }
        let mut worked = match &self.0.kind {
            Kind::Component(tool) => {
                let place = context.place.clone();
                let recording = place.as_ref().map(|(journal, session, parent)| Recording {
                    journal,
                    session,
                    parent: Some(*parent),
                });
                self.call_component(tool, &arguments, context, recording.as_ref()).await?
            }
            Kind::Foreign(tool) => Worked::free(tool.call(arguments).await),
        };
        worked.spent.tools += 1;
        if let Some(person) = &person {
            let result = match &worked.answer {
                Ok((text, false)) => Ok(text.as_str()),
                Ok((text, true)) => Err(text.as_str()),
                Err(error) => Err(error.why()),
            };
            person.used(&ToolUse::Answered { name: &name, result });
        }
        let Worked { answer, fuel, spent } = worked;
        let answer =
            answer.map(|(content, is_error)| ToolResult { call_id: id, content, is_error });
        Ok(Worked { answer, fuel, spent })
    }

    /// Calls the tool in nobody's service: in a run of its own, with all that it
    /// was granted. The text is an error's where the second value is true.
    ///
    /// # Errors
    ///
    /// When the run cannot be recorded, or the sandbox fails.
    pub async fn call_alone(
        &self,
        arguments: &str,
        capabilities: Capabilities,
        seed: u64,
        recording: Option<&Recording<'_>>,
    ) -> Result<Result<(String, bool), ToolError>, Error> {
        let Kind::Component(tool) = &self.0.kind else {
            return Ok(Err(ToolError::Denied("the tool is no component".into())));
        };
        if let Err(error) = self.check(arguments) {
            return Ok(Err(error));
        }
        let user = Arc::new(self.0.grants.clone());
        let (fuel, depth, calls, place) = (u64::MAX, u32::MAX, u64::MAX, None);
        let context = CallContext { capabilities, user, fuel, depth, calls, seed, place };
        Ok(self.call_component(tool, arguments, context, recording).await?.answer)
    }

    async fn call_component(
        &self,
        tool: &Tool,
        arguments: &str,
        context: CallContext,
        recording: Option<&Recording<'_>>,
    ) -> Result<Worked<Result<(String, bool), ToolError>>, Error> {
        let Granted { grants, limits, .. } = &*self.0;
        let CallContext { mut capabilities, user, fuel, depth, calls, seed, place: _ } = context;
        let grants = Arc::new(grants.narrowed(&user));
        let limits = Limits {
            fuel: limits.fuel.min(fuel),
            depth: limits.depth.min(depth),
            calls: limits.calls.min(calls),
            ..limits.clone()
        };
        // A tool talks to its caller alone, and what it calls in turn sees no
        // files: it has them itself at that moment.
        capabilities.reply = None;
        capabilities.memory = None;
        let workspace = capabilities.workspace.take().unwrap_or_default();
        let authority = Authority { grants: grants.clone(), capabilities, limits, seed };
        let called = if writes(&grants) {
            let mut files = workspace.lock().await;
            let called = tool.call(arguments, &authority, &files, recording).await;
            // A tool that did not come to its end has changed nothing.
            if let Ok(Called { answer: Some(_), files: after, .. }) = &called {
                files.take_back(after, &grants.files);
            }
            called
        } else {
            let files = workspace.tree().await;
            tool.call(arguments, &authority, &files, recording).await
        };
        let called = match called {
            Ok(called) => called,
            Err(error @ Error::Instantiate { .. }) => {
                return Ok(Worked::free(Err(ToolError::Crashed(error.to_string()))));
            }
            Err(error) => return Err(error),
        };
        let answer = match called.answer {
            Some(Ok(text)) => Ok((text, false)),
            Some(Err(CallError::Failed(why))) => Ok((why, true)),
            Some(Err(CallError::InvalidArguments(why))) => Err(ToolError::InvalidArguments(why)),
            None => Err(unanswered(&called.outcome.exit)),
        };
        Ok(Worked { answer, fuel: called.outcome.fuel, spent: called.spent })
    }
}

fn writes(grants: &Grants) -> bool {
    grants.files.iter().any(|grant| grant.mode == Mode::ReadWrite)
}

/// Why a tool gave no answer.
fn unanswered(exit: &Exit) -> ToolError {
    match exit {
        Exit::OutOfFuel => ToolError::Limit("the tool used up its fuel".into()),
        Exit::OutOfMemory => ToolError::Limit("the tool used up its memory".into()),
        Exit::TimedOut => ToolError::Limit("the tool used up its time".into()),
        exit => {
            let told =
                format!("the tool ended without an answer: {} {}", exit.name(), exit.detail());
            ToolError::Crashed(told.trim_end().into())
        }
    }
}

impl ToolError {
    /// The reason, in words.
    pub fn why(&self) -> &str {
        match self {
            ToolError::Denied(why)
            | ToolError::Unknown(why)
            | ToolError::InvalidArguments(why)
            | ToolError::Limit(why)
            | ToolError::Crashed(why) => why,
        }
    }
}
