//! Servers that mean no good. `fake_server.py` is one, in many ways.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use june_tests::{june, repository, run};

use crate::{agent_calls, configure, replay};

/// An agent with the tools of the fake server, which is marked by the folder's path.
fn agent_with(folder: &Path, how: &str) {
    let server = repository("tests/mcp/fake_server.py");
    // Only those known never to answer are given up soon: the machine may be busy.
    let start = if matches!(how, "silent" | "deaf") { "3s" } else { "30s" };
    configure(
        folder,
        &format!(
            "[mcp.fake]\ncommand = [\"python3\", {server:?}, \"{how}\", {folder:?}]\n\
             start = \"{start}\"\nwall = \"5s\"\n\
             [agent.a]\nstrategy = \"deliberate\"\ntools = [\"fake\"]\n"
        ),
    );
}

/// Fails the test when a process is left that has this folder among its arguments.
#[track_caller]
fn nobody_is_left(folder: &Path) {
    let mark = folder.to_str().unwrap();
    let left: Vec<String> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("cmdline")).ok())
        .filter(|line| line.split('\0').any(|argument| argument == mark))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_server_that_starts_badly_is_told_of() {
    for (how, told) in [
        ("silent", "it did not answer within 3s\nhint: allow it more with `start` in [mcp.fake]"),
        ("exits", "it ended with exit status 1; it said: there is no licence"),
        ("deaf", "it "),
        ("flood", "it sends without end what nobody asked for"),
        ("noise", "it sends without end what nobody asked for"),
        ("nonsense", "what it answers is not MCP"),
        ("many", "it offers more than 256 tools\nhint: name those you want"),
        ("pages", "it lists more than 4096 tools"),
        ("twins", "two tools have the name `fake_a_b`"),
        ("longname", "models take no name as long as `fake_xxx"),
        ("wordy", "the description of its tool `wordy` has more than 16384 bytes"),
        ("schema", "its tool `schema` cannot be used"),
        ("far", "its tool `far` cannot be used"),
        ("bigschema", "its tool `bigschema` cannot be used"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        agent_with(folder.path(), how);
        let begun = Instant::now();
        let ended = run(&mut agent_calls(folder.path(), "a", &[])).with(2);
        assert!(ended.stderr.contains(told), "{how}: {ended}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{how}: {:?}", begun.elapsed());
        nobody_is_left(folder.path());
    }
}

#[test]
fn a_call_that_goes_wrong_is_told_of() {
    for (tool, told) in [
        (
            "dies",
            "the MCP server `fake`: it ended with exit status 7; it said: a last word\\u{1b}[2J",
        ),
        ("hangs", "the MCP server `fake` did not answer within 5s"),
        ("floods", "the MCP server `fake`: it sends without end what nobody asked for"),
        ("asks", "the MCP server `fake`: it sends without end what nobody asked for"),
        ("nonsense", "the MCP server `fake`: what it answers is not MCP"),
        ("huge", "the MCP server `fake`: it sent a message of more than 8 MiB"),
        ("endless", "the MCP server `fake`: it sent a message of more than 8 MiB"),
        ("long", "the answer has more than 1.0 MiB; ask for less"),
        ("steers", "← fake_steers: \\u{1b}[2J"),
        ("refuses", "the MCP server `fake`: it refused the call: \\u{1b}[31mnever"),
        ("child", "← fake_child: it has a child"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        agent_with(folder.path(), "calls");
        let calls = [("fake_fine", "{}"), (&format!("fake_{tool}"), "{}")];
        let ended = run(&mut agent_calls(folder.path(), "a", &calls));
        let ended = ended.with(0).says("← fake_fine: as it should be");
        assert!(ended.stderr.contains(told), "{tool}: {ended}");
        assert!(ended.stdout.contains("done"), "{tool}: {ended}");
        nobody_is_left(folder.path());
        replay(folder.path(), "a");
    }
}

#[test]
fn a_call_to_a_server_that_has_died_fails_too() {
    let folder = tempfile::tempdir().unwrap();
    agent_with(folder.path(), "calls");
    let calls = [("fake_dies", "{}"), ("fake_fine", "{}")];
    let ended = run(&mut agent_calls(folder.path(), "a", &calls)).with(0);
    ended.says("← fake_fine failed: the MCP server `fake`: it ended with exit status 7");
}

#[test]
fn those_that_are_wanted_are_found_among_many() {
    let folder = tempfile::tempdir().unwrap();
    agent_with(folder.path(), "calls");
    let config = fs::read_to_string(folder.path().join("june.toml")).unwrap();
    let config = config.replace("tools = [\"fake\"]", "tools = [\"fake.fine\"]");
    configure(folder.path(), &config);
    let calls = [("fake_fine", "{}"), ("fake_dies", "{}")];
    let ended = run(&mut agent_calls(folder.path(), "a", &calls)).with(0);
    ended.says("← fake_fine: as it should be").says("← fake_dies failed: ");
}

#[test]
fn ctrl_c_ends_the_server_too() {
    let folder = tempfile::tempdir().unwrap();
    agent_with(folder.path(), "calls");
    let calls = [("fake_child", "{}"), ("fake_hangs", "{}")];
    let mut command = agent_calls(folder.path(), "a", &calls);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while !lines.next().expect("the call is shown").unwrap().contains("→ fake_hangs") {}
    run(Command::new("kill").args(["-INT", &child.id().to_string()])).with(0);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    nobody_is_left(folder.path());
}

#[test]
fn a_server_elsewhere_is_not_trusted_either() {
    for (how, told) in [
        ("huge", "the MCP server `fake` cannot be used: "),
        ("page", "the MCP server `fake` cannot be used: "),
        ("silent", "it did not answer within 3s"),
        ("away", "the MCP server `fake` cannot be used: "),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("python3");
        command.arg(repository("tests/mcp/fake_server.py")).args(["--http", how]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap();
        configure(
            folder.path(),
            &format!(
                "[mcp.fake]\nurl = \"http://127.0.0.1:{port}/mcp\"\nkey = \"TOKEN\"\nstart = \"3s\"\n\
                 [agent.a]\nstrategy = \"deliberate\"\ntools = [\"fake\"]\n"
            ),
        );
        let mut command = agent_calls(folder.path(), "a", &[]);
        let ended = run(command.env("TOKEN", "a-secret-for-one-server"));
        thread::sleep(Duration::from_millis(50));
        child.kill().unwrap();
        child.wait().unwrap();
        let ended = ended.with(2).says(told);
        assert!(!ended.stderr.contains("a-secret"), "{ended}");
        assert!(lines.next().is_none(), "a redirect was followed");
    }
}

#[test]
fn a_wrong_configuration_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (table, told) in [
        ("command = [\"no-such-program\"]", "cannot start `no-such-program`"),
        ("command = [\"./no-such-program\"]", "cannot start `./no-such-program`"),
        ("url = \"nowhere\"", "`nowhere` is no URL"),
        ("url = \"http://127.0.0.1:9/mcp\"", "the MCP server `x` cannot be used: "),
        ("", "[mcp.x]: it has neither `command` nor `url`"),
    ] {
        let agent = "[agent.a]\nstrategy = \"deliberate\"\ntools = [\"x\"]\n";
        configure(folder.path(), &format!("[mcp.x]\n{table}\n{agent}"));
        run(&mut agent_calls(folder.path(), "a", &[])).with(2).says(told);
    }
    configure(folder.path(), "[agent.a]\nstrategy = \"direct\"\ntools = [\"nosuch.tool\"]\n");
    run(&mut agent_calls(folder.path(), "a", &[])).with(2).says("the tool `nosuch.tool`");
    run(june(folder.path()).args(["mcp", "serve", "--agent", "nobody"])).with(2);
}
