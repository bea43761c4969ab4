//! The calls that a component makes, each of which is counted, recorded and, in
//! a replay, compared.
//!
//! A host function is defined through [`define`] and nothing else, so that none
//! can be called without a trace. That nothing else *is* called, the count of
//! entries shows: wasmtime's call hook sees control go to the host for the
//! calls, and for what the engine itself needs.

use std::sync::Arc;

use june_journal::record::{Denial, Event, Parent, VirtualCall, VirtualCalls};
use june_journal::{Digest, Journal};
use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentNamedList, Lift, LinkerInstance, Lower, Resource, ResourceType,
};

use crate::replay::Expected;
use crate::state::State;
use crate::told::Told;

/// Fuel that a call into the host costs, for the work is the host's: what the
/// same time is worth in instructions, so that a program which does nothing
/// but call the host ends as soon as any other.
pub(crate) const HOST_CALL: u64 = 10_000;

/// So many of a run's calls are listed one by one; of the rest the journal
/// keeps their number and a digest. A program that only calls the host could
/// otherwise fill a disk.
const LISTED: u64 = 4096;

/// So many calls go into one record, or so many bytes of them.
const BATCH: usize = 1024;
const BATCH_BYTES: usize = 256 << 10;

/// Longer arguments and answers are kept as their digest.
const LONGEST: usize = 64 << 10;

/// The calls of one run.
pub(crate) struct Calls {
    /// How many there were.
    pub(crate) count: u64,
    /// How many were denied.
    pub(crate) denied: u64,
    /// How often control went from the component to the host.
    pub(crate) entries: u64,
    /// How many calls there were when it last did.
    at_entry: u64,
    /// What they are held against.
    pub(crate) ledger: Ledger,
}

/// What becomes of a call.
pub(crate) enum Ledger {
    /// It is counted.
    Count,
    /// It is recorded.
    Record(Trace),
    /// It is compared with a record.
    Compare(Expected),
}

/// A run's place in the journal, and its calls that are not yet there.
pub(crate) struct Trace {
    pub(crate) journal: Journal,
    pub(crate) run: u64,
    pub(crate) session: Arc<str>,
    batch: Vec<VirtualCall>,
    /// The length of their texts.
    bytes: usize,
    digested: String,
    digested_count: u64,
}

/// A call that was made.
pub(crate) struct Made<'a> {
    pub(crate) function: &'a str,
    pub(crate) arguments: String,
    pub(crate) answer: String,
    /// Why it was denied, if it was.
    pub(crate) denied: Option<&'a str>,
}

impl Calls {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self { count: 0, denied: 0, entries: 0, at_entry: 0, ledger }
    }

    /// Control goes to the host.
    pub(crate) fn enter(&mut self) {
        self.entries += 1;
        self.at_entry = self.count;
    }

    /// Whether anybody wants to know more of a call than that it was made.
    pub(crate) fn are_kept(&self) -> bool {
        !matches!(self.ledger, Ledger::Count)
    }

    /// A call was answered.
    fn answered<R: Told>(
        &mut self,
        function: &str,
        arguments: String,
        answer: &wasmtime::Result<R>,
    ) -> wasmtime::Result<()> {
        let answer = match answer {
            _ if !self.are_kept() => String::new(),
            Ok(answer) => answer.told(),
            Err(error) => format!("trap: {}", error.root_cause()),
        };
        self.made(Made { function, arguments, answer, denied: None })
    }

    /// A call was made.
    pub(crate) fn made(&mut self, made: Made<'_>) -> wasmtime::Result<()> {
        self.denied += u64::from(made.denied.is_some());
        let number = self.number();
        let (arguments, answer) = (bounded(made.arguments), bounded(made.answer));
        let made = Made { arguments, answer, ..made };
        match &mut self.ledger {
            Ledger::Count => Ok(()),
            Ledger::Record(trace) => Ok(trace.add(number, made)?),
            Ledger::Compare(expected) => Ok(expected.compare(number, &made)?),
        }
    }

    /// Counts a call.
    pub(crate) fn number(&mut self) -> u64 {
        let number = self.count;
        self.count += 1;
        debug_assert!(
            self.entries > 0 && self.count == self.at_entry + 1,
            "each call is one entry of its own: {} calls, {} at the entry",
            self.count,
            self.at_entry
        );
        number
    }
}

impl Trace {
    pub(crate) fn new(journal: Journal, run: u64, session: Arc<str>) -> Self {
        let (batch, digested) = (Vec::new(), String::new());
        Self { journal, run, session, batch, bytes: 0, digested, digested_count: 0 }
    }

