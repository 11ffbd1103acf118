//! Why there is no plan, and what to change.

use std::fmt;

use spec::{ApiError, Code, DeviceChoice, KnobError, Quantization, TaskKind};

use crate::{ModelKind, NotMixed, NotQuantised, words};

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
    /// A task that the rows do not teach.
    #[error("the task `{task}` cannot be learned from this data, which teaches `{teaches}`")]
    DataTeachesOther {
        /// As asked for.
        task: TaskKind,
        /// What the rows teach.
        teaches: TaskKind,
    },
    /// A task that a model that reads in this way cannot do.
    #[error("{}", cannot(*.task, *.model))]
    ModelCannot {
        /// The task.
        task: TaskKind,
        /// How the model reads.
        model: ModelKind,
    },
    /// No row for training has a label.
    #[error("no row for training has a label")]
    NoLabels,
    /// Every row for training has the same label.
    #[error("every row for training has the label `{label}`, so there is nothing to tell apart")]
    OneLabel {
        /// The label.
        label: String,
    },
    /// A knob was set that the task has no use for.
    #[error("{knob} means nothing for the task `{task}`")]
    NotForTask {
        /// Its key.
        knob: &'static str,
        /// The task.
        task: TaskKind,
    },
    /// Weights that cannot be kept as was asked.
    #[error("weights kept as {how} {}", .why.said())]
    NotQuantised {
        /// As asked for.
        how: Quantization,
        /// Why not.
        why: NotQuantised,
    },
    /// Products that cannot be made in 16 bits.
    #[error("mixed_precision fp16 {}", .why.said())]
    NotMixed {
        /// Why not.
        why: NotMixed,
    },
    /// A value that only the processor has a way to carry out.
    #[error("{knob} {value} works on the processor alone here")]
    ProcessorAlone {
        /// The knob's key.
        knob: &'static str,
        /// What it was set to.
        value: String,
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
            Self::DataTeachesOther { .. } | Self::NotForTask { .. } => Code::Usage,
            Self::NotQuantised { .. } | Self::NotMixed { .. } | Self::ProcessorAlone { .. } => Code::Usage,
            Self::ModelCannot { .. } => Code::BadModel,
            Self::NoLabels | Self::OneLabel { .. } => Code::NothingToLearn,
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
            Self::DataTeachesOther { teaches, .. } if !teaches.answers_with_a_head() => {
                format!(
                    "Leave the task open, which makes it `{teaches}`; or import data with labels, numbers or tags."
                )
            }
            Self::DataTeachesOther { task, teaches } if !task.answers_with_a_head() => format!(
                "To write the labels, import the data with its columns mapped as prompt and completion; or leave the task open: it is `{teaches}`."
            ),
            Self::DataTeachesOther { teaches, .. } => format!(
                "Leave the task open, which makes it `{teaches}`; or import the data with its columns mapped to a label, a number or tags."
            ),
            Self::ModelCannot { task, model } => instead(*task, *model).to_owned(),
            Self::NoLabels => "Import the data again and map the column of labels.".to_owned(),
            Self::OneLabel { .. } => "Add rows with other labels.".to_owned(),
            Self::NotForTask { .. } => "Leave it open.".to_owned(),
            Self::NotQuantised { why, .. } => why.instead().to_owned(),
            Self::NotMixed { why } => why.instead().to_owned(),
            Self::ProcessorAlone { .. } => "Leave it open, or train on the processor.".to_owned(),
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

fn cannot(task: TaskKind, model: ModelKind) -> &'static str {
    match (task, model) {
        (TaskKind::Write | TaskKind::Transform, ModelKind::Encoder) => {
            "this model is an encoder: it reads, and cannot write"
        }
        (TaskKind::Tag, ModelKind::Decoder) => {
            "this model reads from the beginning on, so that of a word it does not know what follows: it cannot tag words well"
        }
        (TaskKind::Transform, _) => "this model goes on from a text, and does not turn one text into another",
        (TaskKind::Write, _) => "this model turns one text into another, and does not go on from a text",
        _ => "this model writes with a second half that a head has no place in",
    }
}

/// The nearest that is possible.
fn instead(task: TaskKind, model: ModelKind) -> &'static str {
    match (task, model) {
        (TaskKind::Write | TaskKind::Transform, ModelKind::Encoder) => {
            "Choose a model that writes, such as HuggingFaceTB/SmolLM2-135M-Instruct; or data with labels, numbers or tags, which an encoder learns well."
        }
        (TaskKind::Transform, _) => "Leave the task open to have it write, or choose a T5 model.",
        (TaskKind::Write, _) => "Use prompts and completions with the task transform, or choose a decoder.",
        _ => "Choose an encoder, such as sentence-transformers/all-MiniLM-L6-v2.",
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
    pub from: String,
    /// The value that changes least and helps.
    pub to: String,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.knob.replace('_', " ");
        let said = |value: &String| value.parse().map_or_else(|_| value.clone(), words::count);
        let (to, from) = (said(&self.to), said(&self.from));
        write!(f, "{name} {to} instead of {from}")
    }
}
