//! `june journal`: what was run is proven, read and run again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;

use june_tests::{
    Ended, cheap_samples, eval, hostile, json_lines, june, on_a_busy_machine, repository, run,
    shared, write_samples,
};
use serde_json::Value;
use tempfile::TempDir;

/// `june journal` with these arguments.
fn journal(folder: &Path, arguments: &[&str]) -> Ended {
    run(june(folder).arg("journal").args(arguments))
}

/// A folder in which these samples were graded, in the run `graded`.
fn graded<'a>(samples: impl IntoIterator<Item = (&'a str, String)>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path(), "samples.jsonl", samples);
    let arguments = ["--output", "graded", "--run-id", "--fuel", "1G"];
    run(eval(folder.path(), "samples.jsonl").args(arguments)).with(0);
    folder
}

fn lines(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn every_verdict_has_its_run() {
    let folder = graded(cheap_samples(20));
    let path = folder.path();
    let runs = lines(&journal(path, &["list", "--json", "--session", "graded"]).with(0));
    assert_eq!(runs.len(), 20);
    let results = json_lines(&path.join("graded/results.jsonl"));
    for result in &results {
        let run = runs.iter().find(|run| run["run"] == result["run_id"]).expect("the run");
        assert_eq!(run["fuel"], result["fuel"]);
        let number = result["run_id"].to_string();
        let shown = journal(path, &["show", &number, "--full"]).with(0).stdout;
        for line in result["completion"].as_str().unwrap().lines() {
            assert!(shown.contains(line), "{line:?} is not in {shown}");
        }
        let replayed = journal(path, &["replay", &number]).with(0).stdout;
        assert!(replayed.contains(": identical: output, "), "{replayed}");
    }
    // The filters find the same runs as the verdicts tell.
    for (outcome, verdict) in [("exited", "exited"), ("returned", "passed")] {
        let listed = lines(&journal(path, &["list", "--json", "--outcome", outcome]).with(0));
        let expected = results.iter().filter(|result| result["verdict"] == verdict).count();
        assert_eq!(listed.len(), expected, "{outcome}");
    }
    for (option, value, expected) in [
        ("--since", "1h", 20),
        ("--until", "2020-01-01", 0),
        ("--component", "python", 20),
        ("--component", "ffffffff", 0),
        ("--decision", "denied", 0),
        ("--session", "other", 0),
    ] {
        let listed = lines(&journal(path, &["list", "--json", option, value]).with(0));
        assert_eq!(listed.len(), expected, "{option} {value}");
    }
    assert_eq!(lines(&journal(path, &["list", "--json", "-n", "3"]).with(0)).len(), 3);
}

/// The hostile corpus: each run is recorded whole and replays as identical.
#[test]
fn hostile_programs_replay() {
    let programs = hostile();
    let folder =
        graded(programs.iter().map(|program| (program.task.as_str(), program.text.clone())));
    let ended = journal(folder.path(), &["replay", "--all"]).with(0);
    let count = programs.len();
    assert!(
        ended
            .stdout
            .ends_with(&format!("{count} identical, 0 diverged, 0 could not be replayed\n")),
        "{ended}"
    );
    let denied =
        lines(&journal(folder.path(), &["list", "--json", "--decision", "denied"]).with(0));
    assert!(denied.len() >= 3, "{} runs asked for a socket", denied.len());
    let shown = journal(folder.path(), &["show", &denied[0]["run"].to_string()]).with(0).stdout;
    assert!(shown.contains("no network was granted"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    journal(folder.path(), &["verify"]).with(0);
}

/// On another process, under load: all of HumanEval's own solutions, and a thousand of a model's.
#[test]
fn published_samples_replay() {
    let test = "journal: published_samples_replay";
    let data = |file| shared(test, file);
    let (Some(tasks), Some(samples)) =
        (data("HumanEval.jsonl.gz"), data("samples/codegen16B_t0.8_n10.jsonl"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = fs::read_to_string(samples).unwrap();
    let thousand: Vec<&str> = text.lines().take(1000).collect();
    fs::write(path.join("samples.jsonl"), thousand.join("\n")).unwrap();
    let graded = |what: &[&str]| {
        let mut command = june(path);
        command.args(["eval", "humaneval", "--dataset-file"]).arg(&tasks).args(what);
        run(&mut command).with(0);
    };
    graded(&["--reference", "--output", "reference"]);
    // Less than the default: the loops without end would take most of the time.
    graded(&["--samples", "samples.jsonl", "--output", "model", "--fuel", "500M"]);
    let ended = on_a_busy_machine(|| journal(path, &["replay", "--all", "--json"])).with(0);
    let replayed = lines(&ended);
    assert_eq!(replayed.len(), 1164);
    for run in &replayed {
        assert_eq!(run["result"], "identical", "{run}");
    }
    let listed = lines(&journal(path, &["list", "--json", "-n", "2000"]).with(0));
    let fuel = |runs: &[Value]| {
        let mut fuel: Vec<_> =
            runs.iter().map(|run| (run["run"].as_u64(), run["fuel"].as_u64())).collect();
        fuel.sort_unstable();
        fuel
    };
    assert_eq!(fuel(&replayed), fuel(&listed));
}

#[test]
fn a_replay_without_its_component_says_which_is_missing() {
    let folder = graded(cheap_samples(1));
    let path = folder.path();
    let run_0 = &lines(&journal(path, &["list", "--json"]).with(0))[0];
    let elsewhere = path.join("components");
    fs::create_dir(&elsewhere).unwrap();
    // A June that was moved: no component beside it, nor where it was built.
    let moved = path.join("june");
    fs::copy(june_tests::binary(), &moved).unwrap();
    let dist = repository("components/dist").canonicalize().unwrap();
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount -t tmpfs none \"$0\" && exec \"$@\""]);
    command.arg(&dist).arg(&moved).args(["journal", "replay", "0"]).current_dir(path);
    for (name, value) in june(path).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let ended = run(&mut command);
    if ended.stderr.contains("unshare") || ended.stderr.contains("mount:") {
        println!("skipped: a_replay_without_its_component_says_which_is_missing (may not mount)");
        return;
    }
    let digest = run_0["component"].as_str().unwrap();
    assert_eq!(ended.code, Some(3), "{ended}");
    assert!(ended.stdout.contains(&format!("SHA-256 {digest}, which is not here")), "{ended}");
}

#[test]
fn tampering_is_found_and_growth_is_proven() {
    let folder = graded(cheap_samples(5));
    let path = folder.path();
    let kept = journal(path, &["checkpoint"]).with(0).stdout;
    fs::write(path.join("kept"), &kept).unwrap();
    run(eval(path, "samples.jsonl").args(["--output", "again"])).with(0);
    let ended = journal(path, &["verify", "--since", "kept"]).with(0);
    assert!(ended.stdout.starts_with("sound: "), "{ended}");
    // Another journal in its place, as sound as this one was.
    fs::rename(path.join("journal"), path.join("old")).unwrap();
    run(eval(path, "samples.jsonl").args(["--output", "third"])).with(0);
    journal(path, &["verify"]).with(0);
    let ended = journal(path, &["verify", "--since", "kept"]).with(1);
    assert!(ended.stdout.contains("problem: the checkpoint to compare with"), "{ended}");

    let segment = path.join("journal/segments/00000000000000000000.segment");
    let good = fs::read(&segment).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    fs::write(&segment, &bad).unwrap();
    let ended = journal(path, &["verify"]).with(1);
    assert!(ended.stdout.starts_with("NOT SOUND"), "{ended}");
    assert_eq!(journal(path, &["verify", "--json"]).with(1).json()["sound"], false);
    fs::write(&segment, &good[..good.len() - 1]).unwrap();
    journal(path, &["verify"]).with(1);
    // What is damaged is not written to.
    let ended = run(eval(path, "samples.jsonl").args(["--output", "fourth"])).with(3);
    ended.says("were durable").says("hint: `june journal verify`");
}

#[test]
fn a_review_is_signed_and_shown() {
    let folder = graded(cheap_samples(2));
    let path = folder.path();
    let review = |verdict: &str, comment: &str| {
        let arguments = [
            "review",
            "0",
            "--verdict",
            verdict,
            "--comment",
            comment,
            "--key",
            "me.key",
            "--reviewer",
            "me",
        ];
        journal(path, &arguments)
    };
    let ended = review("flag", "look at \u{202e}this").with(0);
    assert!(ended.stdout.contains("run 0 is reviewed, flag, by me+"), "{ended}");
    review("ok", "looked").with(0);
    review("ok", "\u{1b}[2J").with(2).says("without control characters");
    let shown = journal(path, &["show", "0"]).with(0).stdout;
    assert!(shown.contains("FLAG by me+") && shown.contains("look at \\u{202e}this"), "{shown}");
    let listed = lines(&journal(path, &["list", "--json"]).with(0));
    assert_eq!(listed.last().unwrap()["reviews"], "flag ok");
    journal(path, &["verify"]).with(0);
    journal(path, &["review", "77", "--verdict", "ok", "--key", "me.key"])
        .with(2)
        .says("no run 77");
}

#[test]
fn runs_are_compared_by_their_effects() {
    let folder = graded([
        ("Hostile/0", "    print('one')\n    return a + b\n".to_owned()),
        ("Hostile/0", "    print('one')\n    return a + b\n".to_owned()),
        ("Hostile/0", "    print('two')\n    return a - b\n".to_owned()),
    ]);
    let path = folder.path();
    let runs: Vec<String> = json_lines(&path.join("graded/results.jsonl"))
        .iter()
        .map(|result| result["run_id"].to_string())
        .collect();
    let ended = journal(path, &["diff", &runs[0], &runs[1]]).with(0);
    assert!(ended.stdout.starts_with("the same "), "{ended}");
    let ended = journal(path, &["diff", &runs[0], &runs[2]]).with(1);
    assert!(ended.stdout.contains("\n-stdout: one\n"), "{ended}");
    assert!(ended.stdout.contains("\n+stdout: two\n"), "{ended}");
    let json = journal(path, &["diff", &runs[0], &runs[2], "--json"]).with(1).json();
    assert_eq!(json["same"], false);
}

/// A script that writes a file and runs it, asked of `coder` in a folder with a file.
fn coded(folder: &Path) {
    fs::create_dir(folder.join("work")).unwrap();
    fs::write(folder.join("work/old.txt"), "old\n").unwrap();
    let configuration = "[agent.coder]\ntools = [\"files\", \"python\"]\n\
        instructions = \"Be brief.\"\n\
        grants.files = [{ path = \"work\", mode = \"read-write\" }]\n";
    fs::write(folder.join("june.toml"), configuration).unwrap();
    let script = r#"
        [[answer]]
        when = { text = "forty-two" }
        calls = [{ name = "files", arguments = { action = "write", path = "work/a.py", content = "print(42)\n" } }]

        [[answer]]
        when = { result = "wrote 1 line" }
        calls = [{ name = "python", arguments = { code = "print(42)" } }]

        [[answer]]
        when = { result = "42" }
        text = "It prints 42."
    "#;
    fs::write(folder.join("script.toml"), script).unwrap();
    let arguments = ["run", "coder", "Print \u{1b}[31mforty-two", "--script", "script.toml"];
    run(june(folder).args(arguments)).with(0);
}

#[test]
fn an_agents_notes_stand_among_its_steps() {
    let folder = tempfile::tempdir().unwrap();
    coded(folder.path());
    let shown = journal(folder.path(), &["show", "0"]).with(0).stdout;
    let mut rest = shown.as_str();
    for part in [
        "given      files none",
        "given      turn \"Print \\u{1b}[31mforty-two\", instructions of 9 B",
        "june:agent/llm.stream(",
        "by tool files",
        "[execute] files {\"action\":\"write\",",
        "june:agent/llm.stream(",
        "by tool python",
        "[execute] python {\"code\":\"print(42)\"} answered: The program ran to its end.",
        "june:agent/llm.stream(",
        "made       run ",
    ] {
        rest = match rest.split_once(part) {
            Some((_, rest)) => rest,
            None => panic!("{part} is not in its place in {shown}"),
        };
    }
    let full = journal(folder.path(), &["show", "0", "--full"]).with(0).stdout;
    for part in ["| instructions: Be brief.\n", "| user: Print", "[execute]\n      | python {"] {
        assert!(full.contains(part), "{part} is not in {full}");
    }

    let runs = lines(&journal(folder.path(), &["list", "--json", "--component", "files"]).with(0));
    let tool = runs[0]["run"].to_string();
    let shown = journal(folder.path(), &["show", &tool]).with(0).stdout;
    assert!(shown.contains("given      files 1, 4 B, folders 1\n"), "{shown}");
    assert!(shown.contains("given      arguments "), "{shown}");
    let full = journal(folder.path(), &["show", &tool, "--full"]).with(0).stdout;
    assert!(full.contains("      | work/\n      | work/old.txt  4 B\n"), "{full}");
}

#[test]
fn exports_have_the_formats_of_others() {
    let programs = hostile();
    let socket = programs.iter().find(|program| program.text.contains("import socket"));
    let socket = socket.expect("a program that wants a socket");
    let folder = graded([(socket.task.as_str(), socket.text.clone())]);
    let path = folder.path();
    let records = lines(&journal(path, &["export", "--format", "jsonl"]).with(0));
    assert_eq!(records[0]["kind"], "start");
    assert_eq!(records.last().unwrap()["kind"], "end");
    assert!(records.iter().all(|record| record["leaf"].as_str().unwrap().len() == 64));

    let events = lines(&journal(path, &["export", "--format", "ocsf"]).with(0));
    assert!(events.len() >= 2);
    for (index, event) in events.iter().enumerate() {
        let (class, activity) = (&event["class_uid"], &event["activity_id"]);
        let kind = class.as_u64().unwrap() * 100 + activity.as_u64().unwrap();
        assert_eq!(event["type_uid"], kind, "{event:#}");
        assert_eq!(event["metadata"]["version"], "1.9.0");
        for required in ["time", "severity_id", "category_uid", "actor"] {
            assert!(!event[required].is_null(), "{required}: {event:#}");
        }
        let needed = if class == 6003 { ["api", "src_endpoint"] } else { ["process", "device"] };
        assert!(needed.iter().all(|name| event[name].is_object()), "{event:#}");
        let attestation = &event["attestation_list"][0];
        assert_eq!(attestation["fingerprint"]["algorithm_id"], 3);
        if index > 0 {
            let before = &events[index - 1];
            let previous = &attestation["prev_event"];
            assert_eq!(previous["uid"], before["metadata"]["uid"]);
            assert_eq!(
                previous["fingerprint"]["value"],
                before["attestation_list"][0]["fingerprint"]["value"]
            );
        }
    }

    let traces = lines(&journal(path, &["export", "--format", "otel"]).with(0));
    assert_eq!(traces.len(), 1);
    let spans = traces[0]["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    assert_eq!(spans[0]["name"], "execute_tool python");
    for span in spans {
        assert_eq!(span["traceId"].as_str().unwrap().len(), 32);
        assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
        let time = |key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"));
    }
}

#[test]
fn the_index_is_derived() {
    let folder = graded(cheap_samples(6));
    let path = folder.path();
    let list = || journal(path, &["list", "--json"]).with(0).stdout;
    let before = list();
    let index = path.join("journal/index.sqlite");
    fs::remove_file(&index).unwrap();
    assert_eq!(list(), before);
    fs::write(&index, "this is no database, but it is as long as one may be".repeat(100)).unwrap();
    assert_eq!(list(), before);
    assert_eq!(journal(path, &["list", "--json", "--reindex"]).with(0).stdout, before);
    // Another journal under an index that is not its own.
    let kept = fs::read(&index).unwrap();
    fs::rename(path.join("journal"), path.join("old")).unwrap();
    run(eval(path, "samples.jsonl").args(["--output", "b"])).with(0);
    fs::write(&index, kept).unwrap();
    let after = list();
    assert_eq!(after.lines().count(), 6);
    assert!(after.contains("\"session\":\"b\"") && !after.contains("graded"), "{after}");
}

#[test]
fn where_there_is_no_journal_the_next_step_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["list"][..], &["verify"], &["show", "1"], &["checkpoint"], &["replay", "1"]]
    {
        journal(folder.path(), arguments)
            .with(2)
            .says("holds no journal\nhint: `june journal init`");
    }
    let ended = journal(folder.path(), &["init", "--name", "example.org/june"]).with(0);
    assert!(ended.stdout.contains("public key: example.org/june+"), "{ended}");
    journal(folder.path(), &["init"]).with(2).says("holds something already");
    journal(folder.path(), &["verify"]).with(0);
    journal(folder.path(), &["list"]).with(0).says("no such run");
    journal(folder.path(), &["show", "5"]).with(2).says("there is no run 5");
    journal(folder.path(), &["replay"]).with(2).says("which runs?");
    let other = ["init", "--journal", "other", "--name", "two words"];
    journal(folder.path(), &other).with(2).says("cannot be the name of a key");
}

#[test]
fn two_at_once_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_samples(path, "samples.jsonl", cheap_samples(3));
    let lock = path.join("journal");
    journal(path, &["init"]).with(0);
    let held = fs::OpenOptions::new().write(true).open(lock.join("lock")).unwrap();
    held.lock().unwrap();
    let ended = run(eval(path, "samples.jsonl").args(["--output", "a"])).with(3);
    let ended = ended.says("another June is writing to this journal");
    ended.says("--journal");
    run(eval(path, "samples.jsonl").args(["--output", "b", "--journal", "other"])).with(0);
    run(eval(path, "samples.jsonl").args(["--output", "c", "--no-journal"])).with(0);
}
