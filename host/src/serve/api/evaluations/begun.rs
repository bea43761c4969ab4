//! The evaluation that this server works on: one at a time, for it takes all processors.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::stored::Evaluation;
use crate::serve::Server;

/// What this server has begun.
#[derive(Default)]
pub(crate) struct Begun(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// What it works on.
    now: Option<Now>,
    /// Why others ended before their end, by their names.
    failures: BTreeMap<String, String>,
}

struct Now {
    /// What is known of it before its folder has it; no name, while it is prepared.
    evaluation: Evaluation,
    work: Work,
}

/// An evaluation's work.
#[derive(Clone, Default)]
pub(super) struct Work {
    /// Ends it, as soon as this is true.
    pub(super) stop: Arc<AtomicBool>,
    /// Cancelled when it has ended.
    pub(super) ended: CancellationToken,
}

/// The right to work on an evaluation. Another can be begun once this is dropped.
pub(super) struct Turn {
    server: Arc<Server>,
    pub(super) work: Work,
}

impl Begun {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of an evaluation that this server works on.
    pub(super) fn running(&self, id: &str) -> Option<Evaluation> {
        let inner = self.inner();
        let now = inner.now.as_ref().filter(|now| now.evaluation.id == id && !id.is_empty());
        now.map(|now| now.evaluation.clone())
    }

    /// Why an evaluation that this server began ended before its end.
    pub(super) fn failure(&self, id: &str) -> Option<String> {
        self.inner().failures.get(id).cloned()
    }

    /// Tells an evaluation to stop; nothing where this server does not work on it.
    pub(super) fn stop(&self, id: &str) -> Option<Work> {
        let inner = self.inner();
        let now = inner.now.as_ref().filter(|now| now.evaluation.id == id && !id.is_empty())?;
        now.work.stop.store(true, Ordering::Relaxed);
        Some(now.work.clone())
    }
}

impl Turn {
    /// Takes the turn; or says what the server works on.
    pub(super) fn take(server: &Arc<Server>) -> Result<Turn, String> {
        let mut inner = server.begun.inner();
        if let Some(now) = &inner.now {
            return Err(now.evaluation.id.clone());
        }
        let work = Work::default();
        inner.now = Some(Now { evaluation: Evaluation::default(), work: work.clone() });
        Ok(Turn { server: server.clone(), work })
    }

    /// This is what is worked on.
    pub(super) fn name(&self, evaluation: Evaluation) {
        let mut inner = self.server.begun.inner();
        inner.failures.remove(&evaluation.id);
        if let Some(now) = &mut inner.now {
            now.evaluation = evaluation;
        }
    }

    /// It ended before its end.
    pub(super) fn failed(&self, why: String) {
        let mut inner = self.server.begun.inner();
        let id = inner.now.as_ref().map(|now| now.evaluation.id.clone());
        inner.failures.extend(id.map(|id| (id, why)));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.server.begun.inner().now = None;
        self.work.ended.cancel();
    }
}
