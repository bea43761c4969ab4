//! The plainest strategy: one question to the preferred model, its answer passed on as it comes.

#![cfg(target_arch = "wasm32")]

use june_sdk::{Chat, Strategy, StrategyError, Turn, reply, strategy};

struct Direct;

impl Strategy for Direct {
    fn respond(turn: Turn) -> Result<String, StrategyError> {
        Chat::new(turn)?.ask(reply::say)?.conclude()
    }
}

strategy!(Direct);
