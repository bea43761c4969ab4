//! A file's name on the hub.

use std::fmt;
use std::str::FromStr;

use super::HubError;

/// A file of a repository, written `OWNER/NAME/FILE` or `OWNER/NAME/FILE@REVISION`. The revision
/// is a branch, a tag or a commit, and `main` if left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `OWNER/NAME`.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// The file's path within the repository.
    pub file: String,
}

impl Reference {
    /// The file's name without its folders.
    pub fn name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or(&self.file)
    }
}

impl FromStr for Reference {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let wrong = || HubError::Reference(text.to_owned());
        let (path, revision) = text.rsplit_once('@').unwrap_or((text, "main"));
        let mut parts = path.splitn(3, '/');
        let (Some(owner), Some(name), Some(file)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let is_name = |part: &str| {
            let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            !part.is_empty() && !part.starts_with('.') && part.chars().all(fits)
        };
        let whole = [owner, name].into_iter().chain(file.split('/')).chain(revision.split('/'));
        if !whole.into_iter().all(is_name) {
            return Err(wrong());
        }
        Ok(Self {
            repository: format!("{owner}/{name}"),
            revision: revision.into(),
            file: file.into(),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.repository, self.file)?;
        if self.revision != "main" { write!(f, "@{}", self.revision) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_repository_and_path() {
        let read = |text: &str| text.parse::<Reference>();
        let file = read("Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf").unwrap();
        assert_eq!((file.revision.as_str(), file.name()), ("main", "Qwen3-0.6B-Q8_0.gguf"));
        let pinned = read("a/b/c/d.gguf@refs/pr/1").unwrap();
        assert_eq!((pinned.file.as_str(), pinned.revision.as_str()), ("c/d.gguf", "refs/pr/1"));
        assert_eq!(pinned.to_string(), "a/b/c/d.gguf@refs/pr/1");
        for wrong in [
            "",
            "a",
            "a/b",
            "a/b/",
            "a/../c",
            "a/b/../../c",
            "a/b/.c",
            "a/b/c?x",
            "/a/b/c",
            "a/b/c@",
            "a/b/c d",
            "a/b/c%2e",
            "a/b//c",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
