//! What can compute.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A device, as a person names it: `cpu`, `gpu` (the best there is), `gpu:1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeviceChoice {
    /// The processor, through burn's flex backend.
    Cpu,
    /// A graphics adapter, through burn's wgpu backend.
    Gpu {
        /// Its place in the list of devices.
        index: u32,
    },
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu { index } => write!(f, "gpu:{index}"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu { index: 0 }),
            _ => s
                .strip_prefix("gpu:")
                .and_then(|n| n.parse().ok())
                .map(|index| Self::Gpu { index })
                .ok_or_else(|| format!("`{s}` is not a device: write cpu, gpu, or gpu:1")),
        }
    }
}

/// What sort of hardware a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// A card of its own.
    DiscreteGpu,
    /// Shares the memory of the processor.
    IntegratedGpu,
    /// Inside a virtual machine.
    VirtualGpu,
    /// A graphics driver that computes on the processor: right, but slow.
    SoftwareGpu,
}

/// A device that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DeviceInfo {
    /// How to ask for it.
    pub choice: DeviceChoice,
    /// What sort it is.
    pub kind: DeviceKind,
    /// As the driver calls it.
    pub name: String,
    /// The driver and its version, where there is one.
    pub driver: Option<String>,
    /// `Vulkan`, `Metal`, `Dx12`, or the processor's instruction set.
    pub api: String,
    /// Memory in bytes, where it is known.
    pub memory: Option<u64>,
    /// It is a graphics adapter that computes with f16.
    #[serde(default)]
    pub has_f16: bool,
}
