//! Grants, as a configuration writes them.

use std::collections::BTreeSet;
use std::str::FromStr;

use june_sandbox::Grants;
use june_sandbox::grants::{FileGrant, HttpGrant, Mode, SecretGrant};
use serde::de::{Deserialize, Deserializer, Error};

/// `[agent.NAME.grants]`.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GrantsTable {
    files: Vec<File>,
    http: Vec<Request>,
    secrets: Vec<Secret>,
    programs: Option<bool>,
    memory: bool,
}

impl GrantsTable {
    /// The grants; models and tools are the agent's to add. Whoever has the tool `python` may run
    /// programs, unless it is said otherwise.
    pub(crate) fn into_grants(self, has_python: bool) -> Grants {
        Grants {
            files: self.files.into_iter().map(|file| file.0).collect(),
            http: self.http.into_iter().map(|request| request.0).collect(),
            secrets: self.secrets.into_iter().map(|secret| secret.0).collect(),
            programs: self.programs.unwrap_or(has_python),
            memory: self.memory,
            ..Grants::default()
        }
    }
}

/// `[tool.NAME.grants]`: what the tool is to have of what its agent has.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ToolGrantsTable {
    files: Ask<File>,
    http: Ask<Request>,
    secrets: Ask<Secret>,
    programs: bool,
    tools: Vec<String>,
}

/// All that the agent has, or these.
#[derive(Debug, Clone)]
pub(crate) enum Ask<T> {
    All,
    These(Vec<T>),
}

impl<T> Default for Ask<T> {
    fn default() -> Self {
        Ask::These(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ask<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged, expecting = "expected true, false or a list of grants")]
        enum Either {
            All(bool),
            These(Vec<toml::Value>),
        }
        match Either::deserialize(deserializer)? {
            Either::All(true) => Ok(Ask::All),
            Either::All(false) => Ok(Ask::default()),
            Either::These(values) => {
                let values = values.into_iter().map(|value| value.try_into::<T>());
                values.collect::<Result<_, _>>().map(Ask::These).map_err(D::Error::custom)
            }
        }
    }
}

impl<T> Ask<T> {
    fn of<U: Clone>(&self, all: &[U], inner: impl Fn(&T) -> U) -> Vec<U> {
        match self {
            Ask::All => all.to_vec(),
            Ask::These(these) => these.iter().map(inner).collect(),
        }
    }
}

impl ToolGrantsTable {
    /// What June's own tools ask for where nothing else is written.
    pub(crate) fn usual(tool: &str) -> Self {
        let none = Self::default();
        match tool {
            "files" => Self { files: Ask::All, ..none },
            "python" => Self { files: Ask::All, programs: true, ..none },
            "http" => Self { http: Ask::All, secrets: Ask::All, ..none },
            _ => none,
        }
    }

    /// What the tool has in the service of an agent.
    ///
    /// # Errors
    ///
    /// What it asks for and the agent does not have.
    pub(crate) fn of(&self, agent: &Grants) -> Result<Grants, Vec<String>> {
        let asked = self.asked(agent);
        let held = asked.narrowed(agent).to_texts();
        let missing: Vec<_> =
            asked.to_texts().into_iter().filter(|grant| !held.contains(grant)).collect();
        if missing.is_empty() { Ok(asked) } else { Err(missing) }
    }

    /// What the tool has in nobody's service: what is written here, and of all that an agent would
    /// have, nothing.
    pub(crate) fn alone(&self) -> Grants {
        Grants { tools: BTreeSet::new(), ..self.asked(&Grants::default()) }
    }

    fn asked(&self, agent: &Grants) -> Grants {
        Grants {
            files: self.files.of(&agent.files, |file| file.0.clone()),
            http: self.http.of(&agent.http, |request| request.0.clone()),
            secrets: self.secrets.of(&agent.secrets, |secret| secret.0.clone()),
            programs: self.programs,
            tools: self.tools.iter().cloned().collect(),
            ..Grants::default()
        }
    }
}

/// A folder: `{ path = "work", mode = "read-write" }`.
#[derive(Debug, Clone)]
pub(crate) struct File(FileGrant);

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Modes {
            Read,
            ReadWrite,
        }
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            path: Folder,
            mode: Modes,
        }
        let Table { path: Folder(path), mode } = Table::deserialize(deserializer)?;
        let mode = match mode {
            Modes::Read => Mode::Read,
            Modes::ReadWrite => Mode::ReadWrite,
        };
        Ok(File(FileGrant { path, mode }))
    }
}

/// A plain relative path; `.` for all.
#[derive(serde::Deserialize)]
#[serde(try_from = "String")]
struct Folder(String);

impl TryFrom<String> for Folder {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        let inside = path.trim_end_matches('/');
        let inside = inside.strip_prefix("./").unwrap_or(inside);
        let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
        match inside {
            "." => Ok(Folder(String::new())),
            _ if inside.split('/').all(plain) => Ok(Folder(inside.into())),
            _ => Err(format!(
                "`{path}` is no folder of the workspace: write a relative path without `..`"
            )),
        }
    }
}

/// A pattern of requests, or `{ request = "…", private = true }`.
#[derive(Debug, Clone)]
pub(crate) struct Request(HttpGrant);

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(
            untagged,
            deny_unknown_fields,
            expecting = "expected a pattern such as \"GET https://a.org/**\""
        )]
        enum Either {
            Text(String),
            Table {
                request: String,
                #[serde(default)]
                private: bool,
            },
        }
        let (text, private) = match Either::deserialize(deserializer)? {
            Either::Text(text) => (text, false),
            Either::Table { request, private } => (request, private),
        };
        let grant = HttpGrant::from_str(&text).map_err(D::Error::custom)?;
        Ok(Request(if private { grant.and_private() } else { grant }))
    }
}

/// A secret: `{ name = "TOKEN", host = "api.example.org", header = "Authorization" }`.
#[derive(Debug, Clone)]
pub(crate) struct Secret(SecretGrant);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            name: String,
            host: String,
            header: String,
        }
        let Table { name, host, header } = Table::deserialize(deserializer)?;
        let variable = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(variable) {
            return Err(D::Error::custom("a secret's name is that of an environment variable"));
        }
        if header.is_empty() || !header.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(D::Error::custom("a header's name has letters, digits and `-`"));
        }
        Ok(Secret(SecretGrant { name, host: host.to_ascii_lowercase(), header }))
    }
}
