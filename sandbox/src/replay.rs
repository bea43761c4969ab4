//! Running a recorded run again, and comparing: is it the same to the last
//! call, byte of output and unit of fuel?
//!
//! A run is a function of its start record and of the answers to its calls. A
//! replay makes the answers anew where they follow from the start, takes them
//! from the journal where they do not, and stops at the first call that is not
//! the recorded one.
//!
//! ```
//! use june_sandbox::journal::reader::{Item, Reader};
//! use june_sandbox::journal::{Folder, Journal, Record};
//! use june_sandbox::{Cache, Engine, Limits, Program, Recorded, Recording, Replay, Runner};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = std::env::var_os("JUNE_COMPONENTS").unwrap_or("../components/dist".into());
//! # let path = std::path::Path::new(&path).join("echo.wasm");
//! # let temporary = tempfile::tempdir()?;
//! let folder = Folder::new(temporary.path().join("journal"));
//! folder.init("example.org/journal")?;
//! let (journal, _) = Journal::open(&folder, || 0)?;
//!
//! let runner = Runner::load(&Engine::new()?, &path, &Cache::none())?;
//! let program = Program::python("print 42");
//! let recording = Recording { journal: &journal, session: "example", parent: None };
//! let recorded = runner.record(&program, &Limits::default(), 0, &recording).await?;
//! journal.close()?;
//!
//! let (mut reader, mut records) = (Reader::open(&folder)?, Vec::new());
//! while let Some(item) = reader.next()? {
//!     if let Item::Record { bytes, .. } = item {
//!         records.push(Record::from_bytes(&bytes)?);
//!     }
//! }
//! let run = Recorded::gather(records, &folder.blobs())?;
//! let Replay::Identical { fuel, .. } = runner.replay(&run).await? else { panic!() };
//! assert_eq!(fuel, recorded.outcome.fuel);
//! # Ok(())
//! # }
//! ```

use std::collections::VecDeque;
use std::fmt;

use june_journal::blobs::{BlobError, Blobs};
use june_journal::record::{Call, Data, End, Event, Record, Start};
use june_journal::{Digest, Exit};

use crate::Origin;
use crate::calls::{Ledger, Made, digest_line};
use crate::capability::Recalled;
use crate::run::Finished;
use crate::{Component, Limits, Output};

mod subject;

pub use subject::Subject;

/// A run as the journal tells it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its number.
    pub run: u64,
    /// How it began.
    pub start: Start,
    /// What it was to do.
    pub subject: Subject,
    /// Its limits.
    pub limits: Limits,
    steps: VecDeque<Step>,
    stdout: Output,
    stderr: Output,
    value: Option<String>,
    said: String,
    end: End,
}

/// Why a run cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The records are not those of one run.
    #[error("run {run}: {reason}")]
    Malformed {
        /// The run.
        run: u64,
        /// What is wrong.
        reason: String,
    },
    /// The run has no end of its own.
    #[error("run {run} {how}, so there is nothing to compare a replay with")]
    Unfinished {
        /// The run.
        run: u64,
        /// What became of it.
        how: &'static str,
    },
    /// It was a run in another world.
    #[error("run {run} is of world `{world}`, and the component is of another")]
    World {
        /// The run.
        run: u64,
        /// Its world.
        world: String,
    },
    /// A part of the run is not to be had.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The component is another one.
    #[error("the run needs the component with SHA-256 {needed}, and this is {found}")]
    Component {
        /// The run's.
        needed: Digest,
        /// The one at hand.
        found: Digest,
    },
    /// The sandbox failed.
    #[error(transparent)]
    Sandbox(#[from] crate::Error),
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The same output, the same calls, the same fuel.
    Identical {
        /// How many calls.
        calls: u64,
        /// How much fuel.
        fuel: u64,
    },
    /// Something else, from here on.
    Diverged(Divergence),
}

/// The first difference between a run and its replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The number of the call that differs; none when all calls are the same.
    pub call: Option<u64>,
    /// What differs.
    pub what: &'static str,
    /// What the journal has.
    pub expected: String,
    /// What the replay has.
    pub found: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.call {
            Some(call) => write!(f, "call {call}")?,
            None => f.write_str(self.what)?,
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)
    }
}

impl std::error::Error for Divergence {}

/// One or more calls of the record.
#[derive(Clone, Debug)]
enum Step {
    One { function: String, arguments: String, answer: String, fuel: u64 },
    Many { count: u64, digest: Digest },
}

/// The calls that a replay has yet to make.
#[derive(Debug)]
pub(crate) struct Expected {
    steps: VecDeque<Step>,
    /// The calls made so far of a step of many.
    digested: String,
    digested_count: u64,
    /// The first call that was another.
    divergence: Option<Divergence>,
}

fn words(function: &str, arguments: &str, answer: &str) -> String {
    format!("{function}({arguments}) -> {answer}")
}

