//! The model repository extension of the KServe protocol, as Triton has it.
//!
//! An HTTP status says little there: an unload is answered with 200 while it goes on, and for
//! models that do not exist; a failed load with 400 or 500; and a load that hangs is not answered
//! at all. So what counts is the state that the server's index shows, which is polled until it is
//! the one that was asked for.

use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::triton::error::TritonError;
use crate::triton::server::{Server, Settings};
use crate::words::quoted;

/// A server's model repository. What changes it is done one at a time.
#[derive(Debug)]
pub struct Repository {
    server: Server,
    changing: Mutex<()>,
}

/// A model of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its version, where it was loaded once.
    #[serde(default)]
    pub version: Option<String>,
    /// Its state.
    #[serde(default)]
    pub state: State,
    /// Why it is unavailable, in the server's words.
    #[serde(default)]
    pub reason: String,
}

/// What a server does with a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It was never loaded.
    #[default]
    #[serde(rename = "")]
    Unloaded,
    /// It can be asked.
    Ready,
    /// It is being loaded.
    Loading,
    /// It is being unloaded; it still answers what it was asked before.
    Unloading,
    /// It was unloaded, or could not be loaded.
    Unavailable,
    /// A state that June does not know.
    #[serde(other)]
    Unknown,
}

impl Repository {
    /// The repository of a server. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`TritonError::Settings`].
    pub fn new(settings: &Settings) -> Result<Repository, TritonError> {
        Ok(Repository { server: Server::new(settings)?, changing: Mutex::new(()) })
    }

    /// All models, by name and version.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or has no such interface.
    pub async fn list(&self) -> Result<Vec<Entry>, TritonError> {
        let path = ["repository", "index"];
        let replied = self.server.ask_quickly(Method::POST, &path).await?;
        let failed = |reason: String| TritonError::Failed {
            server: self.server.name.clone(),
            what: "list its models".to_owned(),
            reason,
            hint: "check that the address is that of Triton's HTTP port",
        };
        if replied.status != StatusCode::OK {
            return Err(failed(replied.reason()));
        }
        let mut entries: Vec<Entry> = serde_json::from_str(&replied.body)
            .map_err(|_| failed(format!("its list is none: {}", quoted(&replied.body, 100))))?;
        entries.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
        Ok(entries)
    }

    /// What the server does with a model; of several versions, the one furthest on the way to
    /// being ready.
    ///
    /// # Errors
    ///
    /// As [`list`](Repository::list), or [`TritonError::Unknown`].
    pub async fn status(&self, model: &str) -> Result<Entry, TritonError> {
        let entries = self.list().await?;
        let mut named: Vec<&Entry> = entries.iter().filter(|entry| entry.name == model).collect();
        named.sort_by_key(|entry| match entry.state {
            State::Ready => 0,
            State::Loading => 1,
            State::Unloading => 2,
            State::Unavailable | State::Unknown => 3,
            State::Unloaded => 4,
        });
        if let Some(entry) = named.first() {
            return Ok((*entry).clone());
        }
        let mut names: Vec<String> = entries.iter().map(|entry| quoted(&entry.name, 64)).collect();
        names.dedup();
        names.truncate(20);
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let (server, model) = (self.server.name.clone(), model.to_owned());
        Err(TritonError::Unknown { server, model, there })
    }

    /// Whether a model can be asked now. A model that is not there cannot.
    ///
    /// # Errors
    ///
    /// The server cannot be reached.
    pub async fn ready(&self, model: &str) -> Result<bool, TritonError> {
        let path = ["models", model, "ready"];
        Ok(self.server.ask_quickly(Method::GET, &path).await?.status == StatusCode::OK)
    }

    /// Loads a model, again if it is loaded, and returns when it can be asked.
    ///
    /// # Errors
    ///
    /// As [`status`](Repository::status); [`TritonError::Failed`] with the server's reason; or
    /// [`TritonError::TooSlow`].
    pub async fn load(&self, model: &str) -> Result<(), TritonError> {
        let _one = self.changing.lock().await;
        self.load_now(model).await
    }

