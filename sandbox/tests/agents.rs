//! Strategies and tools: real components, with a model that plays a part.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use common::{ENGINE, component};
use futures_util::future::{BoxFuture, ready};
use futures_util::stream;
use june_sandbox::capabilities::{Deltas, Llm};
use june_sandbox::contract::{
    Delta, FinishReason, LlmError, Message, Part, Request, Role, ToolCall, Turn, Usage,
};
use june_sandbox::journal::reader::{Item, Reader};
use june_sandbox::journal::record::Event;
use june_sandbox::journal::{Folder, Journal, Record};
use june_sandbox::{
    Answered, Authority, Cache, Capabilities, Exit, GrantedTool, Grants, Limits, Recorded,
    Recording, Replay, Strategy, Subject, Tool,
};

/// A model that answers as a function of the request says.
struct FakeModel(fn(&Request) -> Vec<Delta>);

impl Llm for FakeModel {
    fn stream(&self, request: Request) -> BoxFuture<'static, Result<Deltas, LlmError>> {
        let deltas: Deltas = Box::pin(stream::iter(self.0(&request).into_iter().map(Ok)));
        Box::pin(ready(Ok(deltas)))
    }
}

fn model(answer: fn(&Request) -> Vec<Delta>) -> Arc<FakeModel> {
    Arc::new(FakeModel(answer))
}

/// Calls the calculator where it may, and then tells what came of it.
fn calculates(request: &Request) -> Vec<Delta> {
    let outcome =
        request.messages.iter().flat_map(|message| &message.parts).find_map(|part| match part {
            Part::Outcome(result) => Some(result.content.clone()),
            _ => None,
        });
    match outcome {
        Some(result) => says(&format!("It is {result}.")),
        None if request.tools.is_empty() => says("Yes, this needs work."),
        None => calls("calculator", r#"{"expression": "6 * 7"}"#),
    }
}

fn says(text: &str) -> Vec<Delta> {
    let usage = Usage { input_tokens: 10, output_tokens: 5 };
    let pieces = text.split_inclusive(' ').map(|piece| Delta::Text(piece.into()));
    pieces.chain([Delta::Finish((FinishReason::Stop, usage))]).collect()
}

fn calls(name: &str, arguments: &str) -> Vec<Delta> {
    let call = ToolCall { id: "c1".into(), name: name.into(), arguments: arguments.into() };
    let usage = Usage { input_tokens: 10, output_tokens: 5 };
    vec![Delta::Call(call), Delta::Finish((FinishReason::ToolCalls, usage))]
}

fn strategy(name: &str) -> Strategy {
    let path = component(&format!("strategies/{name}"));
    Strategy::load(&ENGINE, &path, &Cache::none()).expect("a strategy")
}

async fn tool(name: &str) -> Tool {
    let path = component(&format!("tools/{name}"));
    Tool::load(&ENGINE, &path, &Cache::none()).await.expect("a tool")
}

fn asks(text: &str) -> Turn {
    Turn {
        messages: vec![Message { role: Role::User, parts: vec![Part::Text(text.into())] }],
        models: vec!["m".into()],
        instructions: "Be brief.".into(),
    }
}

static DIRECT: LazyLock<Strategy> = LazyLock::new(|| strategy("direct"));

fn with_model(model: Arc<dyn Llm>) -> Authority {
    let grants = Grants { models: ["m".into()].into(), ..Grants::default() };
    Authority {
        grants: Arc::new(grants),
        capabilities: Capabilities { llm: Some(model), ..Capabilities::default() },
        limits: Limits::default(),
        seed: 0,
    }
}

async fn with_tool(model: Arc<dyn Llm>, name: &str) -> Authority {
    let mut authority = with_model(model);
    Arc::make_mut(&mut authority.grants).tools.insert(name.into());
    let granted = tool(name).await;
    let granted =
        GrantedTool::component(granted, name, Grants::default(), Limits::default()).unwrap();
    authority.capabilities.tools = Arc::new(BTreeMap::from([(name.to_owned(), granted)]));
    authority
}

fn whole(answered: &Answered) -> String {
    let answer = answered.answer.as_ref().expect("an answer").as_ref().expect("no error");
    format!("{}{}", answered.said, answer.text)
}

/// The records of all runs, in their order.
fn records(folder: &Folder) -> Vec<Record> {
    let (mut reader, mut records) = (Reader::open(folder).unwrap(), Vec::new());
    while let Some(item) = reader.next().unwrap() {
        if let Item::Record { bytes, .. } = item {
            records.push(Record::from_bytes(&bytes).unwrap());
        }
    }
    records
}

#[tokio::test]
async fn a_strategy_answers() {
    let authority = with_model(model(|_| says("The sky is blue.")));
    let answered = DIRECT.respond(&asks("Why?"), &authority, None).await.unwrap();
    assert_eq!(whole(&answered), "The sky is blue.");
    assert_eq!(answered.outcome.exit, Exit::Returned);
    assert_eq!(answered.spent.output_tokens, 5);
}

#[tokio::test]
async fn a_model_that_was_not_granted_is_denied() {
    let mut authority = with_model(model(|_| says("never")));
    authority.grants = Arc::default();
    let answered = DIRECT.respond(&asks("Why?"), &authority, None).await.unwrap();
    let why = answered.answer.unwrap().unwrap_err().why();
    assert!(why.contains("no grant covers the model `m`"), "{why}");
}

#[tokio::test]
async fn a_turn_with_a_tool_is_replayed_without_model_and_tool() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().join("journal"));
    folder.init("example.org/journal").unwrap();
    let (journal, _) = Journal::open(&folder, || 0).unwrap();
    let recording = Recording { journal: &journal, session: "s", parent: None };

    let authority = with_tool(model(calculates), "calculator").await;
    let deliberate = strategy("deliberate");
    let turn = asks("What is 6 * 7?");
    let answered = deliberate.respond(&turn, &authority, Some(&recording)).await.unwrap();
    assert!(whole(&answered).contains("42"), "{answered:?}");
    assert_eq!(answered.spent.tools, 1);
    journal.close().unwrap();

    let records = records(&folder);
    let runs: Vec<u64> = records
        .iter()
        .filter_map(|r| matches!(r.event, Event::Start(_)).then_some(r.run))
        .collect();
    assert_eq!(runs.len(), 2, "the strategy and its tool");
    for run in runs {
        let records = records.iter().filter(|record| record.run == run).cloned();
        let recorded = Recorded::gather(records, &folder.blobs()).unwrap();
        let replay = match &recorded.subject {
            Subject::Turn(_) => deliberate.replay(&recorded).await.unwrap(),
            Subject::Call { .. } => tool("calculator").await.replay(&recorded).await.unwrap(),
            Subject::Program(_) => panic!("no program ran"),
        };
        assert!(matches!(replay, Replay::Identical { .. }), "run {run}: {replay:?}");
    }
}
