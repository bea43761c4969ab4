//! Strategies and tools that try what they must not: each attempt is contained, recorded and
//! reported in words, and each limit is one that can be hit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use common::agents::{asks, model, records, says, tool, with_model};
use common::{ENGINE, component};
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::{StreamExt, stream};
use june_sandbox::capabilities::{
    Deltas, Http, HttpError, HttpRequest, HttpResponse, Llm, Memory, Text,
};
use june_sandbox::contract::{CallError, Delta, LlmError, MemoryError, Request};
use june_sandbox::grants::{FileGrant, Mode};
use june_sandbox::journal::record::Event;
use june_sandbox::journal::{Folder, Journal};
use june_sandbox::workspace::Entry;
use june_sandbox::{
    Answered, Authority, Cache, Called, Exit, GrantedTool, Grants, Limits, Recorded, Recording,
    Replay, Strategy, Subject, Tool, Tree, Workspace,
};

static HOSTILE: LazyLock<Strategy> = LazyLock::new(|| {
    Strategy::load(&ENGINE, &component("tests/hostile-strategy"), &Cache::none())
        .expect("a strategy")
});

async fn hostile_tool() -> Tool {
    Tool::load(&ENGINE, &component("tests/hostile-tool"), &Cache::none()).await.expect("a tool")
}

/// Whom the hostile strategy may ask, and a hostile tool with these grants and limits.
async fn authority(tool_grants: Grants, tool_limits: Limits) -> Authority {
    let mut authority = with_model(model(|_| says("Hello.")));
    let grants = Arc::make_mut(&mut authority.grants);
    grants.tools.insert("hostile".into());
    grants.files = tool_grants.files.clone();
    let hostile = hostile_tool().await;
    let hostile = GrantedTool::component(hostile, "hostile", tool_grants, tool_limits).unwrap();
    authority.capabilities.tools = Arc::new(BTreeMap::from([("hostile".to_owned(), hostile)]));
    authority
}

fn told(answered: &Answered) -> String {
    answered.answer.as_ref().expect("an answer").as_ref().expect("no error").text.clone()
}

/// Runs it recorded, and replays all that was recorded.
async fn attempt(request: &str, authority: &Authority) -> (Answered, Vec<Event>) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().join("journal"));
    folder.init("example.org/journal").unwrap();
    let (journal, _) = Journal::open(&folder, || 0).unwrap();
    let recording = Recording { journal: &journal, session: "s", parent: None };
    let answered = HOSTILE.respond(&asks(request), authority, Some(&recording)).await.unwrap();
    journal.close().unwrap();
    let records = records(&folder);
    let hostile = hostile_tool().await;
    let runs = records.iter().filter(|record| matches!(record.event, Event::Start(_)));
    for run in runs.map(|record| record.run) {
        let own = records.iter().filter(|record| record.run == run).cloned();
        let recorded = match Recorded::gather(own, &folder.blobs()) {
            // What the wall clock ended has nothing to be compared with.
            Err(_) if answered.outcome.exit == Exit::TimedOut => continue,
            recorded => recorded.unwrap(),
        };
        let replay = match &recorded.subject {
            Subject::Turn(_) => HOSTILE.replay(&recorded).await.unwrap(),
            Subject::Call { .. } => hostile.replay(&recorded).await.unwrap(),
            Subject::Program(_) => continue,
        };
        assert!(matches!(replay, Replay::Identical { .. }), "{request}: run {run}: {replay:?}");
    }
    (answered, records.into_iter().map(|record| record.event).collect())
}

fn denials(events: &[Event]) -> Vec<String> {
    let denials = events.iter().filter_map(|event| match event {
        Event::Denial(denial) => Some(denial.reason.clone()),
        _ => None,
    });
    denials.collect()
}

