//! What a list shows of a run, in one piece: the window and `runs list` ask once and know all they print.

use serde::{Deserialize, Serialize};

use crate::{ApiError, ModelId, RunId, RunStatus, Score, TaskKind};

/// A run in a list; a fold over its events, like everything that is shown of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RunRow {
    /// Which.
    pub id: RunId,
    /// What the person calls it.
    pub name: String,
    /// What it starts from.
    pub model: ModelId,
    /// The name of the data set.
    pub data: String,
    /// What it learns to do.
    pub task: TaskKind,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was asked for: milliseconds since 1970, UTC.
    pub created_ms: u64,
    /// Since when it waits for its device, while it does: who waits longest is next. Milliseconds since 1970, UTC.
    pub queued_ms: Option<u64>,
    /// Steps done.
    pub step: u32,
    /// Steps planned, once there is a plan.
    pub of: Option<u32>,
    /// Training loss of the latest step, in nats.
    pub loss: Option<f64>,
    /// The lowest validation loss so far, in nats.
    pub best: Option<f64>,
    /// The most telling metric at that look; none where the model writes.
    pub score: Option<Score>,
    /// Seconds until the end, while it runs and that is known.
    pub secs_left: Option<f64>,
    /// The training loss over the steps, thinned to at most [`RunRow::MAX_POINTS`], oldest first.
    pub losses: Vec<f64>,
    /// Why it failed.
    pub error: Option<ApiError>,
}

impl RunRow {
    /// As many points as a small chart can show.
    pub const MAX_POINTS: usize = 60;
}
