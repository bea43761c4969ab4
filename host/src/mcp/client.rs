//! Servers whose tools agents use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::future::{BoxFuture, try_join_all};
use june_sandbox::GrantedTool;
use june_sandbox::capabilities::ForeignTool;
use june_sandbox::contract::{ToolError, ToolSpec};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig, ErrorCode,
    Implementation, JsonObject, PaginatedRequestParams, ProtocolVersion, Tool,
};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, RoleClient, ServiceError, serve_client_with_lifecycle};
use tokio::time::timeout;

use super::child::Process;
use super::content;
use super::wire::{Allowance, MESSAGE, Metered, Quiet};
use crate::config::{Config, McpTable};
use crate::paths;
use crate::words::{neutral, one_line};

/// The most tools that one server gives an agent, and the most that it may list.
const MOST: usize = 256;
const LISTED: usize = 4096;

/// The longest description of a tool, and the longest name that models take, in bytes.
const DESCRIPTION: usize = 16 << 10;
const NAME: usize = 64;

/// How much of a server's own words a message quotes, in characters.
const QUOTED: usize = 300;

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
            let tools = connect(name, table, folder, wanted.as_ref()).await;
            tools.with_context(|| format!("the MCP server `{name}` cannot be used"))
        }
    });
    Ok(try_join_all(started).await?.into_iter().flatten().collect())
}

/// Starts a server, or connects to it, and asks for its tools.
async fn connect(
    name: &str,
    table: &McpTable,
    folder: &Path,
    wanted: Option<&BTreeSet<&str>>,
) -> Result<Vec<GrantedTool>> {
    let allowance = Allowance::default();
    allowance.refill(1);
    let (process, pipes) = match &table.url {
        Some(_) => (None, None),
        None => {
            let (process, output, input) = Process::start(table, folder)?;
            (Some(process), Some((output, input)))
        }
    };
    let begun = async {
        let running = match (pipes, &table.url) {
            (Some((output, input)), _) => {
                let output = Metered::new(output, allowance.clone());
                let transport = AsyncRwTransport::new_client(output, input);
                greet(Quiet::new(transport, allowance.clone())).await
            }
            (None, Some(url)) => greet(Quiet::new(http(table, url)?, allowance.clone())).await,
            (None, None) => bail!("it has neither a command nor a URL"),
        }?;
        let tools = list(&running, table, wanted).await?;
        anyhow::Ok((running, tools))
    };
    let (running, tools) = match timeout(table.start(), begun).await {
        Ok(Ok(begun)) => begun,
        Ok(Err(error)) => return Err(why(error, &allowance, process.as_ref()).await),
        Err(_) => {
            let said = process.as_ref().and_then(Process::said);
            let said = said.map_or_else(String::new, |said| format!("; it said: {said}"));
            bail!(
                "it did not answer within {:?}{said}\nhint: allow it more with `start` in [mcp.{name}]",
                table.start()
            );
        }
    };
    let (name, wall) = (name.to_owned(), table.wall());
    let server = Server { name, wall, running, process, allowance, waited: AtomicUsize::new(0) };
    let server = Arc::new(server);
    tools.into_iter().map(|tool| granted(&server, tool)).collect()
}

type Running = RunningService<RoleClient, ClientConfig>;

/// Agrees with the server on a version of the protocol.
async fn greet<T>(transport: T) -> Result<Running>
where
    T: rmcp::transport::Transport<RoleClient> + 'static,
{
    let june = Implementation::new("june", env!("CARGO_PKG_VERSION"));
    let config = ClientConfig::new(ClientCapabilities::default(), june);
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    };
    Ok(serve_client_with_lifecycle(config, transport, lifecycle).await?)
}

