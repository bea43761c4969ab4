//! `[serve]`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::units::{Bytes, Time};

/// The server: the review page, the API and the bots.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServeTable {
    /// Where it listens; on this machine only, unless told otherwise.
    pub(crate) listen: SocketAddr,
    /// The names under which it is asked, beside those of this machine itself.
    pub(crate) hosts: Vec<String>,
    /// The agents that clients can choose from; those of `[chats]`, if left out.
    pub(crate) agents: Option<Vec<Spanned<String>>>,
    /// The bots that run with it.
    pub(crate) bots: Vec<Bot>,
    /// The folder of the evaluations, relative to the configuration's folder.
    pub(crate) runs: PathBuf,
    /// Data sets that clients can have evaluated, beside those that June knows: files by their
    /// names, relative to the configuration's folder.
    pub(crate) datasets: BTreeMap<String, PathBuf>,
    /// The requests a second that each client may send.
    pub(crate) rate: u32,
    /// The connections that may be open at once.
    pub(crate) connections: usize,
    /// The longest body of a request.
    body: Bytes,
    /// How long requests may take once the server is told to stop.
    grace: Time,
}

/// A bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Bot {
    Telegram,
    Discord,
}

impl Bot {
    /// The platform's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Bot::Telegram => "telegram",
            Bot::Discord => "discord",
        }
    }
}

impl Default for ServeTable {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 7878).into(),
            hosts: Vec::new(),
            agents: None,
            bots: Vec::new(),
            runs: "runs".into(),
            datasets: BTreeMap::new(),
            rate: 100,
            connections: 512,
            body: Bytes(25 << 20),
            grace: Time(Duration::from_secs(30)),
        }
    }
}

impl ServeTable {
    /// The longest body of a request, in bytes.
    pub(crate) fn body(&self) -> usize {
        usize::try_from(self.body.0).unwrap_or(usize::MAX)
    }

    /// How long requests may take once the server is told to stop.
    pub(crate) fn grace(&self) -> Duration {
        self.grace.0
    }
}
