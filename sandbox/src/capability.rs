//! Calls to capabilities: decided by the grants, recorded before they are
//! carried out, answered from the journal in a replay.
//!
//! Arguments and answers are in the journal as JSON, from which a replay reads
//! the answer. What work in the component's service cost (a tool, a program) is
//! taken from the component's own fuel.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use june_journal::Journal;
use june_journal::record::{Answer, Call, Denial, Event, Parent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentNamedList, ComponentType, Lift, LinkerInstance, Lower};

use crate::Limits;
use crate::calls::{Ledger, charge};
use crate::contract::Refusal;
use crate::limits::Exceeded;
use crate::state::{Spent, State};

/// What is to become of a call.
pub(crate) enum Decision<R> {
    /// A grant covers it.
    Granted {
        /// The grant.
        grant: String,
        /// Whether it does what cannot be undone: then nothing happens before
        /// the record of the call is on disk.
        irrevocable: bool,
        /// What carries it out.
        work: BoxFuture<'static, wasmtime::Result<Worked<R>>>,
    },
    /// No grant covers it, or a limit is used up.
    Refused {
        /// Why.
        reason: String,
        /// What the component is told.
        answer: R,
    },
}

/// What came of the work.
pub(crate) struct Worked<R> {
    pub(crate) answer: R,
    /// Fuel that it took.
    pub(crate) fuel: u64,
    /// What else it took.
    pub(crate) spent: Spent,
}

impl<R> Worked<R> {
    /// Work of the host, which costs the component nothing more.
    pub(crate) fn free(answer: R) -> Self {
        Self { answer, fuel: 0, spent: Spent::default() }
    }
}

impl<T, E: Refusal> Decision<Result<T, E>> {
    /// No grant covers the call.
    pub(crate) fn denied(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Refused { answer: Err(E::denied(reason.clone())), reason }
    }

    /// A limit is used up.
    pub(crate) fn limit(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Refused { answer: Err(E::limit(reason.clone())), reason }
    }
}

/// What the one who carries out a call knows of the caller.
pub(crate) struct Caller {
    /// Where a run that the call begins is recorded, if this one is.
    pub(crate) place: Option<(Journal, Arc<str>, Parent)>,
    /// Fuel that the caller has left.
    pub(crate) fuel: u64,
    /// Why the call is one too many, if it is.
    pub(crate) used_up: Option<String>,
}

/// An answer from the journal, and the fuel that it cost.
pub(crate) struct Recalled {
    pub(crate) answer: String,
    pub(crate) fuel: u64,
}

/// Defines a function of a capability.
pub(crate) fn define_capability<P, T, E>(
    linker: &mut LinkerInstance<'_, State>,
    interface: &str,
    name: &str,
    decide: impl Fn(&mut State, P, Caller) -> Decision<Result<T, E>> + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Serialize + Send + Sync + 'static,
    Result<T, E>: ComponentType + Lower + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    E: Serialize + DeserializeOwned + Refusal + Send + Sync + 'static,
{
    let told: Arc<str> = format!("{interface}.{name}").into();
    let decide = Arc::new(decide);
    linker.func_wrap_async(name, move |mut store: StoreContextMut<'_, State>, parameters: P| {
        let (told, decide) = (told.clone(), decide.clone());
        Box::new(async move {
            let arguments = match store.data().calls.are_kept() {
                true => serde_json::to_string(&parameters)?,
                false => String::new(),
            };
            let answer =
                carry_out(&mut store, &told, arguments, 1, |state, mut caller| {
                    match caller.used_up.take() {
                        None => decide(state, parameters, caller),
                        Some(reason) => Decision::limit(reason),
                    }
                });
            Ok((answer.await?,))
        })
    })
}

