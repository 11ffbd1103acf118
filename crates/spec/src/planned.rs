//! A plan as the review shows it: each knob with its reason, each device with what the run would need there.

use serde::{Deserialize, Serialize};

use crate::{DeviceCheck, DeviceInfo, Fit, Plan, Range, TaskKind};

/// A knob of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PlannedKnob {
    /// Which: see [`KNOBS`](crate::KNOBS).
    pub key: String,
    /// Its value, as [`Asked::set`](crate::Asked::set) reads it.
    pub value: String,
    /// Why it is what it is.
    pub because: String,
    /// That the person set it.
    pub asked: bool,
}

/// What a run would need on a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DeviceFit {
    /// Which.
    pub device: DeviceInfo,
    /// What its last check came to; a run is not started where that failed.
    pub check: Option<DeviceCheck>,
    /// Whether it fits there.
    pub fit: Fit,
    /// Peak memory in bytes.
    pub memory: Range,
    /// Bytes that are free for it now, where that is known.
    pub available: Option<u64>,
    /// Wall time in seconds.
    pub secs: Range,
    /// That this is where the plan computes.
    pub chosen: bool,
}

/// A plan with all that is shown of it before it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Planned {
    /// What will be done.
    pub plan: Plan,
    /// As the run is called if the person gives it no name.
    pub name: String,
    /// Every knob that means anything for it, in the order of the form.
    pub knobs: Vec<PlannedKnob>,
    /// Every task that this model can learn from this data, the planned one among them.
    pub tasks: Vec<TaskKind>,
    /// Every device, the processor first.
    pub devices: Vec<DeviceFit>,
    /// The same run in a terminal.
    pub command: String,
}
