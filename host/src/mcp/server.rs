//! June's tools, served. Each call is a run of its own, recorded in the journal.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::agents::origin;
use anyhow::{Context, Result, bail};
use june_sandbox::contract::ToolError;
use june_sandbox::grants::{FileGrant, Mode};
use june_sandbox::journal::Journal;
use june_sandbox::workspace::Change;
use june_sandbox::{Capabilities, GrantedTool, Recording, Tree, Workspace};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::{RequestContext, ServerInitializeError};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{RoleServer, ServerHandler, ServiceExt};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::spawn_blocking;

use super::wire::MESSAGE;
use crate::disk;

/// What the calls' runs belong to.
const SESSION: &str = "mcp";

/// How many calls run at once; more wait.
const AT_ONCE: usize = 16;

/// Tools that are served.
pub(crate) struct Served {
    tools: BTreeMap<String, One>,
    files: Files,
    journal: Option<Journal>,
    /// Calls so far: each has its number for a seed.
    calls: AtomicU64,
    at_once: Semaphore,
}

/// A tool, as its clients see it and as June does.
struct One {
    listed: Tool,
    tool: GrantedTool,
    means: Capabilities,
}

/// The files that tools work on.
pub(crate) struct Files {
    /// Where they are; none where they are nowhere but in memory.
    pub(crate) root: Option<PathBuf>,
    /// The most bytes of them.
    pub(crate) limit: usize,
    /// Held by a call that may write.
    pub(crate) writing: Mutex<()>,
}

impl Served {
    /// These tools.
    pub(crate) fn new(
        tools: impl IntoIterator<Item = (GrantedTool, Capabilities)>,
        files: Files,
        journal: Option<Journal>,
    ) -> Result<Self> {
        let mut served = BTreeMap::new();
        for (tool, means) in tools {
            let spec = tool.spec();
            let name = spec.name.clone();
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            if name.is_empty() || name.len() > 128 || !name.chars().all(plain) {
                bail!(
                    "`{}` is no name for a tool\nhint: name it in june.toml: [tool.NAME], with its `component`",
                    crate::words::one_line(&name, 100)
                );
            }
            let schema: rmcp::model::JsonObject = serde_json::from_str(&spec.parameters)
                .with_context(|| format!("the schema of `{name}` is no object"))?;
            let listed = Tool::new(name.clone(), spec.description.clone(), schema);
            if served.insert(name.clone(), One { listed, tool, means }).is_some() {
                bail!(
                    "two tools have the name `{name}`\nhint: name one in june.toml: [tool.NAME], with its `component`"
                );
            }
        }
        let (calls, at_once) = (AtomicU64::new(0), Semaphore::new(AT_ONCE));
        Ok(Self { tools: served, files, journal, calls, at_once })
    }

    /// The names of the tools, and the folders that each sees.
    pub(crate) fn told(&self) -> String {
        let tools = self.tools.iter().map(|(name, one)| {
            let files = &one.tool.grants().files;
            let folders: Vec<String> = files.iter().map(ToString::to_string).collect();
            match (folders.is_empty(), &self.files.root) {
                (true, _) => name.clone(),
                (false, Some(_)) => format!("{name} ({})", folders.join(", ")),
                (false, None) => format!("{name} (files in memory)"),
            }
        });
        tools.collect::<Vec<_>>().join(", ")
    }

