//! What a component may do: a value that is made whole from a configuration,
//! and only ever becomes narrower.
//!
//! Nothing is granted unless it is named here. A component that another one
//! uses has [`Grants::narrowed`]: what both it and its user were granted, so
//! that no chain of calls adds up to more than its first member had.

use std::collections::BTreeSet;
use std::fmt;

mod http;

pub(crate) use http::Asked;
pub use http::{HttpGrant, NotAnHttpGrant, is_public};

/// What a component may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The models it may ask, by their aliases.
    pub models: BTreeSet<String>,
    /// The tools it may call.
    pub tools: BTreeSet<String>,
    /// Whether it may run programs.
    pub programs: bool,
    /// Whether it may keep notes of the conversation.
    pub memory: bool,
    /// The folders it sees.
    pub files: Vec<FileGrant>,
    /// The requests it may send.
    pub http: Vec<HttpGrant>,
    /// What the host adds to requests. No component ever sees the value.
    pub secrets: Vec<SecretGrant>,
}

/// A folder of the workspace that a component sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileGrant {
    /// The folder's path in the workspace, `/` between its parts; empty for
    /// all of the workspace.
    pub path: String,
    /// What may be done there.
    pub mode: Mode,
}

/// What may be done with files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// They may be read.
    Read,
    /// They may be read, written, made and removed.
    ReadWrite,
}

/// A secret that the host adds to requests to one host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretGrant {
    /// The name by which the host knows the value.
    pub name: String,
    /// The host that it is sent to, and to no other.
    pub host: String,
    /// The header that it is sent in.
    pub header: String,
}

impl Grants {
    /// What both this and the user of this component were granted.
    #[must_use]
    pub fn narrowed(&self, user: &Grants) -> Grants {
        let both =
            |a: &BTreeSet<String>, b: &BTreeSet<String>| a.intersection(b).cloned().collect();
        Grants {
            models: both(&self.models, &user.models),
            tools: both(&self.tools, &user.tools),
            programs: self.programs && user.programs,
            memory: self.memory && user.memory,
            files: pairs(&self.files, &user.files, FileGrant::both),
            http: pairs(&self.http, &user.http, HttpGrant::both),
            secrets: pairs(&self.secrets, &user.secrets, |a, b| (a == b).then(|| a.clone())),
        }
    }

    /// The grants in words, one each, as the journal has them.
    pub fn to_texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        texts.extend(self.models.iter().map(|model| format!("model {model}")));
        texts.extend(self.tools.iter().map(|tool| format!("tool {tool}")));
        texts.extend(self.programs.then(|| "programs".into()));
        texts.extend(self.memory.then(|| "memory".into()));
        texts.extend(self.files.iter().map(ToString::to_string));
        texts.extend(self.http.iter().map(ToString::to_string));
        texts.extend(self.secrets.iter().map(ToString::to_string));
        texts
    }
}

/// What any two of these have in common, each once.
fn pairs<T: Ord>(one: &[T], other: &[T], both: impl Fn(&T, &T) -> Option<T>) -> Vec<T> {
    let common: BTreeSet<T> =
        one.iter().flat_map(|a| other.iter().filter_map(|b| both(a, b))).collect();
    common.into_iter().collect()
}

impl FileGrant {
    /// Whether a path of the workspace is in this folder.
    pub fn holds(&self, path: &str) -> bool {
        let Self { path: folder, .. } = self;
        folder.is_empty()
            || path
                .strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The grant that a journal has in words.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (mode, path) = match text.strip_prefix("files ")?.split_once(' ')? {
            ("read", path) => (Mode::Read, path),
            ("read-write", path) => (Mode::ReadWrite, path),
            _ => return None,
        };
        Some(Self { path: if path == "." { "" } else { path }.into(), mode })
    }

    fn both(&self, other: &Self) -> Option<Self> {
        let path = if self.holds(&other.path) {
            &other.path
        } else if other.holds(&self.path) {
            &self.path
        } else {
            return None;
        };
        Some(Self { path: path.clone(), mode: self.mode.min(other.mode) })
    }
}

impl fmt::Display for FileGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Read => "read",
            Mode::ReadWrite => "read-write",
        };
        let path = if self.path.is_empty() { "." } else { &self.path };
        write!(f, "files {mode} {path}")
    }
}

impl fmt::Display for SecretGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret {} to {} as {}", self.name, self.host, self.header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, mode: Mode) -> FileGrant {
        FileGrant { path: path.into(), mode }
    }

    #[test]
    fn a_folder_holds_what_is_below_it() {
        let work = file("work", Mode::Read);
        for (path, held) in [("work", true), ("work/a", true), ("works", false), ("", false)] {
            assert_eq!(work.holds(path), held, "{path}");
        }
        assert!(file("", Mode::Read).holds("anything"));
    }

    #[test]
    fn what_is_narrowed_is_never_wider() {
        let user = Grants {
            tools: ["files".into()].into(),
            files: vec![file("work", Mode::Read)],
            http: vec!["GET https://api.example.org/v1/**".parse().unwrap()],
            ..Grants::default()
        };
        let greedy = Grants {
            models: ["m".into()].into(),
            tools: ["files".into(), "shell".into()].into(),
            programs: true,
            memory: true,
            files: vec![file("", Mode::ReadWrite), file("work/deep", Mode::ReadWrite)],
            http: vec!["* https://**".parse().unwrap()],
            secrets: vec![SecretGrant { name: "S".into(), host: "h".into(), header: "x".into() }],
        };
        let narrowed = greedy.narrowed(&user);
        let expected = [
            "tool files",
            "files read work",
            "files read work/deep",
            "http GET https://api.example.org/v1/**",
        ];
        assert_eq!(narrowed.to_texts(), expected);
        assert_eq!(narrowed.narrowed(&user), narrowed);
        assert_eq!(greedy.narrowed(&Grants::default()), Grants::default());
    }
}
