//! A checkpoint: all that a run needs to go on as if nothing had happened.
//!
//! A folder `step-00000040` with `trainable.safetensors` (an adapter named as PEFT names it, or the model's own tensors),
//! `optimizer.safetensors` (see `moments.rs`) and `state.json`. Schedule position, random state
//! and data position are not stored since they follow from the seed and the step.
//!
//! **Invariant:** a checkpoint is whole or absent: it is made under another name, flushed, and renamed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use adapt::{Learner, Learns, Method, NamedTensor};
use kernels::LossScale;
use model::Base;
use serde::{Deserialize, Serialize};
use spec::Optim;
use weights::write::{Float, Outgoing};

use crate::{AdamW, TrainError, moments};

/// The lowest validation loss so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps done then.
    pub step: u32,
    /// In nats per taught token.
    pub loss: f64,
}

/// The scale of the loss of a run in mixed precision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossScaling {
    /// What the loss is multiplied by.
    pub scale: f64,
    /// Steps since that last changed.
    pub growth_tracker: u32,
    /// Steps that were skipped so far.
    pub skipped: u32,
}

impl From<LossScale> for LossScaling {
    fn from(LossScale { scale, good, skipped }: LossScale) -> Self {
        Self { scale, growth_tracker: good, skipped }
    }
}

impl From<LossScaling> for LossScale {
    fn from(LossScaling { scale, growth_tracker, skipped }: LossScaling) -> Self {
        Self { scale, good: growth_tracker, skipped }
    }
}

/// `state.json`: where the run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done.
    pub step: u32,
    /// The lowest validation loss so far.
    pub best: Option<Best>,
    /// Looks at the validation data since then.
    pub looks_since_best: u32,
    /// In mixed precision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_scaling: Option<LossScaling>,
}

/// A checkpoint in memory.
#[derive(Debug)]
pub struct Checkpoint {
    /// Where the run stands.
    pub progress: Progress,
    /// What it learned.
    pub learner: Learner,
    /// The optimiser's moments.
    pub optimizer: AdamW,
}

impl Checkpoint {
    /// The folder's name after `step` steps.
    pub fn name(step: u32) -> String {
        format!("step-{step:08}")
    }

    /// Writes the checkpoint under `folder` and gives back its name. One of that name is replaced.
    ///
    /// # Errors
    /// The disk is full or may not be written; nothing of that name appears then.
    pub fn save(
        folder: &Path,
        progress: &Progress,
        learner: &impl Learns,
        optimizer: &AdamW,
    ) -> Result<String, TrainError> {
        let loss_scaling = optimizer.loss_scale().map(LossScaling::from);
        let progress = &Progress { loss_scaling, ..*progress };
        let name = Self::name(progress.step);
        let made = folder.join(format!(".{name}.part"));
        if made.exists() {
            fs::remove_dir_all(&made).map_err(|e| unreadable(&made, &e))?;
        }
        fs::create_dir_all(&made).map_err(|e| unreadable(&made, &e))?;
        write(&made.join("trainable.safetensors"), learner.to_named())?;
        moments::write(&made.join("optimizer.safetensors"), learner, optimizer)?;
        let state = serde_json::to_vec_pretty(progress).map_err(|e| unreadable(&made, &e))?;
        atomic::write_whole(&made.join("state.json"), &state)?;
        atomic::replace_folder(&made, &folder.join(&name))?;
        Ok(name)
    }

    /// Reads the checkpoint in `folder` back for `model`; `optim` is the optimiser and its weight decay.
    ///
    /// # Errors
    /// A file that is missing, damaged, or of another model.
    pub fn open(
        folder: &Path,
        model: &(impl Base + ?Sized),
        method: &Method,
        optim: (Optim, f64),
    ) -> Result<Self, TrainError> {
        let state = folder.join("state.json");
        let progress = fs::read(&state).map_err(|e| unreadable(&state, &e))?;
        let progress: Progress = serde_json::from_slice(&progress).map_err(|e| unreadable(&state, &e))?;
        if progress.loss_scaling.is_some_and(|scaling| !(scaling.scale > 0.0 && scaling.scale.is_finite())) {
            return Err(unreadable(&state, &"the scale of the loss is none"));
        }
        let learner = learned(folder, model, method)?;
        let path = folder.join("optimizer.safetensors");
        let optimizer = moments::read(&path, &learner, optim, model.device())?;
        let optimizer = match progress.loss_scaling {
            Some(scaling) => optimizer.scaled(scaling.into(), model.device()),
            None => optimizer,
        };
        Ok(Self { progress, learner, optimizer })
    }
}

/// Only what was learned by the checkpoint in `folder`, for whoever does not go on training.
///
/// # Errors
/// A file that is missing, damaged, or of another model.
pub fn learned(folder: &Path, model: &(impl Base + ?Sized), method: &Method) -> Result<Learner, TrainError> {
    let tensors = read(&folder.join("trainable.safetensors"))?;
    Ok(Learner::restore(model, method, tensors.into_values())?)
}

/// The checkpoint with the most steps under `folder`, by its name; none if there is none.
pub fn latest(folder: &Path) -> Option<String> {
    names(folder).into_iter().next_back()
}

/// Removes the checkpoints that neither going on nor the result needs. What cannot be removed stays: it costs space
/// and nothing else.
pub(crate) fn tidy(folder: &Path, progress: &Progress) {
    let kept = [Some(progress.step), progress.best.map(|best| best.step)];
    let kept: Vec<_> = kept.into_iter().flatten().map(Checkpoint::name).collect();
    for name in names(folder).into_iter().filter(|name| !kept.contains(name)) {
        let _ = fs::remove_dir_all(folder.join(name));
    }
}

/// Whole checkpoints, fewest steps first.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.strip_prefix("step-").is_some_and(|n| n.parse::<u32>().is_ok()))
        .filter(|name| folder.join(name).join("state.json").is_file())
        .collect();
    names.sort();
    names
}

fn write(path: &Path, tensors: Vec<NamedTensor>) -> Result<(), TrainError> {
    let outgoing =
        tensors.into_iter().map(|t| Outgoing::of_f32(t.name, &t.shape, Float::F32, move || Ok(t.values)));
    Ok(weights::write::safetensors(path, outgoing.collect::<Vec<_>>(), &BTreeMap::new())?)
}

fn read(path: &Path) -> Result<BTreeMap<String, NamedTensor>, TrainError> {
    let tensors = adapt::read_tensors(path).map_err(|e| unreadable(path, &e))?;
    Ok(tensors.into_iter().map(|t| (t.name.clone(), t)).collect())
}

pub(crate) fn unreadable(path: &Path, what: &dyn std::fmt::Display) -> TrainError {
    TrainError::Checkpoint { path: PathBuf::from(path), what: what.to_string() }
}