    /// Where the run that this call of the component begins is recorded.
    pub(crate) fn place(&self, call: u64) -> (Journal, Arc<str>, Parent) {
        let parent = Parent { run: self.run, call };
        (self.journal.clone(), self.session.clone(), parent)
    }

    /// Adds a piece of something that a recorded call opened. It cannot be made
    /// anew, so it is always listed.
    pub(crate) fn add_piece(
        &mut self,
        number: u64,
        made: Made<'_>,
    ) -> Result<(), june_journal::Error> {
        if self.digested_count > 0 {
            self.flush(number)?;
        }
        self.list(number, made)
    }

    fn list(&mut self, number: u64, made: Made<'_>) -> Result<(), june_journal::Error> {
        let Made { function, arguments, answer, .. } = made;
        self.bytes += function.len() + arguments.len() + answer.len();
        self.batch.push(VirtualCall { function: function.into(), arguments, answer });
        if self.batch.len() == BATCH || self.bytes >= BATCH_BYTES {
            return self.flush(number + 1);
        }
        Ok(())
    }

    fn add(&mut self, number: u64, made: Made<'_>) -> Result<(), june_journal::Error> {
        let Made { function, arguments, answer, denied } = made;
        if number < LISTED {
            let Some(reason) = denied else {
                return self.list(number, Made { function, arguments, answer, denied });
            };
            self.flush(number)?;
            let denial = Denial {
                number,
                function: function.into(),
                arguments: self.journal.data(arguments.into_bytes())?,
                reason: reason.into(),
                answer,
            };
            self.journal.append(self.run, Event::Denial(denial))?;
            return Ok(());
        }
        digest_line(&mut self.digested, function, &arguments, &answer);
        self.digested_count += 1;
        if self.digested_count as usize == BATCH { self.flush(number + 1) } else { Ok(()) }
    }

    /// Writes down the calls before this one.
    pub(crate) fn flush(&mut self, next: u64) -> Result<(), june_journal::Error> {
        let listed = std::mem::take(&mut self.batch);
        self.bytes = 0;
        let count = listed.len() as u64 + self.digested_count;
        if count == 0 {
            return Ok(());
        }
        let digest = (self.digested_count > 0).then(|| Digest::of(self.digested.as_bytes()));
        (self.digested_count, self.digested) = (0, String::new());
        let calls = VirtualCalls { first: next - count, count, listed, digest };
        self.journal.append(self.run, Event::Virtual(calls)).map(|_number| ())
    }
}

/// The text, or what it is known by where it is long.
fn bounded(text: String) -> String {
    match text.len() {
        0..=LONGEST => text,
        length => format!("{length} bytes with SHA-256 {}", Digest::of(text.as_bytes())),
    }
}

/// Adds a call to what a digest is made of.
pub(crate) fn digest_line(text: &mut String, function: &str, arguments: &str, answer: &str) {
    for part in [function, "(", arguments, ") -> ", answer, "\n"] {
        text.push_str(part);
    }
}

/// Takes the fuel that a call costs.
pub(crate) fn charge(store: &mut StoreContextMut<'_, State>) -> wasmtime::Result<()> {
    let left = store.get_fuel()?.saturating_sub(HOST_CALL);
    store.set_fuel(left)
}

/// Defines a host function, each call of which leaves its trace.
pub(crate) fn define<P, R>(
    linker: &mut LinkerInstance<'_, State>,
    interface: &str,
    name: &str,
    function: impl Fn(&mut StoreContextMut<'_, State>, P) -> wasmtime::Result<R> + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Told + 'static,
    R: ComponentNamedList + Lower + Told + 'static,
{
    let told = format!("{interface}.{name}");
    linker.func_wrap(name, move |mut store: StoreContextMut<'_, State>, parameters: P| {
        charge(&mut store)?;
        let kept = store.data().calls.are_kept();
        let arguments = if kept { parameters.told() } else { String::new() };
        let answer = function(&mut store, parameters);
        store.data_mut().calls.answered(&told, arguments, &answer)?;
        answer
    })
}

/// Defines what happens when a component gives a handle back.
pub(crate) fn define_resource<T: 'static + Send>(
    linker: &mut LinkerInstance<'_, State>,
    interface: &str,
    name: &str,
) -> wasmtime::Result<()> {
    let told = format!("{interface}.[resource-drop]{name}");
    linker.resource(name, ResourceType::host::<T>(), move |mut store, handle| {
        charge(&mut store)?;
        let state = store.data_mut();
        let dropped = state.table.delete(Resource::<T>::new_own(handle));
        let answer = dropped.map(|_value| ()).map_err(wasmtime::Error::from);
        state.calls.answered(&told, format!("#{handle}"), &answer)?;
        answer
    })
}
