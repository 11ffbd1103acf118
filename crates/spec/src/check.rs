//! What came of checking a device: whether it computes what it should, and how quickly it trains.

use serde::{Deserialize, Serialize};

use crate::{DeviceChoice, DeviceInfo};

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// The device computes what it should.
    Right {
        /// Figures that were compared.
        n_compared: u32,
        /// How far the furthest of them was off, as a share of what it should be.
        furthest: f64,
        /// Tokens a second, training a middle-sized model.
        tokens_per_sec: f64,
        /// Floating-point operations a second meanwhile.
        flops_per_sec: f64,
        /// The same with products in f16; none where it has no such, or was checked before that was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_half: Option<InHalf>,
    },
    /// It computes something else.
    Wrong {
        /// What differs.
        what: String,
    },
    /// It gave no answer.
    Broken {
        /// What happened instead.
        what: String,
    },
}

/// What products in f16 came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InHalf {
    /// What they should, as nearly as 16 bits can.
    Right {
        /// How far the furthest figure was off, as a share of what it should be.
        furthest: f64,
    },
    /// Something else, or nothing.
    Wrong {
        /// What differs, or what happened instead.
        what: String,
    },
}

impl Verdict {
    /// Why nothing may be trained on the device with products in f16, though it may be without.
    pub fn failure_in_half(&self) -> Option<&str> {
        match self {
            Self::Right { in_half: Some(InHalf::Wrong { what }), .. } => Some(what),
            _ => None,
        }
    }

    /// What it reached in training, if it may train at all.
    pub fn flops_per_sec(&self) -> Option<f64> {
        match self {
            Self::Right { flops_per_sec, .. } => Some(*flops_per_sec),
            Self::Wrong { .. } | Self::Broken { .. } => None,
        }
    }

    /// Why nothing may be trained on the device.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Right { .. } => None,
            Self::Wrong { what } | Self::Broken { what } => Some(what),
        }
    }
}

/// A check that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DeviceCheck {
    /// What it came to.
    pub verdict: Verdict,
    /// When, in milliseconds since 1970, UTC.
    pub at_ms: u64,
}

/// A device, and what its last check came to. A check holds for one driver and one version of the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CheckedDevice {
    /// Which.
    pub device: DeviceInfo,
    /// None until it was checked.
    pub check: Option<DeviceCheck>,
}

/// This computer as it was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CheckUp {
    /// Every device, the processor first.
    pub devices: Vec<CheckedDevice>,
    /// Where a run goes that names none; nothing if no device computes rightly.
    pub recommended: Option<DeviceChoice>,
    /// Why, in a sentence.
    pub because: String,
}
