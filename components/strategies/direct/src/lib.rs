//! The plainest strategy: a question to the preferred model, its answer passed on as it comes. The
//! tools that the model asks for are called, where any are granted.

#![cfg(target_arch = "wasm32")]

use june_sdk::{Chat, Strategy, StrategyError, Turn, reply, strategy};

/// Rounds of tools.
const ROUNDS: u32 = 12;

struct Direct;

impl Strategy for Direct {
    fn respond(turn: Turn) -> Result<String, StrategyError> {
        let mut chat = Chat::new(turn)?.with_granted_tools();
        let reply = match chat.request.tools.is_empty() {
            true => chat.ask(reply::say),
            false => chat.work(ROUNDS, reply::say),
        };
        reply?.conclude()
    }
}

strategy!(Direct);
