//! The Model Context Protocol: June's tools for other people's agents, and other people's tools for
//! June's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod mcp_hostile;
mod mcp_served;
mod mcp_used;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use june_tests::{Ended, june, run};

/// The Python that has the protocol's official client. Where it is absent, says so for this test.
fn python(test: &str) -> Option<PathBuf> {
    let python = env::var_os("JUNE_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        eprintln!("SKIPPED {test}: JUNE_TEST_PYTHON names no Python that has mcp");
    }
    python
}

/// A server of the protocol's authors. Where it is absent, says so for this test.
fn server(test: &str, name: &str) -> Option<PathBuf> {
    let Some(folder) = env::var_os("JUNE_TEST_MCP_SERVERS") else {
        eprintln!("SKIPPED {test}: JUNE_TEST_MCP_SERVERS names no folder of MCP servers");
        return None;
    };
    let server = Path::new(&folder).join("node_modules/.bin").join(name);
    assert!(server.exists(), "JUNE_TEST_MCP_SERVERS has no {name}");
    Some(server)
}

/// Writes `june.toml`.
fn configure(folder: &Path, text: &str) {
    fs::write(folder.join("june.toml"), text).unwrap();
}

/// `june run` of an agent that calls these tools, one after the other, and then says `done`.
fn agent_calls(folder: &Path, agent: &str, calls: &[(&str, &str)]) -> Command {
    let mut script = String::new();
    for (name, arguments) in calls {
        script +=
            &format!("[[answer]]\ncalls = [{{ name = \"{name}\", arguments = '{arguments}' }}]\n");
    }
    script += "[[answer]]\ntext = \"done\"\nrepeat = true\n";
    fs::write(folder.join("script.toml"), script).unwrap();
    let mut command = june(folder);
    command.args(["run", agent, "begin", "--script", "script.toml"]);
    command
}

/// The runs of a session, the newest first.
fn runs(folder: &Path, session: &str) -> Vec<serde_json::Value> {
    let listed =
        run(june(folder).args(["journal", "list", "--json", "--session", session])).with(0);
    listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Fails the test unless all runs of a session come out as they were recorded.
#[track_caller]
fn replay(folder: &Path, session: &str) -> Vec<Ended> {
    let runs = runs(folder, session);
    assert!(!runs.is_empty(), "nothing was recorded for {session}");
    let again = |number: String| {
        let ended = run(june(folder).args(["journal", "replay", &number])).with(0);
        assert!(ended.stdout.contains(": identical: output, "), "{ended}");
        ended
    };
    runs.iter().map(|run| again(run["run"].to_string())).collect()
}
