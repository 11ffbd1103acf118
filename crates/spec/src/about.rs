//! The program itself: its version, its room on the disk, and what it is made of.

use serde::{Deserialize, Serialize};

/// A part of the program that others wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Licence {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as SPDX spells it.
    pub licence: String,
}

/// What the program is and where it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct About {
    /// Of the program.
    pub version: String,
    /// The folder of all that it keeps.
    pub home: String,
    /// The system and its processor, in a line.
    pub system: String,
    /// Of all that it is made of, by name.
    pub licences: Vec<Licence>,
}

/// Bytes on the disk, by what they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DiskUse {
    /// The folder of all that the program keeps.
    pub home: String,
    /// Downloaded models, unfinished downloads included.
    pub models: u64,
    /// Data sets.
    pub datasets: u64,
    /// Runs: checkpoints and logs.
    pub runs: u64,
    /// Exports in the home; those elsewhere are not counted.
    pub exports: u64,
    /// Free on that disk, where that is known.
    pub free: Option<u64>,
}
