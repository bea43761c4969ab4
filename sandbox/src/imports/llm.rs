//! `llm`: asking models.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{FutureExt, StreamExt};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};

use super::import;
use crate::calls::{Ledger, Made, charge, define_resource};
use crate::capabilities::Deltas;
use crate::capability::{Caller, Decision, Worked, carry_out, define_capability};
use crate::contract::{
    Completion, Delta, FinishReason, LlmError, Message, Part, Request, Role, Usage, short,
};
use crate::state::{Spent, State};

const INTERFACE: &str = "june:agent/llm";
const NEXT: &str = "june:agent/llm.[method]token-stream.next";

/// A model that keeps to its limit writes no more bytes than this a token, and
/// no more than this beside.
const BYTES_A_TOKEN: u64 = 64;
const BYTES_BESIDE: u64 = 64 << 10;

/// The longest piece: text that came in meanwhile is joined up to here.
const PIECE: usize = 16 << 10;

/// The longest single delta that a backend may give: as JSON it may be six times
/// as long, and has to fit into a record with others.
const LONGEST: usize = 96 << 10;

/// An answer that is being written. In a replay there is no stream.
struct TokenStream {
    deltas: Option<Deltas>,
    /// A delta that was read but not given yet.
    held: Option<Result<Delta, LlmError>>,
    /// Bytes that may still come.
    room: u64,
    ended: bool,
}

pub(super) fn add(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut to = linker.instance(&import("llm"))?;
    define_resource::<TokenStream>(&mut to, INTERFACE, "token-stream")?;
    define_capability(&mut to, INTERFACE, "chat", |state, (request,): (Request,), _| match admit(
        state, request,
    ) {
        Ok(Admitted { grant, asked, room }) => Decision::Granted {
            grant,
            irrevocable: false,
            work: Box::pin(async move {
                let (answer, spent) = match asked.await {
                    Ok(deltas) => complete(TokenStream::new(Some(deltas), room)).await,
                    Err(error) => {
                        let failed = failed(&error);
                        (Err(error), failed)
                    }
                };
                Ok(Worked { answer, fuel: 0, spent })
            }),
        },
        Err(error) => refused(error),
    })?;
    to.func_wrap_async(
        "stream",
        |mut store: StoreContextMut<'_, State>, (request,): (Request,)| {
            Box::new(async move { Ok((stream(&mut store, request).await?,)) })
        },
    )?;
    to.func_wrap_async(
        "[method]token-stream.next",
        |mut store: StoreContextMut<'_, State>, (this,): (Resource<TokenStream>,)| {
            Box::new(async move { Ok((next(&mut store, &this).await?,)) })
        },
    )
}

/// A request that a grant covers.
struct Admitted {
    grant: String,
    asked: futures_util::future::BoxFuture<'static, Result<Deltas, LlmError>>,
    /// The most bytes that the answer may have.
    room: u64,
}

fn admit(state: &State, mut request: Request) -> Result<Admitted, LlmError> {
    let authority = &state.authority;
    let model = &request.model;
    if !authority.grants.models.contains(model) {
        return Err(LlmError::Denied(format!("no grant covers the model `{}`", short(model))));
    }
    let left = authority.tokens_left();
    if left == 0 {
        let all = authority.limits.tokens;
        return Err(LlmError::Limit(format!("all {all} tokens of this run are used up")));
    }
    let Some(llm) = &authority.capabilities.llm else {
        return Err(LlmError::Unavailable("this host has no models".into()));
    };
    let most = u32::try_from(left).unwrap_or(u32::MAX);
    let most = request.max_tokens.map_or(most, |asked| asked.min(most));
    request.max_tokens = Some(most);
    let room = u64::from(most).saturating_mul(BYTES_A_TOKEN).saturating_add(BYTES_BESIDE);
    Ok(Admitted { grant: format!("model {model}"), asked: llm.stream(request), room })
}

fn refused<T>(error: LlmError) -> Decision<Result<T, LlmError>> {
    let (LlmError::Denied(reason)
    | LlmError::Limit(reason)
    | LlmError::Invalid(reason)
    | LlmError::ContextOverflow(reason)
    | LlmError::Unavailable(reason)) = &error;
    Decision::Refused { reason: reason.clone(), answer: Err(error) }
}

async fn stream(
    store: &mut StoreContextMut<'_, State>,
    request: Request,
) -> wasmtime::Result<Result<Resource<TokenStream>, LlmError>> {
    let arguments = match store.data().calls.are_kept() {
        true => serde_json::to_string(&(&request,))?,
        false => String::new(),
    };
    // What the journal keeps is whether there is a stream; the stream itself
    // goes past it.
    let opened: Arc<Mutex<Option<(Deltas, u64)>>> = Arc::default();
    let slot = opened.clone();
    let told = format!("{INTERFACE}.stream");
    let decide = |state: &mut State, caller: Caller| {
        let admitted = match caller.used_up {
            None => admit(state, request),
            Some(reason) => Err(LlmError::Limit(reason)),
        };
        match admitted {
            Ok(Admitted { grant, asked, room }) => Decision::Granted {
                grant,
                irrevocable: false,
                work: Box::pin(async move {
                    let answer = asked.await.map(|deltas| {
                        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                        *slot = Some((deltas, room));
                    });
                    let spent = answer.as_ref().err().map(failed).unwrap_or_default();
                    Ok(Worked { answer, fuel: 0, spent })
                }),
            },
            Err(error) => refused(error),
        }
    };
    let answer: Result<(), LlmError> = carry_out(store, &told, arguments, 1, decide).await?;
    if let Err(error) = answer {
        return Ok(Err(error));
    }
    let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (deltas, room) = opened.map_or((None, 0), |(deltas, room)| (Some(deltas), room));
    Ok(Ok(store.data_mut().table.push(TokenStream::new(deltas, room))?))
}

