//! Connections to servers: begun, and told why they ended.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use june_models::error::causes;
use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams, ProtocolVersion, Tool,
};
use rmcp::service::{ClientInitializeError, RunningService};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, Transport};
use rmcp::{ClientLifecycleMode, RoleClient, ServiceError, serve_client_with_lifecycle};
use tokio::time::timeout;

use super::child::Process;
use super::wire::{Allowance, MESSAGE, Metered, Quiet};
use crate::config::McpTable;
use crate::paths;
use crate::words::one_line;

/// The most tools that one server gives an agent, and the most that it may list.
const MOST: usize = 256;
const LISTED: usize = 4096;

/// How much of a server's own words a message quotes, in characters.
pub(super) const QUOTED: usize = 300;

/// A server that answers.
pub(super) struct Connection {
    pub(super) running: Running,
    pub(super) watch: Watch,
}

type Running = RunningService<RoleClient, ClientConfig>;

impl Connection {
    /// Starts a server, or connects to it, and asks for its tools.
    pub(super) async fn begin(
        name: &str,
        table: &McpTable,
        folder: &Path,
        wanted: Option<&BTreeSet<&str>>,
    ) -> Result<(Self, Vec<Tool>)> {
        let allowance = Allowance::default();
        allowance.refill(1);
        let (process, pipes) = match &table.url {
            Some(_) => (None, None),
            None => {
                let (process, output, input) = Process::start(table, folder)?;
                (Some(process), Some((output, input)))
            }
        };
        let watch = Watch { allowance, process };
        let begun = async {
            let running = match (pipes, &table.url) {
                (Some((output, input)), _) => {
                    let output = Metered::new(output, watch.allowance.clone());
                    greet(AsyncRwTransport::new_client(output, input), &watch).await
                }
                (None, Some(url)) => greet(http(table, url)?, &watch).await,
                (None, None) => bail!("it has neither a command nor a URL"),
            }?;
            let tools = list(&running, &watch, table, wanted).await?;
            Ok((running, tools))
        };
        let Ok(begun) = timeout(table.start(), begun).await else {
            let said = watch.process.as_ref().and_then(Process::said);
            let said = said.map_or_else(String::new, |said| format!("; it said: {said}"));
            bail!(
                "it did not answer within {:?}{said}\nhint: allow it more with `start` in [mcp.{name}]",
                table.start()
            );
        };
        let (running, tools) = begun?;
        Ok((Self { running, watch }, tools))
    }
}

/// What June knows of a server beside its answers.
pub(super) struct Watch {
    pub(super) allowance: Allowance,
    process: Option<Process>,
}

impl Watch {
    /// Why the connection ended, which the connection's own error does not know.
    pub(super) async fn why(&self, error: impl Display) -> String {
        if let Some(end) = self.allowance.end() {
            return format!("it {end}");
        }
        // The pipe may be closed a moment before the process has ended.
        for _ in 0..10 {
            let Some(process) = &self.process else { break };
            if let Some(how) = process.ended().await {
                return format!("it {how}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        one_line(&error.to_string(), QUOTED)
    }
}

/// Agrees with the server on a version of the protocol.
async fn greet<T>(transport: T, watch: &Watch) -> Result<Running>
where
    T: Transport<RoleClient> + 'static,
{
    use ClientInitializeError as E;

    let june = Implementation::new("june", env!("CARGO_PKG_VERSION"));
    let config = ClientConfig::new(ClientCapabilities::default(), june);
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::LATEST],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    };
    let transport = Quiet::new(transport, watch.allowance.clone());
    let mut error = match serve_client_with_lifecycle(config, transport, lifecycle).await {
        Ok(running) => return Ok(running),
        Err(error) => error,
    };
    while let E::LegacyFallbackFailed { fallback, .. } = error {
        error = *fallback;
    }
    Err(match error {
        E::ConnectionClosed(_) => anyhow!(watch.why("it closed the connection").await),
        E::TransportError { error, .. } => anyhow!(watch.why(causes(&*error.error)).await),
        E::JsonRpcError(refusal) => anyhow!("it refused: {}", one_line(&refusal.message, QUOTED)),
        E::NoCompatibleProtocolVersion { .. } => {
            anyhow!("it speaks no version of MCP that June does")
        }
        _ => anyhow!("what it answers is not MCP"),
    })
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
    watch: &Watch,
    table: &McpTable,
    wanted: Option<&BTreeSet<&str>>,
) -> Result<Vec<Tool>> {
    let offered = |name: &str| table.tools.as_ref().is_none_or(|all| all.iter().any(|n| n == name));
    let asked = |name: &str| wanted.is_none_or(|wanted| wanted.contains(name));
    let (mut tools, mut listed, mut cursor) = (Vec::<Tool>::new(), 0, None);
    loop {
        let page = PaginatedRequestParams::default().with_cursor(cursor);
        let page = match running.peer().list_tools(Some(page)).await {
            Ok(page) => page,
            Err(ServiceError::McpError(refusal)) => {
                bail!("it does not list its tools: {}", one_line(&refusal.message, QUOTED))
            }
            Err(error) => bail!(watch.why(error).await),
        };
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
