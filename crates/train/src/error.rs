//! Why a run ends without having learned what was planned.

use std::path::PathBuf;

use spec::{ApiError, Code};

/// What can go wrong while training.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The model cannot be run.
    #[error(transparent)]
    Model(#[from] model::ModelError),
    /// The adapter cannot be attached or restored.
    #[error(transparent)]
    Adapt(#[from] adapt::AdaptError),
    /// A file of a checkpoint cannot be written.
    #[error(transparent)]
    Write(#[from] atomic::WriteError),
    /// A checkpoint cannot be read.
    #[error("the checkpoint {path} cannot be read: {what}")]
    Checkpoint {
        /// Its folder, or the file in it.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Nothing is taught.
    #[error("there is nothing to learn: none of the tokens in the training data is taught")]
    NothingTaught,
    /// Labels that do not fit the model's head.
    #[error("the labels do not fit the model: {0}")]
    Answers(String),
    /// The adapter got no gradient, or did not move.
    #[error("the run taught nothing: {0}")]
    NothingMoved(&'static str),
    /// The loss or the gradient is not a number any more.
    #[error("the loss is not a number any more at step {step}")]
    Diverged {
        /// The step that would have been taken.
        step: u32,
    },
    /// Products in 16 bits come to what 16 bits do not hold.
    #[error("the numbers of this run are larger than what 16 bits hold, at step {step}")]
    Overflowed {
        /// The step that would have been taken.
        step: u32,
    },
    /// The device gave up.
    #[error("the device gave up: {0}")]
    Device(String),
    /// The device computes something other than the processor does.
    #[error("this device computes wrongly: {0}")]
    Wrong(String),
    /// Whoever listens could not take an event.
    #[error("{0}")]
    Narrate(String),
    /// A thread could not be started.
    #[error("the system gives no more threads: {0}")]
    Threads(String),
}

impl From<TrainError> for ApiError {
    fn from(error: TrainError) -> Self {
        let message = error.to_string();
        match error {
            TrainError::Model(model::ModelError::Device(_)) | TrainError::Device(_) => {
                Self::new(Code::Device, message).hint(
                    "Resume on the processor, or update the graphics driver. The last checkpoint is kept.",
                )
            }
            TrainError::Wrong(_) => Self::new(Code::Device, message)
                .hint("Choose another device, such as the processor, or update the graphics driver."),
            TrainError::Model(_) => Self::new(Code::BadModel, message),
            TrainError::Adapt(_) => {
                Self::new(Code::BadModel, message).hint("Choose what the model has: all-linear, or all.")
            }
            TrainError::Write(_) => Self::new(Code::Disk, message)
                .hint("Free some space and resume. The last checkpoint is kept."),
            TrainError::Checkpoint { .. } => Self::new(Code::Disk, message)
                .hint("Remove the damaged checkpoint's folder; the run resumes from the one before it."),
            TrainError::NothingTaught => Self::new(Code::NothingToLearn, message)
                .hint("Look at what the model will see of the data, and teach more of it."),
            TrainError::Answers(_) => {
                Self::new(Code::BadModel, message).hint("Choose a head with as many labels as the data has.")
            }
            TrainError::NothingMoved(_) => Self::new(Code::NothingToLearn, message)
                .hint("Raise the learning rate, or choose other target modules."),
            TrainError::Diverged { .. } => Self::new(Code::Diverged, message)
                .hint("Start again with half the learning rate. The last checkpoint is kept."),
            TrainError::Overflowed { .. } => Self::new(Code::Diverged, message)
                .hint("Start again with mixed_precision no. The last checkpoint is kept."),
            TrainError::Narrate(_) => Self::new(Code::Disk, message)
                .hint("Free some space and resume. The last checkpoint is kept."),
            TrainError::Threads(_) => Self::new(Code::Internal, message),
        }
    }
}

impl From<kernels::DeviceGaveUp> for TrainError {
    fn from(why: kernels::DeviceGaveUp) -> Self {
        Self::Device(why.0)
    }
}
