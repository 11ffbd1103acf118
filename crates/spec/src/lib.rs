//! The vocabulary that crosses borders: between crates, between the window and the engine, between the engine and
//! the process that trains, and between this version's files and the next one's.
//!
//! **Invariant:** everything here is plain data. It serialises with serde, reads no file, no clock and no device, and
//! knows neither burn nor SQLite nor Tauri.

mod about;
mod chart;
mod chat;
mod check;
mod data;
mod dataset;
mod device;
mod error;
mod event;
mod export;
mod fit;
mod history;
mod ids;
mod job;
mod knob;
mod label;
mod measure;
mod mixed_precision;
mod models;
mod plan;
mod planned;
mod predicted;
mod prefix;
mod profile;
mod progress;
mod quantization;
mod report;
mod row;
mod run;
mod settings;
mod task;
mod trainable;
mod trouble;

pub use about::{About, DiskUse, Licence};
pub use chart::{ChartPicture, ChartRequest, ChartScale, ChartTheme};
pub use chat::{
    Beams, ChatOpened, ChatPrompt, ChatReply, ChatTarget, EarlyStopping, Sampling, Search, Voice,
};
pub use check::{CheckUp, CheckedDevice, DeviceCheck, InHalf, Verdict};
pub use data::{
    ColumnRole, Counts, DatasetInfo, Example, Mapping, Message, Problem, ProblemKind, ProblemTally, Role,
    Shape, Split, SplitFractions,
};
pub use dataset::{DatasetSheet, DatasetVersion, LengthHistogram, ProblemGroup, RowPage, ShapeSheet};
pub use device::{DeviceChoice, DeviceInfo, DeviceKind};
pub use error::{ApiError, Code};
pub use event::{EndReason, Halt, MemoryUse, RunEvent, Sample, Stamped};
pub use export::{ExportForm, ExportRecord, Exported, Precision};
pub use fit::{Fit, FitKind};
pub use history::{
    Comparison, DatasetSummary, Difference, EvalPoint, Parameters, RunDetail, RunView, SampledAt, SavedAt,
    Series, SmallerRun, StepPoint,
};
pub use ids::{DatasetId, ModelId, RunId, Sha256};
pub use job::{Control, Job, RunFolder, Wish};
pub use knob::{
    Asked, Decided, GradientCheckpointing, KNOBS, Knob, KnobError, KnobKind, Method, Optim, Schedule,
    Supervise, TargetModules,
};
pub use label::{LabelCount, ScoreSpread, in_order};
pub use measure::{Metric, Score};
pub use mixed_precision::MixedPrecision;
pub use models::{CatalogueEntry, FoundModel, Gate, LocalModel, ModelOffer, ModelOrigin, ModelState, Skill};
pub use plan::{Because, Chosen, Forecast, Plan, Range, Template};
pub use planned::{DeviceFit, Planned, PlannedKnob};
pub use predicted::{FoundEntity, LabelChance, Predicted};
pub use prefix::Prefix;
pub use profile::{PartCost, Profile};
pub use progress::{TaskProgress, TaskUnit};
pub use quantization::Quantization;
pub use report::{ClassScore, Measured, Mistake, Report};
pub use row::RunRow;
pub use run::{Effort, RunSpec, RunStatus};
pub use settings::{OnClose, Settings, ThemeChoice, TokenState};
pub use task::{Task, TaskKind};
pub use trainable::{Reached, Trainable, TrainablePart, TrainableWord, layer_of};
