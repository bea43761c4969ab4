//! A tool that says what time it is. A run's clock begins when its turn began, and goes on by the
//! instructions that it runs.

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
        const DESCRIPTION: &str = "Says the date, day of the week and time in UTC, as of the moment when this request was made.";
        type Arguments = Nothing;

        fn call(_: Nothing) -> Result<String, CallError> {
            let now = SystemTime::UNIX_EPOCH.elapsed().map_err(CallError::failed)?;
            Ok(date_and_time(now.as_secs()))
        }
    }

    tool!(Clock);
}
