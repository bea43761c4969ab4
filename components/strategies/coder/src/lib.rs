//! A strategy for programming: the model writes, runs and repairs code with tools until it works.
//!
//! It needs no tool called `python`: where none is granted, the strategy runs the programs itself.
//! Code that a model merely answers with, without having run it, is run before it is believed.

pub mod blocks;

#[cfg(target_arch = "wasm32")]
mod session;

#[cfg(target_arch = "wasm32")]
mod strategy {
    use june_sdk::{Strategy, StrategyError, Turn, strategy};

    use crate::session::Session;

    struct Coder;

    impl Strategy for Coder {
        fn respond(turn: Turn) -> Result<String, StrategyError> {
            Session::new(turn)?.work()
        }
    }

    strategy!(Coder);
}
