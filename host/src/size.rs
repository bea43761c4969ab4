//! Numbers with a unit, as people write them: `50G` of fuel, `256 MiB`, `2m`.

use std::time::Duration;

/// Parses a count with an optional `K`, `M`, `G` or `T` (powers of 1,000).
pub(crate) fn count(text: &str) -> Result<u64, String> {
    parse(
        text,
        &[("", 1), ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000)],
    )
    .ok_or_else(|| format!("`{text}` is not a count; write, for example, 500M or 50G"))
}

/// Parses bytes, with an optional unit: `KiB`, `MiB`, `GiB`, or `K`, `M`, `G` for the same.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    const KI: u64 = 1 << 10;
    const MI: u64 = 1 << 20;
    const GI: u64 = 1 << 30;
    let units =
        [("", 1), ("B", 1), ("KiB", KI), ("MiB", MI), ("GiB", GI), ("K", KI), ("M", MI), ("G", GI)];
    parse(text, &units).ok_or_else(|| format!("`{text}` is not a size; write, for example, 256MiB"))
}

/// Parses a time: seconds, or a number with `s`, `m` or `h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    parse(text, &[("", 1_000), ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)])
        .map(Duration::from_millis)
        .ok_or_else(|| format!("`{text}` is not a time; write, for example, 90s or 2m"))
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = units.iter().find(|(name, _)| *name == unit.trim()).map(|(_, factor)| *factor)?;
    match number.parse::<u64>() {
        Ok(number) => number.checked_mul(factor),
        Err(_) => {
            let value = number.parse::<f64>().ok()? * factor as f64;
            (value < u64::MAX as f64).then_some(value as u64)
        }
    }
}

/// Bytes, for people.
pub(crate) fn show_bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_understood_and_nonsense_is_not() {
        assert_eq!(count("50G"), Ok(50_000_000_000));
        assert_eq!(count("1.5M"), Ok(1_500_000));
        assert_eq!(bytes("256 MiB"), Ok(256 << 20));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        for wrong in ["", "G", "-1", "1.2.3", "5X", "99999999999G", "inf", "nan"] {
            assert!(count(wrong).is_err(), "{wrong}");
        }
    }
}
