//! An engine as a model: text in, text out.

use std::path::PathBuf;
use std::sync::Arc;

use june_models::text::{self, Decoder, Output, Template, Tokenizer};
use june_models::types::{Delta, FinishReason, Request, ResponseFormat, Usage};
use june_models::{Deltas, Model, ModelError, stepwise};
use serde_json::Value;

use crate::bridge::ffi::{self, Finish, Generation, Opening};
use crate::engine::{Engine, Progress, Running};
use crate::{Error, Folder};

/// What a model is opened with.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What the model is called, for people.
    pub name: String,
    /// The folder of the engine, with the model's `tokenizer.json` and chat template in it.
    pub folder: PathBuf,
    /// The share of the free GPU memory for the KV cache, 0 to 1; TensorRT-LLM's default is 0.9.
    pub memory_share: Option<f32>,
}

/// A model in TensorRT-LLM, in this process. Clones share it; the last one to be dropped closes it.
#[derive(Debug, Clone)]
pub struct Trtllm(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    engine: Engine,
    folder: Folder,
    tokenizer: Tokenizer,
    template: Template,
    defaults: Defaults,
}

/// How the model's makers sample, from `generation_config.json`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Defaults {
    temperature: f32,
    top_p: f32,
    top_k: u32,
    min_p: f32,
}

impl Trtllm {
    /// Opens an engine. Returns when it is loaded, which takes minutes for a large one.
    ///
    /// # Errors
    ///
    /// This June has no TensorRT-LLM, the engine is of another version of it, a file is missing or
    /// malformed, or the engine does not open: see [`Error`].
    pub fn open(settings: &Settings) -> Result<Trtllm, Error> {
        let library = ffi::library_version();
        let library = library.map_err(|error| Error::Open(error.what().to_owned()))?;
        if library.is_empty() {
            return Err(Error::NotBuilt);
        }
        let folder = Folder::read(&settings.folder)?;
        folder.check(&library)?;
        let Some(path) = settings.folder.to_str().map(str::to_owned) else {
            let what = "its name is not UTF-8".to_owned();
            let hint = "rename the folder";
            return Err(Error::Folder { path: folder.path, what, hint });
        };
        let memory_share = settings.memory_share.unwrap_or_default();
        let opening = Opening { folder: path, memory_share, paged: folder.paged };
        // Before the engine, which takes minutes.
        let texts = text::load(&folder.path)?;
        let engine = Engine::start(move || ffi::open(&opening))?;
        Ok(Trtllm::of(&settings.name, engine, folder, texts))
    }

    /// An open engine with the tokenizer and the template of this folder.
    ///
    /// # Errors
    ///
    /// These cannot be used.
    pub fn around(name: &str, engine: Engine, folder: Folder) -> Result<Trtllm, Error> {
        let texts = text::load(&folder.path)?;
        Ok(Trtllm::of(name, engine, folder, texts))
    }

    fn of(name: &str, engine: Engine, folder: Folder, texts: (Tokenizer, Template)) -> Trtllm {
        let ((tokenizer, template), defaults) = (texts, Defaults::read(&folder));
        let name = name.to_owned();
        Trtllm(Arc::new(Inner { name, engine, folder, tokenizer, template, defaults }))
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }
}

impl Defaults {
    fn read(folder: &Folder) -> Defaults {
        let text = std::fs::read_to_string(folder.path.join("generation_config.json"));
        let config: Value = serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default();
        let number = |name: &str, otherwise: f64| config[name].as_f64().unwrap_or(otherwise);
        let greedy = config["do_sample"] == false;
        Defaults {
            temperature: if greedy { 0.0 } else { number("temperature", 1.0) as f32 },
            top_p: number("top_p", 0.0) as f32,
            top_k: config["top_k"].as_u64().and_then(|k| u32::try_from(k).ok()).unwrap_or_default(),
            min_p: number("min_p", 0.0) as f32,
        }
    }
}

impl Model for Trtllm {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn context(&self) -> Option<u32> {
        Some(self.0.folder.max_sequence)
    }

    fn stream(&self, request: Request) -> Deltas {
        stepwise(Answer::Asked(self.0.clone(), Box::new(request)), Answer::step)
    }
}

/// An answer, from the question to its end.
enum Answer {
    /// Nothing has been done.
    Asked(Arc<Inner>, Box<Request>),
    Written(Box<Writing>),
}

