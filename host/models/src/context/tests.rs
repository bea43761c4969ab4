use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::scripted::Scripted;
use crate::types::{Message, Part, Role, ToolCall, ToolResult};

fn text(role: Role, length: usize) -> Message {
    Message::text(role, "x".repeat(length))
}

fn call(id: &str) -> Message {
    let call = ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into() };
    Message { role: Role::Assistant, parts: vec![Part::Call(call)] }
}

fn result(id: &str, length: usize) -> Message {
    let content = "x".repeat(length);
    Message::outcome(ToolResult { call_id: id.into(), content, is_error: false })
}

fn request(messages: Vec<Message>) -> Request {
    Request { messages, ..Request::default() }
}

fn dropped(messages: Vec<Message>, budget: u64) -> Result<Vec<usize>, Overflow> {
    plan(&request(messages), budget, Scale::default()).map(|plan| plan.dropped)
}

fn summariser() -> Scripted {
    let text = "[[answer]]\nrepeat = true\ntext = 'They spoke of x.'\n\
                usage = { input-tokens = 10, output-tokens = 5 }";
    Scripted::parse("summaries", text).unwrap()
}

const ALL: Window = Window { context: 400, answer: 100 };

async fn fitted(messages: Vec<Message>, policy: Policy) -> Result<Fitted, ModelError> {
    fit(&summariser(), request(messages), ALL, policy, Scale::default()).await
}

#[test]
fn whole_turns_go_before_the_last_question() {
    let messages = vec![
        text(Role::System, 35),
        text(Role::User, 350),
        call("a"),
        result("a", 35),
        text(Role::Assistant, 35),
        text(Role::User, 350),
        text(Role::Assistant, 35),
        text(Role::User, 35),
    ];
    assert_eq!(dropped(messages.clone(), 1000), Ok(vec![]));
    assert_eq!(dropped(messages.clone(), 200), Ok(vec![1, 2, 3, 4]));
    assert_eq!(dropped(messages.clone(), 100), Ok(vec![1, 2, 3, 4, 5, 6]));
    assert_eq!(dropped(messages, 10), Err(Overflow { needed: 32 }));
}

#[test]
fn tools_go_one_by_one_after_it() {
    let messages = vec![
        text(Role::User, 35),
        call("a"),
        result("a", 350),
        call("b"),
        result("b", 350),
        call("c"),
        result("c", 35),
    ];
    assert_eq!(dropped(messages.clone(), 200), Ok(vec![1, 2]));
    assert_eq!(dropped(messages.clone(), 70), Ok(vec![1, 2, 3, 4]));
    assert!(dropped(messages, 50).is_err());
}

#[test]
fn a_late_result_keeps_its_call() {
    let messages = vec![
        text(Role::User, 350),
        call("a"),
        text(Role::User, 350),
        text(Role::Assistant, 35),
        text(Role::User, 35),
        result("a", 35),
    ];
    assert_eq!(dropped(messages, 190), Ok(vec![2, 3]));
}

#[tokio::test]
async fn the_policy_decides() {
    let messages = vec![
        text(Role::System, 35),
        text(Role::User, 700),
        text(Role::Assistant, 700),
        text(Role::User, 70),
    ];
    let error = fitted(messages.clone(), Policy::Refuse).await.unwrap_err();
    let expected = "what has to be sent to transcript summaries has about 450 tokens, and its \
                    window is 400, of which 100 are kept for the answer\nhint: ";
    assert!(error.to_string().starts_with(expected), "{error}");

    let kept = fitted(messages.clone(), Policy::DropOldest).await.unwrap();
    assert_eq!(kept.request.messages, [messages[0].clone(), messages[3].clone()]);
    assert_eq!((kept.dropped, kept.summary), (2, None));

    let kept = fitted(messages.clone(), Policy::Summarise).await.unwrap();
    assert_eq!(kept.summary.as_deref(), Some("They spoke of x."));
    assert_eq!(kept.request.messages.len(), 3);
    assert_eq!(kept.request.messages[1].role, Role::User);
    assert!(kept.request.messages[1].to_text().ends_with("\n\nThey spoke of x."));
    assert_eq!(kept.request.messages[2], messages[3]);
    // The text that went has 402 tokens, which is more than one question of the window holds.
    assert!(kept.usage.input_tokens > 10 && kept.usage.input_tokens.is_multiple_of(10));
}

#[tokio::test]
async fn what_fits_is_left_alone() {
    let messages = vec![text(Role::User, 70), text(Role::Assistant, 70), text(Role::User, 70)];
    for policy in [Policy::Refuse, Policy::DropOldest, Policy::Summarise] {
        let kept = fitted(messages.clone(), policy).await.unwrap();
        assert_eq!((kept.request.messages, kept.dropped), (messages.clone(), 0));
        assert_eq!((kept.summary, kept.usage), (None, Usage::default()));
    }
}

#[tokio::test]
async fn a_summary_stands_before_the_last_question() {
    let messages =
        vec![text(Role::User, 70), call("a"), result("a", 1400), call("b"), result("b", 70)];
    let kept = fitted(messages.clone(), Policy::Summarise).await.unwrap().request.messages;
    assert!(kept[0].to_text().contains("They spoke of x."), "{kept:?}");
    assert_eq!(kept[1..], [messages[0].clone(), messages[3].clone(), messages[4].clone()]);
}

