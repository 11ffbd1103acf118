//! Why there is no plan, and what to change.

use std::fmt;

use spec::{ApiError, Code, DeviceChoice, KnobError};

use crate::words;

/// A question that has no plan. [`PlanError::hint`] says what to change.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// A value is not one its knob can take.
    #[error(transparent)]
    Knob(#[from] KnobError),
    /// Nothing is left to train on.
    #[error("there are no training examples")]
    NoTrainingRows,
    /// Examples, but none of their tokens is taught.
    #[error("none of the tokens would be taught, so nothing would be learned")]
    NothingTaught,
    /// A target module that no layer of the model bears.
    #[error("`{name}` is not a layer that can be adapted")]
    UnknownModule {
        /// As it was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A context that the model was not made for.
    #[error("a context length of {} is more than the {} tokens that this model can take",
        words::count(u64::from(*.asked)), words::count(u64::from(*.max)))]
    ContextOverModel {
        /// What was asked for, in tokens.
        asked: u32,
        /// What the model was made for.
        max: u32,
    },
    /// The facts are those of another device than the one asked for.
    #[error("{asked} was asked for, but it is {measured} that was measured")]
    OtherDevice {
        /// What was asked for.
        asked: DeviceChoice,
        /// Whose facts these are.
        measured: DeviceChoice,
    },
    /// The least it would take is more than there is.
    #[error("this run needs at least {}, and {device} has {} free", words::bytes(*.needs), words::bytes(*.has))]
    TooLarge {
        /// The device, as its driver calls it.
        device: String,
        /// The low end of the forecast, in bytes.
        needs: u64,
        /// Bytes there are.
        has: u64,
        /// What makes it fit, all together; empty if only a smaller model would.
        remedies: Vec<Remedy>,
    },
}

impl PlanError {
    /// For screens and exit codes.
    pub fn code(&self) -> Code {
        match self {
            Self::Knob(_) | Self::UnknownModule { .. } | Self::ContextOverModel { .. } => Code::Usage,
            Self::NoTrainingRows | Self::NothingTaught => Code::NothingToLearn,
            Self::OtherDevice { .. } => Code::Device,
            Self::TooLarge { .. } => Code::OutOfMemory,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Knob(_) => return None,
            Self::NoTrainingRows => {
                "Set fewer aside for validation and test, or add rows to the data set.".to_owned()
            }
            Self::NothingTaught => {
                "Check which column holds the replies, or set supervise to everything.".to_owned()
            }
            Self::UnknownModule { known, .. } => {
                format!("Choose from {}, or write all-linear.", known.join(", "))
            }
            Self::ContextOverModel { max, .. } => {
                format!("Set it to {} or less, or leave it open.", words::count(u64::from(*max)))
            }
            Self::OtherDevice { .. } => "List the devices and choose one of them.".to_owned(),
            Self::TooLarge { remedies, .. } if remedies.is_empty() => {
                "Choose a smaller model, or close other programs.".to_owned()
            }
            Self::TooLarge { remedies, .. } => {
                let list: Vec<_> = remedies.iter().map(Remedy::to_string).collect();
                format!("It fits with {}.", list.join(" and "))
            }
        })
    }
}

impl From<PlanError> for ApiError {
    fn from(error: PlanError) -> Self {
        Self { code: error.code(), message: error.to_string(), hint: error.hint() }
    }
}

/// A knob to turn so that a plan fits into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// The knob's key.
    pub knob: &'static str,
    /// Its value in the plan that does not fit.
    pub from: u32,
    /// The largest value that helps.
    pub to: u32,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.knob.replace('_', " ");
        let [to, from] = [self.to, self.from].map(|n| words::count(u64::from(n)));
        write!(f, "{name} {to} instead of {from}")
    }
}
