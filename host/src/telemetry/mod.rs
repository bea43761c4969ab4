//! What June tells of how it does: metrics, which Prometheus fetches, and traces, which a collector
//! of OpenTelemetry is sent.
//!
//! Both belong to the process, as its standard error does, so they are no value that is handed
//! around. They tell names, numbers, times and outcomes, and never what was said: that is in the
//! journal, for reviewers alone. Names that somebody else chose, such as those of tools that a
//! model made up, are not told either, for there is no end of them.

mod collector;
pub(crate) mod metrics;
mod process;
pub(crate) mod run;
pub(crate) mod traces;
pub(crate) mod turns;

pub(crate) use metrics::metrics;
