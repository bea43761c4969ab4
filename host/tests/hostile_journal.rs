//! Whoever has a key can sign whatever they like. No journal, however hostile, crashes, hangs or
//! steers a command.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use june_sandbox::journal::record::{
    self, Answer, Call, Data, Denial, End, Event, LimitHit, Opinion, Parent, Returned, Review,
    Start, VirtualCall, VirtualCalls,
};
use june_sandbox::journal::{Folder, Journal};
use june_sandbox::{Digest, Exception, Exit, Phase};

/// Text that a terminal would obey, and more of it than anybody wants to read.
fn nasty() -> String {
    format!("\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\u{9b}31m\u{202e}{}\0", "é".repeat(5000))
}

/// A turn, of all that a turn can hold.
fn turn() -> String {
    let text: String = nasty().chars().take(100).collect();
    let call = serde_json::json!({ "id": text, "name": text, "arguments": text });
    let result = serde_json::json!({ "call_id": text, "content": text, "is_error": true });
    serde_json::json!({
        "messages": [{ "role": "Tool", "parts": [
            { "Text": text }, { "Reasoning": text }, { "Call": call }, { "Outcome": result },
        ] }],
        "models": [text],
        "instructions": text,
    })
    .to_string()
}

fn start(session: &str, parent: Option<Parent>) -> Start {
    // Paths of two files, the first of them the root's: {"": h'', "..\u{1b}[2J": null}.
    let files = [&b"\xa2\x60\x82\x00\x81\x40\x66..\x1b[2J\xf6"[..]].concat();
    Start {
        component: Digest::of(b"none"),
        name: nasty(),
        world: nasty(),
        session: session.into(),
        engine: nasty(),
        configuration: Digest::of(b""),
        grants: vec![nasty(), nasty(), String::new()],
        policy: Digest::of(b""),
        limits: BTreeMap::from([(nasty(), u64::MAX), ("fuel".into(), 0)]),
        seed: u64::MAX,
        epoch: u64::MAX,
        input: BTreeMap::from([
            (nasty(), Data::Inline(vec![0xff; 4096])),
            ("gone".into(), Data::Blob { digest: Digest::of(b"gone"), length: u64::MAX }),
            ("turn".into(), Data::Inline(turn().into_bytes())),
            ("files".into(), Data::Inline(files)),
        ]),
        parent,
    }
}

/// Every kind of record, with the worst that its fields can hold, in no order that makes sense.
fn events(run: u64) -> Vec<Event> {
    let blob = Data::Blob { digest: Digest::of(b"gone"), length: 1 << 40 };
    let inline = Data::Inline(nasty().into_bytes()[..4096].to_vec());
    let call = VirtualCall { function: nasty(), arguments: nasty(), answer: nasty() };
    let note = |arguments| VirtualCall {
        function: "june:agent/reply.note".into(),
        arguments,
        answer: nasty(),
    };
    let notes = vec![
        note(nasty()),
        note(format!("{{stage: {}, text: {:?}}}", nasty(), nasty())),
        note("{stage: plan, text: \"\\u{110000}\"}".into()),
    ];
    let exit = Exit::Raised(Exception {
        kind: nasty(),
        message: nasty(),
        phase: Phase::Checks,
        line: u32::MAX,
        statement: Some(nasty()),
    });
    let end = |exit| {
        Event::End(End {
            exit,
            fuel: u64::MAX,
            peak_memory: u64::MAX,
            calls: u64::MAX,
            entries: u64::MAX,
            denied: u64::MAX,
            duration: u64::MAX,
        })
    };
    vec![
        end(Some(exit)),
        Event::Answer(Answer {
            number: u64::MAX,
            result: blob.clone(),
            fuel_before: 0,
            fuel_after: u64::MAX,
            duration: u64::MAX,
        }),
        Event::Virtual(VirtualCalls {
            first: u64::MAX,
            count: 0,
            listed: vec![call; 3],
            digest: Some(Digest::of(b"")),
        }),
        Event::Virtual(VirtualCalls { first: 0, count: u64::MAX, listed: vec![], digest: None }),
        Event::Virtual(VirtualCalls { first: u64::MAX - 1, count: 3, listed: notes, digest: None }),
        Event::Call(Call {
            number: run,
            function: nasty(),
            arguments: blob.clone(),
            grant: nasty(),
        }),
        Event::Denial(Denial {
            number: 0,
            function: nasty(),
            arguments: blob.clone(),
            reason: nasty(),
            answer: nasty(),
        }),
        Event::LimitHit(LimitHit { limit: nasty(), bound: u64::MAX }),
        Event::Output(record::Output {
            stdout: blob.clone(),
            stdout_truncated: true,
            stderr: inline.clone(),
            stderr_truncated: true,
        }),
        Event::Returned(Returned { value: Some(blob), said: Some(inline) }),
        Event::Review(Review {
            verdict: Opinion::Flag,
            comment: nasty(),
            reviewer: nasty(),
            note: nasty(),
        }),
        end(None),
    ]
}

