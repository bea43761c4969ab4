//! When to ask again.

use std::time::{Duration, SystemTime};

/// How often to ask again after an overload (408, 429, 500, 502, 503, 504), or when the connection
/// could not be made or broke off.
///
/// Nothing is asked again once a piece of the answer was delivered: another answer would begin
/// with other words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// How often at the most. Four unless set; none with 0.
    pub most: u32,
    /// The first pause; each further one is twice as long. Half a second unless set. Each is cut
    /// by up to a half at random, so that many who failed together do not come back together.
    pub first: Duration,
    /// The longest pause. A server that asks for a longer one (`Retry-After`) is not asked again.
    /// One minute unless set.
    pub longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(60));
        Retries { most: 4, first, longest }
    }
}

impl Retries {
    /// How long to pause after `tried` attempts, when the server wants to be left alone for
    /// `after`; nothing when it is not to be asked again.
    pub(crate) fn pause(&self, tried: u32, after: Option<Duration>) -> Option<Duration> {
        if tried > self.most || after.is_some_and(|after| after > self.longest) {
            return None;
        }
        let doubled = 2_u32.saturating_pow(tried.saturating_sub(1));
        let pause = self.first.saturating_mul(doubled).min(self.longest);
        let jittered = pause.mul_f64(0.5 + 0.5 * fastrand::f64());
        Some(after.map_or(jittered, |after| after.max(jittered)))
    }
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
pub(crate) fn after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(header).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let retries = Retries { most: 3, ..Retries::default() };
        for (tried, whole) in [(1, 500), (2, 1000), (3, 2000)] {
            let pause = retries.pause(tried, None).unwrap();
            let whole = Duration::from_millis(whole);
            assert!(pause <= whole && pause >= whole / 2, "{pause:?}");
        }
        assert_eq!(retries.pause(4, None), None);
        let endless = Retries { most: u32::MAX, ..retries };
        assert!(endless.pause(1000, None).unwrap() <= retries.longest);
        assert_eq!(Retries { most: 0, ..retries }.pause(1, None), None);
    }

    #[test]
    fn the_server_may_ask_for_a_pause() {
        let retries = Retries::default();
        let seconds = Duration::from_secs;
        assert_eq!(retries.pause(1, Some(seconds(7))), Some(seconds(7)));
        assert_eq!(retries.pause(1, Some(seconds(61))), None);
        assert!(retries.pause(1, Some(seconds(0))).unwrap() >= Duration::from_millis(250));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_767);
        assert_eq!(after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(after("0.5", now), Some(Duration::from_millis(500)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(after(date, now), Some(Duration::from_secs(10)));
        assert_eq!(after(date, now + Duration::from_secs(60)), Some(Duration::ZERO));
        for wrong in ["", "soon", "-1", "NaN", "1e400"] {
            assert_eq!(after(wrong, now), None, "{wrong}");
        }
    }
}
