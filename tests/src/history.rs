//! A journal as months of work leave it: runs of several agents, in sessions, a few of them with
//! calls that were denied. No component ran for it, so none of its runs can be replayed.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use june_journal::record::{Answer, Call, Data, Denial, End, Event, Output, Parent, Start};
use june_journal::{Digest, Error, Exception, Exit, Folder, Journal, Phase};

/// Milliseconds between a record and the next.
const STEP: u64 = 40;
static CLOCK: AtomicU64 = AtomicU64::new(0);

/// What an agent's model says, and what its programs do wrong.
const DETAILS: [(&str, &str); 6] = [
    ("AssertionError", "assert has_close_elements([1.0, 2.0, 5.9], 0.95)"),
    ("TypeError", "can only concatenate str (not \"int\") to str"),
    ("IndexError", "list index out of range"),
    ("ValueError", "invalid literal for int() with base 10: 'seven'"),
    ("KeyError", "'total'"),
    ("RecursionError", "maximum recursion depth exceeded"),
];

/// Writes about so many records after what the journal in this folder has; makes it where there is
/// none. The same number makes the same records, but for their times.
pub fn write(folder: &Path, records: u64) {
    let folder = Folder::new(folder);
    if matches!(folder.read_public_key(), Err(Error::Missing(_))) {
        folder.init("june.example/history").unwrap();
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    CLOCK.store(u64::try_from(now).unwrap() - records * STEP, Ordering::Relaxed);
    let (journal, _) = Journal::open(&folder, || CLOCK.fetch_add(STEP, Ordering::Relaxed)).unwrap();
    let mut history = History { journal, chance: 42, written: 0, sessions: 0 };
    while history.written < records {
        history.session();
    }
    history.journal.close().unwrap();
}

struct History {
    journal: Journal,
    chance: u64,
    written: u64,
    sessions: u64,
}

impl History {
    /// A number below this one, by chance that is always the same.
    fn below(&mut self, end: u64) -> u64 {
        self.chance =
            self.chance.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.chance >> 33) % end
    }

    /// An evaluation, or a conversation.
    fn session(&mut self) {
        self.sessions += 1;
        let number = self.sessions;
        if number.is_multiple_of(4) {
            let name = ["humaneval", "mbpp", "regressions"][self.below(3) as usize];
            let session = format!("{name}-coder-{number:05}");
            for _ in 0..164 {
                self.program(&session, None);
            }
        } else {
            let person = self.below(900) + 100;
            let session = format!("telegram {person}{number:05}");
            for _ in 0..=self.below(12) {
                self.answer(&session);
            }
        }
    }

    /// An agent that answers, with the tools that it asks.
    fn answer(&mut self, session: &str) {
        let name = ["coder", "direct", "deliberate", "support"][self.below(4) as usize];
        let run = self.start(name, "strategy", session, None);
        let tools = self.below(3);
        for number in 0..tools {
            self.call(run, number * 2, "june:agent/llm.chat", "model qwen3-8b");
            let tool = ["calculator", "clock", "files"][self.below(3) as usize];
            let function = "june:agent/tools.call";
            self.push(run, Event::Call(call(number * 2 + 1, function, &format!("tool {tool}"))));
            let made = Some(Parent { run, call: number * 2 + 1 });
            match self.below(3) {
                0 => self.program(session, made),
                _ => {
                    let run = self.start(tool, "tool", session, made);
                    self.end(run, Exit::Returned, 0, 0);
                }
            }
            self.push(run, answered(number * 2 + 1));
        }
        self.call(run, tools * 2, "june:agent/llm.chat", "model qwen3-8b");
        let exit = if self.below(200) == 0 { Exit::TimedOut } else { Exit::Returned };
        self.end(run, exit, tools * 2 + 1, 0);
    }

    /// A program that a model wrote.
    fn program(&mut self, session: &str, parent: Option<Parent>) {
        let run = self.start("python", "runner", session, parent);
        let denied = u64::from(self.below(250) == 0);
        if denied == 1 {
            self.push(
                run,
                Event::Denial(Denial {
                    number: 0,
                    function: "wasi:sockets/tcp-create-socket.create-tcp-socket".into(),
                    arguments: Data::Inline(b"[\"ipv4\"]".to_vec()),
                    reason: "no network was granted".into(),
                    answer: "access-denied".into(),
                }),
            );
        }
        let stdout = format!("attempt {run}\n").into_bytes();
        self.push(
            run,
            Event::Output(Output {
                stdout: Data::Inline(stdout),
                stdout_truncated: false,
                stderr: Data::Inline(Vec::new()),
                stderr_truncated: false,
            }),
        );
        let exit = match self.below(100) {
            0 => Exit::OutOfFuel,
            1 => Exit::OutOfMemory,
            2 => Exit::Exited(1),
            3 => Exit::Crashed("the stack overflowed".into()),
            4..20 => {
                let (kind, message) = DETAILS[self.below(6) as usize];
                Exit::Raised(Exception {
                    kind: kind.into(),
                    message: message.into(),
                    phase: Phase::Checks,
                    line: 4,
                    statement: Some("assert candidate(2, 3) == 5".into()),
                })
            }
            _ => Exit::Returned,
        };
        self.end(run, exit, denied, denied);
    }

    fn start(&mut self, name: &str, world: &str, session: &str, parent: Option<Parent>) -> u64 {
        let start = Start {
            component: Digest::of(name.as_bytes()),
            name: name.into(),
            world: world.into(),
            session: session.into(),
            engine: "wasmtime 48".into(),
            configuration: Digest::of(b"configuration"),
            grants: Vec::new(),
            policy: Digest::of(b"policy"),
            limits: [("fuel".into(), 10_000_000_000)].into(),
            seed: 0,
            epoch: 0,
            input: [("source".into(), Data::Inline(b"print(6 * 7)\n".to_vec()))].into(),
            parent,
        };
        self.written += 1;
        self.journal.start(start).unwrap()
    }

    fn call(&mut self, run: u64, number: u64, function: &str, grant: &str) {
        self.push(run, Event::Call(call(number, function, grant)));
        self.push(run, answered(number));
    }

    fn end(&mut self, run: u64, exit: Exit, calls: u64, denied: u64) {
        let fuel = 2_000_000 + self.below(60_000_000);
        let duration = 300 + self.below(90_000);
        self.push(
            run,
            Event::End(End {
                exit: Some(exit),
                fuel,
                peak_memory: 32 << 20,
                calls,
                entries: calls,
                denied,
                duration,
            }),
        );
    }

    fn push(&mut self, run: u64, event: Event) {
        self.written += 1;
        self.journal.append(run, event).unwrap();
    }
}

fn call(number: u64, function: &str, grant: &str) -> Call {
    let arguments = Data::Inline(b"[{\"name\":\"clock\",\"arguments\":\"{}\"}]".to_vec());
    Call { number, function: function.into(), arguments, grant: grant.into() }
}

fn answered(number: u64) -> Event {
    Event::Answer(Answer {
        number,
        result: Data::Inline(b"{\"Ok\":{\"content\":\"done\"}}".to_vec()),
        fuel_before: 9_000_000_000,
        fuel_after: 8_999_000_000,
        duration: 1200,
    })
}