/// The way to a server elsewhere.
fn http(table: &McpTable, url: &str) -> Result<StreamableHttpClientTransport<reqwest::Client>> {
    let parsed = reqwest::Url::parse(url).with_context(|| format!("`{url}` is no URL"))?;
    let local = match parsed.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            host.is_ok_and(|address| address.is_loopback())
        }
        None => bail!("`{url}` has no host"),
    };
    let secure = parsed.scheme() == "https";
    let tls = june_models::tls::config(secure).map_err(anyhow::Error::msg)?;
    let client = reqwest::Client::builder()
        .user_agent(concat!("june/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        // What is sent, and a key, go where the configuration says and nowhere else.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .tls_backend_preconfigured(tls);
    let client = if local { client.no_proxy() } else { client };
    let client = client.build().context("cannot set up the network")?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(url)
        .max_sse_event_size(MESSAGE)
        .max_json_response_size(MESSAGE)
        .max_error_response_size(1024);
    if let Some(variable) = &table.key {
        let key = paths::secret(variable);
        let key =
            key.with_context(|| format!("its key ${variable} is not set\nhint: export it"))?;
        config = config.auth_header(key.trim());
    }
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

/// The tools that the server has, as far as they are wanted and offered.
async fn list(
    running: &Running,
    table: &McpTable,
    wanted: Option<&BTreeSet<&str>>,
) -> Result<Vec<Tool>> {
    let offered = |name: &str| table.tools.as_ref().is_none_or(|all| all.iter().any(|n| n == name));
    let asked = |name: &str| wanted.is_none_or(|wanted| wanted.contains(name));
    let (mut tools, mut listed, mut cursor) = (Vec::<Tool>::new(), 0, None);
    loop {
        let page = PaginatedRequestParams::default().with_cursor(cursor);
        let page =
            running.peer().list_tools(Some(page)).await.context("it does not list its tools")?;
        listed += page.tools.len().max(1);
        tools
            .extend(page.tools.into_iter().filter(|tool| offered(&tool.name) && asked(&tool.name)));
        if tools.len() > MOST || listed > LISTED {
            let (most, of) = if tools.len() > MOST { (MOST, "offers") } else { (LISTED, "lists") };
            bail!("it {of} more than {most} tools\nhint: name those you want in its `tools`");
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let named = table.tools.iter().flatten().map(String::as_str);
    for name in named.filter(|name| asked(name)).chain(wanted.into_iter().flatten().copied()) {
        if !offered(name) {
            bail!("its tool `{name}` is not among those that its `tools` offer");
        }
        if !tools.iter().any(|tool| tool.name == name) {
            bail!("it has no tool `{name}`");
        }
    }
    Ok(tools)
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
    running: Running,
    process: Option<Process>,
    allowance: Allowance,
    /// Calls that are waited for.
    waited: AtomicUsize,
}

impl Server {
    async fn call(&self, tool: String, arguments: &str) -> Result<(String, bool), ToolError> {
        let arguments: JsonObject = serde_json::from_str(arguments)
            .map_err(|error| ToolError::InvalidArguments(error.to_string()))?;
        let _waited = Waited::begin(&self.waited, &self.allowance);
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        let answer = timeout(self.wall, self.running.peer().call_tool_once(request)).await;
        let Ok(answer) = answer else {
            return Err(ToolError::Limit(format!(
                "the MCP server `{}` did not answer within {:?}",
                self.name, self.wall
            )));
        };
        match answer {
            Ok(CallToolResponse::Complete(result)) => content::told(result),
            Ok(_) => {
                let why = "the tool asks for more than arguments, which June does not give";
                Ok((why.into(), true))
            }
            Err(ServiceError::McpError(error)) if error.code == ErrorCode::INVALID_PARAMS => {
                Err(ToolError::InvalidArguments(one_line(&error.message, QUOTED)))
            }
            Err(ServiceError::McpError(error)) => {
                Err(self
                    .crashed(&format!("refused the call: {}", one_line(&error.message, QUOTED))))
            }
            Err(error) => {
                let error = why(error.into(), &self.allowance, self.process.as_ref()).await;
                Err(self.crashed(&one_line(&error.to_string(), QUOTED)))
            }
        }
    }

    fn crashed(&self, why: &str) -> ToolError {
        ToolError::Crashed(format!("the MCP server `{}`: {why}", self.name))
    }
}

/// What is really wrong, where an error says no more than that the connection is closed.
async fn why(
    error: anyhow::Error,
    allowance: &Allowance,
    process: Option<&Process>,
) -> anyhow::Error {
    if let Some(end) = allowance.end() {
        return anyhow!("it {end}");
    }
    // The pipe may be closed a moment before the process has ended.
    for _ in 0..10 {
        let Some(process) = process else { break };
        if let Some(how) = process.ended().await {
            return anyhow!("it {how}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let text: String = format!("{error:#}").chars().take(3 * QUOTED).collect();
    anyhow!(neutral(&text, true))
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
