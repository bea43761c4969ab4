//! How often somebody may ask: token buckets.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// The most buckets that are kept. A full bucket need not be.
const MOST: usize = 4096;

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How often at once.
    pub burst: u32,
    /// How long it takes until it may happen once more.
    pub every: Duration,
}

/// Whether something may happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may.
    Go,
    /// It may not before this has passed. Nobody was told since it last might.
    Tell(Duration),
    /// It may not, and that was said.
    Silent,
}

/// A bucket for each key.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    rate: Rate,
    buckets: HashMap<K, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// When it will be full again.
    full: Instant,
    told: bool,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: HashMap::new() }
    }

    /// Takes one token.
    pub(crate) fn take(&mut self, key: &K, now: Instant) -> Verdict {
        self.make_room(now);
        let Rate { burst, every } = self.rate;
        let bucket = self.buckets.entry(key.clone()).or_insert(Bucket { full: now, told: false });
        let full = bucket.full.max(now);
        let full = full.checked_add(every).unwrap_or(full);
        // A bucket with no token left is full after `burst` times `every`.
        let over = full.saturating_duration_since(now).saturating_sub(every.saturating_mul(burst));
        if over.is_zero() {
            *bucket = Bucket { full, told: false };
            Verdict::Go
        } else if bucket.told {
            Verdict::Silent
        } else {
            bucket.told = true;
            Verdict::Tell(over)
        }
    }

    /// Whoever comes when there are too many may take the place of anybody.
    fn make_room(&mut self, now: Instant) {
        if self.buckets.len() < MOST {
            return;
        }
        self.buckets.retain(|_, bucket| bucket.full > now);
        if self.buckets.len() >= MOST
            && let Some(any) = self.buckets.keys().next().cloned()
        {
            self.buckets.remove(&any);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 2, every: Duration::from_secs(10) };

    #[test]
    fn refuses_once_and_then_silently() {
        let mut buckets = Buckets::new(RATE);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(buckets.take(&1, at(0)), Verdict::Go);
        assert_eq!(buckets.take(&1, at(0)), Verdict::Go);
        assert_eq!(buckets.take(&1, at(0)), Verdict::Tell(Duration::from_secs(10)));
        assert_eq!(buckets.take(&1, at(5)), Verdict::Silent);
        assert_eq!(buckets.take(&2, at(5)), Verdict::Go);
        assert_eq!(buckets.take(&1, at(10)), Verdict::Go);
        assert_eq!(buckets.take(&1, at(10)), Verdict::Tell(Duration::from_secs(10)));
    }

    #[test]
    fn keeps_a_bounded_number() {
        let mut buckets = Buckets::new(RATE);
        let now = Instant::now();
        for key in 0..3 * MOST {
            buckets.take(&key, now);
        }
        assert!(buckets.buckets.len() <= MOST);
    }
}
