//! A model that can be asked.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;

use futures_util::{StreamExt, stream};
use june_models::text::{Decoder, Output, Prompt, Reasoning, Template, Tokenizer};
use june_models::types::{Delta, FinishReason, Request, ResponseFormat, Usage};
use june_models::{Deltas, Model, ModelError};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::cache::Shape;
use crate::engine::{Engine, Event, Job, Limits};
use crate::error::OpenError;
use crate::file::{self, Opened, Policy};
use crate::guidance::{Constraint, Guidance};
use crate::sampling::Sampler;
use crate::settings::Settings;

/// A model of a GGUF file, run in this process.
///
/// It goes when the last of its streams is dropped and itself.
pub struct Local {
    shared: Arc<Shared>,
}

/// What answers need that are about to begin.
struct Shared {
    name: String,
    tokenizer: Tokenizer,
    template: Template,
    settings: Settings,
    context: usize,
    vocabulary: usize,
    /// Made when the first answer of a given form is asked for: it goes through the vocabulary.
    guidance: OnceLock<Result<Guidance, ModelError>>,
    jobs: Sender<Job>,
}

impl Local {
    /// Opens a GGUF file, and loads all of it.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. A mixture of experts on the processor is refused before weights are read.
    pub fn open(path: &Path, settings: &Settings) -> Result<Local, OpenError> {
        Local::open_as(path, settings, false)
    }

    /// Opens it, a mixture of experts on the processor too where that is said.
    fn open_as(path: &Path, settings: &Settings, experts_on_cpu: bool) -> Result<Local, OpenError> {
        let policy = Policy { place: settings.place, experts_on_cpu };
        let wanted = usize::try_from(settings.context).unwrap_or(usize::MAX);
        let Opened { name, network, tokenizer, template } = file::open(path, policy, wanted)?;
        let shape = network.cache_shape();
        let cache_bytes = usize::try_from(settings.cache_bytes).unwrap_or(usize::MAX);
        let context = context(&shape, network.config().context.min(wanted), cache_bytes);
        if context < 2 {
            let bytes = 2 * shape.bytes() * crate::cache::BLOCK;
            let what = format!("a conversation of {context} tokens says nothing");
            let hint = format!("set a larger context, and cache-bytes to {bytes} at least");
            return Err(OpenError::unsupported(path, what, &hint));
        }
        let limits = Limits { cache_bytes, at_once: settings.at_once.max(1) };
        let (jobs, receiver) = channel();
        let vocabulary = network.vocabulary();
        let engine = Engine::new(network, tokenizer.ends().to_vec(), limits, receiver);
        thread::Builder::new()
            .name("june-local".into())
            .spawn(move || engine.run())
            .map_err(|error| OpenError::unreadable(path, error))?;
        let settings = settings.clone();
        let guidance = OnceLock::new();
        let shared =
            Shared { name, tokenizer, template, settings, context, vocabulary, guidance, jobs };
        Ok(Local { shared: Arc::new(shared) })
    }
}

/// The tokens of a conversation, so that one at least fits the memory.
fn context(shape: &Shape, wanted: usize, cache_bytes: usize) -> usize {
    let blocks = cache_bytes / (shape.bytes() * crate::cache::BLOCK).max(1);
    wanted.min(blocks * crate::cache::BLOCK)
}

impl Model for Local {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn context(&self) -> Option<u32> {
        u32::try_from(self.shared.context).ok()
    }

    fn stream(&self, request: Request) -> Deltas {
        let shared = Arc::clone(&self.shared);
        let begin = async move {
            // The prompt may be long, and a grammar takes time.
            let begun = tokio::task::spawn_blocking(move || shared.begin(&request)).await;
            match begun {
                Ok(Ok(answer)) => stream::unfold(answer, next).boxed(),
                Ok(Err(error)) => stream::iter([Err(error)]).boxed(),
                Err(_) => stream::iter([Err(gone())]).boxed(),
            }
        };
        stream::once(begin).flatten().boxed()
    }
}