/// An answer that is being written.
struct Writing {
    // Before the model: what is running must be cancelled before the engine is closed.
    running: Running,
    model: Arc<Inner>,
    decoder: Decoder,
    output: Output,
    usage: Usage,
}

impl Answer {
    /// Goes on to the next deltas; there may be none yet. Without an answer, it is over.
    async fn step(self) -> Result<(Vec<Delta>, Option<Answer>), ModelError> {
        let mut writing = match self {
            Answer::Asked(model, request) => Box::new(model.ask(&request)?),
            Answer::Written(writing) => writing,
        };
        let progress = writing.running.next().await.unwrap_or(Err(Error::Closed))?;
        let (mut deltas, finish) = writing.read(progress)?;
        let Some(reason) = finish else { return Ok((deltas, Some(Answer::Written(writing)))) };
        let Writing { decoder, mut output, usage, .. } = *writing;
        deltas.extend(output.push(&decoder.finish()));
        deltas.extend(output.finish(reason, usage));
        Ok((deltas, None))
    }
}

impl Inner {
    /// Renders the prompt and hands it to the engine.
    fn ask(self: Arc<Inner>, request: &Request) -> Result<Writing, ModelError> {
        let invalid = |what: &str, hint: &str| ModelError::Invalid(format!("{what}\nhint: {hint}"));
        if request.response_format != ResponseFormat::Text {
            let what = "TensorRT-LLM in this process answers in free text only";
            return Err(invalid(what, "ask for text, or serve the model with trtllm-serve"));
        }
        let prompt = self.template.render(request)?;
        let tokens = self.tokenizer.encode(&prompt);
        let tokens = tokens.map_err(|error| ModelError::Invalid(error.to_string()))?;
        let Folder { max_input, max_sequence, .. } = self.folder;
        let length = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        if length > max_input || length >= max_sequence {
            return Err(ModelError::ContextOverflow(format!(
                "the conversation has {length} tokens; the engine of {} takes {max_input}, and \
                 {max_sequence} with the answer\nhint: shorten the conversation, or build the \
                 engine with a greater --max_input_len and --max_seq_len",
                self.name
            )));
        }
        let room = max_sequence - length;
        let (sampling, defaults) = (&request.sampling, &self.defaults);
        let signed = |tokens: &[u32]| -> Result<Vec<i32>, ModelError> {
            let signed = tokens.iter().map(|token| i32::try_from(*token)).collect();
            let unlikely = |_| invalid("a token has too great a number", "report this");
            Result::map_err(signed, unlikely)
        };
        let generation = Generation {
            prompt: signed(&tokens)?,
            max_tokens: request.max_tokens.map_or(room, |most| most.clamp(1, room)),
            ends: signed(self.tokenizer.ends())?,
            temperature: sampling.temperature.unwrap_or(defaults.temperature),
            top_p: sampling.top_p.unwrap_or(defaults.top_p),
            top_k: sampling.top_k.unwrap_or(defaults.top_k),
            min_p: sampling.min_p.unwrap_or(defaults.min_p),
            seed: sampling.seed.unwrap_or_default(),
        };
        Ok(Writing {
            running: self.engine.submit(generation),
            decoder: Decoder::new(&self.tokenizer),
            output: Output::new(request, prompt.reasoning()),
            usage: Usage { input_tokens: length.into(), output_tokens: 0, approximate: false },
            model: self,
        })
    }
}

impl Writing {
    /// The deltas of a step, and why the answer is over, if it is.
    fn read(
        &mut self,
        progress: Progress,
    ) -> Result<(Vec<Delta>, Option<FinishReason>), ModelError> {
        let mut deltas = Vec::new();
        let finish = match progress.finish {
            None => None,
            Some(Finish::Length) => Some(FinishReason::Length),
            Some(Finish::End) => Some(FinishReason::Stop),
            Some(_) => return Err(Error::Request("it gave the request up".to_owned()).into()),
        };
        for token in progress.tokens {
            self.usage.output_tokens += 1;
            if self.model.tokenizer.ends().contains(&token) {
                return Ok((deltas, Some(FinishReason::Stop)));
            }
            deltas.extend(self.output.push(&self.decoder.push(token)));
            if self.output.is_stopped() {
                return Ok((deltas, Some(FinishReason::Stop)));
            }
        }
        Ok((deltas, finish))
    }
}
