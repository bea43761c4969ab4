//! A tool that says what time it is, as far as a run has one: the host's clock is virtual unless
//! the grants say otherwise.

pub mod calendar;

#[cfg(target_arch = "wasm32")]
mod tool {
    use std::time::SystemTime;

    use june_sdk::{CallError, Tool, arguments, tool};

    use crate::calendar::date_and_time;

    arguments! {
        struct Nothing {}
    }

    struct Clock;

    impl Tool for Clock {
        const NAME: &str = "clock";
        const DESCRIPTION: &str = "Says the current date, day of the week and time, in UTC.";
        type Arguments = Nothing;

        fn call(_: Nothing) -> Result<String, CallError> {
            let now = SystemTime::UNIX_EPOCH.elapsed().map_err(CallError::failed)?;
            Ok(date_and_time(now.as_secs()))
        }
    }

    tool!(Clock);
}
