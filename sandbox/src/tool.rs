//! Tools: components of world `tool`, and the way from an agent to them.

use std::path::Path;
use std::sync::Arc;

use june_journal::Journal;

use crate::bindings::tool::ToolPre;
use crate::calls::Ledger;
use crate::contract::{CallError, ToolSpec};
use crate::replay::{Recorded, Replay, ReplayError, Subject};
use crate::run::{self, Call, Closing, Failure, Job};
use crate::state::{Spent, State};
use crate::strategy::Authority;
use crate::workspace::Tree;
use crate::{Cache, Component, Engine, Error, Grants, Limits, Outcome, Recording};

mod granted;

pub(crate) use granted::CallContext;
pub use granted::GrantedTool;

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
            origin: recorded.origin(),
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
            origin: authority.origin,
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