    /// Unloads a model, and returns when that is done. What is unloaded already stays so.
    ///
    /// # Errors
    ///
    /// As [`load`](Repository::load).
    pub async fn unload(&self, model: &str) -> Result<(), TritonError> {
        let _one = self.changing.lock().await;
        self.status(model).await?;
        self.unload_now(model).await
    }

    /// Makes a model the only one: unloads the others, one after the other, and then loads it if
    /// it is not ready.
    ///
    /// # Errors
    ///
    /// As [`load`](Repository::load). The server may be left without a model then.
    pub async fn switch(&self, model: &str) -> Result<(), TritonError> {
        let _one = self.changing.lock().await;
        let wanted = self.status(model).await?;
        for entry in self.list().await? {
            let busy = matches!(entry.state, State::Ready | State::Loading | State::Unloading);
            if busy && entry.name != model {
                self.unload_now(&entry.name).await?;
            }
        }
        if wanted.state == State::Ready { Ok(()) } else { self.load_now(model).await }
    }

    async fn load_now(&self, model: &str) -> Result<(), TritonError> {
        let limit = self.server.deadlines.load;
        let until = Instant::now() + limit;
        self.status(model).await?;
        let what = format!("load {}", quoted(model, 64));
        let hint = "look at its log; a load that hangs ends with the server, so start that anew";
        self.post(model, "load", &what, limit, until, hint).await?;
        loop {
            match self.look(model).await? {
                Some(Entry { state: State::Ready, .. }) => return Ok(()),
                Some(Entry { state: State::Unavailable, reason, .. }) => {
                    return Err(self.failed(&what, quoted(&reason, 600)));
                }
                _ => self.wait(&what, limit, until, hint).await?,
            }
        }
    }

    async fn unload_now(&self, model: &str) -> Result<(), TritonError> {
        let limit = self.server.deadlines.unload;
        let until = Instant::now() + limit;
        let what = format!("unload {}", quoted(model, 64));
        let hint = "it waits for answers that are still being written, and for loads";
        self.post(model, "unload", &what, limit, until, hint).await?;
        loop {
            match self.look(model).await?.map(|entry| entry.state) {
                Some(State::Unavailable | State::Unloaded) => return Ok(()),
                _ => self.wait(&what, limit, until, hint).await?,
            }
        }
    }

    /// A model's state; none where the server is slow to tell it, as one that loads may be.
    async fn look(&self, model: &str) -> Result<Option<Entry>, TritonError> {
        match self.status(model).await {
            Err(TritonError::TooSlow { .. }) => Ok(None),
            looked => looked.map(Some),
        }
    }

    async fn post(
        &self,
        model: &str,
        verb: &str,
        what: &str,
        limit: std::time::Duration,
        until: Instant,
        hint: &'static str,
    ) -> Result<(), TritonError> {
        let path = ["repository", "models", model, verb];
        match self.server.ask(Method::POST, &path, until).await {
            None => Err(self.too_slow(what, limit, hint)),
            Some(replied) => match replied? {
                replied if replied.status == StatusCode::OK => Ok(()),
                replied => Err(self.failed(what, replied.reason())),
            },
        }
    }

    /// Waits until it is time for the next look, or fails when there is none left.
    async fn wait(
        &self,
        what: &str,
        limit: std::time::Duration,
        until: Instant,
        hint: &'static str,
    ) -> Result<(), TritonError> {
        let next = Instant::now() + self.server.deadlines.poll;
        if next > until {
            return Err(self.too_slow(what, limit, hint));
        }
        sleep_until(next).await;
        Ok(())
    }

    fn failed(&self, what: &str, reason: String) -> TritonError {
        let hint = "mend the model's folder (june model repository validate), or free memory; \
                    where it says that loading is not allowed, start Triton with \
                    --model-control-mode=explicit";
        let (server, what) = (self.server.name.clone(), what.to_owned());
        TritonError::Failed { server, what, reason, hint }
    }

    fn too_slow(&self, what: &str, limit: std::time::Duration, hint: &'static str) -> TritonError {
        let (server, what) = (self.server.name.clone(), what.to_owned());
        TritonError::TooSlow { server, what, limit, hint }
    }
}
