//! Words for messages: text that a server or a file has, and numbers.

/// The first `width` characters in quotes, on one line, with nothing that could steer a terminal.
pub fn quoted(text: &str, width: usize) -> String {
    let text = text.trim();
    let mut quoted = String::from("\"");
    for character in text.chars().take(width) {
        match character {
            '\n' | '\r' | '\t' => quoted.push(' '),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {}
            '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => {}
            other if other.is_control() => {}
            other => quoted.push(other),
        }
    }
    quoted.push_str(if text.chars().nth(width).is_some() { "\"…" } else { "\"" });
    quoted
}

/// A size in bytes, to three digits: `30.5 GB`.
pub(crate) fn bytes(bytes: u64) -> String {
    scaled(bytes, 1000.0, &["bytes", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// A size in bytes by powers of 1024, as memory has them: `96 KiB`, `12 GiB`.
pub(crate) fn binary(bytes: u64) -> String {
    scaled(bytes, 1024.0, &["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

/// A number of weights: `30.5 B`.
pub(crate) fn short(number: u64) -> String {
    scaled(number, 1000.0, &["", "K", "M", "B", "T", "Qa", "Qi"]).trim_end().to_owned()
}

/// A number with commas: `131,072`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With one decimal where there are fewer than three digits before it, and it says something.
fn scaled(number: u64, base: f64, units: &[&str]) -> String {
    let (mut value, mut units) = (number as f64, units.iter());
    let mut unit = units.next().copied().unwrap_or_default();
    // What would be rounded to the base belongs to the next unit.
    while value >= base - 0.5 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / base, next);
    }
    let tenths = (value * 10.0).round() / 10.0;
    if tenths >= 100.0 || tenths.fract() == 0.0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{tenths:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, decimal, two) in [
            (0, "0 bytes", "0 bytes"),
            (999, "999 bytes", "999 bytes"),
            (98_304, "98.3 kB", "96 KiB"),
            (999_999, "1 MB", "977 KiB"),
            (12 << 30, "12.9 GB", "12 GiB"),
            (30_532_122_624, "30.5 GB", "28.4 GiB"),
            (u64::MAX, "18.4 EB", "16 EiB"),
        ] {
            assert_eq!((bytes(number).as_str(), binary(number).as_str()), (decimal, two));
        }
        assert_eq!(short(30_532_122_624), "30.5 B");
        assert_eq!([0, 7, 131_072].map(short), ["0", "7", "131 K"]);
        assert_eq!([1, 999, 1000, 131_072].map(grouped), ["1", "999", "1,000", "131,072"]);
    }

    #[test]
    fn a_quote_is_short_and_harmless() {
        assert_eq!(quoted(" a\u{1b}[31m\nb\u{202e} ", 20), "\"a[31m b\"");
        assert_eq!(quoted("abcd", 2), "\"ab\"…");
    }
}
