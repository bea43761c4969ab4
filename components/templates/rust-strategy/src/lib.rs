//! {{name}}: asks a model, and calls the tools that it asks for until it answers.

use june_sdk::{Chat, Strategy, StrategyError, Turn, reply, strategy};

/// Rounds of tools, at most.
const ROUNDS: u32 = 8;

struct Component;

impl Strategy for Component {
    fn respond(turn: Turn) -> Result<String, StrategyError> {
        let mut chat = Chat::new(turn)?.with_granted_tools();
        // The person reads along.
        chat.work(ROUNDS, reply::say)?.conclude()
    }
}

strategy!(Component);
