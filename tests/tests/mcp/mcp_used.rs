//! Agents that use the tools of real servers: those of the protocol's authors.

use std::fs;
use std::path::Path;

use june_tests::{june, run};
use serde_json::json;

use crate::{agent_calls, configure, replay, runs, server};

#[test]
fn an_agent_uses_other_peoples_tools() {
    let test = "an_agent_uses_other_peoples_tools";
    let Some(everything) = server(test, "mcp-server-everything") else { return };
    let Some(filesystem) = server(test, "mcp-server-filesystem") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("work")).unwrap();
    fs::write(path.join("work/a.txt"), "from the file\n").unwrap();
    configure(
        path,
        &format!(
            "[mcp.every]\ncommand = [\"node\", {everything:?}]\nenv = {{ MARK = \"seen\" }}\npass = [\"PASSED\"]\n\
             [mcp.fs]\ncommand = [\"node\", {filesystem:?}, \"work\"]\n\
             tools = [\"read_text_file\", \"write_file\"]\n\
             [agent.helper]\nstrategy = \"deliberate\"\n\
             tools = [\"every.get-sum\", \"every.get-env\", \"every.get-tiny-image\", \"fs\"]\n"
        ),
    );
    let calls = [
        ("every_get-sum", r#"{"a": 2, "b": 40}"#),
        ("every_get-sum", r#"{"a": "two"}"#),
        ("every_get-env", "{}"),
        ("every_get-tiny-image", "{}"),
        ("every_echo", r#"{"message": "not among its tools"}"#),
        ("fs_read_text_file", r#"{"path": "a.txt"}"#),
        ("fs_read_text_file", r#"{"path": "/etc/passwd"}"#),
        ("fs_write_file", r#"{"path": "b.txt", "content": "written"}"#),
    ];
    let mut command = agent_calls(path, "helper", &calls);
    let ended = run(command.env("PASSED", "on").env("UNSEEN", "by servers").env("HOME", path));
    let ended = ended.with(0).says("← every_get-sum: The sum of 2 and 40 is 42.");
    let ended = ended.says("every_get-sum failed: ");
    let ended = ended.says("← every_echo failed: ").says("from the file");
    let ended = ended.says("Access denied - path outside allowed directories");
    // Answers of several lines are in the journal, whole: an image's, and the environment's.
    let recorded = everything_in(&path.join("journal"));
    assert!(recorded.contains("[an image, image/png, "), "{recorded}");
    assert!(recorded.contains(r#"MARK\": \"seen"#), "{recorded}");
    assert!(recorded.contains(r#"PASSED\": \"on"#) && !recorded.contains("UNSEEN"));
    assert!(ended.stdout.contains("done"), "{ended}");
    assert_eq!(fs::read_to_string(path.join("work/b.txt")).unwrap(), "written");

    // A replay asks no server; it would write the file again.
    fs::remove_file(path.join("work/b.txt")).unwrap();
    replay(path, "helper");
    assert!(!path.join("work/b.txt").exists());
    let number = runs(path, "helper")[0]["run"].to_string();
    let shown = run(june(path).args(["journal", "show", &number])).with(0).stdout;
    assert!(shown.contains("by tool fs_write_file"), "{shown}");
}

/// The text of all files of a folder.
fn everything_in(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => text += &everything_in(&path),
            false => text += &String::from_utf8_lossy(&fs::read(path).unwrap()),
        }
    }
    text
}

#[test]
fn a_tool_that_is_not_there_is_named() {
    let test = "a_tool_that_is_not_there_is_named";
    let Some(everything) = server(test, "mcp-server-everything") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (offered, asked, told) in [
        ("", "every.nosuch", "it has no tool `nosuch`"),
        ("tools = [\"nosuch\"]\n", "every", "it has no tool `nosuch`"),
        ("tools = [\"echo\"]\n", "every.get-sum", "its tool `get-sum` is not among those"),
    ] {
        configure(
            folder.path(),
            &format!(
                "[mcp.every]\ncommand = [\"node\", {everything:?}]\n{offered}\
                 [agent.a]\nstrategy = \"deliberate\"\ntools = [\"{asked}\"]\n"
            ),
        );
        let mut command = agent_calls(folder.path(), "a", &[]);
        run(&mut command).with(2).says("the MCP server `every` cannot be used: ").says(told);
    }
}

#[test]
fn a_server_over_http_is_used_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let serving = crate::mcp_served::Http::start(path, &["calculator", "--key", "TOKEN"], "TOKEN");
    configure(
        path,
        &format!(
            "[mcp.june]\nurl = \"{}\"\nkey = \"TOKEN\"\n\
             [agent.helper]\nstrategy = \"deliberate\"\ntools = [\"june\"]\n",
            serving.url
        ),
    );
    let calls = [
        ("june_calculator", r#"{"expression": "6 * 7"}"#),
        ("june_calculator", r#"{"expression": "6 *"}"#),
    ];
    let journal = path.join("journal-of-the-agent");
    let mut command = agent_calls(path, "helper", &calls);
    command.env("TOKEN", crate::mcp_served::TOKEN).env("JUNE_JOURNAL", journal);
    run(&mut command).with(0).says("← june_calculator: 42").says("← june_calculator failed: ");
    let mut command = agent_calls(path, "helper", &calls);
    run(command.arg("--no-journal").env("TOKEN", "another-token-altogether"))
        .with(2)
        .says("the MCP server `june` cannot be used: ");
    run(agent_calls(path, "helper", &calls).arg("--no-journal"))
        .with(2)
        .says("its key $TOKEN is not set\nhint: export it");
    assert_eq!(serving.end(), json!(0));
    assert_eq!(runs(path, "mcp").len(), 2);
}