impl Shared {
    /// Hands a request to the engine.
    fn begin(&self, request: &Request) -> Result<Answer, ModelError> {
        let prompt = self.template.render(request)?;
        let tokens = self.tokenizer.encode(&prompt);
        let tokens = tokens.map_err(|error| ModelError::Invalid(error.to_string()))?;
        let input = tokens.len();
        if input == 0 {
            let what = "the conversation is empty\nhint: ask something";
            return Err(ModelError::Invalid(what.into()));
        }
        if input >= self.context {
            let context = self.context;
            return Err(ModelError::ContextOverflow(format!(
                "the conversation has {input} tokens, and {} holds {context}, answer included\n\
                 hint: shorten it, or raise the model's context and the bytes of its cache",
                self.name
            )));
        }
        let asked = request.max_tokens.or(self.settings.max_tokens);
        let room = self.context - input;
        let most = asked.and_then(|most| usize::try_from(most).ok()).unwrap_or(room).min(room);
        let constraint = self.constraint(request, &prompt)?;
        let (defaults, penalties) = (&self.settings.sampling, self.settings.penalties);
        let sampler = Sampler::new(&request.sampling, defaults, penalties, &tokens);
        let (sender, events) = unbounded_channel();
        if most == 0 {
            let _ = sender.send(Event::End(FinishReason::Length, 0));
        } else {
            let job = Job { prompt: tokens, most, sampler, constraint, events: sender };
            self.jobs.send(job).map_err(|_| gone())?;
        }
        Ok(Answer {
            events,
            decoder: Decoder::new(&self.tokenizer),
            output: Some(Output::new(request, prompt.reasoning())),
            ready: VecDeque::new(),
            input: input as u64,
            written: 0,
        })
    }

    fn constraint(
        &self,
        request: &Request,
        prompt: &Prompt,
    ) -> Result<Option<Constraint>, ModelError> {
        if request.response_format == ResponseFormat::Text {
            return Ok(None);
        }
        let guidance =
            self.guidance.get_or_init(|| Guidance::new(&self.tokenizer, self.vocabulary));
        let guidance = guidance.as_ref().map_err(Clone::clone)?;
        let free_until = match prompt.reasoning() {
            Reasoning::Opened => self.tokenizer.mark("</think>"),
            Reasoning::Auto | Reasoning::None => None,
        };
        guidance.constraint(&request.response_format, free_until)
    }
}

/// An answer on its way from the engine to whoever asked.
struct Answer {
    events: UnboundedReceiver<Event>,
    decoder: Decoder,
    /// None when the answer is over.
    output: Option<Output>,
    ready: VecDeque<Delta>,
    input: u64,
    written: u64,
}

/// The next delta of an answer.
async fn next(mut answer: Answer) -> Option<(Result<Delta, ModelError>, Answer)> {
    loop {
        if let Some(delta) = answer.ready.pop_front() {
            return Some((Ok(delta), answer));
        }
        let output = answer.output.as_mut()?;
        let error = match answer.events.recv().await {
            Some(Event::Token(token)) => {
                answer.written += 1;
                answer.ready.extend(output.push(&answer.decoder.push(token)));
                if output.is_stopped() {
                    // The engine notices that nobody listens.
                    answer.events.close();
                    answer.end(FinishReason::Stop);
                }
                continue;
            }
            Some(Event::End(reason, written)) => {
                answer.written = written as u64;
                answer.end(reason);
                continue;
            }
            Some(Event::Failed(error)) => error,
            None => gone(),
        };
        answer.output = None;
        return Some((Err(error), answer));
    }
}

impl Answer {
    /// No more tokens come.
    fn end(&mut self, reason: FinishReason) {
        let Some(mut output) = self.output.take() else { return };
        let usage =
            Usage { input_tokens: self.input, output_tokens: self.written, approximate: false };
        self.ready.extend(output.push(&self.decoder.clone().finish()));
        self.ready.extend(output.finish(reason, usage));
    }
}

fn gone() -> ModelError {
    ModelError::Unavailable("the model's engine has stopped\nhint: load the model again".into())
}
