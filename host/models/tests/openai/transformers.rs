//! Another real server: `transformers serve`, which sends whole tool calls, the usage with the
//! finish, and no `[DONE]`.

use futures_util::StreamExt;
use june_models::Model;
use june_models::types::{Delta, FinishReason, Request};

use crate::peers::{Peer, request, weather};

#[tokio::test]
async fn a_tool_is_asked_for_and_its_result_answered() {
    let Some(peer) = Peer::transformers("a_tool_is_asked_for_and_its_result_answered") else {
        return;
    };
    peer.round_trip().await;
}

#[tokio::test]
async fn limits_reach_the_server_and_a_dropped_answer_does_not_stop_it() {
    let test = "limits_reach_the_server_and_a_dropped_answer_does_not_stop_it";
    let Some(peer) = Peer::transformers(test) else { return };
    let mut deltas = peer.model().stream(request(weather()));
    assert!(matches!(deltas.next().await, Some(Ok(Delta::Reasoning(_)))));
    drop(deltas);
    let short = Request { max_tokens: Some(4), ..request(weather()) };
    let answer = peer.ask(short).await.unwrap();
    assert_eq!((answer.finish, answer.usage.output_tokens), (FinishReason::Length, 4));
}