    async fn call(&self, one: &One, arguments: &str) -> Result<Result<(String, bool), ToolError>> {
        let _permit = self.at_once.acquire().await?;
        let grants = &one.tool.grants().files;
        let writes = grants.iter().any(|grant| grant.mode == Mode::ReadWrite);
        let _alone = if writes { Some(self.files.writing.lock().await) } else { None };
        let mut means = one.means.clone();
        let before = self.files.load(grants).await?;
        if let Some(before) = &before {
            means.workspace = Some(Workspace::new(before.clone()));
        }
        let workspace = means.workspace.clone();
        let origin = origin(self.calls.fetch_add(1, Ordering::Relaxed));
        let recording = self.journal.as_ref().map(|journal| Recording {
            journal,
            session: SESSION,
            parent: None,
        });
        let answer = one.tool.call_alone(arguments, means, origin, recording.as_ref()).await?;
        let (Some(before), Some(workspace), true) = (before, workspace, writes) else {
            return Ok(answer);
        };
        let changes = before.changes(&workspace.tree().await);
        if changes.is_empty() {
            return Ok(answer);
        }
        // No file changes before the journal tells by what run.
        if let Some(journal) = self.journal.clone() {
            spawn_blocking(move || journal.flush()).await??;
        }
        let refused = self.files.keep(changes).await?;
        Ok(match answer {
            Ok((text, _)) if !refused.is_empty() => {
                Ok((format!("{text}\nnot kept: {}", refused.join("; ")), true))
            }
            answer => answer,
        })
    }
}

impl Files {
    /// The granted files as they are now; none where they are not on a disk.
    async fn load(&self, grants: &[FileGrant]) -> Result<Option<Tree>> {
        let (Some(root), false) = (&self.root, grants.is_empty()) else { return Ok(None) };
        let (root, grants, limit) = (root.clone(), grants.to_vec(), self.limit);
        spawn_blocking(move || disk::load(&root, &grants, limit)).await?.map(Some)
    }

    /// Puts on disk what a tool changed. Nobody is there to be asked: the grant said so before.
    /// Returns what could not be kept, and why.
    async fn keep(&self, changes: Vec<Change>) -> Result<Vec<String>> {
        let Some(root) = self.root.clone() else { return Ok(Vec::new()) };
        let applied = spawn_blocking(move || disk::apply(&root, &changes)).await??;
        Ok(applied.refused.into_iter().map(|(path, why)| format!("{path}: {why}")).collect())
    }
}

/// Answers clients.
#[derive(Clone)]
pub(super) struct Handler(pub(super) Arc<Served>);

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("june", env!("CARGO_PKG_VERSION")))
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.0.tools.values().map(|one| one.listed.clone()).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(one) = self.0.tools.get(request.name.as_ref()) else {
            return Err(ErrorData::invalid_params("there is no such tool", None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let arguments = serde_json::Value::Object(arguments).to_string();
        let answer = tokio::select! {
            answer = self.0.call(one, &arguments) => answer,
            () = context.ct.cancelled() => {
                return Err(ErrorData::internal_error("the call was cancelled", None));
            }
        };
        match answer {
            Ok(Ok((text, false))) => Ok(CallToolResult::success(vec![text_of(text)]).into()),
            Ok(Ok((text, true))) => Ok(CallToolResult::error(vec![text_of(text)]).into()),
            Ok(Err(error)) => {
                let why = match &error {
                    ToolError::InvalidArguments(why) => format!("invalid arguments: {why}"),
                    error => error.why().to_owned(),
                };
                Ok(CallToolResult::error(vec![text_of(why)]).into())
            }
            // What is wrong with this machine is its owner's to read.
            Err(error) => {
                eprintln!("june: {}", crate::exit::said(&error));
                Err(ErrorData::internal_error(Cow::from("June could not run the tool"), None))
            }
        }
    }
}

fn text_of(text: String) -> ContentBlock {
    ContentBlock::text(text)
}

/// Serves one client over standard input and output, until it closes them.
pub(crate) async fn serve(served: Arc<Served>) -> Result<()> {
    let transport = AsyncRwTransport::new_server(tokio::io::stdin(), tokio::io::stdout())
        .with_max_line_length(MESSAGE);
    match Handler(served).serve(transport).await {
        Ok(running) => running.waiting().await.map(drop).context("the MCP server failed"),
        Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(error).context("the client does not speak MCP"),
    }
}
