//! Agents, as a configuration describes them: a strategy, with all that it was granted.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail};
use june_sandbox::contract::{Message, Part, Role, Turn};
use june_sandbox::grants::{FileGrant, Mode};
use june_sandbox::{
    Answered, Authority, Cache, Capabilities, Digest, Engine, GrantedTool, Grants, Limits, Origin,
    Recording, Runner, Strategy, Tool, Tree, Workspace,
};

use crate::config::{AgentTable, Config, ToolGrantsTable, listed};
use crate::disk;
use crate::http::Network;
use crate::llm::Models;
use crate::mcp;
use crate::notes::Notes;
use crate::paths::{self, Kind};
use crate::telemetry::run::{Served, Watched};

/// Agents that there are without a configuration, and the tools that each has.
const OWN: [(&str, &[&str]); 3] =
    [("direct", &[]), ("deliberate", &["calculator", "clock"]), ("coder", &["files", "python"])];

/// What a tool may use in one call.
const TOOL_FUEL: u64 = 10_000_000_000;

/// A configuration, and what turns it into agents.
pub(crate) struct Host {
    pub(crate) config: Config,
    pub(crate) engine: Engine,
    cache: Cache,
    pub(crate) models: Arc<Models>,
}

/// An agent that is ready to be asked.
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) strategy: Strategy,
    /// Who serves its models, by their aliases.
    pub(crate) served: Arc<HashMap<String, Served>>,
    /// All that the agent has, but nobody to talk to.
    pub(crate) authority: Authority,
    pub(crate) models: Vec<String>,
    pub(crate) instructions: String,
    /// Where its files are from; none where they are from nowhere.
    pub(crate) root: Option<PathBuf>,
    /// Its files as they were.
    pub(crate) before: Tree,
}

/// What the command line says of an agent.
#[derive(Default)]
pub(crate) struct Overrides<'a> {
    /// The model to ask, by its alias.
    pub(crate) model: Option<&'a str>,
    /// A folder that the agent may change, instead of those that it was granted.
    pub(crate) folder: Option<&'a Path>,
    /// A file of scripted answers, instead of all models.
    pub(crate) script: Option<&'a Path>,
    /// Whether only the agent's tools are wanted, and no model.
    pub(crate) tools_only: bool,
}

impl Host {
    /// Prepares the configuration's models, and the sandbox.
    pub(crate) fn new(config: Config) -> Result<Self> {
        let models = Models::new(config.all_models(), &config.folder())?;
        let (engine, cache) = (Engine::new()?, paths::compiled()?);
        Ok(Self { config, engine, cache, models: Arc::new(models) })
    }

    /// Makes an agent ready: loads its components, copies its files.
    pub(crate) async fn agent(&self, name: &str, overrides: &Overrides<'_>) -> Result<Agent> {
        let folder = self.config.folder();
        let own = OWN.iter().find(|(own, _)| *own == name);
        let table = match (self.config.tables.agent.get(name), own) {
            (Some(table), _) => table.clone(),
            (None, Some(_)) => AgentTable::default(),
            (None, None) if paths::component_of(Kind::Strategy, name, &folder).is_ok() => {
                AgentTable::default()
            }
            (None, None) => bail!(
                "there is no agent `{name}`\nhint: the agents are {}, direct, deliberate and coder; describe others in june.toml",
                listed(self.config.tables.agent.keys())
            ),
        };
        let configured = self.config.tables.agent.contains_key(name);
        let reference = table.strategy.as_deref().unwrap_or(name);
        let path = paths::component_of(Kind::Strategy, reference, &folder)?;
        let strategy = Strategy::load(&self.engine, &path, &self.cache)?;

        let models = self.models_of(&table, overrides)?;
        let has_python = table.tools.iter().any(|tool| tool.get_ref() == "python");
        let mut grants = table.grants.clone().into_grants(has_python);
        grants.models = models.iter().cloned().collect();
        let tools: Vec<String> = match (configured, own) {
            (false, Some((_, tools))) => {
                grants.programs = tools.contains(&"python");
                if tools.contains(&"files") {
                    grants.files = vec![everything()];
                }
                tools.iter().map(|tool| (*tool).to_owned()).collect()
            }
            _ => table.tools.iter().map(|tool| tool.get_ref().clone()).collect(),
        };
        if overrides.folder.is_some() {
            grants.files = vec![everything()];
        }
        let limits = table.limits.over(Limits { fuel: 100_000_000_000, ..Limits::default() });
        let root = match overrides.folder {
            Some(folder) => Some(folder.to_owned()),
            None => (configured && !grants.files.is_empty()).then_some(folder),
        };
        let before = match &root {
            Some(root) => disk::load(root, &grants.files, limits.files)?,
            None => Tree::default(),
        };
        grants.tools = tools.iter().cloned().collect();
        let tools = self.tools(&tools, &grants).await?;
        grants.tools = tools.keys().cloned().collect();
        let models_backend: Arc<dyn june_sandbox::capabilities::Llm> = match overrides.script {
            Some(script) => Arc::new(Models::scripted(&models, script)?),
            None => self.models.clone(),
        };
        let capabilities = Capabilities {
            llm: Some(models_backend),
            tools: Arc::new(tools),
            memory: grants.memory.then(|| Arc::new(Notes::default()) as _),
            workspace: (!grants.files.is_empty()).then(|| Workspace::new(before.clone())),
            ..self.means(&grants)?
        };
        let authority = Authority {
            grants: Arc::new(grants),
            capabilities,
            limits,
            origin: Origin::seeded(table.seed),
        };
        let instructions = table.instructions;
        let served = models.iter().filter_map(|alias| {
            let (provider, model) = match overrides.script {
                Some(_) => ("scripted", alias.clone()),
                None => self.config.model(alias)?.served(alias),
            };
            Some((alias.clone(), Served { provider, model }))
        });
        let served = Arc::new(served.collect());
        let name = name.into();
        Ok(Agent { name, strategy, served, authority, models, instructions, root, before })
    }

