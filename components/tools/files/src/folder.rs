//! A folder, and what can be done in it. Each answer is text for a model, and bounded.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::edit;
use crate::glob;
use crate::lines::{numbered, short};

/// Entries listed at once.
const MOST_ENTRIES: usize = 500;

/// Lines found at once.
const MOST_FOUND: usize = 100;

/// Entries looked at in one call.
const MOST_VISITED: usize = 20_000;

/// The largest file that is read.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Folders to work in.
pub struct Folder {
    root: PathBuf,
    granted: Vec<String>,
}

/// What was done, or why it was not; in words for a model.
pub type Answer = Result<String, String>;

impl Folder {
    /// Paths are relative to `root`. Where `root` itself cannot be read, its entries are `granted`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, granted: Vec<String>) -> Self {
        Self { root: root.into(), granted }
    }

    /// The entries of a folder; with a glob, the files at any depth that match.
    ///
    /// # Errors
    ///
    /// There is no such folder.
    pub fn list(&self, path: &str, glob: Option<&str>) -> Answer {
        let path = tidy(path)?;
        let entries = match glob {
            Some(pattern) => {
                let mut files = self.walk(&path)?;
                files.retain(|file| glob::matches(pattern, below(&path, file)));
                files
            }
            None => {
                self.entries(&path)?.into_iter().map(|(name, kind)| name + kind.mark()).collect()
            }
        };
        if entries.is_empty() {
            return Ok("(nothing)".into());
        }
        let mut text = entries[..entries.len().min(MOST_ENTRIES)].join("\n");
        if entries.len() > MOST_ENTRIES {
            let _ = write!(text, "\n(and {} more)", entries.len() - MOST_ENTRIES);
        }
        Ok(text)
    }

    /// A file's lines, numbered.
    ///
    /// # Errors
    ///
    /// There is no such file, or it is no text.
    pub fn read(&self, path: &str, first: Option<usize>, last: Option<usize>) -> Answer {
        Ok(numbered(&self.text(&tidy(path)?)?, first, last))
    }

    /// Writes a file, and the folders that it is in.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, path: &str, content: &str) -> Answer {
        let path = tidy(path)?;
        let full = self.root.join(&path);
        let write = || {
            match fs::write(&full, content) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                written => return written,
            }
            if let Some(parent) = full.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&full, content)
        };
        write().map_err(|error| explained(&path, &error))?;
        Ok(format!("wrote {} lines to {path}", content.lines().count()))
    }

    /// Replaces a piece of a file that is there exactly once.
    ///
    /// # Errors
    ///
    /// The piece is not there, or more than once.
    pub fn edit(&self, path: &str, old: &str, new: &str) -> Answer {
        let path = tidy(path)?;
        let text = self.text(&path)?;
        let edited = edit::replace(&text, old, new)?;
        fs::write(self.root.join(&path), &edited).map_err(|error| explained(&path, &error))?;
        // Some lines around what is new, so that it need not be read again.
        let same = text.bytes().zip(edited.bytes()).take_while(|(old, new)| old == new).count();
        let line = edited.as_bytes()[..same].iter().filter(|byte| **byte == b'\n').count() + 1;
        let around =
            numbered(&edited, Some(line.saturating_sub(3)), Some(line + new.lines().count() + 2));
        Ok(format!("edited {path}:\n{around}"))
    }

    /// The lines that have a text in them, upper and lower case alike.
    ///
    /// # Errors
    ///
    /// There is no such file or folder.
    pub fn search(&self, path: &str, text: &str, glob: Option<&str>) -> Answer {
        if text.is_empty() {
            return Err("the text to look for is empty".into());
        }
        let path = tidy(path)?;
        let wanted = text.to_lowercase();
        let (mut found, mut count) = (String::new(), 0);
        for file in self.walk(&path)? {
            if glob.is_some_and(|pattern| !glob::matches(pattern, below(&path, &file))) {
                continue;
            }
            let Ok(content) = self.text(&file) else { continue };
            for (index, line) in content.lines().enumerate() {
                if !line.to_lowercase().contains(&wanted) {
                    continue;
                }
                count += 1;
                if count > MOST_FOUND {
                    found.push_str("(and more: search for something rarer)");
                    return Ok(found);
                }
                let _ = writeln!(found, "{file}:{}: {}", index + 1, short(line.trim()));
            }
        }
        Ok(if found.is_empty() { "(not found)".into() } else { found })
    }

    fn text(&self, path: &str) -> Answer {
        let full = self.root.join(path);
        let read = || {
            let about = fs::metadata(&full)?;
            if about.is_dir() {
                return Err(io::Error::other("it is a folder: list it"));
            }
            if about.len() > LARGEST {
                return Err(io::Error::other("it is larger than 4 MiB"));
            }
            fs::read(&full)
        };
        let bytes = read().map_err(|error| explained(path, &error))?;
        String::from_utf8(bytes).map_err(|_| format!("{path}: it is no text in UTF-8"))
    }

    /// All files in a folder (or the file itself), by name. What begins with a dot is left out.
    fn walk(&self, path: &str) -> Result<Vec<String>, String> {
        let full = self.root.join(path);
        if fs::metadata(&full).is_ok_and(|about| about.is_file()) {
            return Ok(vec![path.into()]);
        }
        let mut files = Vec::new();
        let mut folders = vec![path.to_owned()];
        let mut visited = 0;
        while let Some(folder) = folders.pop() {
            let entries = match self.entries(&folder) {
                Err(error) if folder == path => return Err(error),
                entries => entries.unwrap_or_default(),
            };
            for (name, kind) in entries {
                visited += 1;
                if visited > MOST_VISITED {
                    return Err(format!("{path}: more than {MOST_VISITED} files: name a folder"));
                }
                let below = if folder == "." { name.clone() } else { format!("{folder}/{name}") };
                match kind {
                    _ if name.starts_with('.') => {}
                    Kind::Folder => folders.push(below),
                    Kind::File => files.push(below),
                    Kind::Other => {}
                }
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    fn entries(&self, path: &str) -> Result<Vec<(String, Kind)>, String> {
        let read = || -> io::Result<_> {
            let mut entries = Vec::new();
            for entry in fs::read_dir(self.root.join(path))? {
                let entry = entry?;
                let kind = entry.file_type()?;
                let kind = if kind.is_dir() {
                    Kind::Folder
                } else if kind.is_file() {
                    Kind::File
                } else {
                    Kind::Other
                };
                entries.push((entry.file_name().to_string_lossy().into_owned(), kind));
            }
            entries.sort_unstable();
            Ok(entries)
        };
        match read() {
            Ok(entries) => Ok(entries),
            Err(_) if path == "." && !self.granted.is_empty() => {
                let names = self.granted.iter().map(|path| path.trim_matches('/').to_owned());
                Ok(names.map(|name| (name, Kind::Folder)).collect())
            }
            Err(error) => Err(explained(path, &error)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Folder,
    File,
    Other,
}

impl Kind {
    fn mark(self) -> &'static str {
        if self == Self::Folder { "/" } else { "" }
    }
}

/// A path without what is superfluous. The sandbox guards the folder; this is for a clear message.
fn tidy(path: &str) -> Result<String, String> {
    let names: Vec<_> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    if names.contains(&"..") {
        return Err(format!("{path}: a path cannot go up with `..`"));
    }
    Ok(if names.is_empty() { ".".into() } else { names.join("/") })
}

/// A file's path as seen from a folder above it.
fn below<'a>(folder: &str, file: &'a str) -> &'a str {
    file.strip_prefix(folder).map_or(file, |rest| rest.trim_start_matches('/'))
}

fn explained(path: &str, error: &io::Error) -> String {
    let why = match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".into(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "the agent's grants do not allow it".into()
        }
        ErrorKind::IsADirectory => "it is a folder".into(),
        ErrorKind::NotADirectory => "a part of the path is a file".into(),
        _ => error.to_string(),
    };
    format!("{path}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path(), Vec::new());
        folder.write("src/main.py", "import sys\nprint('Hello')\n").unwrap();
        folder.write("src/deep/other.py", "# hello\n").unwrap();
        folder.write("notes.txt", "Hello, you\n").unwrap();
        folder.write(".hidden/x.py", "hello\n").unwrap();
        (place, folder)
    }

    #[test]
    fn lists_a_folder() {
        let (_place, folder) = folder();
        assert_eq!(folder.list(".", None).unwrap(), ".hidden/\nnotes.txt\nsrc/");
        assert_eq!(folder.list("/src/", None).unwrap(), "deep/\nmain.py");
        assert_eq!(folder.list(".", Some("*.py")).unwrap(), "src/deep/other.py\nsrc/main.py");
        assert_eq!(folder.list("src", Some("deep/*")).unwrap(), "src/deep/other.py");
        assert!(folder.list("nowhere", None).unwrap_err().contains("no such"));
    }

    #[test]
    fn lists_what_is_granted_where_the_root_is_not() {
        let folder = Folder::new("/nowhere", vec!["/work".into(), "/data/in".into()]);
        assert_eq!(folder.list(".", None).unwrap(), "work/\ndata/in/");
        assert!(folder.list("work", None).is_err());
    }

    #[test]
    fn reads_writes_and_edits() {
        let (place, folder) = folder();
        assert_eq!(folder.read("notes.txt", None, None).unwrap(), "    1  Hello, you\n");
        let edited = folder.edit("src/main.py", "'Hello'", "'Bye'").unwrap();
        assert_eq!(edited, "edited src/main.py:\n    1  import sys\n    2  print('Bye')\n");
        let text = fs::read_to_string(place.path().join("src/main.py")).unwrap();
        assert_eq!(text, "import sys\nprint('Bye')\n");
        assert!(folder.read("src", None, None).unwrap_err().contains("list it"));
        assert!(folder.read("../x", None, None).unwrap_err().contains("go up"));
        assert!(folder.edit("notes.txt", "Bye", "x").unwrap_err().contains("not in the file"));
        fs::write(place.path().join("binary"), [0xff, 0xfe]).unwrap();
        assert!(folder.read("binary", None, None).unwrap_err().contains("no text"));
    }

    #[test]
    fn searches_lines() {
        let (_place, folder) = folder();
        let all = "notes.txt:1: Hello, you\nsrc/deep/other.py:1: # hello\nsrc/main.py:2: print('Hello')\n";
        assert_eq!(folder.search(".", "HELLO", None).unwrap(), all);
        assert_eq!(
            folder.search("src", "hello", Some("main.*")).unwrap(),
            "src/main.py:2: print('Hello')\n"
        );
        assert_eq!(folder.search("notes.txt", "you", None).unwrap(), "notes.txt:1: Hello, you\n");
        assert_eq!(folder.search(".", "nobody", None).unwrap(), "(not found)");
        folder.write("many.txt", &"hello\n".repeat(200)).unwrap();
        let many = folder.search("many.txt", "hello", None).unwrap();
        assert_eq!(many.lines().count(), 101);
    }
}
