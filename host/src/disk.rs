//! Between a folder on disk and a component's private copy of it.
//!
//! Only what lies within the folder is ever read or written: paths are resolved by the operating
//! system from the folder's own handle (cap-std), and links are not followed. Hidden files, and
//! what `.gitignore` leaves out, are not copied, so that no agent sees a `.env` that nobody thought
//! of.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use ignore::WalkBuilder;
use june_sandbox::Tree;
use june_sandbox::grants::FileGrant;
use june_sandbox::workspace::{Change, Entry};
use similar::TextDiff;

use crate::words::neutral;

/// Copies the granted folders. A folder that is not there is empty.
pub(crate) fn load(root: &Path, grants: &[FileGrant], limit: usize) -> Result<Tree> {
    let mut tree = Tree::default();
    if grants.is_empty() {
        return Ok(tree);
    }
    let cannot = || format!("cannot read the folder {}", root.display());
    let root = root.canonicalize().with_context(cannot)?;
    let dir = Dir::open_ambient_dir(&root, ambient_authority()).with_context(cannot)?;
    for grant in grants {
        let folder = root.join(&grant.path);
        // A link on the way to the folder would lead the walk out of it.
        if !folder.exists() || folder.canonicalize().with_context(cannot)? != folder {
            tree.insert(&grant.path, Entry::Folder)?;
            continue;
        }
        for found in WalkBuilder::new(&folder).follow_links(false).require_git(false).build() {
            let found = found.with_context(cannot)?;
            let path = found.path().strip_prefix(&root).with_context(cannot)?;
            let Some(name) = path.to_str() else {
                eprintln!("june: left out {}: its name is not UTF-8", path.display());
                continue;
            };
            let kind = found.file_type();
            if kind.is_some_and(|kind| kind.is_dir()) {
                tree.insert(name, Entry::Folder)?;
            } else if kind.is_some_and(|kind| kind.is_file()) {
                let content = read(&dir, path, limit.saturating_sub(tree.bytes()))
                    .with_context(|| format!("cannot read {}", found.path().display()))?;
                tree.insert(name, Entry::file(content))?;
            }
        }
    }
    Ok(tree)
}

fn read(dir: &Dir, path: &Path, room: usize) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    dir.open(path)?.take(room as u64 + 1).read_to_end(&mut content)?;
    if content.len() > room {
        bail!(
            "the granted folders have more than the limit `files` allows\nhint: grant a smaller folder, or raise `files` in the agent's limits"
        );
    }
    Ok(content)
}

/// What became of the changes.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) done: usize,
    /// Paths that were left alone, and why.
    pub(crate) refused: Vec<(String, String)>,
}

/// Applies changes to the folder they were made from. A file that has changed on disk since it was
/// copied is left as it is.
pub(crate) fn apply(root: &Path, changes: &[Change]) -> Result<Applied> {
    let cannot = || format!("cannot write to the folder {}", root.display());
    let dir = Dir::open_ambient_dir(root, ambient_authority()).with_context(cannot)?;
    let mut applied = Applied::default();
    // What is removed goes first, a folder's content before the folder; what is made, the folder
    // before its content.
    let removed = changes.iter().rev().filter(|change| change.after.is_none());
    let made = changes.iter().filter(|change| change.after.is_some());
    for change in removed.chain(made) {
        match apply_one(&dir, change) {
            Ok(()) => applied.done += 1,
            Err(error) => applied.refused.push((change.path.clone(), error.to_string())),
        }
    }
    Ok(applied)
}

fn apply_one(dir: &Dir, change: &Change) -> Result<()> {
    let path = Path::new(&change.path);
    if change.path.split('/').any(|part| part.starts_with('.') && part != "..") {
        bail!("hidden files are not an agent's to change");
    }
    match (on_disk(dir, path)?, &change.before) {
        (found, before) if found == *before => {}
        (Some(_), None) => bail!("there is one on disk that the agent was not shown"),
        _ => bail!("it changed on disk meanwhile"),
    }
    if let (Some(before), Some(after)) = (&change.before, &change.after)
        && matches!(before, Entry::Folder) != matches!(after, Entry::Folder)
    {
        remove(dir, path, before)?;
    }
    match (&change.before, &change.after) {
        (_, Some(Entry::Folder)) => dir.create_dir_all(path)?,
        (_, Some(Entry::File(content))) => replace(dir, path, content)?,
        (Some(before), None) => remove(dir, path, before)?,
        (None, None) => {}
    }
    Ok(())
}

fn remove(dir: &Dir, path: &Path, entry: &Entry) -> io::Result<()> {
    match entry {
        Entry::Folder => dir.remove_dir(path),
        Entry::File(_) => dir.remove_file(path),
    }
}

fn on_disk(dir: &Dir, path: &Path) -> Result<Option<Entry>> {
    let metadata = match dir.symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata?,
    };
    if metadata.is_dir() {
        return Ok(Some(Entry::Folder));
    }
    if !metadata.is_file() {
        bail!("it is neither a file nor a folder");
    }
    Ok(Some(Entry::file(dir.read(path)?)))
}

