//! A model in this process, loaded when it is first asked, or told to.

use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use june_models::types::Request;
use june_models::{Deltas, Model, ModelError};
use tokio::sync::Mutex;

/// Loads a model, which may take minutes; the error is for people.
type Load = dyn Fn() -> Result<Box<dyn Model>, String> + Send + Sync;

/// A model that is loaded when it is first asked. One that could not be loaded is tried again by
/// the next question. Clones share it.
#[derive(Clone)]
pub(crate) struct Lazy(Arc<Inner>);

struct Inner {
    name: String,
    /// Its window, as far as that can be known before.
    context: LazyLock<Option<u32>, Box<dyn FnOnce() -> Option<u32> + Send>>,
    load: Box<Load>,
    loaded: RwLock<Option<Arc<dyn Model>>>,
    /// Held by whoever loads or unloads it.
    changing: Arc<Mutex<()>>,
}

/// Whether a model is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Unloaded,
    /// It is being loaded or unloaded.
    Changing,
    Loaded,
}

impl Lazy {
    pub(crate) fn new(
        name: &str,
        context: impl FnOnce() -> Option<u32> + Send + 'static,
        load: impl Fn() -> Result<Box<dyn Model>, String> + Send + Sync + 'static,
    ) -> Self {
        let context = LazyLock::new(Box::new(context) as _);
        let (loaded, changing) = (RwLock::default(), Arc::default());
        Self(Arc::new(Inner { name: name.into(), context, load: Box::new(load), loaded, changing }))
    }

    /// Whether it is loaded now.
    pub(crate) fn stage(&self) -> Stage {
        if self.loaded().is_some() {
            Stage::Loaded
        } else if self.0.changing.try_lock().is_err() {
            Stage::Changing
        } else {
            Stage::Unloaded
        }
    }

    /// Loads it, if it is not loaded. The error is for people.
    pub(crate) async fn load(&self) -> Result<Arc<dyn Model>, String> {
        let one = self.0.changing.clone().lock_owned().await;
        if let Some(model) = self.loaded() {
            return Ok(model);
        }
        let lazy = self.clone();
        // Whoever asks may go away meanwhile: what was begun comes to its end, and is begun once.
        let loading = tokio::task::spawn_blocking(move || {
            let _one = one;
            let model: Arc<dyn Model> = Arc::from((lazy.0.load)()?);
            lazy.put(Some(model.clone()));
            Ok::<_, String>(model)
        });
        loading.await.map_err(|error| error.to_string())?
    }

    /// Unloads it, if it is loaded. What it is being asked is answered first.
    pub(crate) async fn unload(&self) {
        let _one = self.0.changing.lock().await;
        let model = self.put(None);
        // The last one to go gives gigabytes back.
        let _ = tokio::task::spawn_blocking(move || drop(model)).await;
    }

    fn loaded(&self) -> Option<Arc<dyn Model>> {
        self.0.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, model: Option<Arc<dyn Model>>) -> Option<Arc<dyn Model>> {
        let mut loaded = self.0.loaded.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *loaded, model)
    }
}

impl Model for Lazy {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn context(&self) -> Option<u32> {
        self.loaded().map_or_else(|| *self.0.context, |model| model.context())
    }

    fn stream(&self, request: Request) -> Deltas {
        if let Some(model) = self.loaded() {
            return model.stream(request);
        }
        let lazy = self.clone();
        let answer = async move {
            let model = lazy.load().await.map_err(ModelError::Unavailable)?;
            Ok::<_, ModelError>(model.stream(request))
        };
        stream::once(answer.boxed()).try_flatten().boxed()
    }
}