    /// The models that an agent may ask, the preferred one first.
    fn models_of(&self, table: &AgentTable, overrides: &Overrides<'_>) -> Result<Vec<String>> {
        let known = &self.config.tables.model;
        if overrides.tools_only {
            return Ok(Vec::new());
        }
        if let Some(model) = overrides.model {
            if overrides.script.is_none() && self.config.model(model).is_none() {
                bail!(
                    "there is no model `{model}`\nhint: describe it in june.toml under [model.{model}]; the models are: {}",
                    listed(self.config.models())
                );
            }
            return Ok(vec![model.to_owned()]);
        }
        if overrides.script.is_some() {
            return Ok(vec!["scripted".to_owned()]);
        }
        let own: Vec<String> = table.model.iter().map(|alias| alias.get_ref().clone()).collect();
        if !own.is_empty() {
            return Ok(own);
        }
        // What was pulled is asked where nothing else is described.
        let mut all = match known.is_empty() {
            true => self.config.pulled.keys(),
            false => known.keys(),
        };
        match (all.next(), all.next()) {
            (Some(only), None) => Ok(vec![only.clone()]),
            (Some(_), Some(_)) => bail!(
                "which model?\nhint: name one with --model, or in the agent's table; the models are: {}",
                listed(self.config.models())
            ),
            (None, _) => bail!(
                "no model is described\nhint: get one with `june model pull qwen3-0.6b`, or write in june.toml, for example:\n  [model.local]\n  backend = \"openai\"\n  url = \"http://127.0.0.1:8080/v1\""
            ),
        }
    }

    /// The tools of these names, with what each has of what its agent has.
    async fn tools(
        &self,
        names: &[String],
        agent: &Grants,
    ) -> Result<BTreeMap<String, GrantedTool>> {
        let mut tools = BTreeMap::new();
        let folder = self.config.folder();
        let servers = &self.config.tables.mcp;
        for name in names.iter().filter(|name| mcp::server_of(name, servers).is_none()) {
            let table = self.config.tables.tool.get(name).cloned().unwrap_or_default();
            let reference = table.component.as_deref().unwrap_or(name);
            let path = paths::component_of(Kind::Tool, reference, &folder)
                .with_context(|| format!("the tool `{name}` cannot be used"))?;
            let tool = Tool::load(&self.engine, &path, &self.cache).await?;
            let asks = table.grants.clone().unwrap_or_else(|| ToolGrantsTable::usual(name));
            let grants = asks.of(agent).map_err(|missing| {
                anyhow!(
                    "the tool `{name}` asks for what its agent does not have: {}\nhint: grant it to the agent too, or ask for less in [tool.{name}.grants]",
                    missing.join("; ")
                )
            })?;
            let limits = table.limits.over(Limits { fuel: TOOL_FUEL, ..Limits::default() });
            let tool = GrantedTool::component(tool, name, grants, limits)?;
            tools.insert(name.clone(), tool);
        }
        for tool in mcp::tools(names, &self.config).await? {
            let name = tool.spec().name.clone();
            if tools.insert(name.clone(), tool).is_some() {
                bail!(
                    "two tools have the name `{name}`\nhint: rename an MCP server, or leave one out"
                );
            }
        }
        Ok(tools)
    }

