//! Whisper (Radford et al. 2022) in this process, by whisper.cpp.

mod file;
mod pool;
mod vad;
mod windows;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;
use whisper_rs::{WhisperContext, WhisperContextParameters, install_logging_hooks};

pub use vad::Vad;

use crate::{Audio, Segments, SpeechError, Transcriber};
use pool::{Job, Queue, Worker};

/// How much of the machine Whisper takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhisperSettings {
    /// How many pieces of audio it hears at once. They share the weights; each takes some hundred
    /// megabytes more.
    pub states: NonZeroUsize,
    /// How many threads compute on each.
    pub threads: NonZeroUsize,
}

impl Default for WhisperSettings {
    /// As many threads as there are processors, in groups of four.
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(2, NonZeroUsize::get);
        let states = NonZeroUsize::new(processors / 4).unwrap_or(NonZeroUsize::MIN);
        let threads = NonZeroUsize::new(processors / states).unwrap_or(NonZeroUsize::MIN);
        WhisperSettings { states, threads }
    }
}

/// A Whisper model. Clones share it; the last one to go frees it, once what it is computing is
/// given up.
///
/// Audio is cut at pauses into windows of up to half a minute. All that want something wait in one
/// queue, and after each window it is the next one's turn, so nobody waits for all of a long
/// recording. A window's segments are handed on as soon as it is done.
#[derive(Clone)]
pub struct Whisper(Arc<Shared>);

struct Shared {
    queue: Arc<Queue>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl std::fmt::Debug for Whisper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Whisper")
    }
}

impl Whisper {
    /// Loads a model of whisper.cpp's format (`ggml-base.bin`), and Silero's voice activity
    /// detection of the same format (`ggml-silero-v6.2.0.bin`). Without the latter, silence is
    /// transcribed too, and Whisper then tends to hear what nobody said.
    ///
    /// This takes as long as reading the file: call it where blocking is allowed.
    ///
    /// # Errors
    ///
    /// When a file is not there, is cut off or no such model, or there is too little memory.
    pub fn open(
        model: &Path,
        vad: Option<&Path>,
        settings: WhisperSettings,
    ) -> Result<Whisper, SpeechError> {
        install_logging_hooks();
        file::check_model(model)?;
        let context = WhisperContext::new_with_params(model, WhisperContextParameters::default());
        let context = context.map_err(|error| file::unusable(model, &error.to_string()))?;
        let queue = Arc::new(Queue::default());
        let mut workers = Vec::new();
        for _ in 0..settings.states.get() {
            let state = context.create_state().map_err(|error| {
                SpeechError::Engine(format!(
                    "there is too little memory for the model {}: {error}\nhint: take a smaller \
                     model, or fewer at once",
                    model.display()
                ))
            })?;
            let vad = vad.map(Vad::open).transpose()?;
            let multilingual = context.is_multilingual();
            workers.push(Worker::new(state, vad, multilingual, settings.threads));
        }
        let whisper = Whisper(Arc::new(Shared { queue: queue.clone() }));
        for mut worker in workers {
            let queue = queue.clone();
            let thread = thread::Builder::new().name("whisper".into());
            let started = thread.spawn(move || worker.run(&queue));
            started.map_err(|error| {
                SpeechError::Engine(format!("no thread can be started for Whisper: {error}"))
            })?;
        }
        Ok(whisper)
    }
}

impl Transcriber for Whisper {
    fn transcribe(&self, audio: Audio, language: Option<String>) -> Segments {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.queue.put(Job::new(audio, language, sender));
        // The model stays as long as somebody listens.
        let state = (receiver, self.clone());
        stream::unfold(state, |(mut receiver, whisper)| async move {
            let segment = receiver.recv().await?;
            Some((segment, (receiver, whisper)))
        })
        .boxed()
    }
}
