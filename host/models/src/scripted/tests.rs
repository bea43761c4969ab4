use std::time::Instant;

use futures_util::future::join_all;

use super::*;
use crate::collect;
use crate::types::{Completion, Part, ToolResult};

fn model(text: &str) -> Scripted {
    Scripted::parse("t.toml", text).unwrap()
}

fn why(text: &str) -> String {
    Scripted::parse("t.toml", text).unwrap_err().to_string()
}

fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

async fn ask(model: &Scripted, messages: &[Message]) -> Result<Completion, ModelError> {
    collect(model.stream(Request { messages: messages.to_vec(), ..Request::default() })).await
}

const WEATHER: &str = r#"
context = 4096

[[answer]]
when = { text = "weather" }
reasoning = ["They want ", "a forecast."]
calls = [{ name = "get_weather", arguments = { city = "Oslo" } }, { name = "now" }]

[[answer]]
when = { result = "°C" }
text = ["It is ", "7 °C."]
finish = "length"
usage = { input-tokens = 40, output-tokens = 9 }
"#;

#[tokio::test]
async fn a_conversation_with_a_tool() {
    let model = model(WEATHER);
    assert_eq!((model.name(), model.context()), ("transcript t.toml", Some(4096)));
    let mut messages = vec![Message::text(Role::System, "Be brief."), user("the weather?")];
    let asked = ask(&model, &messages).await.unwrap();
    assert_eq!(asked.message.parts[0], Part::Reasoning("They want a forecast.".into()));
    let calls: Vec<_> = asked.message.calls().cloned().collect();
    assert_eq!(calls[0].arguments, r#"{"city":"Oslo"}"#);
    assert_eq!((calls[0].id.as_str(), calls[1].id.as_str()), ("call-1", "call-2"));
    assert_eq!(calls[1].arguments, "{}");
    assert_eq!(asked.finish, FinishReason::ToolCalls);
    assert!(asked.usage.approximate && asked.usage.output_tokens > 5);

    messages.push(asked.message);
    for (call, content) in calls.iter().zip(["7 °C", "noon"]) {
        let (call_id, content) = (call.id.clone(), content.to_owned());
        messages.push(Message::outcome(ToolResult { call_id, content, is_error: false }));
    }
    let answer = ask(&model, &messages).await.unwrap();
    assert_eq!(
        (answer.message.to_text().as_str(), answer.finish),
        ("It is 7 °C.", FinishReason::Length)
    );
    let usage = Usage { input_tokens: 40, output_tokens: 9, approximate: false };
    assert_eq!(answer.usage, usage);
}

#[tokio::test]
async fn answers_are_used_up_within_a_conversation() {
    let model =
        model("[[answer]]\ntext = 'one'\n[[answer]]\ntext = 'two'\n[[answer]]\ntext = 'two'");
    let mut messages = vec![user("x")];
    for expected in ["one", "two", "two"] {
        let answer = ask(&model, &messages).await.unwrap();
        assert_eq!(answer.message.to_text(), expected);
        // A strategy may trim what it keeps.
        messages.push(Message::text(Role::Assistant, format!("{expected}\n")));
        messages.push(user("go on"));
    }
    let error = ask(&model, &messages).await.unwrap_err();
    let expected = "the transcript t.toml has no answer left for \"go on\"\nhint: ";
    assert!(matches!(&error, ModelError::Invalid(text) if text.starts_with(expected)), "{error}");
    assert_eq!(ask(&model, &[user("x")]).await.unwrap().message.to_text(), "one");
}

#[tokio::test]
async fn messages_that_the_transcript_did_not_say_use_nothing_up() {
    let model = model("[[answer]]\ntext = 'one'");
    let shots = [user("a"), Message::text(Role::Assistant, "an example"), user("b")];
    assert_eq!(ask(&model, &shots).await.unwrap().message.to_text(), "one");
}

#[tokio::test]
async fn repeated_answers_go_on() {
    let model = model("[[answer]]\nrepeat = true\ntext = 'one'");
    let messages = [user("a"), Message::text(Role::Assistant, "one"), user("b")];
    assert_eq!(ask(&model, &messages).await.unwrap().message.to_text(), "one");
}

#[tokio::test]
async fn conversations_at_the_same_time_do_not_meet() {
    let answers: String = (0..50)
        .map(|task| {
            format!(
                "[[answer]]\nwhen = {{ conversation = 'task {task}.' }}\ntext = 'draft {task}'\n\
                 delay = {}\n[[answer]]\nwhen = {{ conversation = 'task {task}.', text = 'again' }}\n\
                 text = 'final {task}'\n",
                (task * 7) % 11
            )
        })
        .collect();
    let model = model(&answers);
    let conversations = (0..50).rev().map(|task| {
        let model = model.clone();
        async move {
            let mut messages = vec![user(&format!("task {task}."))];
            messages.push(ask(&model, &messages).await.unwrap().message);
            assert_eq!(messages[1].to_text(), format!("draft {task}"));
            messages.push(user("again"));
            let answer = ask(&model, &messages).await.unwrap().message.to_text();
            assert_eq!(answer, format!("final {task}"));
        }
    });
    join_all(conversations).await;
}

#[tokio::test]
async fn errors_are_given_after_what_is_said() {
    let model = model("[[answer]]\ntext = 'half'\nerror = { context-overflow = 'too long' }");
    let deltas = model.stream(Request { messages: vec![user("x")], ..Request::default() });
    let deltas: Vec<_> = deltas.collect().await;
    let error = ModelError::ContextOverflow("too long".into());
    assert_eq!(deltas, [Ok(Delta::Text("half".into())), Err(error)]);
}

#[tokio::test]
async fn arguments_may_be_broken_on_purpose() {
    let model = model("[[answer]]\ncalls = [{ id = 'x', name = 'f', arguments = '{\"a' }]");
    let answer = ask(&model, &[user("x")]).await.unwrap();
    let call = ToolCall { id: "x".into(), name: "f".into(), arguments: "{\"a".into() };
    assert_eq!(answer.message.parts, [Part::Call(call)]);
    let error = ask(&model, &[user("x"), answer.message]).await.unwrap_err();
    assert!(error.to_string().contains("no answer left"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn pieces_come_with_a_delay() {
    let model = model("[[answer]]\ntext = ['a', 'b']\ndelay = 1000");
    let (start, paused) = (Instant::now(), tokio::time::Instant::now());
    ask(&model, &[user("x")]).await.unwrap();
    assert_eq!(paused.elapsed().as_secs(), 3);
    assert!(start.elapsed().as_secs() < 1);
}

#[test]
fn mistakes_are_placed() {
    let text = "[[answer]]\ntext = 'é'\n\n[[answer]]\n  txt = 'x'\n";
    assert!(
        why(text).starts_with("t.toml:5:3: unknown field `txt`, expected one of "),
        "{}",
        why(text)
    );
    assert!(
        why("[[answer]]\ntext = 7").starts_with("t.toml:2:8: "),
        "{}",
        why("[[answer]]\ntext = 7")
    );
    assert!(why("[[answer]]\ntext = 7").contains("a text or an array of texts"));
    assert!(why("[[answer]\n").starts_with("t.toml:1:"), "{}", why("[[answer]\n"));
    assert!(why("[[answer]]\nwhen = { txt = '' }").starts_with("t.toml:2:10: unknown field"));
    assert!(why("[[answer]]\ncalls = [{ arguments = {} }]").contains("missing field `name`"));
    assert!(
        why("[[answer]]\ncalls = [{ name = 'f', arguments = 7 }]").contains("a table, or JSON")
    );
    assert!(why("[[answer]]\nfinish = 'done'").contains("unknown variant `done`"));
    assert!(why("[[answer]]\nerror = { gone = '' }").contains("unknown variant `gone`"));
    assert!(why("").starts_with("t.toml: there is no answer in it\nhint: "));
    let missing = Scripted::load("/nowhere/t.toml").unwrap_err().to_string();
    assert!(missing.starts_with("/nowhere/t.toml: No such file"), "{missing}");
}