    /// A tool in nobody's service, by its name, path or digest, and the means that it has.
    pub(crate) async fn tool_alone(&self, reference: &str) -> Result<(GrantedTool, Capabilities)> {
        let table = self.config.tables.tool.get(reference);
        let named = table.is_some() || !paths::is_place(reference);
        let table = table.cloned().unwrap_or_default();
        let component = table.component.as_deref().unwrap_or(reference);
        let path = match named {
            true => paths::component_of(Kind::Tool, component, &self.config.folder()),
            false => paths::component_of(Kind::Tool, component, Path::new(".")),
        };
        let path = path.with_context(|| format!("the tool `{reference}` cannot be used"))?;
        let tool = Tool::load(&self.engine, &path, &self.cache).await?;
        let name = if named { reference.to_owned() } else { tool.spec().name.clone() };
        let asks = table.grants.clone().unwrap_or_else(|| ToolGrantsTable::usual(&name));
        let grants = asks.alone();
        let means = self.means(&grants)?;
        let limits = table.limits.over(Limits { fuel: TOOL_FUEL, ..Limits::default() });
        Ok((GrantedTool::component(tool, &name, grants, limits)?, means))
    }

    /// What runs programs in Python.
    pub(crate) fn runner(&self) -> Result<Runner> {
        Ok(Runner::load(&self.engine, &paths::component("python")?, &self.cache)?)
    }

    /// What runs the programs and sends the requests that these grants allow.
    fn means(&self, grants: &Grants) -> Result<Capabilities> {
        let programs = match grants.programs {
            true => Some(self.runner()?),
            false => None,
        };
        let http = match grants.http.is_empty() {
            true => None,
            false => Some(Arc::new(Network::new(grants)?) as _),
        };
        Ok(Capabilities { programs, http, ..Capabilities::default() })
    }
}

impl Agent {
    /// A turn that asks this, after a conversation.
    pub(crate) fn turn(&self, mut conversation: Vec<Message>, request: &str) -> Turn {
        conversation.push(said(Role::User, request));
        Turn {
            messages: conversation,
            models: self.models.clone(),
            instructions: self.instructions.clone(),
        }
    }

    /// The digest of all that its answers depend on beside its strategy and its grants.
    pub(crate) fn settings(&self, config: &Config) -> Digest {
        let Authority { capabilities, limits, .. } = &self.authority;
        let tools = capabilities.tools.values();
        let tools = tools.map(|tool| format!("{:?} {:?}", tool.spec(), tool.digest()));
        let models = self.models.iter().map(|model| format!("{:?}", config.model(model)));
        let own = [self.instructions.clone(), format!("{limits:?}")];
        Digest::of_parts(own.into_iter().chain(tools).chain(models))
    }

    /// Answers a turn, and tells how that went.
    ///
    /// # Errors
    ///
    /// As [`Strategy::respond`].
    pub(crate) async fn respond(
        &self,
        turn: &Turn,
        authority: &Authority,
        recording: Option<&Recording<'_>>,
    ) -> Result<Answered, june_sandbox::Error> {
        let (watched, authority) = Watched::begin(self, authority, recording);
        let answered = self.strategy.respond(turn, &authority, recording).await;
        watched.end(&answered);
        answered
    }

    /// What it has for a turn that begins now.
    pub(crate) fn now(&self) -> Authority {
        let authority = self.authority.clone();
        Authority { origin: origin(authority.origin.seed), ..authority }
    }

    /// The files as they are now.
    pub(crate) async fn files(&self) -> Tree {
        match &self.authority.capabilities.workspace {
            Some(workspace) => workspace.tree().await,
            None => Tree::default(),
        }
    }
}

/// This seed, and a clock that begins now.
pub(crate) fn origin(seed: u64) -> Origin {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Origin { seed, epoch: now.as_secs() }
}

/// A message of text.
pub(crate) fn said(role: Role, text: &str) -> Message {
    Message { role, parts: vec![Part::Text(text.into())] }
}

fn everything() -> FileGrant {
    FileGrant { path: String::new(), mode: Mode::ReadWrite }
}
