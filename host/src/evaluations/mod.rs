//! Evaluations: what `june eval` does while somebody waits, and `june serve` in the background.

mod asking;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use june_benchmarks::dataset::{Dataset, Known};
use june_benchmarks::evaluation::{self, EvaluationError, Settings};
use june_benchmarks::grading::Record;
use june_benchmarks::report;
use june_benchmarks::run::{Manifest, Run, RunError, Stored};
use june_benchmarks::samples::Sample;
use june_benchmarks::summary::Summary;
use june_sandbox::{Journal, Runner};

pub(crate) use asking::Asking;

use crate::commands::dataset as datasets;
use crate::exit::{Blame, Failure, Kind};
use crate::telemetry::metrics::{Evaluation, metrics};

/// Fuel that stands for one second of time: about what CPython in the sandbox burns for what
/// native CPython does in a second on the machine that docs/evaluate.md describes.
const FUEL_PER_SECOND: f64 = 25e9;

/// The seconds that a program may take.
pub(crate) const SECONDS: std::ops::RangeInclusive<f64> = 1e-3..=1e6;

/// The seconds that a program may take, where nobody says.
pub(crate) const USUAL_SECONDS: f64 = 3.0;

/// The least memory in which the Python runner starts, with some to spare.
pub(crate) const LEAST_MEMORY: u64 = 48 << 20;

/// The memory that a program may use, where nobody says.
pub(crate) const USUAL_MEMORY: u64 = 256 << 20;

/// The wall-clock time of one sample, a fuse for a machine that hangs, where nobody says.
pub(crate) const USUAL_WALL: Duration = Duration::from_secs(600);

/// What pass@k is estimated, where nobody says.
pub(crate) const USUAL_KS: [usize; 3] = [1, 10, 100];

/// The report's name in a run's folder.
pub(crate) const REPORT: &str = "report.html";

/// What is evaluated, and how. All of it is there: nothing has to be found or loaded any more.
pub(crate) struct Plan {
    pub(crate) dataset: Dataset,
    pub(crate) source: Source,
    pub(crate) runner: Runner,
    pub(crate) settings: Settings,
    /// What pass@k to estimate.
    pub(crate) ks: Vec<usize>,
    /// Whether each result has the number of its run in the journal.
    pub(crate) run_ids: bool,
}

/// Where the samples come from.
pub(crate) enum Source {
    Samples(Vec<Sample>),
    Agent(Box<Asking>),
}

/// Where the evaluation is kept.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    /// Whether one is there, which was interrupted.
    pub(crate) resume: bool,
    pub(crate) journal: Option<Journal>,
}

/// What has been done.
pub(crate) enum Step<'a> {
    /// So many answers are needed, and so many are there.
    Asking { all: usize, there: usize },
    /// An agent answered.
    Answered,
    /// All answers are there: so many samples are graded, some of them before.
    Grading { all: usize, run: &'a Run },
    /// A sample was graded.
    Graded(&'a Record),
}

impl Plan {
    /// How many samples are graded.
    pub(crate) fn samples(&self) -> usize {
        match &self.source {
            Source::Samples(samples) => samples.len(),
            Source::Agent(asking) => self.dataset.tasks.len() * asking.answers,
        }
    }

    /// Does it, as far as it is not done yet; `stop` ends it within a fraction of a second.
    ///
    /// # Errors
    ///
    /// What was done before is kept, and the evaluation can be taken up again.
    pub(crate) fn carry_out(
        mut self,
        place: Place<'_>,
        stop: &Arc<AtomicBool>,
        mut watch: impl FnMut(Step<'_>),
    ) -> Result<(Run, Summary), Failure> {
        let Place { folder, resume, journal } = place;
        // An agent's answers may all be there, and none of them graded.
        let mut graded = true;
        let samples = match self.source {
            Source::Samples(samples) => samples,
            Source::Agent(asking) => {
                graded = folder.join("run.json").exists();
                let (dataset, seed) = (&self.dataset, self.settings.seed);
                let journal = journal.as_ref();
                let questions = asking::Questions { dataset, folder, resume, seed, journal };
                asking.ask(&questions, stop, &mut watch)?
            }
        };
        let Settings { limits, seed, .. } = &self.settings;
        let digest = self.runner.component().digest();
        let manifest = Manifest::new(&self.dataset, &samples, &digest, limits, *seed);
        let mut run = if resume && graded {
            match Run::resume(folder, &manifest) {
                Err(error @ RunError::Io { .. }) => return Err(error).environment(),
                resumed => resumed.input()?,
            }
        } else {
            match Run::create(folder, &manifest) {
                Err(error @ RunError::Exists { .. }) => return Err(error).input(),
                created => created.environment()?,
            }
        };
        self.settings.journal = journal.map(|journal| (journal, session_of(folder)));
        watch(Step::Grading { all: samples.len(), run: &run });
        let (runner, dataset, settings) = (&self.runner, &self.dataset, &self.settings);
        let finished = |record: &Record| {
            metrics().graded(record.verdict.name());
            watch(Step::Graded(record));
        };
        let going = Evaluation::begin();
        let ended =
            evaluation::evaluate(runner, dataset, &samples, settings, &mut run, stop, finished);
        going.end(ended.is_ok());
        if let Err(error) = ended {
            let kind = match error {
                EvaluationError::Interrupted => Kind::Interrupted,
                _ => Kind::Environment,
            };
            let (done, all) = (run.records().len(), samples.len());
            let again = format!(
                "{done} of {all} samples are graded; go on with --resume --output {}",
                folder.display()
            );
            return Err(Failure { kind, error: anyhow::Error::from(error).context(again) });
        }
        let summary = Summary::new(&dataset.name, run.records(), &self.ks);
        run.conclude(&samples, &summary, self.run_ids).environment()?;
        report::write(&Stored::read(folder).environment()?, &folder.join(REPORT)).environment()?;
        Ok((run, summary))
    }
}

/// The fuel that stands for so many seconds.
pub(crate) fn fuel_of(seconds: f64) -> u64 {
    (seconds * FUEL_PER_SECOND) as u64
}

/// The tasks of a data set that June knows by name, and that is here.
pub(crate) fn pulled(known: &Known) -> Result<Dataset, Failure> {
    let mut dataset = Dataset::load(datasets::find(known).environment()?).input()?;
    known.name.clone_into(&mut dataset.name);
    Ok(dataset)
}

/// The name under which an evaluation's runs are found in the journal: its folder's.
pub(crate) fn session_of(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_error| folder.into());
    absolute.file_name().unwrap_or(absolute.as_os_str()).to_string_lossy().into_owned()
}

/// Makes a folder among the `runs` that nobody else has: for this data set, and `what` is graded.
pub(crate) fn new_folder(runs: &Path, dataset: &Dataset, what: &str) -> io::Result<PathBuf> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
    let name = format!("{}-{}-{now}", dataset.name, what.replace('/', "-"));
    fs::create_dir_all(runs)?;
    let mut folder = runs.join(&name);
    let mut number = 1;
    while let Err(error) = fs::create_dir(&folder) {
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error);
        }
        number += 1;
        folder.set_file_name(format!("{name}-{number}"));
    }
    Ok(folder)
}
