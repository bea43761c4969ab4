//! GPUs by NVIDIA's management library, which comes with the driver and is loaded when asked for.

use nvml_wrapper::enum_wrappers::device::Clock;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::machine::{Driver, Gpu};

/// The GPUs that can be used, and the driver.
pub(super) fn gpus() -> (Vec<Gpu>, Driver) {
    match find() {
        Ok((gpus, version)) => (gpus, Driver::Version(version)),
        // No library, or no driver beneath it.
        Err(NvmlError::LibloadingError(_) | NvmlError::DriverNotLoaded) => {
            (Vec::new(), Driver::Absent)
        }
        Err(error) => (Vec::new(), Driver::Broken(error.to_string())),
    }
}

fn find() -> Result<(Vec<Gpu>, String), NvmlError> {
    let nvml = Nvml::init()?;
    let version = nvml.sys_driver_version()?;
    let mut gpus = Vec::new();
    for index in 0..nvml.device_count()? {
        let device = nvml.device_by_index(index)?;
        let memory = device.memory_info()?;
        gpus.push(Gpu {
            name: device.name()?,
            total: memory.total,
            free: memory.free,
            bandwidth: bandwidth(&device),
        });
    }
    Ok((gpus, version))
}

/// Twice in each clock (double data rate) the whole width of the bus.
fn bandwidth(device: &Device<'_>) -> Option<u64> {
    let megahertz = device.max_clock_info(Clock::Memory).ok()?;
    let bits = device.memory_bus_width().ok()?;
    Some(u64::from(megahertz) * 1_000_000 * 2 * u64::from(bits) / 8)
}
