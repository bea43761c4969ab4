//! `june model list`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::server::{At, row};
use crate::config::{Config, ModelTable};
use crate::exit::{Blame, Failure, print};
use crate::pulled;
use crate::size::show_bytes;

/// List the models of june.toml and those that were pulled, or those of a Triton server.
#[derive(Args)]
pub(crate) struct List {
    /// The configuration [default: june.toml here, else in the user's folder for configuration].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The models of this Triton server instead, such as http://127.0.0.1:8000.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A model.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) model: String,
    /// The backend, or `file` for one that was pulled and is not in june.toml.
    pub(crate) backend: &'static str,
    /// Where it is: an address or a file.
    pub(crate) at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
}

pub(crate) fn run(command: &List) -> Result<ExitCode, Failure> {
    if let Some(server) = &command.server {
        return of_server(server, command.json);
    }
    let config = Config::find(command.config.as_deref()).input()?;
    let rows = rows(&config).environment()?;
    if command.json {
        let text = serde_json::to_string_pretty(&rows).environment()?;
        print(&format!("{text}\n"))?;
    } else if rows.is_empty() {
        eprintln!("june: no model yet\nhint: june model pull qwen3-0.6b, or docs/configuration.md");
    } else {
        let width = rows.iter().map(|row| row.model.len()).max().unwrap_or(0);
        for Row { model, backend, at, bytes } in rows {
            let size = bytes.map_or_else(String::new, |bytes| format!("  {}", show_bytes(bytes)));
            print(&format!("{model:<width$}  {backend:<8}  {at}{size}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The models of a configuration, then those that were pulled.
pub(crate) fn rows(config: &Config) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> =
        config.tables.model.iter().map(|(name, table)| of_table(name, table)).collect();
    for (model, path) in pulled::all()? {
        let bytes = fs::metadata(&path).ok().map(|file| file.len());
        rows.push(Row { model, backend: "file", at: path.display().to_string(), bytes });
    }
    Ok(rows)
}

fn of_server(server: &str, json: bool) -> Result<ExitCode, Failure> {
    let entries = At::plainly(server).list()?;
    if json {
        let text = serde_json::to_string_pretty(&entries).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        entries.iter().try_for_each(|entry| print(&row(entry)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn of_table(name: &str, table: &ModelTable) -> Row {
    let (backend, at) = match table {
        ModelTable::OpenAi(table) => ("openai", table.url.clone()),
        ModelTable::Local(table) => ("local", table.file.clone().unwrap_or_else(|| name.into())),
        ModelTable::Triton(table) => ("triton", table.url.clone()),
        ModelTable::Trtllm(table) => ("trtllm", table.engine.display().to_string()),
        ModelTable::Scripted(table) => ("scripted", table.file.display().to_string()),
    };
    Row { model: name.to_owned(), backend, at, bytes: None }
}
