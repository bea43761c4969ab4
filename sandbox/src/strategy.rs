//! Agents' minds: components of world `strategy`.

use std::path::Path;
use std::sync::Arc;

use june_journal::Journal;

use crate::Origin;
use crate::bindings::strategy::StrategyPre;
use crate::calls::Ledger;
use crate::contract::{Answer, StrategyError, Turn};
use crate::replay::{Recorded, Replay, ReplayError, Subject};
use crate::run::{self, Call, Closing, Failure, Job};
use crate::state::{Spent, State};
use crate::workspace::Tree;
use crate::{
    Cache, Capabilities, Component, Engine, Error, Exit, Grants, Limits, Outcome, Recording,
};

/// A component of world `strategy`, ready to answer. Clones share it, and it
/// may answer many turns at once.
#[derive(Clone)]
pub struct Strategy {
    engine: Engine,
    component: Component,
    instance: StrategyPre<State>,
}

/// What a component is given to work with, beside its input.
#[derive(Clone, Default)]
pub struct Authority {
    /// What it may do.
    pub grants: Arc<Grants>,
    /// The means for it.
    pub capabilities: Capabilities,
    /// How much of it.
    pub limits: Limits,
    /// Where its random numbers and its clock begin.
    pub origin: Origin,
}

/// What became of a turn.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The strategy's answer; none where it did not come to one, and the
    /// outcome says why.
    pub answer: Option<Result<Answer, StrategyError>>,
    /// What it said before.
    pub said: String,
    /// How the run ended. Its fuel is that of the tools and programs, too.
    pub outcome: Outcome,
    /// What it took beside fuel.
    pub spent: Spent,
    /// The run in the journal, and the number of its last record.
    pub recorded: Option<(u64, u64)>,
}

impl Strategy {
    /// Loads a strategy.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not a component of world
    /// `strategy`.
    pub fn load(engine: &Engine, path: &Path, cache: &Cache) -> Result<Self, Error> {
        let component = Component::load(engine, path, cache)?;
        let instance = StrategyPre::new(component.link("strategy")?).map_err(|source| {
            Error::World { name: component.name().to_owned(), world: "strategy", source }
        })?;
        Ok(Self { engine: engine.clone(), component, instance })
    }

    /// The component.
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// Answers one turn in an instance of its own, and records the run where
    /// there is a journal. Dropping the future stops all that it began.
    ///
    /// # Errors
    ///
    /// When no instance could be made, or the run cannot be recorded. Whatever
    /// the strategy itself does is in [`Answered`].
    pub async fn respond(
        &self,
        turn: &Turn,
        authority: &Authority,
        recording: Option<&Recording<'_>>,
    ) -> Result<Answered, Error> {
        let Authority { grants, capabilities, limits, origin } = authority;
        let job = Job {
            engine: &self.engine,
            component: &self.component,
            world: "strategy",
            limits,
            origin: *origin,
            grants: grants.clone(),
            capabilities: capabilities.clone(),
            files: Tree::default(),
            stdin: &[],
            call: self.call(turn),
        };
        let input = |journal: &Journal| {
            let turn = serde_json::to_vec(turn).unwrap_or_default();
            Ok([("turn".to_owned(), journal.data(turn)?)].into())
        };
        let (finished, recorded) = run::perform(job, recording, input).await?;
        let answer = finished.value.as_deref().map(serde_json::from_str).transpose();
        let (said, spent) = (finished.said, finished.spent);
        Ok(Answered {
            answer: answer.unwrap_or_default(),
            said,
            outcome: finished.outcome,
            spent,
            recorded,
        })
    }

    /// Runs a recorded turn again, and compares. Models, tools and programs are
    /// not asked again: their answers are in the journal.
    ///
    /// # Errors
    ///
    /// When this is another component than the run's, or the sandbox fails.
    pub async fn replay(&self, recorded: &Recorded) -> Result<Replay, ReplayError> {
        recorded.is_of(&self.component)?;
        let Subject::Turn(turn) = &recorded.subject else {
            return Err(recorded.of_another_world());
        };
        let job = Job {
            engine: &self.engine,
            component: &self.component,
            world: "strategy",
            limits: &recorded.limits,
            origin: recorded.origin(),
            grants: Arc::default(),
            capabilities: Capabilities::default(),
            files: Tree::default(),
            stdin: &[],
            call: self.call(turn),
        };
        Ok(recorded.compare(&run::execute(job, Ledger::Compare(recorded.expected())).await?))
    }

    fn call(&self, turn: &Turn) -> Call {
        let (instance, turn) = (self.instance.clone(), turn.clone());
        Box::new(move |store| {
            Box::pin(async move {
                let instance = instance.instantiate_async(&mut *store).await;
                let instance = instance.map_err(Failure::instantiate)?;
                let handler = instance.june_agent_turn_handler();
                let answer = handler.call_respond(store, &turn).await.map_err(Failure::Trap)?;
                Closing::new(&answer)
            })
        })
    }
}

impl Closing {
    /// An export returned this value.
    pub(crate) fn new(value: &impl serde::Serialize) -> Result<Self, Failure> {
        let value = serde_json::to_string(value).map_err(|e| Failure::Trap(e.into()))?;
        Ok(Self { exit: Exit::Returned, value: Some(value) })
    }
}
