//! What a machine has to run models with.

use serde::Serialize;

/// What a machine has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Its NVIDIA GPUs, in the driver's order.
    pub gpus: Vec<Gpu>,
    /// The driver.
    pub driver: Driver,
    /// Bytes of main memory that are free, or can be freed at once.
    pub memory: u64,
}

/// A GPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gpu {
    /// Its name, such as `NVIDIA H200`.
    pub name: String,
    /// Bytes of its memory.
    pub total: u64,
    /// Bytes of its memory that nobody uses.
    pub free: u64,
    /// Bytes a second that its memory can be read with at best, where the driver tells.
    pub bandwidth: Option<u64>,
}

/// NVIDIA's driver.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// There is none, and so no GPU.
    #[default]
    Absent,
    /// Its version.
    Version(String),
    /// It is there and does not work; the text says why.
    Broken(String),
}

impl Machine {
    /// This machine, now.
    pub fn here() -> Machine {
        let (gpus, driver) = super::nvml::gpus();
        Machine { gpus, driver, memory: memory() }
    }
}

/// What Linux says can be had without swapping; 0 where it does not say.
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    available(&text).unwrap_or_default()
}

fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_what_linux_says() {
        let text = "MemTotal:       24680000 kB\nMemAvailable:   16000000 kB\n";
        assert_eq!(available(text), Some(16_384_000_000));
        assert_eq!(available("MemAvailable: 18446744073709551615 kB"), None);
        assert_eq!(available(""), None);
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let machine = Machine::here();
        assert!(machine.memory > 0);
        // Without a driver there is no GPU, and that is no error.
        assert!(machine.driver != Driver::Absent || machine.gpus.is_empty());
    }
}
