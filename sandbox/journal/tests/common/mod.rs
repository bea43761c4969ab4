//! What the journal's tests share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use june_journal::record::{
    Answer, Call, Data, Denial, End, Event, LimitHit, Output, Parent, Returned, Start, VirtualCall,
    VirtualCalls,
};
use june_journal::{Digest, Error, Exception, Exit, Folder, Journal, Phase};

/// The time in every test.
pub fn clock() -> u64 {
    1_767_225_600_000
}

/// A new journal in this folder.
pub fn journal(path: &Path) -> (Folder, Journal) {
    let folder = Folder::new(path.join("journal"));
    folder.init("june/test").expect("make a journal");
    let (journal, tail) = Journal::open(&folder, clock).expect("open it");
    assert_eq!(tail, None);
    (folder, journal)
}

/// A start record.
pub fn start(session: &str, source: Data) -> Start {
    Start {
        component: Digest::of(b"component"),
        name: "python".into(),
        world: "runner".into(),
        session: session.into(),
        engine: "wasmtime 48".into(),
        configuration: Digest::of(b"configuration"),
        grants: vec!["files work read-only".into()],
        policy: Digest::of(b"policy"),
        limits: BTreeMap::from([("fuel".into(), 1 << 40), ("memory".into(), 1 << 28)]),
        seed: u64::MAX,
        epoch: 1_767_225_600,
        input: BTreeMap::from([("source".into(), source)]),
        parent: None,
    }
}

/// How many records a run of [`run`] has.
pub const RECORDS: u64 = 10;

/// A whole run with a record of every kind that a run has, and two blobs.
pub fn run(journal: &Journal, session: &str) -> Result<u64, Error> {
    let source = journal.data(format!("# {session}\n").repeat(900).into_bytes())?;
    let run = journal.start(start(session, source))?;
    let call = VirtualCall {
        function: "wasi:clocks/wall-clock.now".into(),
        arguments: String::new(),
        answer: "{seconds: 1, nanoseconds: 2}".into(),
    };
    let events = [
        Event::Virtual(VirtualCalls { first: 0, count: 2, listed: vec![call; 2], digest: None }),
        Event::Virtual(VirtualCalls {
            first: 2,
            count: 1000,
            listed: vec![],
            digest: Some(Digest::of(b"calls")),
        }),
        Event::Call(Call {
            number: 1002,
            function: "june:agent/llm.chat".into(),
            arguments: Data::Inline(b"{\"model\":\"m\"}".to_vec()),
            grant: "model m".into(),
        }),
        Event::Answer(Answer {
            number: 1002,
            result: journal.data(b"an answer ".repeat(1000))?,
            fuel_before: 1000,
            fuel_after: 900,
            duration: 12,
        }),
        Event::Denial(Denial {
            number: 1003,
            function: "wasi:sockets/tcp-create-socket.create-tcp-socket".into(),
            arguments: Data::Inline(b"ipv4".to_vec()),
            reason: "no network was granted".into(),
            answer: "err(access-denied)".into(),
        }),
        Event::LimitHit(LimitHit { limit: "fuel".into(), bound: 1 << 40 }),
        Event::Output(Output {
            stdout: Data::Inline(b"42\n".to_vec()),
            stdout_truncated: false,
            stderr: Data::Inline(vec![]),
            stderr_truncated: true,
        }),
        Event::Returned(Returned {
            value: Some(Data::Inline(b"{\"Ok\":\"42\"}".to_vec())),
            said: None,
        }),
        Event::End(End {
            exit: Some(Exit::Raised(Exception {
                kind: "AssertionError".into(),
                message: "no".into(),
                phase: Phase::Checks,
                line: 3,
                statement: Some("assert no".into()),
            })),
            fuel: 7,
            peak_memory: 1 << 20,
            calls: 1004,
            entries: 1010,
            denied: 1,
            duration: 99,
        }),
    ];
    for event in events {
        journal.append(run, event)?;
    }
    Ok(run)
}

/// A run that another run made.
pub fn child(journal: &Journal, parent: u64) -> Result<u64, Error> {
    let parent = Some(Parent { run: parent, call: 0 });
    journal.start(Start { parent, ..start("child", Data::Inline(vec![])) })
}
