//! Asking a model.

use std::time::Duration;

use futures_util::StreamExt;
use june_models::openai::Proxy;
use june_models::text::{Marks, Template};
use june_models::triton::{ModelSettings, Settings, Triton as Asked};
use june_models::types::{Completion, Delta, FinishReason, Message, Part, Request, Role, Sampling};
use june_models::{Model, ModelError, collect};

use crate::Triton;

fn model(triton: &Triton, name: &str) -> Asked {
    let server = Settings { proxy: Proxy::None, ..Settings::new(&triton.base) };
    let settings = ModelSettings { server, ..ModelSettings::new(&triton.base, name) };
    Asked::new(settings, Template::new(None, &Marks::chatml().unwrap()).unwrap()).unwrap()
}

fn request(say: &str) -> Request {
    let messages = vec![Message::text(Role::User, format!("SAY {say}"))];
    let sampling = Sampling { temperature: Some(0.0), seed: Some(7), ..Sampling::default() };
    Request { messages, sampling, ..Request::default() }
}

async fn ask(model: &Asked, request: Request) -> Result<Completion, ModelError> {
    let answer = collect(model.stream(request));
    tokio::time::timeout(Duration::from_secs(60), answer).await.expect("it ends in time")
}

#[tokio::test]
async fn an_answer_streams_in_pieces_and_is_told_from_reasoning() {
    let Some(triton) = Triton::start("an_answer_streams_in_pieces") else { return };
    triton.repository(Duration::from_secs(60)).load("talk").await.unwrap();
    let model = model(&triton, "talk");
    let answer = ask(&model, request("Olé, née.")).await.unwrap();
    assert_eq!(answer.message.to_text(), "Olé, née.");
    assert_eq!(answer.finish, FinishReason::Stop);
    assert!(answer.usage.approximate && answer.usage.output_tokens > 0);

    let short = ask(&model, Request { max_tokens: Some(3), ..request("Olé, née.") }).await.unwrap();
    assert_eq!((short.message.to_text().as_str(), short.finish), ("Olé", FinishReason::Length));

    let stopped = Request { stop: vec![", n".into()], ..request("Olé, née.") };
    let stopped = ask(&model, stopped).await.unwrap();
    assert_eq!((stopped.message.to_text().as_str(), stopped.finish), ("Olé", FinishReason::Stop));

    // It comes while it is written, and can be left.
    let mut deltas = model.stream(request("one two"));
    assert_eq!(deltas.next().await.unwrap().unwrap(), Delta::Text("o".into()));
    drop(deltas);
    assert_eq!(
        ask(&model, request("again")).await.unwrap().message.parts,
        [Part::Text("again".into())]
    );
}

#[tokio::test]
async fn what_goes_wrong_is_told() {
    let Some(triton) = Triton::start("what_goes_wrong_is_told") else { return };
    let refused = |error: ModelError, what: &str| {
        let text = error.to_string();
        assert!(text.contains(what) && text.contains("\nhint: "), "{text}");
    };
    let talk = model(&triton, "talk");
    refused(ask(&talk, request("x")).await.unwrap_err(), "june model load loads it");
    refused(ask(&model(&triton, "absent"), request("x")).await.unwrap_err(), "is not found");

    triton.repository(Duration::from_secs(60)).load("talk").await.unwrap();
    refused(ask(&talk, request("FAIL")).await.unwrap_err(), "Error generating request: FAIL");
    let sampling = Sampling { min_p: Some(0.1), ..Sampling::default() };
    let error = ask(&talk, Request { sampling, ..request("x") }).await.unwrap_err();
    assert!(matches!(error, ModelError::Invalid(_)), "{error}");
    refused(error, "takes no min_p");
}
