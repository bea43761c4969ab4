//! Records of every kind.

use june_journal::record::{
    Answer, Call, Data, Denial, End, Event, LimitHit, Opinion, Output, Parent, Record, Returned,
    Review, Start, VirtualCall, VirtualCalls,
};
use june_journal::{Digest, Exception, Exit, Phase};

use crate::key;

/// A start record.
pub fn start() -> Start {
    Start {
        component: Digest::of(b"component"),
        name: "python".into(),
        world: "runner".into(),
        session: String::new(),
        engine: "wasmtime".into(),
        configuration: Digest::of(b"configuration"),
        grants: vec!["files work".into()],
        policy: Digest::of(b"policy"),
        limits: [("fuel".into(), 1 << 40)].into(),
        seed: 7,
        epoch: 1,
        input: [("source".into(), Data::Inline(b"pass\n".to_vec()))].into(),
        parent: None,
    }
}

fn end(exit: Option<Exit>, calls: u64, denied: u64) -> Event {
    Event::End(End { exit, fuel: 9, peak_memory: 1 << 16, calls, entries: 9, denied, duration: 3 })
}

/// A run of three records.
pub fn run(first: u64, time: u64) -> Vec<Vec<u8>> {
    let call = VirtualCall {
        function: "wasi:clocks/wall-clock.now".into(),
        arguments: String::new(),
        answer: "1".into(),
    };
    let calls = VirtualCalls { first: 0, count: 1, listed: vec![call], digest: None };
    [Event::Start(start()), Event::Virtual(calls), end(Some(Exit::Returned), 1, 0)]
        .map(|event| Record::new(first, time, event).to_bytes())
        .into()
}

/// A run with a record of every kind, and two reviews of it.
pub fn every_kind(first: u64, time: u64) -> Vec<Record> {
    let blob = Data::Blob { digest: Digest::of(b"a value\n"), length: 8 };
    let exception = Exception {
        kind: "ValueError".into(),
        message: "no".into(),
        phase: Phase::Source,
        line: 300,
        statement: None,
    };
    let review =
        |verdict| Review::sign(key(), "june/fuzz", first, verdict, "a comment").expect("sign");
    [
        Event::Start(Start { input: [("source".into(), blob.clone())].into(), ..start() }),
        Event::Start(Start { parent: Some(Parent { run: first, call: 0 }), ..start() }),
        Event::Virtual(VirtualCalls {
            first: 0,
            count: 1 << 20,
            listed: vec![],
            digest: Some(Digest::of(b"calls")),
        }),
        Event::Call(Call {
            number: 1 << 20,
            function: "june:agent/llm.chat".into(),
            arguments: Data::Inline(vec![]),
            grant: "model m".into(),
        }),
        Event::Answer(Answer {
            number: 1 << 20,
            result: blob.clone(),
            fuel_before: u64::MAX,
            fuel_after: 1 << 33,
            duration: 24,
        }),
        Event::Denial(Denial {
            number: (1 << 20) + 1,
            function: "wasi:sockets/tcp-create-socket.create-tcp-socket".into(),
            arguments: Data::Inline(b"ipv4".to_vec()),
            reason: "no network".into(),
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
            said: Some(blob),
        }),
        end(Some(Exit::Raised(exception)), (1 << 20) + 2, 1),
        end(Some(Exit::Exited(-1)), (1 << 20) + 2, 1),
        end(Some(Exit::Crashed("stack".into())), (1 << 20) + 2, 1),
        end(Some(Exit::TimedOut), (1 << 20) + 2, 1),
        end(None, (1 << 20) + 2, 1),
        Event::Review(review(Opinion::Ok)),
        Event::Review(review(Opinion::Flag)),
    ]
    .map(|event| Record::new(first, time, event))
    .into()
}