#[tokio::test]
async fn what_was_not_granted_is_denied_and_recorded() {
    let authority = authority(Grants::default(), Limits::default()).await;
    let request =
        "model other\ntool secret {}\nprogram print(1)\nremember 1\ntool hostile {\"x\": 1}";
    let (answered, events) = attempt(request, &authority).await;
    let told = told(&answered);
    for expected in [
        "no grant covers the model `other`",
        "`secret` is not a tool; the tools are: hostile",
        "no grant covers running programs",
        "no grant covers notes",
        "InvalidArguments",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert_eq!(denials(&events).len(), 5, "{events:?}");
}

#[tokio::test]
async fn a_tool_that_is_there_but_not_granted_is_denied() {
    let mut authority = authority(Grants::default(), Limits::default()).await;
    Arc::make_mut(&mut authority.grants).tools.clear();
    let (answered, _) = attempt("tool hostile {\"action\": \"nothing\"}", &authority).await;
    assert!(told(&answered).contains("no grant covers the tool `hostile`"));
}

#[tokio::test]
async fn calls_without_end_come_to_an_end() {
    let mut authority = authority(Grants::default(), Limits::default()).await;
    authority.limits.calls = 40;
    let (answered, events) = attempt("fork", &authority).await;
    assert_eq!(answered.outcome.exit, Exit::Crashed("more calls than allowed".into()));
    assert_eq!(answered.spent.tools, 40);
    let refused = denials(&events);
    assert!(refused.iter().all(|why| why.contains("calls of this run")), "{refused:?}");
}

#[tokio::test]
async fn talk_without_end_comes_to_an_end() {
    let authority = authority(Grants::default(), Limits::default()).await;
    for command in ["say", "note"] {
        let (answered, _) = attempt(command, &authority).await;
        assert_eq!(answered.outcome.exit, Exit::Crashed("more said than allowed".into()));
        assert!(answered.said.len() <= authority.limits.reply);
    }
}

#[tokio::test]
async fn reading_a_stream_without_end_takes_fuel_and_no_disk() {
    let mut authority = authority(Grants::default(), Limits::default()).await;
    authority.limits.fuel = 1_000_000_000;
    let (answered, events) = attempt("read", &authority).await;
    assert_eq!(answered.outcome.exit, Exit::OutOfFuel);
    assert!(events.len() < 200, "{} records", events.len());
}

#[tokio::test]
async fn tools_in_tools_are_as_deep_as_allowed() {
    let grants = Grants { tools: ["hostile".into()].into(), ..Grants::default() };
    let mut authority = authority(grants, Limits::default()).await;
    authority.limits.depth = 3;
    let (answered, events) = attempt("tool hostile {\"action\": \"recurse\"}", &authority).await;
    assert!(told(&answered).contains("nested as deeply as allowed"), "{}", told(&answered));
    let runs = events.iter().filter(|event| matches!(event, Event::Start(_)));
    assert_eq!(runs.count(), 4, "the strategy and three tools");
}

#[tokio::test]
async fn a_tool_takes_no_more_than_its_limits() {
    let limits = Limits { fuel: 50_000_000, memory: 8 << 20, ..Limits::default() };
    let authority = authority(Grants::default(), limits).await;
    for (action, expected) in [
        ("{\"action\": \"loop\"}", "Limit(\"the tool used up its fuel\")"),
        (
            "{\"action\": \"allocate\", \"count\": 99999999}",
            "Limit(\"the tool used up its memory\")",
        ),
        ("{\"action\": \"trap\"}", "Crashed(\"the tool ended without an answer: crashed"),
    ] {
        let (answered, _) = attempt(&format!("tool hostile {action}"), &authority).await;
        assert!(
            format!("{:?}", told(&answered)).replace("\\\"", "\"").contains(expected),
            "{action}: {}",
            told(&answered)
        );
    }
}

#[tokio::test]
async fn what_tools_use_is_the_agents_own_fuel() {
    let mut authority = authority(Grants::default(), Limits::default()).await;
    authority.limits.fuel = 100_000_000;
    // Eight that loop share what one may use.
    let request = "crowd 8 hostile {\"action\": \"loop\"}";
    let (answered, _) = attempt(request, &authority).await;
    assert_eq!(answered.outcome.exit, Exit::OutOfFuel);
    assert!(answered.outcome.fuel <= 100_000_000);
}

#[tokio::test]
async fn tools_called_together_run_together_and_answer_in_order() {
    let mut authority = authority(Grants::default(), Limits::default()).await;
    authority.limits.calls = 64;
    let (answered, _) =
        attempt("crowd 30 hostile {\"action\": \"nothing\"}\ncrowd 40 hostile {}", &authority)
            .await;
    let told = told(&answered);
    let (first, second) = told.split_once('\n').unwrap();
    assert_eq!(first.matches("Ok(ToolResult").count(), 30, "{first}");
    assert!(second.contains("34 calls of this run are left"), "{second}");
}

#[tokio::test]
async fn tools_called_together_change_files_in_the_order_of_their_calls() {
    let grants = Grants {
        files: vec![FileGrant { path: String::new(), mode: Mode::ReadWrite }],
        ..Grants::default()
    };
    let mut authority = authority(grants, Limits::default()).await;
    let workspace = Workspace::default();
    authority.capabilities.workspace = Some(workspace.clone());
    let request = "crowd 20 hostile {\"action\": \"append\", \"path\": \"/all\"}";
    let (answered, _) = attempt(request, &authority).await;
    assert_eq!(told(&answered).matches("Ok(ToolResult").count(), 20);
    // Each saw what the one before it had written.
    let tree = workspace.tree().await;
    let written = String::from_utf8_lossy(tree.file("all").unwrap()).into_owned();
    let lengths: Vec<usize> = written.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(lengths.len(), 20, "{written}");
    assert!(lengths.is_sorted_by(|a, b| a < b), "{written}");
}

async fn on_files(action: &str, path: &str, count: u64, limits: &Limits) -> Called {
    let mut tree = Tree::default();
    for (path, content) in [("work/a", "own"), ("read/b", "shown"), ("secret", "hidden")] {
        tree.insert(path, Entry::file(content)).unwrap();
    }
    let grants = Grants {
        files: vec![
            FileGrant { path: "work".into(), mode: Mode::ReadWrite },
            FileGrant { path: "read".into(), mode: Mode::Read },
        ],
        ..Grants::default()
    };
    let authority =
        Authority { grants: Arc::new(grants), limits: limits.clone(), ..Authority::default() };
    let arguments = serde_json::json!({ "action": action, "path": path, "count": count });
    hostile_tool().await.call(&arguments.to_string(), &authority, &tree, None).await.unwrap()
}

#[tokio::test]
async fn files_are_those_that_were_granted() {
    let limits = Limits::default();
    for (action, path) in
        [("read", "/work/a"), ("read", "work/./a"), ("list", "/read"), ("write", "work/new")]
    {
        let called = on_files(action, path, 1, &limits).await;
        assert!(matches!(called.answer, Some(Ok(_))), "{action} {path}: {:?}", called.answer);
    }
    for (action, path) in [
        ("read", "/secret"),
        ("read", "work/../secret"),
        ("read", "/work/../../etc/passwd"),
        ("read", "/etc/passwd"),
        ("list", "/"),
        ("write", "/read/b"),
        ("write", "/read/new"),
        ("write", "/outside"),
        ("rename", "/work/a"),
        ("rename", "/read/b"),
        ("link", "/work/link"),
    ] {
        let called = on_files(action, path, 1, &limits).await;
        assert!(
            matches!(called.answer, Some(Err(CallError::Failed(_)))),
            "{action} {path}: {:?}",
            called.answer
        );
        assert_eq!(called.files.file("read/b"), Some(b"shown".as_slice()));
        assert_eq!(called.files.file("work/a"), Some(b"own".as_slice()));
    }
}

#[tokio::test]
async fn files_have_no_more_room_than_allowed() {
    let limits = Limits { files: 1 << 20, ..Limits::default() };
    let called = on_files("fill", "/work/big", 1000, &limits).await;
    assert!(matches!(called.answer, Some(Err(_))), "{:?}", called.answer);
    assert!(called.files.bytes() <= 1 << 20);
    let called = on_files("crowd", "/work", 70_000, &Limits::default()).await;
    assert!(matches!(called.answer, Some(Err(_))), "{:?}", called.answer);
}

/// A model that never ends.
struct EndlessModel;

impl Llm for EndlessModel {
    fn stream(&self, _: Request) -> BoxFuture<'static, Result<Deltas, LlmError>> {
        let deltas: Deltas = Box::pin(stream::repeat_with(|| Ok(Delta::Text("more ".into()))));
        ready(Ok(deltas)).boxed()
    }
}