/// Has a call decided, recorded and carried out; or answers it from the journal. It counts as so
/// many calls.
pub(crate) async fn carry_out<R: Serialize + DeserializeOwned>(
    store: &mut StoreContextMut<'_, State>,
    function: &str,
    arguments: String,
    calls: u64,
    decide: impl FnOnce(&mut State, Caller) -> Decision<R>,
) -> wasmtime::Result<R> {
    charge(store)?;
    let before = store.get_fuel()?;
    let state = store.data_mut();
    let used_up = state.authority.count(calls)?;
    let number = state.calls.number();
    if let Ledger::Compare(expected) = &mut state.calls.ledger {
        let Recalled { answer, fuel } = expected.recall(number, function, &arguments)?;
        store.set_fuel(before.saturating_sub(fuel))?;
        return Ok(serde_json::from_str(&answer)?);
    }
    let place = match &state.calls.ledger {
        Ledger::Record(trace) => Some(trace.place(number)),
        _ => None,
    };
    let (grant, irrevocable, work) = match decide(state, Caller { place, fuel: before, used_up }) {
        Decision::Granted { grant, irrevocable, work } => (grant, irrevocable, work),
        Decision::Refused { reason, answer } => {
            state.calls.denied += 1;
            if let Ledger::Record(trace) = &mut state.calls.ledger {
                trace.flush(number)?;
                let arguments = trace.journal.data(arguments.into_bytes())?;
                let told = serde_json::to_string(&answer)?;
                let function = function.into();
                let denial = Denial { number, function, arguments, reason, answer: told };
                trace.journal.append(trace.run, Event::Denial(denial))?;
            }
            return Ok(answer);
        }
    };
    if let Ledger::Record(trace) = &mut state.calls.ledger {
        trace.flush(number)?;
        let arguments = trace.journal.data(arguments.into_bytes())?;
        let call = Call { number, function: function.into(), arguments, grant };
        let record = trace.journal.append(trace.run, Event::Call(call))?;
        if irrevocable {
            let journal = trace.journal.clone();
            tokio::task::spawn_blocking(move || journal.wait(record)).await??;
        }
    }
    let start = Instant::now();
    let Worked { answer, fuel, spent } = work.await?;
    let after = before.saturating_sub(fuel);
    store.set_fuel(after)?;
    let state = store.data_mut();
    state.authority.spent.add(&spent);
    if let Ledger::Record(trace) = &mut state.calls.ledger {
        let answer = Answer {
            number,
            result: trace.journal.data(serde_json::to_vec(&answer)?)?,
            fuel_before: before,
            fuel_after: after,
            duration: start.elapsed().as_micros() as u64,
        };
        trace.journal.append(trace.run, Event::Answer(answer))?;
    }
    Ok(answer)
}

/// What a component may do, what it has done of it, and by what means.
pub(crate) struct Authority {
    pub(crate) grants: Arc<crate::Grants>,
    pub(crate) capabilities: crate::Capabilities,
    pub(crate) limits: Limits,
    pub(crate) spent: Spent,
    /// Calls to capabilities.
    calls: u64,
    /// Calls that were too many.
    refused: u64,
    /// Bytes said and noted.
    told: usize,
    /// What was said.
    pub(crate) said: String,
}

impl Authority {
    pub(crate) fn new(
        grants: Arc<crate::Grants>,
        capabilities: crate::Capabilities,
        limits: Limits,
    ) -> Self {
        let (spent, said) = (Spent::default(), String::new());
        Self { grants, capabilities, limits, spent, calls: 0, refused: 0, told: 0, said }
    }

    /// Takes so many calls; or says why they are too many. After too many of these the run ends.
    fn count(&mut self, calls: u64) -> wasmtime::Result<Option<String>> {
        let left = self.calls_left();
        if calls <= left {
            self.calls += calls;
            return Ok(None);
        }
        self.refused += 1;
        match (self.refused > Limits::PATIENCE, left) {
            (true, _) => Err(Exceeded::Calls.into()),
            (false, 0) => {
                Ok(Some(format!("all {} calls of this run are used up", self.limits.calls)))
            }
            (false, left) => Ok(Some(format!("{left} calls of this run are left"))),
        }
    }

    /// Calls that are left.
    pub(crate) fn calls_left(&self) -> u64 {
        self.limits.calls.saturating_sub(self.calls)
    }

    /// Tokens that models may still write.
    pub(crate) fn tokens_left(&self) -> u64 {
        self.limits.tokens.saturating_sub(self.spent.output_tokens)
    }

    /// Takes room for so many bytes of talk.
    pub(crate) fn tell(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.told = self.told.saturating_add(bytes);
        match self.told > self.limits.reply {
            true => Err(Exceeded::Reply.into()),
            false => Ok(()),
        }
    }
}
