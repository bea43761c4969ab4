//! Where a run's random numbers and its clock begin.

/// 2026-01-01T00:00:00Z, in seconds of Unix time.
pub(crate) const EPOCH: u64 = 1_767_225_600;

/// Where a run's random numbers and its clock begin. It is recorded with the
/// run, so a replay begins there too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The seed of its random numbers.
    pub seed: u64,
    /// When its clock begins, in seconds of Unix time.
    pub epoch: u64,
}

impl Origin {
    /// This seed, and a clock that always begins with the year 2026: for runs
    /// that are to be the same whenever they take place.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, epoch: EPOCH }
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self::seeded(0)
    }
}
