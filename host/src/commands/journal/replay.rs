//! `june journal replay`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};
use clap::Args;
use indicatif::ProgressBar;
use june_sandbox::journal::Folder;
use june_sandbox::journal::blobs::Blobs;
use june_sandbox::journal::record::{Event, Record};
use june_sandbox::{Cache, Digest, Engine, Recorded, ReplayError, Runner, Strategy, Tool, engine};
use serde_json::json;

use super::list::Which;
use super::{Place, run_of};
use crate::commands::{interrupted, pressed, progress_bar, workers};
use crate::exit::{Blame, Failure, Kind, print, said};
use crate::index::Index;
use crate::words::{grouped, neutral};
use crate::{chats, paths};

/// Run a recorded run again, and compare: output, calls and fuel.
///
/// Models, servers and the clock are not asked again: their answers are in the journal. The tools
/// and programs that a run used have runs of their own, which are replayed with it. The component
/// that ran must be here, byte for byte; it is found by its SHA-256.
#[derive(Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    place: Place,
    /// The runs, by their numbers; or choose them with the options below.
    #[arg(value_name = "RUN")]
    runs: Vec<u64>,
    /// Every run that the other options let through.
    #[arg(long, conflicts_with = "runs")]
    all: bool,
    #[command(flatten)]
    which: Which,
    /// Runs replayed at once [default: one for each processor].
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: Option<u16>,
    /// Print JSON, one run a line.
    #[arg(long)]
    json: bool,
}

/// What became of one replay.
type Replayed = Result<june_sandbox::Replay>;

/// Runs that can be replayed, and what they take.
pub(crate) struct Replays {
    /// The records of each.
    loaded: Vec<Vec<Record>>,
    components: HashMap<Digest, Component>,
    blobs: Blobs,
    /// How many runs there are, those of the host included, which are not replayed.
    asked: usize,
}

impl Replays {
    /// These runs, and after each those that answered its calls.
    pub(crate) fn gather(
        engine: &Engine,
        folder: &Folder,
        index: &Index,
        runs: Vec<u64>,
    ) -> Result<Self, Failure> {
        let runs = with_children(index, runs).environment()?;
        let mut loaded: Vec<Vec<Record>> = Vec::with_capacity(runs.len());
        for run in &runs {
            let records: Vec<Record> =
                run_of(index, *run)?.into_iter().map(|(_, record)| record).collect();
            // A turn of a chat is the host's own: what ran in it are its children.
            if !is_turn(&records) {
                loaded.push(records);
            }
        }
        let components = components(engine, &loaded)?;
        Ok(Self { loaded, components, blobs: folder.blobs(), asked: runs.len() })
    }

    /// How many are replayed.
    pub(crate) fn len(&self) -> usize {
        self.loaded.len()
    }

    /// Replays so many at once, until it is told to stop; `each` is told what became of one after the
    /// other, in their order.
    pub(crate) fn run(
        &self,
        workers: usize,
        stop: &AtomicBool,
        mut each: impl FnMut(u64, Replayed) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            let (sender, replayed) = mpsc::sync_channel(workers * 4);
            for _ in 0..workers.min(self.loaded.len()) {
                let (sender, next) = (sender.clone(), &next);
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build()
                    .environment()?;
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(records) = self.loaded.get(at) else { return };
                        let run = records.first().map_or(0, |record| record.run);
                        let result = runtime.block_on(async {
                            tokio::select! {
                                biased;
                                () = pressed(stop) => None,
                                result = self.replay(records) => Some(result),
                            }
                        });
                        let Some(result) = result else { return };
                        if sender.send((at, (run, result))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let (mut waiting, mut due) = (BTreeMap::new(), 0);
            for (at, result) in replayed {
                waiting.insert(at, result);
                while let Some((run, result)) = waiting.remove(&due) {
                    each(run, result)?;
                    due += 1;
                }
            }
            // After one that was broken off.
            waiting.into_values().try_for_each(|(run, result)| each(run, result))
        })
    }

    async fn replay(&self, records: &[Record]) -> Replayed {
        let recorded = Recorded::gather(records.iter().cloned(), &self.blobs)?;
        let component = self.components.get(&recorded.start.component);
        Ok(missing(component, &recorded)?.replay(&recorded).await?)
    }
}