impl Expected {
    /// Compares a call with the record. An error ends the replay.
    pub(crate) fn compare(&mut self, number: u64, made: &Made<'_>) -> Result<(), Divergence> {
        self.next(number, made).inspect_err(|found| self.divergence = Some(found.clone()))
    }

    /// The recorded answer to a call, and the fuel that it cost. An error ends
    /// the replay.
    pub(crate) fn recall(
        &mut self,
        number: u64,
        function: &str,
        arguments: &str,
    ) -> Result<Recalled, Divergence> {
        match self.steps.front() {
            Some(Step::One { function: f, arguments: a, .. })
                if f == function && a == arguments => {}
            _ => {
                let (arguments, answer) = (arguments.into(), "…".into());
                let made = Made { function, arguments, answer, denied: None };
                self.compare(number, &made)?;
            }
        }
        match self.steps.pop_front() {
            Some(Step::One { answer, fuel, .. }) => Ok(Recalled { answer, fuel }),
            // `compare` found a difference.
            _ => Ok(Recalled { answer: String::new(), fuel: 0 }),
        }
    }

    fn next(&mut self, number: u64, made: &Made<'_>) -> Result<(), Divergence> {
        let Made { function, arguments, answer, .. } = made;
        let differs = |expected| Divergence {
            call: Some(number),
            what: "call",
            expected,
            found: words(function, arguments, answer),
        };
        match self.steps.front() {
            None => Err(differs("the end of the run".into())),
            Some(Step::One { function: f, arguments: a, answer: r, .. }) => {
                if (f.as_str(), a, r) != (*function, arguments, answer) {
                    return Err(differs(words(f, a, r)));
                }
                self.steps.pop_front();
                Ok(())
            }
            Some(Step::Many { count, digest }) => {
                digest_line(&mut self.digested, function, arguments, answer);
                self.digested_count += 1;
                if self.digested_count < *count {
                    return Ok(());
                }
                if Digest::of(self.digested.as_bytes()) != *digest {
                    return Err(differs(format!(
                        "calls of which the digest is {digest}, this and the {} before it",
                        count - 1
                    )));
                }
                self.steps.pop_front();
                self.digested.clear();
                self.digested_count = 0;
                Ok(())
            }
        }
    }

    /// The first call that was another, or is missing if the run ends here.
    fn divergence(&self, calls: u64) -> Option<Divergence> {
        if self.divergence.is_some() {
            return self.divergence.clone();
        }
        let expected = match self.steps.front()? {
            Step::One { function, arguments, answer, .. } => words(function, arguments, answer),
            Step::Many { count, .. } => format!("{} more calls", count - self.digested_count),
        };
        let found = "the end of the run".into();
        Some(Divergence { call: Some(calls), what: "call", expected, found })
    }
}

impl Recorded {
    /// Where its random numbers and its clock began.
    pub(crate) fn origin(&self) -> Origin {
        Origin { seed: self.start.seed, epoch: self.start.epoch }
    }

