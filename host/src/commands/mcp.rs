//! `june mcp`: June's tools for other people's agents.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use june_sandbox::Limits;
use tokio::sync::Mutex;

use super::journal::Recorded;
use super::run::runtime;
use super::{interrupted, pressed};
use crate::agents::{Host, Overrides};
use crate::config::Config;
use crate::exit::{Blame, Failure};
use crate::mcp::{Doors, Files, PATH, Served, listen, serve_http, serve_stdio};
use crate::paths;

/// The shortest token.
const SHORTEST: usize = 16;

/// Serve tools over the Model Context Protocol.
///
/// Other people's agents (editors, chat programs) use June's tools, each call in a sandbox of its
/// own. The other way round, an agent of June's uses the tools of MCP servers that june.toml
/// describes under [mcp.NAME].
#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(Serve),
}

/// Serve tools to MCP clients, over standard input and output or over HTTP.
///
/// What a tool may do is written under [tool.NAME] in june.toml; without, it may compute and no
/// more. A file that a tool changes in a folder granted to it for writing is changed on disk when
/// the call has ended. Each call is recorded as a run of session `mcp`.
#[derive(Args)]
#[command(after_long_help = "Exit status: 0 the client went away or Ctrl-C was pressed, 2 wrong \
                             usage or configuration, 3 the machine or the set-up.\n\n\
                             Examples:\n  june mcp serve calculator clock\n  \
                             june mcp serve --agent coder\n  \
                             june mcp serve calculator --http 127.0.0.1:7331")]
pub(crate) struct Serve {
    /// Tools, by name, path or digest.
    #[arg(value_name = "TOOL", required_unless_present = "agent", conflicts_with = "agent")]
    tools: Vec<String>,
    /// Serve the tools of this agent instead, with what they have in its service.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// The configuration [default: june.toml here, else in the user's folder for configuration].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Serve over HTTP at this address, such as 127.0.0.1:7331; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// The environment variable that holds the bearer token which clients must send. Needed where
    /// other machines can reach the address.
    #[arg(long, value_name = "VARIABLE", requires = "http")]
    key: Option<String>,
    /// A name by which clients reach the server, beside the address and those of this machine.
    #[arg(long, value_name = "NAME", requires = "http")]
    host: Vec<String>,
    /// A page in a browser that may call the tools, such as http://localhost:6274.
    #[arg(long, value_name = "ORIGIN", requires = "http")]
    origin: Vec<String>,
    #[command(flatten)]
    recorded: Recorded,
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, Failure> {
    let Command::Serve(command) = command;
    let http = match command.http {
        Some(address) => Some((address, doors(command, address).input()?)),
        None => None,
    };
    let host = Config::find(command.config.as_deref()).and_then(Host::new).input()?;
    let runtime = runtime()?;
    let (tools, files) = runtime.block_on(tools(command, &host)).input()?;
    let journal = command.recorded.open()?;
    let served = Arc::new(Served::new(tools, files, journal.clone()).input()?);
    let stop = interrupted()?;
    let done = runtime.block_on(async {
        let Some((address, doors)) = http else {
            eprintln!("june: serving {}", served.told());
            return tokio::select! {
                done = serve_stdio(served) => done,
                () = pressed(&stop) => Ok(()),
            };
        };
        let (listener, address) = listen(address).await?;
        eprintln!("june: serving {} at http://{address}{PATH}", served.told());
        serve_http(served, listener, doors, pressed(&stop)).await
    });
    // Standard input may be waited for by a thread that nothing can stop.
    runtime.shutdown_background();
    if let Some(journal) = journal {
        journal.flush().environment()?;
    }
    done.environment()?;
    Ok(ExitCode::SUCCESS)
}

type Tools = Vec<(june_sandbox::GrantedTool, june_sandbox::Capabilities)>;

/// The tools to serve, and their files.
async fn tools(command: &Serve, host: &Host) -> Result<(Tools, Files)> {
    let Some(name) = &command.agent else {
        let mut tools = Vec::new();
        for reference in &command.tools {
            tools.push(host.tool_alone(reference).await?);
        }
        let (root, limit) = (Some(host.config.folder()), Limits::default().files);
        return Ok((tools, Files { root, limit, writing: Mutex::default() }));
    };
    let overrides = Overrides { tools_only: true, ..Overrides::default() };
    let agent = host.agent(name, &overrides).await?;
    let means = agent.authority.capabilities;
    let (own, foreign): (Vec<_>, Vec<_>) =
        means.tools.values().cloned().partition(june_sandbox::GrantedTool::is_component);
    for tool in foreign {
        eprintln!("june: left out {}: it is another MCP server's", tool.spec().name);
    }
    if own.is_empty() {
        bail!("the agent `{name}` has no tools to serve");
    }
    let limit = agent.authority.limits.files;
    let tools = own.into_iter().map(|tool| (tool, means.clone())).collect();
    Ok((tools, Files { root: agent.root, limit, writing: Mutex::default() }))
}

/// Who is let in at this address.
fn doors(command: &Serve, address: SocketAddr) -> Result<Doors> {
    let open = !address.ip().is_loopback();
    let token = match &command.key {
        Some(variable) => {
            let token = paths::secret(variable);
            let token = token.ok_or_else(|| anyhow!("the token ${variable} is not set"));
            let token = token.context("nobody could be let in")?.trim().to_owned();
            if token.len() < SHORTEST {
                bail!("the token ${variable} has fewer than {SHORTEST} characters");
            }
            Some(token)
        }
        None if open => bail!(
            "other machines can reach {address}, and there is no token\nhint: name the environment variable that holds one with --key, or listen on 127.0.0.1"
        ),
        None => None,
    };
    let mut hosts = command.host.clone();
    hosts.extend(["localhost", "127.0.0.1", "::1"].map(String::from));
    match address.ip() {
        ip if ip.is_unspecified() && command.host.is_empty() => bail!(
            "{address} is every address of this machine, and clients reach it by a name\nhint: give that name with --host"
        ),
        IpAddr::V4(ip) => hosts.push(ip.to_string()),
        IpAddr::V6(ip) => hosts.push(format!("[{ip}]")),
    }
    Ok(Doors { token, hosts, origins: command.origin.clone() })
}
