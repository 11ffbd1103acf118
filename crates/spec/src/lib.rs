//! The vocabulary that crosses borders: between crates, between the window and the engine, between the engine and
//! the process that trains, and between this version's files and the next one's.
//!
//! **Invariant:** everything here is plain data. It serialises with serde, reads no file, no clock and no device, and
//! knows neither burn nor SQLite nor Tauri.

mod data;
mod device;
mod error;
mod event;
mod history;
mod ids;
mod job;
mod knob;
mod plan;
mod row;
mod run;

pub use data::{
    ColumnRole, Counts, DatasetInfo, Example, Mapping, Message, Problem, ProblemKind, Role, Shape, Split,
    SplitFractions,
};
pub use device::{DeviceChoice, DeviceInfo, DeviceKind};
pub use error::{ApiError, Code};
pub use event::{EndReason, Halt, MemoryUse, RunEvent, Sample, Stamped};
pub use history::{
    Comparison, DatasetSummary, Difference, EvalPoint, Parameters, RunDetail, SampledAt, SavedAt, Series,
    StepPoint,
};
pub use ids::{DatasetId, ModelId, RunId, Sha256};
pub use job::{Control, Job, RunFolder};
pub use knob::{Asked, Decided, KNOBS, Knob, KnobError, KnobKind, Schedule, Supervise, TargetModules};
pub use plan::{Because, Chosen, Forecast, Plan, Range, Template};
pub use row::RunRow;
pub use run::{Effort, RunSpec, RunStatus};
