//! Who hears what, and when.

use std::collections::{HashMap, VecDeque};
use std::ffi::c_int;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;
use whisper_rs::{FullParams, SamplingStrategy, WhisperState, get_lang_id, get_lang_str};

use super::vad::Vad;
use super::windows::{Window, windows};
use crate::{Audio, FindSpeech, Segment, SpeechError};

/// The most that may wait. Each holds its audio in memory.
const WAITING: usize = 256;

type Answer = UnboundedSender<Result<Segment, SpeechError>>;

/// Audio to be transcribed.
pub(crate) struct Job {
    audio: Audio,
    language: Option<String>,
    answer: Answer,
    /// What is left to hear; not known before its first turn.
    windows: Option<VecDeque<Window>>,
}

impl Job {
    pub(crate) fn new(audio: Audio, language: Option<String>, answer: Answer) -> Job {
        Job { audio, language, answer, windows: None }
    }

    /// Nobody listens any more.
    fn is_cancelled(&self) -> bool {
        self.answer.is_closed()
    }
}

/// Those that wait for their turn.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new job waits at the end, unless too many do.
    pub(crate) fn put(&self, job: Job) {
        let mut waiting = self.lock();
        waiting.jobs.retain(|job| !job.is_cancelled());
        if waiting.jobs.len() < WAITING {
            waiting.jobs.push_back(job);
            self.changed.notify_one();
        } else {
            let error = "too many voice messages wait to be heard\nhint: try again later";
            let _ = job.answer.send(Err(SpeechError::Engine(error.into())));
        }
    }

    /// A job that was heard in part waits at the end again.
    fn put_back(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.changed.notify_one();
    }

    /// The next job; none when the queue is closed.
    fn next(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return None;
            }
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nobody will come any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Who listens for an answer that is being computed.
type Listening = Arc<Mutex<Option<Answer>>>;

/// A thread that hears one window after the other.
pub(crate) struct Worker {
    state: WhisperState,
    vad: Option<Vad>,
    multilingual: bool,
    listening: Listening,
    parameters: FullParams<'static, 'static>,
    /// The same for a language. They are kept because whisper-rs never frees a language's name.
    languages: HashMap<c_int, FullParams<'static, 'static>>,
}

impl Worker {
    pub(crate) fn new(
        state: WhisperState,
        vad: Option<Vad>,
        multilingual: bool,
        threads: NonZeroUsize,
    ) -> Worker {
        let listening = Listening::default();
        let parameters = parameters(threads, listening.clone());
        Worker { state, vad, multilingual, listening, parameters, languages: HashMap::new() }
    }

    /// Works until the queue is closed.
    pub(crate) fn run(&mut self, queue: &Queue) {
        while let Some(mut job) = queue.next() {
            if job.is_cancelled() {
                continue;
            }
            let turn = catch_unwind(AssertUnwindSafe(|| self.turn(&mut job)));
            *lock(&self.listening) = None;
            let fault = || SpeechError::Engine("Whisper failed for an unknown reason".into());
            match turn.unwrap_or_else(|_| Err(fault())) {
                Ok(true) => queue.put_back(job),
                Ok(false) => {}
                Err(error) => {
                    let _ = job.answer.send(Err(error));
                }
            }
        }
    }

    /// Hears a window of the job. Whether there is more.
    fn turn(&mut self, job: &mut Job) -> Result<bool, SpeechError> {
        let windows = match &mut job.windows {
            Some(windows) => windows,
            None => {
                job.audio = job.audio.for_speech()?;
                job.windows.insert(self.speech(&job.audio)?)
            }
        };
        let Some(window) = windows.pop_front() else { return Ok(false) };
        let more = !windows.is_empty();
        let parameters = self.parameters_for(job.language.as_deref());
        *lock(&self.listening) = Some(job.answer.clone());
        let heard = self.state.full(parameters, &window.samples(&job.audio.samples));
        if job.is_cancelled() {
            return Ok(false);
        }
        heard.map_err(|error| SpeechError::Engine(format!("Whisper failed: {error}")))?;
        let language = get_lang_str(self.state.full_lang_id_from_state());
        // A speaker is taken to stay with a language.
        if job.language.is_none() {
            job.language = language.map(str::to_owned);
        }
        for segment in self.state.as_iter() {
            let text = segment.to_str_lossy().unwrap_or_default().trim().to_owned();
            if text.is_empty() {
                continue;
            }
            let _ = job.answer.send(Ok(Segment {
                text,
                start: window.time(segment.start_timestamp()),
                end: window.time(segment.end_timestamp()),
                language: language.map(str::to_owned),
            }));
        }
        Ok(more)
    }

    /// What of the audio is to be heard.
    fn speech(&mut self, audio: &Audio) -> Result<VecDeque<Window>, SpeechError> {
        let whole = 0..audio.samples.len();
        let Some(vad) = &mut self.vad else { return Ok(windows(std::iter::once(whole))) };
        Ok(windows(vad.speech(&audio.samples)?))
    }

    /// The parameters for a language; one that Whisper does not know is found out.
    fn parameters_for(&mut self, language: Option<&str>) -> FullParams<'static, 'static> {
        let english = || get_lang_id("en").filter(|_| !self.multilingual);
        // C ends a name at its first zero.
        let named = language.filter(|language| !language.contains('\0'));
        let id = english().or_else(|| get_lang_id(named?)).filter(|id| *id >= 0);
        let Some((id, name)) = id.and_then(|id| Some((id, get_lang_str(id)?))) else {
            return self.parameters.clone();
        };
        let parameters = self.languages.entry(id).or_insert_with(|| {
            let mut parameters = self.parameters.clone();
            parameters.set_language(Some(name));
            parameters
        });
        parameters.clone()
    }
}

/// What every window is heard with.
fn parameters(threads: NonZeroUsize, listening: Listening) -> FullParams<'static, 'static> {
    let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    parameters.set_n_threads(c_int::try_from(threads.get()).unwrap_or(c_int::MAX));
    parameters.set_language(None);
    // Windows of other audio come between.
    parameters.set_no_context(true);
    parameters.set_suppress_nst(true);
    parameters.set_print_special(false);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_timestamps(false);
    // whisper-rs calls what it is given by the type named here, and hands it a box of that type's
    // trait object: they are the same for this box alone.
    type Abort = Box<dyn FnMut() -> bool>;
    let abort: Abort =
        Box::new(move || lock(&listening).as_ref().is_some_and(UnboundedSender::is_closed));
    parameters.set_abort_callback_safe::<_, Abort>(abort);
    parameters
}

fn lock(listening: &Listening) -> MutexGuard<'_, Option<Answer>> {
    listening.lock().unwrap_or_else(PoisonError::into_inner)
}
