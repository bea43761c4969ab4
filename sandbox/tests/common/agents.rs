//! What the tests of agents share: components, and a model that plays a part.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{BoxFuture, ready};
use futures_util::stream;
use june_sandbox::capabilities::{Deltas, Llm};
use june_sandbox::contract::{
    Delta, FinishReason, LlmError, Message, Part, Request, Role, ToolCall, Turn, Usage,
};
use june_sandbox::journal::reader::{Item, Reader};
use june_sandbox::journal::{Folder, Record};
use june_sandbox::{
    Answered, Authority, Cache, Capabilities, GrantedTool, Grants, Limits, Origin, Strategy, Tool,
};

use super::{ENGINE, component};

/// A model that answers as a function of the request says.
pub(crate) struct FakeModel(fn(&Request) -> Vec<Delta>);

impl Llm for FakeModel {
    fn stream(&self, request: Request) -> BoxFuture<'static, Result<Deltas, LlmError>> {
        let deltas: Deltas = Box::pin(stream::iter(self.0(&request).into_iter().map(Ok)));
        Box::pin(ready(Ok(deltas)))
    }
}

pub(crate) fn model(answer: fn(&Request) -> Vec<Delta>) -> Arc<FakeModel> {
    Arc::new(FakeModel(answer))
}

/// Calls the calculator where it may, and then tells what came of it.
pub(crate) fn calculates(request: &Request) -> Vec<Delta> {
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

pub(crate) fn says(text: &str) -> Vec<Delta> {
    let usage = Usage { input_tokens: 10, output_tokens: 5 };
    let pieces = text.split_inclusive(' ').map(|piece| Delta::Text(piece.into()));
    pieces.chain([Delta::Finish((FinishReason::Stop, usage))]).collect()
}

pub(crate) fn calls(name: &str, arguments: &str) -> Vec<Delta> {
    let call = ToolCall { id: "c1".into(), name: name.into(), arguments: arguments.into() };
    let usage = Usage { input_tokens: 10, output_tokens: 5 };
    vec![Delta::Call(call), Delta::Finish((FinishReason::ToolCalls, usage))]
}

pub(crate) fn strategy(name: &str) -> Strategy {
    let path = component(&format!("strategies/{name}"));
    Strategy::load(&ENGINE, &path, &Cache::none()).expect("a strategy")
}

pub(crate) async fn tool(name: &str) -> Tool {
    let path = component(&format!("tools/{name}"));
    Tool::load(&ENGINE, &path, &Cache::none()).await.expect("a tool")
}

pub(crate) fn asks(text: &str) -> Turn {
    Turn {
        messages: vec![Message { role: Role::User, parts: vec![Part::Text(text.into())] }],
        models: vec!["m".into()],
        instructions: "Be brief.".into(),
    }
}

pub(crate) fn with_model(model: Arc<dyn Llm>) -> Authority {
    let grants = Grants { models: ["m".into()].into(), ..Grants::default() };
    Authority {
        grants: Arc::new(grants),
        capabilities: Capabilities { llm: Some(model), ..Capabilities::default() },
        limits: Limits::default(),
        origin: Origin::default(),
    }
}

pub(crate) async fn with_tool(model: Arc<dyn Llm>, name: &str) -> Authority {
    let mut authority = with_model(model);
    Arc::make_mut(&mut authority.grants).tools.insert(name.into());
    let granted = tool(name).await;
    let granted =
        GrantedTool::component(granted, name, Grants::default(), Limits::default()).unwrap();
    authority.capabilities.tools = Arc::new(BTreeMap::from([(name.to_owned(), granted)]));
    authority
}

pub(crate) fn whole(answered: &Answered) -> String {
    let answer = answered.answer.as_ref().expect("an answer").as_ref().expect("no error");
    format!("{}{}", answered.said, answer.text)
}

/// The records of all runs, in their order.
pub(crate) fn records(folder: &Folder) -> Vec<Record> {
    let (mut reader, mut records) = (Reader::open(folder).unwrap(), Vec::new());
    while let Some(item) = reader.next().unwrap() {
        if let Item::Record { bytes, .. } = item {
            records.push(Record::from_bytes(&bytes).unwrap());
        }
    }
    records
}