pub(crate) fn run(command: &Replay) -> Result<ExitCode, Failure> {
    let (folder, index) = command.place.index(false)?;
    let chosen = command.which.filter(None);
    let runs = match (command.runs.is_empty(), command.all) {
        (false, _) => command.runs.clone(),
        (true, all) => {
            if !all
                && chosen.session.is_none()
                && chosen.component.is_none()
                && chosen.since.is_none()
            {
                return Err(anyhow::anyhow!(
                    "which runs?\nhint: name their numbers, or a --session, or give --all"
                ))
                .input();
            }
            let mut runs: Vec<u64> =
                index.runs(&chosen).environment()?.iter().map(|run| run.run).collect();
            runs.reverse();
            runs
        }
    };
    let replays = Replays::gather(&Engine::new().environment()?, &folder, &index, runs)?;
    let workers = workers(command.workers);
    let stop = interrupted()?;

    // One run needs no bar.
    let bar = match replays.len() {
        1 => ProgressBar::hidden(),
        runs => progress_bar(runs as u64, "{pos}/{len} replayed, {eta} left"),
    };
    let (mut identical, mut diverged, mut failed) = (0_u64, 0_u64, 0_u64);
    let printed = replays.run(workers, &stop, |run, result| {
        bar.inc(1);
        match &result {
            Ok(june_sandbox::Replay::Identical { .. }) => identical += 1,
            Ok(june_sandbox::Replay::Diverged(_)) => diverged += 1,
            Err(_) => failed += 1,
        }
        let text = match command.json {
            true => format!("{}\n", in_json(run, &result)),
            false => in_words(run, &result),
        };
        bar.suspend(|| print(&text))
    });
    bar.finish_and_clear();
    printed?;
    if replays.len() == 0 && replays.asked > 0 {
        eprintln!("june: there is nothing to replay: no component ran");
    }
    if replays.asked > 1 && !command.json {
        print(&format!(
            "{} identical, {} diverged, {} could not be replayed\n",
            grouped(identical),
            grouped(diverged),
            grouped(failed)
        ))?;
    }
    if stop.load(Ordering::Relaxed) {
        return Err(Failure { kind: Kind::Interrupted, error: anyhow::anyhow!("interrupted") });
    }
    Ok(match (diverged, failed) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(Kind::Environment as u8),
        _ => ExitCode::from(1),
    })
}

fn is_turn(records: &[Record]) -> bool {
    let first = records.first().map(|record| &record.event);
    matches!(first, Some(Event::Start(start)) if start.world == chats::WORLD)
}

/// A component, in the world that it ran in.
enum Component {
    Runner(Runner),
    Strategy(Strategy),
    Tool(Tool),
}

impl Component {
    async fn load(engine: &Engine, path: &Path, cache: &Cache, world: &str) -> Result<Self> {
        Ok(match world {
            "strategy" => Component::Strategy(Strategy::load(engine, path, cache)?),
            "tool" => Component::Tool(Tool::load(engine, path, cache).await?),
            _ => Component::Runner(Runner::load(engine, path, cache)?),
        })
    }

    async fn replay(&self, recorded: &Recorded) -> Result<june_sandbox::Replay, ReplayError> {
        match self {
            Component::Runner(runner) => runner.replay(recorded).await,
            Component::Strategy(strategy) => strategy.replay(recorded).await,
            Component::Tool(tool) => tool.replay(recorded).await,
        }
    }
}

/// The components that these runs need, as far as they are here.
fn components(
    engine: &Engine,
    runs: &[Vec<Record>],
) -> Result<HashMap<Digest, Component>, Failure> {
    let cache = paths::compiled().environment()?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().environment()?;
    let mut components = HashMap::new();
    for record in runs.iter().filter_map(|records| records.first()) {
        let Event::Start(start) = &record.event else { continue };
        if components.contains_key(&start.component) {
            continue;
        }
        if let Some(path) = paths::component_by_digest(&start.component) {
            let loading = Component::load(engine, &path, &cache, &start.world);
            components.insert(start.component, runtime.block_on(loading).environment()?);
        }
    }
    Ok(components)
}

/// These runs, and after each the runs that answered its calls.
fn with_children(index: &Index, runs: Vec<u64>) -> Result<Vec<u64>> {
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    let mut open: Vec<u64> = runs.into_iter().rev().collect();
    while let Some(run) = open.pop() {
        if seen.insert(run) {
            all.push(run);
            open.extend(index.children(run)?.iter().rev().map(|child| child.run));
        }
    }
    Ok(all)
}

fn missing<'a>(found: Option<&'a Component>, recorded: &Recorded) -> Result<&'a Component> {
    found.with_context(|| {
        let start = &recorded.start;
        let mut text = format!(
            "run {} needs the component {} with SHA-256 {}, which is not here\n\
             hint: put its file into the folder that JUNE_COMPONENTS names",
            recorded.run,
            neutral(&start.name, false),
            start.component
        );
        if start.engine != engine::NAME || start.configuration != engine::configuration() {
            text += &format!(
                "\nhint: it ran in {}, another June than this; its fuel may differ here",
                neutral(&start.engine, false)
            );
        }
        text
    })
}

fn in_words(run: u64, result: &Replayed) -> String {
    match result {
        Ok(june_sandbox::Replay::Identical { calls, fuel }) => format!(
            "run {run}: identical: output, {} calls and fuel {}\n",
            grouped(*calls),
            grouped(*fuel)
        ),
        Ok(june_sandbox::Replay::Diverged(divergence)) => {
            format!("run {run}: DIVERGED at {}\n", neutral(&divergence.to_string(), false))
        }
        Err(error) => format!("run {run}: {}\n", neutral(&said(error), true)),
    }
}

/// What became of a replay, as JSON.
pub(crate) fn in_json(run: u64, result: &Replayed) -> serde_json::Value {
    match result {
        Ok(june_sandbox::Replay::Identical { calls, fuel }) => {
            json!({ "run": run, "result": "identical", "calls": calls, "fuel": fuel })
        }
        Ok(june_sandbox::Replay::Diverged(divergence)) => json!({
            "run": run, "result": "diverged", "what": divergence.what, "call": divergence.call,
            "expected": divergence.expected, "found": divergence.found,
        }),
        Err(error) => json!({ "run": run, "result": "failed", "error": said(error) }),
    }
}
