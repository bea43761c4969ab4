//! Agents that are ready to be asked, all day long: a configuration may take the place of another
//! while they answer.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result};

use crate::agents::{Agent, Host, Overrides, origin};

/// The agents of a configuration. Whoever asks one keeps it, whatever the configuration becomes.
#[derive(Clone)]
pub(crate) struct Ready(Arc<RwLock<Arc<Loaded>>>);

/// A configuration, and the agents that it makes.
pub(crate) struct Loaded {
    pub(crate) host: Host,
    /// The agents, by their names.
    pub(crate) agents: BTreeMap<String, Arc<Agent>>,
    /// Those that people in chats can choose from, the preferred one first.
    pub(crate) spoken: Vec<String>,
    /// Those that clients of the API can choose from.
    pub(crate) offered: Vec<String>,
    /// When they were made ready, in seconds of Unix time.
    pub(crate) since: u64,
}

impl Loaded {
    /// Makes agents ready: those for chats, and those for the API.
    pub(crate) async fn new(
        host: Host,
        spoken: Vec<String>,
        offered: Vec<String>,
        overrides: &Overrides<'_>,
    ) -> Result<Self> {
        let mut agents = BTreeMap::new();
        for name in spoken.iter().chain(&offered) {
            if !agents.contains_key(name) {
                let agent = host.agent(name, overrides).await;
                let agent = agent.with_context(|| format!("the agent `{name}` is not ready"))?;
                agents.insert(name.clone(), Arc::new(agent));
            }
        }
        Ok(Self { host, agents, spoken, offered, since: origin(0).epoch })
    }
}

impl Ready {
    /// These agents.
    pub(crate) fn new(loaded: Loaded) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(loaded))))
    }

    /// The agents as they are now.
    pub(crate) fn now(&self) -> Arc<Loaded> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// These take the place of what was there.
    pub(crate) fn replace(&self, loaded: Loaded) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
    }
}
