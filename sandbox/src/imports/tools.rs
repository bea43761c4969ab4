//! `tools`: calling tools, each a component of its own with grants of its own.

use std::collections::BTreeMap;

use futures_util::TryFutureExt;
use futures_util::future::{BoxFuture, try_join_all};
use tokio::task::JoinSet;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::import;
use crate::Origin;
use crate::capabilities::ToolUse;
use crate::capability::{Caller, Decision, Worked, carry_out, define_capability};
use crate::contract::{ToolCall, ToolError, ToolResult, ToolSpec, short};
use crate::state::{Spent, State};
use crate::tool::{CallContext, GrantedTool};

const INTERFACE: &str = "june:agent/tools";

type Answer = Result<ToolResult, ToolError>;

/// A call that is being carried out.
type Work = BoxFuture<'static, wasmtime::Result<Worked<Answer>>>;

/// The same, with the place of its answer.
type Place = (usize, Work);

/// What came of some of them.
type Done = Vec<(usize, Worked<Answer>)>;

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut to = linker.instance(&import("tools"))?;
    to.func_wrap_async("list", |mut store: StoreContextMut<'_, State>, (): ()| {
        Box::new(async move {
            let told = format!("{INTERFACE}.list");
            let specs =
                carry_out(&mut store, &told, "[]".into(), 1, |state, _| Decision::Granted {
                    grant: "tools".into(),
                    irrevocable: false,
                    work: Box::pin(std::future::ready(Ok(Worked::free(list(state))))),
                });
            Ok((specs.await?,))
        })
    })?;
    define_capability(
        &mut to,
        INTERFACE,
        "call",
        |state, (call,): (ToolCall,), caller| match find(state, &call, &caller, caller.fuel) {
            Ok((tool, context)) => Decision::Granted {
                grant: format!("tool {}", call.name),
                irrevocable: tool.is_irrevocable(),
                work: Box::pin(async move { tool.call(call, context).await }),
            },
            Err(error) => {
                show_refusal(state, &call, &error);
                refused(error)
            }
        },
    )?;
    to.func_wrap_async(
        "call-all",
        |mut store: StoreContextMut<'_, State>, (calls,): (Vec<ToolCall>,)| {
            Box::new(async move {
                let arguments = serde_json::to_string(&(&calls,))?;
                let told = format!("{INTERFACE}.call-all");
                let count = calls.len() as u64;
                let answers = carry_out(&mut store, &told, arguments, count, |state, caller| {
                    call_all(state, calls, &caller)
                });
                Ok((answers.await?,))
            })
        },
    )
}

/// The tools that are granted and there.
fn list(state: &State) -> Vec<ToolSpec> {
    let authority = &state.authority;
    let granted = authority.capabilities.tools.iter();
    let granted = granted.filter(|(name, _)| authority.grants.tools.contains(*name));
    granted.map(|(_, tool)| tool.spec().clone()).collect()
}

/// The tool that a call names, and what it may use for the call.
fn find(
    state: &State,
    call: &ToolCall,
    caller: &Caller,
    fuel: u64,
) -> Result<(GrantedTool, CallContext), ToolError> {
    let authority = &state.authority;
    let tool = authority.capabilities.tools.get(&call.name);
    let granted = authority.grants.tools.contains(&call.name);
    let name = short(&call.name);
    let tool = match (tool, granted) {
        (_, false) if tool.is_some() => {
            return Err(ToolError::Denied(format!("no grant covers the tool `{name}`")));
        }
        (None, granted) => {
            let known: Vec<_> = list(state).into_iter().map(|spec| spec.name).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            let why = if granted { "is granted, but not here" } else { "is not a tool" };
            return Err(ToolError::Unknown(format!("`{name}` {why}; the tools are: {known}")));
        }
        (Some(tool), _) => tool,
    };
    let Some(depth) = authority.limits.depth.checked_sub(1) else {
        return Err(ToolError::Limit("runs are nested as deeply as allowed".into()));
    };
    tool.check(&call.arguments)?;
    let context = CallContext {
        capabilities: authority.capabilities.clone(),
        user: authority.grants.clone(),
        fuel,
        depth,
        calls: authority.calls_left(),
        origin: Origin { seed: state.calls.count, epoch: state.clock.epoch() },
        place: caller.place.clone(),
    };
    Ok((tool.clone(), context))
}

/// Shows the person a call that was not made.
fn show_refusal(state: &State, call: &ToolCall, error: &ToolError) {
    if let Some(person) = &state.authority.capabilities.reply {
        let (name, arguments) = (&call.name, &call.arguments);
        person.used(&ToolUse::Called { name, arguments });
        person.used(&ToolUse::Answered { name, result: Err(error.why()) });
    }
}

fn refused(error: ToolError) -> Decision<Answer> {
    Decision::Refused { reason: error.why().to_owned(), answer: Err(error) }
}

fn call_all(state: &mut State, calls: Vec<ToolCall>, caller: &Caller) -> Decision<Vec<Answer>> {
    let count = calls.len() as u64;
    if let Some(reason) = caller.used_up.clone() {
        let answer = vec![Err(ToolError::Limit(reason.clone())); calls.len()];
        return Decision::Refused { reason, answer };
    }
    // Together they may use what one may.
    let fuel = caller.fuel / count.max(1);
    let (mut grants, mut irrevocable) = (Vec::new(), false);
    let (mut apart, mut foreign, mut in_turn) =
        (Vec::<Place>::new(), Vec::<Place>::new(), Vec::<Place>::new());
    for (place, call) in calls.into_iter().enumerate() {
        match find(state, &call, caller, fuel) {
            Ok((tool, context)) => {
                grants.push(format!("tool {}", call.name));
                irrevocable |= tool.is_irrevocable();
                let kind = match (tool.writes(&context.user), tool.is_component()) {
                    (true, _) => &mut in_turn,
                    (false, true) => &mut apart,
                    (false, false) => &mut foreign,
                };
                kind.push((place, Box::pin(async move { tool.call(call, context).await })));
            }
            Err(error) => {
                show_refusal(state, &call, &error);
                let refused = std::future::ready(Ok(Worked::free(Err(error))));
                apart.push((place, Box::pin(refused)));
            }
        }
    }
    let work = async move {
        let (mut answers, mut fuel, mut spent) = (BTreeMap::new(), 0_u64, Spent::default());
        // Dropped, it stops them all.
        let mut all: JoinSet<wasmtime::Result<Done>> = JoinSet::new();
        for (place, work) in apart {
            all.spawn(async move { Ok(vec![(place, work.await?)]) });
        }
        // Who does what is not the sandbox's own is told of it in the order of the calls: together
        // in one task, each begins before the next.
        let foreign = foreign.into_iter();
        all.spawn(try_join_all(
            foreign.map(|(place, work)| work.map_ok(move |worked| (place, worked))),
        ));
        // Tools that change files do so in the order of their calls.
        all.spawn(async move {
            let mut done = Vec::new();
            for (place, work) in in_turn {
                done.push((place, work.await?));
            }
            Ok(done)
        });
        while let Some(done) = all.join_next().await {
            for (place, worked) in done?? {
                answers.insert(place, worked.answer);
                fuel = fuel.saturating_add(worked.fuel);
                spent.add(&worked.spent);
            }
        }
        Ok(Worked { answer: answers.into_values().collect(), fuel, spent })
    };
    grants.dedup();
    Decision::Granted { grant: grants.join(", "), irrevocable, work: Box::pin(work) }
}