#[tokio::test]
async fn a_summary_that_fails_is_an_error() {
    let messages = vec![text(Role::User, 700), text(Role::Assistant, 700), text(Role::User, 70)];
    let ask = |answer: &'static str| {
        let model = Scripted::parse("s", answer).unwrap();
        let request = request(messages.clone());
        async move { fit(&model, request, ALL, Policy::Summarise, Scale::default()).await }
    };
    let error = ask("[[answer]]\nerror = { unavailable = 'down' }").await.unwrap_err();
    assert_eq!(error, ModelError::Unavailable("down".into()));
    let error = ask("[[answer]]\nreasoning = 'hm'").await.unwrap_err();
    assert!(error.to_string().contains("said nothing, or only thought"), "{error}");
}

#[test]
fn the_window_leaves_room_for_the_answer() {
    let model = Scripted::parse("t", "context = 32768\n[[answer]]\ntext = 'x'").unwrap();
    let window = Window::new(&model, &Request::default()).unwrap();
    assert_eq!((window.answer, window.question()), (4096, 28_672));
    let short = Request { max_tokens: Some(100), ..Request::default() };
    assert_eq!(Window::new(&model, &short).unwrap().question(), 32_668);
    let long = Request { max_tokens: Some(u32::MAX), ..Request::default() };
    assert_eq!(Window::new(&model, &long).unwrap().question(), 0);
    assert_eq!(Window::new(&summariser(), &short), None);
}

fn any_message() -> impl Strategy<Value = Message> {
    let id = "[a-d]";
    prop_oneof![
        1 => (0_usize..200).prop_map(|length| text(Role::System, length)),
        4 => (0_usize..700).prop_map(|length| text(Role::User, length)),
        3 => (0_usize..700).prop_map(|length| text(Role::Assistant, length)),
        4 => id.prop_map(|id| call(&id)),
        4 => (id, 0_usize..700).prop_map(|(id, length)| result(&id, length)),
    ]
}

/// The pairs of places of a call and its result: the newest call before it with its identifier.
fn pairs(messages: &[Message]) -> Vec<(usize, usize)> {
    let (mut calls, mut pairs) = (HashMap::new(), Vec::new());
    for (place, message) in messages.iter().enumerate() {
        for outcome in message.outcomes() {
            pairs.extend(calls.get(&outcome.call_id).map(|call| (*call, place)));
        }
        calls.extend(message.calls().map(|call| (call.id.clone(), place)));
    }
    pairs
}

proptest! {
    #[test]
    fn what_has_to_stay_stays(
        messages in prop::collection::vec(any_message(), 0..25),
        budget in 0_u64..1500,
    ) {
        let request = request(messages.clone());
        let Ok(plan) = plan(&request, budget, Scale::default()) else { return Ok(()) };
        let kept = |place: &usize| !plan.dropped.contains(place);
        for (call, result) in pairs(&messages) {
            prop_assert_eq!(kept(&call), kept(&result));
        }
        for (place, message) in messages.iter().enumerate() {
            prop_assert!(message.role != Role::System || kept(&place));
        }
        let last = messages.iter().rposition(|message| message.role == Role::User);
        prop_assert!(last.is_none_or(|last| kept(&last)));
        prop_assert!(messages.is_empty() || kept(&(messages.len() - 1)));
        prop_assert!(plan.tokens <= budget);

        let fits = estimate::request(&request) <= budget;
        prop_assert_eq!(fits, plan.dropped.is_empty());
        let mut left = request;
        plan.clone().apply(&mut left, None);
        prop_assert_eq!(estimate::request(&left), plan.tokens);
        prop_assert_eq!(left.messages.len() + plan.dropped.len(), messages.len());
        let again = super::plan(&left, budget, Scale::default()).map(|plan| plan.dropped);
        prop_assert_eq!(again, Ok(vec![]));
    }

    #[test]
    fn more_room_drops_less(
        messages in prop::collection::vec(any_message(), 0..25),
        budget in 0_u64..1500,
        more in 0_u64..200,
    ) {
        let request = request(messages);
        let Ok(small) = plan(&request, budget, Scale::default()) else { return Ok(()) };
        let large = plan(&request, budget + more, Scale::default()).map(|plan| plan.dropped);
        let large = large.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        prop_assert!(large.iter().all(|place| small.dropped.contains(place)));
    }

    #[test]
    fn summaries_fit(
        messages in prop::collection::vec(any_message(), 0..25),
        context in 400_u32..1500,
        counted in 1_u64..10_000,
    ) {
        let request = request(messages);
        let usage = Usage { input_tokens: counted, output_tokens: 1, approximate: false };
        let scale = Scale::new(&request, usage);
        let window = Window { context, answer: 50 };
        let model = summariser();
        let fitting = fit(&model, request.clone(), window, Policy::Summarise, scale);
        let Some(Ok(fitted)) = futures_util::FutureExt::now_or_never(fitting) else { return Ok(()) };
        prop_assert!(scale.apply(estimate::request(&fitted.request)) <= window.question());
        let last = |request: &Request| {
            let user = |message: &&Message| message.role == Role::User;
            request.messages.iter().rfind(user).cloned()
        };
        prop_assert!(fitted.summary.is_none() || last(&request).is_none() ||
            last(&fitted.request) == last(&request));
    }
}
