//! A model in this process, loaded when it is first asked.

use std::sync::{Arc, LazyLock};

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use june_models::types::Request;
use june_models::{Deltas, Model, ModelError};
use tokio::sync::OnceCell;

/// Loads a model, which may take minutes; the error is for people.
type Load = dyn Fn() -> Result<Box<dyn Model>, String> + Send + Sync;

/// A model that is loaded when it is first asked. One that could not be loaded is tried again by
/// the next question.
pub(crate) struct Lazy {
    name: String,
    /// Its window, as far as that can be known before.
    context: LazyLock<Option<u32>, Box<dyn FnOnce() -> Option<u32> + Send>>,
    load: Arc<Load>,
    loaded: Arc<OnceCell<Box<dyn Model>>>,
}

impl Lazy {
    pub(crate) fn new(
        name: &str,
        context: impl FnOnce() -> Option<u32> + Send + 'static,
        load: impl Fn() -> Result<Box<dyn Model>, String> + Send + Sync + 'static,
    ) -> Self {
        let context = LazyLock::new(Box::new(context) as _);
        Self { name: name.into(), context, load: Arc::new(load), loaded: Arc::default() }
    }
}

impl Model for Lazy {
    fn name(&self) -> &str {
        &self.name
    }

    fn context(&self) -> Option<u32> {
        self.loaded.get().map_or_else(|| *self.context, |model| model.context())
    }

    fn stream(&self, request: Request) -> Deltas {
        let (load, loaded) = (self.load.clone(), self.loaded.clone());
        let answer = async move {
            let load = || async {
                let model = tokio::task::spawn_blocking(move || load()).await;
                let model = model.unwrap_or_else(|error| Err(error.to_string()));
                model.map_err(ModelError::Unavailable)
            };
            Ok::<_, ModelError>(loaded.get_or_try_init(load).await?.stream(request))
        };
        stream::once(answer.boxed()).try_flatten().boxed()
    }
}