/// A model that never answers.
struct SilentModel;

impl Llm for SilentModel {
    fn stream(&self, _: Request) -> BoxFuture<'static, Result<Deltas, LlmError>> {
        ready(Ok(stream::pending().boxed() as Deltas)).boxed()
    }
}

#[tokio::test]
async fn a_model_that_never_ends_is_cut() {
    let mut authority = with_model(Arc::new(EndlessModel));
    authority.limits.tokens = 1000;
    let (answered, _) = attempt("model m", &authority).await;
    assert!(told(&answered).contains("writes more than it was allowed"), "{}", told(&answered));
}

#[tokio::test]
async fn a_model_that_never_answers_is_waited_for_as_long_as_allowed() {
    let mut authority = with_model(Arc::new(SilentModel));
    authority.limits.wall = Duration::from_millis(200);
    let (answered, _) = attempt("model m", &authority).await;
    assert_eq!(answered.outcome.exit, Exit::TimedOut);
}

#[tokio::test]
async fn tokens_are_used_up() {
    let mut authority = with_model(model(|_| says("Hello.")));
    authority.limits.tokens = 8;
    let (answered, _) = attempt("model m\nmodel m\nmodel m", &authority).await;
    let told = told(&answered);
    assert!(
        told.ends_with("Err(LlmError::Limit(\"all 8 tokens of this run are used up\"))"),
        "{told}"
    );
}

