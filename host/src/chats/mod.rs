//! Conversations with agents in chat platforms.

mod agents;
mod bots;
mod console;
pub(crate) mod speech;
mod turns;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use june_chats::{Chat, Engine, Platform, Settings, Store};
use june_sandbox::journal::Journal;

use agents::Answerers;
pub(crate) use bots::Bot;
pub(crate) use console::Console;
pub(crate) use turns::{Turns, WORLD};

use crate::config::Config;
use crate::paths;
use crate::ready::Ready;
use speech::Speech;

/// All that conversations need, but a platform.
pub(crate) struct Chats {
    pub(crate) store: Store,
    pub(crate) turns: Arc<Turns>,
    agents: Answerers,
    speech: Speech,
}

impl Chats {
    /// Conversations with these agents, kept in this store.
    pub(crate) fn new(
        ready: Ready,
        store: Store,
        speech: Speech,
        journal: Option<Journal>,
    ) -> Chats {
        let turns = Arc::new(Turns::new(journal));
        let agents = Answerers::new(ready, store.clone(), turns.clone());
        Chats { store, turns, agents, speech }
    }

    /// What answers the messages of a platform.
    pub(crate) fn engine(&self, platform: Arc<dyn Platform>, settings: Settings) -> Engine {
        let agents = Arc::new(self.agents.clone());
        let engine = Engine::new(self.store.clone(), platform, agents, settings);
        let engine = engine.with_observer(self.turns.clone());
        let engine = match &self.speech.ears {
            Some(ears) => engine.with_transcriber(ears.clone()),
            None => engine,
        };
        match &self.speech.voice {
            Some(voice) => engine.with_speaker(voice.clone()),
            None => engine,
        }
    }
}

/// The name under which the runs of a chat are found in the journal.
fn session(chat: &Chat) -> String {
    format!("{}/{}", chat.platform, chat.id)
}

/// The agents that people can choose from, as the configuration names them.
pub(crate) fn names(config: &Config) -> Vec<String> {
    config.tables.chats.agents.iter().map(|name| name.get_ref().clone()).collect()
}

/// The file of the conversations.
pub(crate) fn file(config: &Config) -> Result<PathBuf> {
    match &config.tables.chats.store {
        Some(path) => Ok(config.folder().join(path)),
        None => paths::chats(),
    }
}

/// Opens the conversations.
pub(crate) fn store(config: &Config) -> Result<Store> {
    if config.tables.chats.forget {
        return Ok(Store::in_memory()?);
    }
    let file = file(config)?;
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    Ok(Store::open(&file)?)
}