/// Writes a file so that nobody ever sees a part of it.
fn replace(dir: &Dir, path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        dir.create_dir_all(folder)?;
    }
    let temporary = path.with_file_name(format!(
        ".{}.june-{}",
        path.file_name().unwrap_or_default().to_string_lossy(),
        std::process::id()
    ));
    let written = (|| {
        let mut file =
            dir.open_with(&temporary, OpenOptions::new().write(true).create_new(true))?;
        file.write_all(content)?;
        if let Ok(old) = dir.metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.sync_all()?;
        dir.rename(&temporary, dir, path)
    })();
    if written.is_err() {
        let _ = dir.remove_file(&temporary);
    }
    Ok(written?)
}

/// The changes as a diff that a person reads, or `patch` does.
pub(crate) fn diff(changes: &[Change]) -> String {
    let mut text = String::new();
    for Change { path, before, after } in changes {
        let path = neutral(path, false);
        match (before, after) {
            (_, Some(Entry::Folder)) => {
                let _ = writeln!(text, "new folder {path}");
            }
            (Some(Entry::Folder), None) => {
                let _ = writeln!(text, "removed folder {path}");
            }
            _ => {
                let (old, new) = (content(before.as_ref()), content(after.as_ref()));
                let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(new))
                else {
                    let _ = writeln!(
                        text,
                        "binary file {path}: {} bytes, then {}",
                        old.len(),
                        new.len()
                    );
                    continue;
                };
                let name = |entry: &Option<Entry>, side: &str| match entry {
                    Some(_) => format!("{side}/{path}"),
                    None => "/dev/null".into(),
                };
                let diff = TextDiff::from_lines(old, new);
                let unified =
                    diff.unified_diff().header(&name(before, "a"), &name(after, "b")).to_string();
                text.push_str(&neutral(&unified, true));
            }
        }
    }
    text
}

fn content(entry: Option<&Entry>) -> &[u8] {
    match entry {
        Some(Entry::File(content)) => content,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use june_sandbox::grants::Mode;

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn all() -> Vec<FileGrant> {
        vec![FileGrant { path: String::new(), mode: Mode::ReadWrite }]
    }

    #[test]
    fn a_copy_has_what_was_granted_and_nothing_that_a_link_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("work/deep")).unwrap();
        fs::write(folder.path().join("secret"), "s").unwrap();
        fs::write(root.join("work/a.txt"), "a").unwrap();
        fs::write(root.join("work/.env"), "KEY=1").unwrap();
        fs::write(root.join(".gitignore"), "*.log\n").unwrap();
        fs::write(root.join("work/x.log"), "log").unwrap();
        fs::write(root.join("other"), "o").unwrap();
        symlink("../../secret", root.join("work/link")).unwrap();
        symlink("..", root.join("up")).unwrap();

        let grants = |path: &str| vec![FileGrant { path: path.into(), mode: Mode::Read }];
        let tree = load(&root, &grants("work"), LIMIT).unwrap();
        let paths: Vec<_> = tree.entries().map(|(path, _)| path).collect();
        assert_eq!(paths, ["work", "work/a.txt", "work/deep"]);
        // A folder that is a link is not followed either.
        let tree = load(&root, &grants("up"), LIMIT).unwrap();
        assert_eq!(tree.entries().count(), 1);
        let error = load(&root, &all(), 1).unwrap_err();
        assert!(format!("{error:#}").contains("more than the limit"), "{error:#}");
    }

    #[test]
    fn changes_are_applied_unless_the_disk_changed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["edited", "removed", "raced"] {
            fs::write(root.join(name), "old\n").unwrap();
        }
        let before = load(root, &all(), LIMIT).unwrap();
        let mut after = Tree::default();
        for (path, content) in [("edited", "new\n"), ("raced", "new\n"), ("sub/made", "new\n")] {
            after.insert(path, Entry::file(content)).unwrap();
        }
        let changes = before.changes(&after);
        let told = diff(&changes);
        assert!(told.contains("--- a/edited\n+++ b/edited\n@@ -1 +1 @@\n-old\n+new\n"), "{told}");
        assert!(told.contains("--- /dev/null\n+++ b/sub/made\n"), "{told}");

        fs::write(root.join("raced"), "mine\n").unwrap();
        let applied = apply(root, &changes).unwrap();
        assert_eq!(applied.refused.len(), 1, "{applied:?}");
        assert_eq!(fs::read_to_string(root.join("raced")).unwrap(), "mine\n");
        assert_eq!(fs::read_to_string(root.join("edited")).unwrap(), "new\n");
        assert_eq!(fs::read_to_string(root.join("sub/made")).unwrap(), "new\n");
        assert!(!root.join("removed").exists());
    }

    #[test]
    fn hidden_files_are_not_an_agents_to_change() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".git/hooks")).unwrap();
        for path in [".git/hooks/post-commit", "work/.env", ".bashrc"] {
            let change = Change { path: path.into(), before: None, after: Some(Entry::file("x")) };
            let applied = apply(folder.path(), &[change]).unwrap();
            assert_eq!(applied.done, 0, "{path}");
            assert!(!folder.path().join(path).exists());
        }
    }

    #[test]
    fn no_change_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        symlink("..", root.join("up")).unwrap();
        for path in ["../out", "up/out"] {
            let change = Change { path: path.into(), before: None, after: Some(Entry::file("x")) };
            let applied = apply(&root, &[change]).unwrap();
            assert_eq!(applied.done, 0, "{path}");
        }
        assert!(!folder.path().join("out").exists());
    }
}
