//! From seconds to dates.

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const SECONDS_A_DAY: u64 = 86_400;

/// The moment so many seconds after the Unix epoch, in UTC, as in `Thursday, 1970-01-01T00:00:00Z`.
#[must_use]
pub fn date_and_time(seconds: u64) -> String {
    let (days, second) = (seconds / SECONDS_A_DAY, seconds % SECONDS_A_DAY);
    let (year, month, day) = date(days);
    // The epoch was a Thursday.
    let weekday = DAYS[((days + 3) % 7) as usize];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday}, {year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a day after the epoch.
fn date(days: u64) -> (u64, u64, u64) {
    // Counted from the first of March of the year 0, leap days come last in a year, a century and
    // an era of 400 years, so each is found by division.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        for (seconds, shown) in [
            (0, "Thursday, 1970-01-01T00:00:00Z"),
            (951_782_399, "Monday, 2000-02-28T23:59:59Z"),
            (951_782_400, "Tuesday, 2000-02-29T00:00:00Z"),
            (1_709_251_200, "Friday, 2024-03-01T00:00:00Z"),
            (4_107_542_400, "Monday, 2100-03-01T00:00:00Z"),
            (1_798_761_599, "Thursday, 2026-12-31T23:59:59Z"),
        ] {
            assert_eq!(date_and_time(seconds), shown);
        }
    }
}
