//! Text that somebody else chose, made fit for a terminal.

pub(crate) use june_benchmarks::text::{grouped, neutral};

/// The first line of a text, neutral and short.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = neutral(line, false).chars().take(width).collect();
    if line.chars().nth(width).is_some() || text.trim_end().contains('\n') {
        short.push('…');
    }
    short
}

/// Bytes as neutral text on one line, in quotes and short.
pub(crate) fn quoted(bytes: &[u8], width: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * width)]);
    let short: String = text.chars().take(width).collect();
    let more = if short.len() < text.len() || bytes.len() > 4 * width { "…" } else { "" };
    format!("\"{}\"{more}", neutral(&short, false))
}

/// Milliseconds of Unix time as RFC 3339 has them.
pub(crate) fn time(milliseconds: u64) -> String {
    let time = i64::try_from(milliseconds).ok();
    let time = time.and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    time.map_or_else(|| format!("{milliseconds} ms"), |time| format!("{time:.3}"))
}

/// Microseconds, in the unit that suits them.
pub(crate) fn took(microseconds: u64) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} µs"),
        1_000..1_000_000 => format!("{:.1} ms", microseconds as f64 / 1e3),
        _ => format!("{:.2} s", microseconds as f64 / 1e6),
    }
}

/// The percentile of sorted values by the nearest-rank method; zero where there are none.
pub(crate) fn nearest<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_steers_the_terminal() {
        let text = "a\u{1b}[31mred\u{202e}x\u{9b}2J\u{7}\r\nb";
        assert_eq!(one_line(text, 100), "a\\u{1b}[31mred\\u{202e}x\\u{9b}2J\\u{7}…");
        assert_eq!(one_line("abc", 2), "ab…");
        assert_eq!(quoted(b"x\n\xff", 10), "\"x\\n\u{fffd}\"");
        assert_eq!(quoted(b"xxxx", 2), "\"xx\"…");
    }

    #[test]
    fn times_are_told() {
        assert_eq!(time(1_767_225_600_123), "2026-01-01T00:00:00.123Z");
        assert_eq!(time(u64::MAX), format!("{} ms", u64::MAX));
        assert_eq!(took(1_500), "1.5 ms");
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        assert_eq!(nearest::<f64>(&[], 0.5), 0.0);
        assert_eq!(nearest(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.0);
        assert_eq!(nearest(&[1.0, 2.0, 3.0, 4.0], 0.95), 4.0);
    }
}