async fn next(
    store: &mut StoreContextMut<'_, State>,
    this: &Resource<TokenStream>,
) -> wasmtime::Result<Result<Option<Delta>, LlmError>> {
    charge(store)?;
    let arguments = format!("#{}", this.rep());
    let state = store.data_mut();
    let stream = state.table.get_mut(this)?;
    if stream.ended {
        let answer = "{\"Ok\":null}".into();
        state.calls.made(Made { function: NEXT, arguments, answer, denied: None })?;
        return Ok(Ok(None));
    }
    if let Ledger::Compare(_) = &state.calls.ledger {
        let number = state.calls.number();
        let Ledger::Compare(expected) = &mut state.calls.ledger else { return Ok(Ok(None)) };
        let recalled = expected.recall(number, NEXT, &arguments)?;
        let answer: Result<Option<Delta>, LlmError> = serde_json::from_str(&recalled.answer)?;
        stream.ended = !matches!(answer, Ok(Some(_)));
        return Ok(answer);
    }
    let answer = stream.next().await.transpose();
    stream.ended = !matches!(answer, Ok(Some(_)));
    // Counted now: what is stopped while it waits is not recorded.
    let number = state.calls.number();
    if let Err(error) = &answer {
        state.authority.spent.add(&failed(error));
    }
    if let Ok(Some(Delta::Finish((_, usage)))) = &answer {
        state.authority.spent.add(&spent(usage));
    }
    if let Ledger::Record(trace) = &mut state.calls.ledger {
        let answer = serde_json::to_string(&answer)?;
        trace.add_piece(number, Made { function: NEXT, arguments, answer, denied: None })?;
    }
    Ok(answer)
}

/// What a model's failure counts as.
fn failed(error: &LlmError) -> Spent {
    let failures = u64::from(matches!(error, LlmError::Unavailable(_)));
    Spent { failures, ..Spent::default() }
}

fn spent(usage: &Usage) -> Spent {
    Spent {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        rounds: 1,
        ..Spent::default()
    }
}

impl TokenStream {
    fn new(deltas: Option<Deltas>, room: u64) -> Self {
        Self { deltas, held: None, room, ended: false }
    }

    /// The next piece: all the text that is there already.
    async fn next(&mut self) -> Option<Result<Delta, LlmError>> {
        let mut piece = match self.held.take() {
            Some(held) => held,
            None => self.deltas.as_mut()?.next().await?,
        };
        while let Ok(Delta::Text(_) | Delta::Reasoning(_)) = &piece {
            let Some(more) = self.deltas.as_mut().and_then(|d| d.next().now_or_never()).flatten()
            else {
                break;
            };
            match (&mut piece, more) {
                (Ok(Delta::Text(text)), Ok(Delta::Text(more)))
                | (Ok(Delta::Reasoning(text)), Ok(Delta::Reasoning(more)))
                    if text.len() + more.len() <= PIECE =>
                {
                    text.push_str(&more);
                }
                (_, more) => {
                    self.held = Some(more);
                    break;
                }
            }
        }
        Some(piece.and_then(|piece| self.admit(piece)))
    }

    /// Holds a piece against the bounds.
    fn admit(&mut self, piece: Delta) -> Result<Delta, LlmError> {
        let length = match &piece {
            Delta::Text(text) | Delta::Reasoning(text) => text.len(),
            Delta::Call(call) => call.id.len() + call.name.len() + call.arguments.len(),
            Delta::Finish(_) => 0,
        };
        let left = self.room.checked_sub(length as u64).filter(|_| length <= LONGEST);
        self.room = left.ok_or_else(|| {
            self.deltas = None;
            LlmError::Limit("the model writes more than it was allowed; its answer was cut".into())
        })?;
        Ok(piece)
    }
}

/// Reads an answer to its end.
async fn complete(mut stream: TokenStream) -> (Result<Completion, LlmError>, Spent) {
    let mut parts: Vec<Part> = Vec::new();
    let mut ending = None;
    while let Some(piece) = stream.next().await {
        match piece {
            Err(error) => {
                let failed = failed(&error);
                return (Err(error), failed);
            }
            Ok(Delta::Finish((finish, usage))) => ending = Some((finish, usage)),
            Ok(Delta::Call(call)) => parts.push(Part::Call(call)),
            Ok(Delta::Text(more)) => match parts.last_mut() {
                Some(Part::Text(text)) => text.push_str(&more),
                _ => parts.push(Part::Text(more)),
            },
            Ok(Delta::Reasoning(more)) => match parts.last_mut() {
                Some(Part::Reasoning(text)) => text.push_str(&more),
                _ => parts.push(Part::Reasoning(more)),
            },
        }
    }
    let no_usage = Usage { input_tokens: 0, output_tokens: 0 };
    let (finish, usage) = ending.unwrap_or((FinishReason::Stop, no_usage));
    let spent = spent(&usage);
    let message = Message { role: Role::Assistant, parts };
    (Ok(Completion { message, finish, usage }), spent)
}
