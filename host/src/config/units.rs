//! Numbers with a unit, as a configuration writes them: `"50G"`, `"256 MiB"`, `"2m"`, or plain.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::size;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $type:ty, $parse:path, $plain:expr, $expecting:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $type);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Unit;

                impl Visitor<'_> for Unit {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        $parse(text).map($name).map_err(E::custom)
                    }

                    fn visit_i64<E: Error>(self, number: i64) -> Result<$name, E> {
                        let number = u64::try_from(number);
                        let number = number.map_err(|_negative| E::custom("it is negative"))?;
                        let plain: fn(u64) -> $type = $plain;
                        Ok($name(plain(number)))
                    }
                }

                deserializer.deserialize_any(Unit)
            }
        }
    };
}

unit!(
    /// A count: a number, or one with `K`, `M`, `G` or `T`.
    Count, u64, size::count, |number| number, "a count such as 64 or \"50G\""
);
unit!(
    /// Bytes.
    Bytes, u64, size::bytes, |number| number, "a size such as \"256 MiB\""
);
unit!(
    /// A time; a plain number is seconds.
    Time, Duration, size::duration, Duration::from_secs, "a time such as \"2m\""
);