    /// Puts a run together from its records, in their order.
    ///
    /// # Errors
    ///
    /// When they are not all the records of one run that can be replayed.
    pub fn gather(
        records: impl IntoIterator<Item = Record>,
        blobs: &Blobs,
    ) -> Result<Self, ReplayError> {
        let mut records = records.into_iter();
        let (run, start) = match records.next() {
            Some(Record { run, event: Event::Start(start), .. }) => (run, start),
            Some(Record { run, .. }) => {
                return Err(malformed(run, "its first record is no start"));
            }
            None => return Err(malformed(0, "it has no record")),
        };
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).map_err(|_bytes| malformed(run, "a text of it is not UTF-8"))
        };
        let subject = Subject::gather(run, &start, blobs)?;
        let limits = Limits::from_map(&start.limits)
            .ok_or_else(|| malformed(run, "its limits are not those that there are"))?;
        let (mut steps, mut end) = (VecDeque::new(), None);
        let (mut stdout, mut stderr) = (Output::default(), Output::default());
        let (mut value, mut said) = (None, String::new());
        let mut open: Option<Call> = None;
        for record in records {
            match record.event {
                Event::Virtual(calls) => {
                    let rest = calls.count.saturating_sub(calls.listed.len() as u64);
                    steps.extend(calls.listed.into_iter().map(|call| Step::One {
                        function: call.function,
                        arguments: call.arguments,
                        answer: call.answer,
                        fuel: 0,
                    }));
                    if let Some(digest) = calls.digest {
                        steps.push_back(Step::Many { count: rest, digest });
                    }
                }
                Event::Denial(denial) => steps.push_back(Step::One {
                    function: denial.function,
                    arguments: text(blobs.value(&denial.arguments)?)?,
                    answer: denial.answer,
                    fuel: 0,
                }),
                Event::Call(call) => {
                    if open.replace(call).is_some() {
                        return Err(malformed(run, "a call in it has no answer"));
                    }
                }
                Event::Answer(answer) => {
                    let call = open.take().filter(|call| call.number == answer.number);
                    let call = call.ok_or_else(|| malformed(run, "an answer in it has no call"))?;
                    steps.push_back(Step::One {
                        function: call.function,
                        arguments: text(blobs.value(&call.arguments)?)?,
                        answer: text(blobs.value(&answer.result)?)?,
                        fuel: answer.fuel_before.saturating_sub(answer.fuel_after),
                    });
                }
                Event::Returned(returned) => {
                    let kept =
                        |data: Option<Data>| data.map(|data| text(blobs.value(&data)?)).transpose();
                    value = kept(returned.value)?;
                    said = kept(returned.said)?.unwrap_or_default();
                }
                Event::Output(output) => {
                    let kept = |data, truncated| {
                        blobs.value(data).map(|bytes| Output { bytes, truncated })
                    };
                    stdout = kept(&output.stdout, output.stdout_truncated)?;
                    stderr = kept(&output.stderr, output.stderr_truncated)?;
                }
                Event::End(ended) => end = Some(ended),
                Event::LimitHit(_) | Event::Review(_) => {}
                Event::Start(_) => return Err(malformed(run, "it begins twice")),
            }
        }
        let end = end.ok_or(ReplayError::Unfinished { run, how: "has no end" })?;
        match end.exit {
            None => Err(ReplayError::Unfinished { run, how: "was given up by the host" }),
            Some(Exit::TimedOut) => {
                Err(ReplayError::Unfinished { run, how: "was ended by the wall-clock fuse" })
            }
            Some(_) => {
                Ok(Self { run, start, subject, limits, steps, stdout, stderr, value, said, end })
            }
        }
    }

    pub(crate) fn expected(&self) -> Expected {
        Expected {
            steps: self.steps.clone(),
            digested: String::new(),
            digested_count: 0,
            divergence: None,
        }
    }

    /// Whether this is the component that ran.
    pub(crate) fn is_of(&self, component: &Component) -> Result<(), ReplayError> {
        let (needed, found) = (self.start.component, component.digest());
        if needed == found { Ok(()) } else { Err(ReplayError::Component { needed, found }) }
    }

    pub(crate) fn of_another_world(&self) -> ReplayError {
        ReplayError::World { run: self.run, world: self.start.world.clone() }
    }

    /// Compares a replay with the run.
    pub(crate) fn compare(&self, replayed: &Finished) -> Replay {
        let Finished { outcome, calls: made, value, said, .. } = replayed;
        let (calls, entries) = (made.count, made.entries);
        let diverged = |what, expected: String, found: String| {
            Replay::Diverged(Divergence { call: None, what, expected, found })
        };
        if let Ledger::Compare(expected) = &made.ledger
            && let Some(divergence) = expected.divergence(calls)
        {
            return Replay::Diverged(divergence);
        }
        let exit = |exit: &Exit| format!("{} {}", exit.name(), exit.detail()).trim().to_owned();
        let end = &self.end;
        if end.exit.as_ref() != Some(&outcome.exit) {
            let recorded = end.exit.as_ref().map_or_else(String::new, exit);
            return diverged("exit", recorded, exit(&outcome.exit));
        }
        for (what, recorded, found) in [
            ("standard output", &self.stdout, &outcome.stdout),
            ("standard error", &self.stderr, &outcome.stderr),
        ] {
            if recorded != found {
                let told = |output: &Output| {
                    let text = String::from_utf8_lossy(&output.bytes);
                    let common = common(recorded, found);
                    let from: String = text.chars().skip(common).take(60).collect();
                    format!("{from:?} from character {common} on")
                };
                return diverged(what, told(recorded), told(found));
            }
        }
        let (recorded, found) = (self.value.as_deref(), value.as_deref());
        for (what, recorded, found) in
            [("returned value", recorded, found), ("talk", Some(&*self.said), Some(&**said))]
        {
            if recorded != found {
                let told = |text: Option<&str>| text.unwrap_or("nothing").to_owned();
                return diverged(what, told(recorded), told(found));
            }
        }
        for (what, recorded, found) in [
            ("fuel", end.fuel, outcome.fuel),
            ("peak memory", end.peak_memory, outcome.peak_memory),
            ("calls", end.calls, calls),
            ("entries into the host", end.entries, entries),
        ] {
            if recorded != found {
                return diverged(what, recorded.to_string(), found.to_string());
            }
        }
        Replay::Identical { calls, fuel: outcome.fuel }
    }
}

/// How many characters two outputs have in common at their beginning.
fn common(one: &Output, other: &Output) -> usize {
    let (one, other) = (String::from_utf8_lossy(&one.bytes), String::from_utf8_lossy(&other.bytes));
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count()
}

fn malformed(run: u64, reason: &str) -> ReplayError {
    ReplayError::Malformed { run, reason: reason.into() }
}
