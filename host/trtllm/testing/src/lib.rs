//! An executor without a model, to test `june-trtllm` with. It is a crate of its own so that no
//! build of June has it in it: no crate but the tests here may depend on this one.
//!
//! It answers with its prompt, token by token, in steps of one, three, none and two tokens. What a
//! prompt begins with may ask for something else: see the constants. It computes when it is waited
//! for, in the order in which requests came, and the same calls give the same steps.

// As in the bridge of june-trtllm.
#![allow(unsafe_code, reason = "calls to C++, which cxx makes and checks")]
#![allow(missing_docs, unreachable_pub, unused_qualifications, reason = "in what cxx generates")]

use june_trtllm::{Engine, Error};

/// Submitting throws.
pub const REFUSED: i32 = 1_000_001;
/// The second step says that the request failed.
pub const FAILS: i32 = 1_000_002;
/// Waiting throws a `std::runtime_error`.
pub const THROWS: i32 = 1_000_003;
/// Waiting throws an `int`.
pub const THROWS_AN_INT: i32 = 1_000_004;
/// The token that follows is repeated until `max_tokens`.
pub const ENDLESS: i32 = 1_000_005;
/// The token that follows is repeated until `max_tokens`, and cancelling throws.
pub const CANNOT_CANCEL: i32 = 1_000_006;
/// Every token, up to `max_tokens`, has a negative number.
pub const NEGATIVE: i32 = 1_000_007;

#[cxx::bridge(namespace = "june")]
mod ffi {
    unsafe extern "C++" {
        include!("june-trtllm-testing/src/test_executor.hpp");

        type Executor = june_trtllm::bridge::ffi::Executor;

        /// A test executor, or an exception.
        fn test_executor(opens: bool) -> Result<UniquePtr<Executor>>;
    }
}

/// An engine with the test executor. In its statistics, `blocks` is how many times it was waited
/// for, and `blocks_used` how many requests it holds.
///
/// # Errors
///
/// None in practice.
pub fn engine() -> Result<Engine, Error> {
    Engine::start(|| ffi::test_executor(true))
}

/// An engine whose executor throws instead of opening.
///
/// # Errors
///
/// Always.
pub fn broken_engine() -> Result<Engine, Error> {
    Engine::start(|| ffi::test_executor(false))
}
