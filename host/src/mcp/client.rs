//! Servers whose tools agents use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::future::{BoxFuture, try_join_all};
use june_sandbox::GrantedTool;
use june_sandbox::capabilities::ForeignTool;
use june_sandbox::contract::{ToolError, ToolSpec};
use rmcp::ServiceError;
use rmcp::model::{CallToolRequestParams, CallToolResponse, ErrorCode, JsonObject, Tool};
use tokio::time::timeout;

use super::connect::{Connection, QUOTED};
use super::content;
use super::wire::Allowance;
use crate::config::{Config, McpTable};
use crate::words::one_line;

/// The longest description of a tool, and the longest name that models take, in bytes.
const DESCRIPTION: usize = 16 << 10;
const NAME: usize = 64;

/// The server that a name in an agent's `tools` is about, and the one tool that it asks for.
pub(crate) fn server_of<'a>(
    name: &'a str,
    servers: &BTreeMap<String, McpTable>,
) -> Option<(&'a str, Option<&'a str>)> {
    if servers.contains_key(name) {
        return Some((name, None));
    }
    let dots = name.rmatch_indices('.').map(|(dot, _)| name.split_at(dot));
    let mut parts = dots.map(|(server, tool)| (server, Some(&tool[1..])));
    parts.find(|(server, _)| servers.contains_key(*server))
}

/// The tools of servers that these names are about. Starts each server once; it ends when the last
/// of its tools is dropped.
pub(crate) async fn tools(names: &[String], config: &Config) -> Result<Vec<GrantedTool>> {
    let servers = &config.tables.mcp;
    let mut wanted: BTreeMap<&str, Option<BTreeSet<&str>>> = BTreeMap::new();
    for (server, tool) in names.iter().filter_map(|name| server_of(name, servers)) {
        let tools = wanted.entry(server).or_insert_with(|| Some(BTreeSet::new()));
        match (tool, tools) {
            (None, tools) => *tools = None,
            (Some(tool), Some(tools)) => drop(tools.insert(tool)),
            (Some(_), None) => {}
        }
    }
    let folder = config.folder();
    let started = wanted.iter().map(|(name, wanted)| {
        let (table, folder) = (&servers[*name], &folder);
        async move {
            let tools = begin(name, table, folder, wanted.as_ref()).await;
            tools.with_context(|| format!("the MCP server `{name}` cannot be used"))
        }
    });
    Ok(try_join_all(started).await?.into_iter().flatten().collect())
}

async fn begin(
    name: &str,
    table: &McpTable,
    folder: &Path,
    wanted: Option<&BTreeSet<&str>>,
) -> Result<Vec<GrantedTool>> {
    let (connection, tools) = Connection::begin(name, table, folder, wanted).await?;
    let (name, wall, waited) = (name.to_owned(), table.wall(), AtomicUsize::new(0));
    let server = Arc::new(Server { name, wall, connection, waited });
    tools.into_iter().map(|tool| granted(&server, tool)).collect()
}

/// A tool of the server, under the name that the model sees.
fn granted(server: &Arc<Server>, tool: Tool) -> Result<GrantedTool> {
    let Tool { name, description, input_schema, .. } = tool;
    let description = description.unwrap_or_default().into_owned();
    let told = one_line(&name, QUOTED);
    if description.len() > DESCRIPTION {
        bail!(
            "the description of its tool `{told}` has more than {DESCRIPTION} bytes\nhint: leave it out of its `tools`"
        );
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' };
    let seen: String = format!("{}_{name}", server.name).chars().map(plain).collect();
    if seen.len() > NAME {
        bail!(
            "models take no name as long as `{}`\nhint: leave it out of its `tools`, or give the server a shorter name",
            one_line(&seen, QUOTED)
        );
    }
    let parameters = serde_json::to_string(&input_schema)?;
    let spec = ToolSpec { name: seen.clone(), description, parameters };
    let tool = ServerTool { server: server.clone(), name: name.into_owned(), spec };
    let granted = GrantedTool::foreign(Arc::new(tool), &seen);
    granted.with_context(|| format!("its tool `{told}` cannot be used"))
}

/// A server that runs.
struct Server {
    name: String,
    wall: Duration,
    connection: Connection,
    /// Calls that are waited for.
    waited: AtomicUsize,
}

impl Server {
    async fn call(&self, tool: String, arguments: &str) -> Result<(String, bool), ToolError> {
        let arguments: JsonObject = serde_json::from_str(arguments)
            .map_err(|error| ToolError::InvalidArguments(error.to_string()))?;
        let Connection { running, watch } = &self.connection;
        let _waited = Waited::begin(&self.waited, &watch.allowance);
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        let Ok(answer) = timeout(self.wall, running.peer().call_tool_once(request)).await else {
            return Err(ToolError::Limit(format!(
                "the MCP server `{}` did not answer within {:?}",
                self.name, self.wall
            )));
        };
        let why = match answer {
            Ok(CallToolResponse::Complete(result)) => return content::told(result),
            Ok(_) => {
                let why = "the tool asks for more than arguments, which June does not give";
                return Ok((why.into(), true));
            }
            Err(ServiceError::McpError(error)) if error.code == ErrorCode::INVALID_PARAMS => {
                return Err(ToolError::InvalidArguments(one_line(&error.message, QUOTED)));
            }
            Err(ServiceError::McpError(error)) => {
                format!("it refused the call: {}", one_line(&error.message, QUOTED))
            }
            Err(ServiceError::UnexpectedResponse) => "what it answers is not MCP".into(),
            Err(error) => watch.why(error).await,
        };
        Err(ToolError::Crashed(format!("the MCP server `{}`: {why}", self.name)))
    }
}

/// A call that is waited for.
struct Waited<'a>(&'a AtomicUsize);

impl<'a> Waited<'a> {
    fn begin(waited: &'a AtomicUsize, allowance: &Allowance) -> Self {
        allowance.refill(waited.fetch_add(1, Ordering::Relaxed) + 1);
        Self(waited)
    }
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One tool of a server.
struct ServerTool {
    server: Arc<Server>,
    /// The server's name for it.
    name: String,
    spec: ToolSpec,
}

impl ForeignTool for ServerTool {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    fn call(&self, arguments: String) -> BoxFuture<'static, Result<(String, bool), ToolError>> {
        let (server, name) = (self.server.clone(), self.name.clone());
        Box::pin(async move { server.call(name, &arguments).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_which_server_and_which_tool() {
        let servers = ["fs", "git.hub"].map(|name| (name.to_owned(), McpTable::default())).into();
        for (name, expected) in [
            ("fs", Some(("fs", None))),
            ("fs.read_file", Some(("fs", Some("read_file")))),
            ("git.hub", Some(("git.hub", None))),
            ("git.hub.issues.list", Some(("git.hub", Some("issues.list")))),
            ("files", None),
            ("git.x", None),
        ] {
            assert_eq!(server_of(name, &servers), expected, "{name}");
        }
    }
}
