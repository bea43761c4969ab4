//! Tools of the client: an agent calls them as any other, and the client does what they do.

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use june_sandbox::capabilities::ForeignTool;
use june_sandbox::contract::{ToolCall, ToolError, ToolSpec};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::talk::Event;

/// A call that the client is to answer.
pub(super) struct Called {
    pub(super) call: ToolCall,
    pub(super) answer: oneshot::Sender<String>,
}

/// A tool of the client.
pub(super) struct ClientTool {
    pub(super) spec: ToolSpec,
    pub(super) tell: UnboundedSender<Event>,
}

impl ForeignTool for ClientTool {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    fn call(&self, arguments: String) -> BoxFuture<'static, Result<(String, bool), ToolError>> {
        let (name, tell) = (self.spec.name.clone(), self.tell.clone());
        async move {
            let failed = |why: String| ToolError::Crashed(why);
            let id = id("call_").map_err(|error| failed(error.to_string()))?;
            let (answer, answered) = oneshot::channel();
            let gone = |_| failed("the client is gone".into());
            let called = Called { call: ToolCall { id, name, arguments }, answer };
            tell.send(Event::Called(called)).map_err(|_| gone(()))?;
            // Whether it failed, the client says in its words.
            Ok((answered.await.map_err(|_| gone(()))?, false))
        }
        .boxed()
    }
}

/// A name that nobody guesses.
pub(super) fn id(kind: &str) -> Result<String> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random numbers: {error}"))?;
    Ok(format!("{kind}{}", URL_SAFE_NO_PAD.encode(bytes)))
}
