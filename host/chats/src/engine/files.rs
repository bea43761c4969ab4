//! Files that come with a message.

use std::collections::BTreeSet;

use super::{Parts, words};
use crate::store::Turn;
use crate::{Attachment, File, Passed, Stage};

/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 100;

impl Parts {
    /// Fetches the files of a message; or says why it does not.
    pub(super) async fn files(&self, turn: &Turn) -> Result<Vec<File>, String> {
        let attachments = &turn.incoming.files;
        if attachments.len() > self.settings.files {
            return Err(words::too_many_files(self.settings.files));
        }
        let most = self.settings.bytes.min(self.platform.limits().download);
        let mut left = most;
        let mut files: Vec<File> = Vec::new();
        let mut names = BTreeSet::new();
        for attachment in attachments {
            let name = unique(clean(&attachment.name), &mut names);
            if attachment.bytes.is_some_and(|bytes| bytes > left) {
                return Err(words::too_large(&name, most));
            }
            let bytes = self.fetch(turn, attachment, left).await;
            let bytes = bytes.map_err(|error| words::no_file(&name, &error))?;
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            left = left.checked_sub(size).ok_or_else(|| words::too_large(&name, most))?;
            files.push(File { name, bytes });
        }
        Ok(files)
    }

    /// Downloads a file; or says why it cannot.
    pub(super) async fn fetch(
        &self,
        turn: &Turn,
        attachment: &Attachment,
        most: u64,
    ) -> Result<bytes::Bytes, String> {
        let span = self.span(&turn.incoming.chat, turn.number, Stage::Download);
        let fetched = self.platform.download(attachment, most).await;
        let fetched = fetched.map_err(|error| error.to_string());
        span.end(|| fetched.as_ref().map(|it| Passed::bytes(it)).map_err(Clone::clone));
        fetched
    }
}

/// A name that is no path and shows what it is.
fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '`' | '"' | ':' | '*' | '?' | '<' | '>' | '|')
    };
    let name: String = last.chars().filter(visible).collect();
    let name = name.trim().trim_start_matches('.').trim_end_matches(['.', ' ']);
    if name.is_empty() {
        return "file".into();
    }
    if name.len() <= LONGEST_NAME {
        return name.into();
    }
    // The ending says what it is.
    let ending = name.rfind('.').and_then(|at| name.get(at..)).filter(|it| it.len() <= 12);
    let ending = ending.unwrap_or_default();
    let room = name.floor_char_boundary(LONGEST_NAME - ending.len());
    format!("{}{ending}", name.get(..room).unwrap_or_default())
}

/// A name that no other file of the message has.
fn unique(name: String, names: &mut BTreeSet<String>) -> String {
    let mut candidate = name.clone();
    let mut count = 2;
    while !names.insert(candidate.to_lowercase()) {
        let (stem, ending) = match name.rfind('.').filter(|at| *at > 0) {
            Some(at) => name.split_at_checked(at).unwrap_or((&name, "")),
            None => (name.as_str(), ""),
        };
        let stem = stem.get(..stem.floor_char_boundary(LONGEST_NAME - 16)).unwrap_or(stem);
        candidate = format!("{stem} ({count}){ending}");
        count += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(clean("../../etc/passwd"), "passwd");
        assert_eq!(clean("C:\\Windows\\win.ini"), "win.ini");
        assert_eq!(clean("..\u{0}.bashrc"), "bashrc");
        assert_eq!(clean("/"), "file");
        assert_eq!(clean("photo\u{202e}gpj.exe"), "photogpj.exe");
        let long = clean(&format!("{}.tar.gz", "ä".repeat(200)));
        assert!(long.len() <= LONGEST_NAME && long.ends_with("ä.gz"), "{long}");
    }

    #[test]
    fn two_files_never_share_a_name() {
        let mut names = BTreeSet::new();
        let all: Vec<_> =
            ["a.txt", "A.txt", "a.txt"].map(|name| unique(name.into(), &mut names)).into();
        assert_eq!(all, ["a.txt", "A (2).txt", "a (3).txt"]);
    }
}
