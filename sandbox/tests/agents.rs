//! Strategies and tools: real components, with a model that plays a part.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::sync::{Arc, LazyLock};

use common::agents::{
    asks, calculates, model, records, says, strategy, tool, whole, with_model, with_tool,
};
use june_sandbox::journal::record::Event;
use june_sandbox::journal::{Folder, Journal};
use june_sandbox::{Exit, Recorded, Recording, Replay, Strategy, Subject};

static DIRECT: LazyLock<Strategy> = LazyLock::new(|| strategy("direct"));

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
