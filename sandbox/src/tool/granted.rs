//! A tool as an agent has it: under a name, with grants and limits.

use std::sync::Arc;

use june_journal::record::Parent;
use june_journal::{Digest, Journal};

use super::{Called, Tool};
use crate::Origin;
use crate::capabilities::{ForeignTool, ToolUse};
use crate::capability::Worked;
use crate::contract::{CallError, ToolCall, ToolError, ToolResult, ToolSpec};
use crate::grants::Mode;
use crate::schema::Schema;
use crate::strategy::Authority;
use crate::{Capabilities, Error, Exit, Grants, Limits, Recording};

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
    pub(crate) origin: Origin,
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

    /// The component behind it; none for a tool that is no component.
    pub fn digest(&self) -> Option<Digest> {
        match &self.0.kind {
            Kind::Component(tool) => Some(tool.component().digest()),
            Kind::Foreign(_) => None,
        }
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
        origin: Origin,
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
        let context = CallContext { capabilities, user, fuel, depth, calls, origin, place };
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
        let CallContext { mut capabilities, user, fuel, depth, calls, origin, place: _ } = context;
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
        let authority = Authority { grants: grants.clone(), capabilities, limits, origin };
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
