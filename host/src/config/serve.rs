//! `[serve]`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::units::{Bytes, Time};
use crate::log;

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
    /// How it writes what it says on standard error.
    pub(crate) log: log::Format,
    /// The collector that traces are sent to; none, if left out.
    pub(crate) traces: Option<TracesTable>,
}

/// A collector of OpenTelemetry.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TracesTable {
    /// Its address, before `/v1/traces`.
    pub(crate) url: String,
    /// Headers to send, each with the environment variable that holds its value.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The share of the traces that are sent, 0 to 1.
    #[serde(default = "all", deserialize_with = "share")]
    pub(crate) share: f64,
}

fn all() -> f64 {
    1.0
}

fn share<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(deserializer)?;
    match (0.0..=1.0).contains(&share) {
        true => Ok(share),
        false => Err(serde::de::Error::custom(format!("{share} is no share: it is from 0 to 1"))),
    }
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
            log: log::Format::default(),
            traces: None,
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