/// Notes that take anything.
struct FakeNotes;

impl Memory for FakeNotes {
    fn get(&self, _: &str) -> Result<Option<String>, MemoryError> {
        Ok(None)
    }

    fn set(&self, _: &str, _: &str) -> Result<(), MemoryError> {
        Ok(())
    }

    fn list(&self) -> Result<Vec<String>, MemoryError> {
        Ok(Vec::new())
    }

    fn delete(&self, _: &str) -> Result<bool, MemoryError> {
        Ok(false)
    }
}

#[tokio::test]
async fn a_note_is_as_long_as_allowed() {
    let mut authority = with_model(model(|_| says("Hello.")));
    Arc::make_mut(&mut authority.grants).memory = true;
    authority.capabilities.memory = Some(Arc::new(FakeNotes));
    let (answered, _) = attempt("remember 10\nremember 100000", &authority).await;
    let told = told(&answered);
    assert!(told.starts_with("Ok(())\nErr"), "{told}");
}

/// A network of two hosts: one that redirects to the other, and one that must not be asked.
struct FakeNetwork;

impl Http for FakeNetwork {
    fn send(&self, request: HttpRequest) -> BoxFuture<'static, Result<HttpResponse, HttpError>> {
        assert!(request.url.starts_with("https://good.example/"), "asked {}", request.url);
        let to_other = vec![("location".to_owned(), Text::Utf8("https://evil.example/".into()))];
        let (status, headers) = match request.url.as_str() {
            "https://good.example/away" => (302, to_other),
            _ => (200, Vec::new()),
        };
        let body = Text::Utf8(format!("{} secrets", request.secrets.len()));
        ready(Ok(HttpResponse { status, headers, body })).boxed()
    }
}

#[tokio::test]
async fn a_redirect_to_a_denied_host_is_denied() {
    let http = tool("http").await;
    let grants =
        Grants { http: vec!["GET https://good.example/**".parse().unwrap()], ..Grants::default() };
    let mut authority = Authority { grants: Arc::new(grants), ..Authority::default() };
    authority.capabilities.http = Some(Arc::new(FakeNetwork));
    for (arguments, expected) in [
        (r#"{"url": "https://good.example/page"}"#, Ok("0 secrets")),
        (r#"{"url": "https://good.example/away"}"#, Err("do not allow")),
        (r#"{"url": "https://evil.example/"}"#, Err("do not allow")),
        (r#"{"url": "http://good.example/page"}"#, Err("do not allow")),
        (r#"{"url": "https://good.example:444/page"}"#, Err("do not allow")),
        (r#"{"url": "https://good.example/page", "method": "post"}"#, Err("do not allow")),
    ] {
        let called = http.call(arguments, &authority, &Tree::default(), None).await.unwrap();
        match (called.answer.unwrap(), expected) {
            (Ok(text), Ok(expected)) => assert!(text.contains(expected), "{arguments}: {text}"),
            (Err(CallError::Failed(why)), Err(expected)) => {
                assert!(why.to_lowercase().contains(expected), "{arguments}: {why}");
            }
            (answer, _) => panic!("{arguments}: {answer:?}"),
        }
    }
}