fn june(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_june"))
        .args(arguments)
        .env("JUNE_JOURNAL", folder)
        .env("JUNE_CACHE", folder.join("cache"))
        .output()
        .expect("start june")
}

#[test]
fn no_journal_crashes_or_steers_a_command() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().join("journal"));
    folder.init("june/hostile").unwrap();
    let (journal, _) = Journal::open(&folder, || u64::MAX).unwrap();
    let mut runs = Vec::new();
    for number in 0..4 {
        // One is its own parent, one has a parent that comes later.
        let parent = Some(Parent { run: number * 11, call: u64::MAX });
        let run = journal.start(start(&nasty(), parent.filter(|_| number > 0))).unwrap();
        for event in events(run) {
            journal.append(run, event).unwrap();
        }
        runs.push(run.to_string());
    }
    // A run that never began.
    journal.append(u64::MAX, events(0).remove(0)).unwrap();
    journal.close().unwrap();

    let (a, b) = (runs[0].as_str(), runs[1].as_str());
    let unknown = u64::MAX.to_string();
    let commands: [&[&str]; 20] = [
        &["verify"],
        &["verify", "--json"],
        &["list"],
        &["list", "--json"],
        &["list", "--session", "x", "--component", "ab'; DROP TABLE runs; --"],
        &["show", a],
        &["show", a, "--full"],
        &["show", b, "--json"],
        &["show", b, "--json", "--full"],
        &["show", &unknown],
        &["diff", a, b],
        &["diff", a, b, "--json"],
        &["replay", a],
        &["replay", "--all"],
        &["replay", "--all", "--json"],
        &["export", "--format", "jsonl"],
        &["export", "--format", "ocsf"],
        &["export", "--format", "otel"],
        &["checkpoint"],
        &["list", "--reindex"],
    ];
    for command in commands {
        let arguments: Vec<&str> = ["journal"].iter().chain(command).copied().collect();
        let output = june(folder.path(), &arguments);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let code = output.status.code();
        assert!(matches!(code, Some(0..=3)), "{command:?}: {code:?}\n{stderr}");
        assert!(!stderr.contains("panicked"), "{command:?}: {stderr}");
        for steering in ['\u{1b}', '\u{7}', '\0', '\r'] {
            let steers = stdout.contains(steering) || stderr.contains(steering);
            assert!(!steers, "{command:?} lets {steering:?} through");
        }
        let json = command.contains(&"--json") || command[0] == "export";
        if !json {
            for steering in ['\u{9b}', '\u{202e}'] {
                let steers = stdout.contains(steering) || stderr.contains(steering);
                assert!(!steers, "{command:?} lets {steering:?} through");
            }
        }
    }
    // It is signed, and still no journal that June wrote.
    assert_eq!(june(folder.path(), &["journal", "verify"]).status.code(), Some(1));
}
