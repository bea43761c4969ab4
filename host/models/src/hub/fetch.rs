//! Fetching a file, from where an earlier attempt left off.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::{Found, Hub, HubError, Reference, text};

/// How often a connection that breaks off is made anew before that is told.
const ATTEMPTS: u32 = 5;

impl Hub {
    /// Fetches a file that was found. Nothing is at `to` before all of it is there and has the
    /// right SHA-256; what came of it until then is kept beside it, and is not fetched again.
    /// `progress` is told how many bytes are there.
    ///
    /// # Errors
    ///
    /// When the file cannot be fetched or kept, or is not the one that was found.
    pub async fn fetch(
        &self,
        reference: &Reference,
        found: &Found,
        to: &Path,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), HubError> {
        let mut part = Part::open(to, found)?;
        progress(part.length);
        let mut attempt = 1;
        while part.length < found.size {
            let before = part.length;
            match self.fetch_more(reference, found, &mut part, progress).await {
                Ok(()) => {}
                Err(HubError::Unavailable(..)) if attempt < ATTEMPTS => {
                    // Some progress is a reason to go on.
                    attempt = if part.length > before { 1 } else { attempt + 1 };
                    tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
                }
                Err(error) => return Err(error),
            }
        }
        part.keep(reference, found, to)
    }

    async fn fetch_more(
        &self,
        reference: &Reference,
        found: &Found,
        part: &mut Part,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), HubError> {
        let mut request = self.request(&self.fetching, Method::GET, self.url(reference));
        if part.length > 0 {
            request = request.header(RANGE, format!("bytes={}-", part.length));
        }
        let answer = request.send().await.map_err(|error| self.unavailable(&error))?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = text(answer.headers(), CONTENT_RANGE.as_str()).unwrap_or_default();
                if !range.starts_with(&format!("bytes {}-", part.length)) {
                    return Err(HubError::Protocol(self.host(), "sends another part than asked"));
                }
            }
            // All of it, whatever was asked.
            StatusCode::OK => part.restart()?,
            status => return Err(self.refused(status, reference)),
        }
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| self.unavailable(&error))?;
            if part.length + chunk.len() as u64 > found.size {
                return Err(HubError::Protocol(self.host(), "sends more than the file has"));
            }
            part.add(&chunk)?;
            progress(part.length);
        }
        if part.length < found.size {
            let why = "broke off".to_owned();
            return Err(HubError::Unavailable(self.host(), why));
        }
        Ok(())
    }
}

/// What is there of a file. Nobody else writes to it meanwhile.
struct Part {
    path: PathBuf,
    file: File,
    length: u64,
    digest: Sha256,
}

impl Part {
    fn open(to: &Path, found: &Found) -> Result<Part, HubError> {
        // Another version of the file is another part.
        let start = found.sha256.get(..12).unwrap_or_default();
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{start}.part"));
        let path = to.with_file_name(name);
        let failed = |source| HubError::Io { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let options =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let mut file = options.open(&path).map_err(failed)?;
        if file.try_lock().is_err() {
            return Err(HubError::Busy(to.into()));
        }
        let (mut digest, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => break,
                count => {
                    digest.update(&buffer[..count]);
                    length += count as u64;
                }
            }
        }
        let mut part = Part { path, file, length, digest };
        if part.length > found.size {
            part.restart()?;
        }
        Ok(part)
    }

    fn restart(&mut self) -> Result<(), HubError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map_err(|source| self.failed(source))?;
        (self.length, self.digest) = (0, Sha256::new());
        Ok(())
    }

    fn add(&mut self, chunk: &[u8]) -> Result<(), HubError> {
        self.file.write_all(chunk).map_err(|source| self.failed(source))?;
        self.digest.update(chunk);
        self.length += chunk.len() as u64;
        Ok(())
    }

    /// The file is whole: checks it, and puts it in its place.
    fn keep(self, reference: &Reference, found: &Found, to: &Path) -> Result<(), HubError> {
        let sha256: String =
            self.digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if sha256 != found.sha256 {
            fs::remove_file(&self.path).map_err(|source| self.failed(source))?;
            let (file, wanted) = (reference.to_string(), found.sha256.clone());
            return Err(HubError::Damaged { file, found: sha256, wanted });
        }
        let kept = self.file.sync_all().and_then(|()| fs::rename(&self.path, to));
        kept.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> HubError {
        HubError::Io { path: self.path.clone(), source }
    }
}
