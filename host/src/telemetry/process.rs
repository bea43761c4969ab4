//! What the process takes of the machine, under the names that all of Prometheus' clients use.

use std::fmt;
use std::fs;
use std::time::{Duration, SystemTime};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::time::{ClockId, clock_gettime};

/// Reads the numbers whenever they are asked for.
#[derive(Debug)]
pub(super) struct Process {
    /// When it began, in seconds of Unix time.
    begun: f64,
}

impl Process {
    /// This process, which begins now.
    pub(super) fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self { begun: now.as_secs_f64() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = |name: &str, help: &str, value: f64| {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(metric)
        };
        gauge("process_start_time_seconds", "When the process began, in Unix time", self.begun)?;
        if let Some(bytes) = resident() {
            gauge("process_resident_memory_bytes", "Memory that the process holds", bytes)?;
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // One is the folder itself.
            let count = files.count().saturating_sub(1);
            gauge("process_open_fds", "Files and connections that are open", count as f64)?;
        }
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let time = Duration::try_from(time).unwrap_or_default().as_secs_f64();
        let help = "Time of the processors that the process took";
        let metric =
            encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
        ConstCounter::new(time).encode(metric)
    }
}

/// The resident memory in bytes.
fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}
