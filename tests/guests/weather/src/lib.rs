//! A tool that knows the weather of one city.

#![cfg(target_arch = "wasm32")]

use june_sdk::{CallError, Tool, arguments, tool};

arguments! {
    struct Place {
        /// The city.
        city: String,
    }
}

struct Weather;

tool!(Weather);

impl Tool for Weather {
    const NAME: &str = "get_weather";
    const DESCRIPTION: &str = "Tells the weather of a city.";
    type Arguments = Place;

    fn call(place: Place) -> Result<String, CallError> {
        match place.city.as_str() {
            "Oslo" => Ok("7 degrees and rain".into()),
            city => Err(CallError::failed(format!("nobody knows the weather of {city}"))),
        }
    }
}
