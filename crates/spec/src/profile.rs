//! What a step of training costs, part by part.

use serde::{Deserialize, Serialize};

/// A kind of work in a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PartCost {
    /// What is done.
    pub name: String,
    /// In seconds of a step, summed over the lanes that did it.
    pub secs: f64,
}

/// What a step costs: a mean over some of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Profile {
    /// Steps that were measured.
    pub steps: u32,
    /// Wall time of one, in seconds.
    pub secs: f64,
    /// Shares of a batch that are computed side by side; each has a thread that parts are timed on.
    pub lanes: u32,
    /// Threads that compute, those that help with a share among them.
    pub threads: u32,
    /// The longest first.
    pub parts: Vec<PartCost>,
    /// What matrix products take within all parts: seconds of a step, summed over the threads.
    pub product_secs: f64,
    /// Floating-point operations of these products.
    pub product_flop: f64,
}

impl Profile {
    /// What the lanes have in a step, in seconds.
    pub fn lane_secs(&self) -> f64 {
        self.secs * f64::from(self.lanes)
    }

    /// What no part accounts for: lanes that wait for one another.
    pub fn rest_secs(&self) -> f64 {
        (self.lane_secs() - self.parts.iter().map(|part| part.secs).sum::<f64>()).max(0.0)
    }

    /// Matrix products' share of the time of all threads.
    pub fn product_share(&self) -> f64 {
        self.product_secs / (self.secs * f64::from(self.threads)).max(f64::MIN_POSITIVE)
    }
}
