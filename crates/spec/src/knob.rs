//! Every knob, defined once: the form, the options of the command line, the checks, the tooltips and the two structs
//! that hold the values all come from the table at the end of this file.
//!
//! To add a knob, add an entry there, its default in crate `plan`, and its use in crate `train`. Plans that were made
//! before there was the knob must still read: give it what they meant with `#[serde(default = …)]`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Chosen, MixedPrecision, Prefix, Quantization, Trainable};

/// How the learning rate goes after the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// `lr · (1 - t)`, `t` from 0 after the warm-up to 1 at the end.
    Linear,
    /// `lr · (1 + cos(π·t)) / 2`.
    Cosine,
    /// `lr`.
    Constant,
}

/// Which tokens teach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "kebab-case")]
pub enum Supervise {
    /// Every token.
    Everything,
    /// What the assistant says, with the end token; of a prompt and completion, the completion.
    Replies,
    /// Only the last thing it says.
    LastReply,
}

/// How a model learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// A small adapter beside the frozen model.
    #[default]
    Lora,
    /// The model's own tensors.
    Full,
}

/// What moves the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum Optim {
    /// AdamW, whose moments are as precise as the weights.
    #[default]
    #[serde(rename = "adamw")]
    AdamW,
    /// The same with a byte for each moment.
    #[serde(rename = "adamw_8bit")]
    AdamW8bit,
}

/// What of a layer is made again in the backward pass instead of being kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum GradientCheckpointing {
    /// Nothing: all is kept.
    #[default]
    None,
    /// What its attention makes.
    Attention,
    /// All of it; only what goes in is kept.
    Layer,
}

/// Which linear layers get an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "kebab-case")]
pub enum TargetModules {
    /// All of attention and of the feed-forward part.
    AllLinear,
    /// All of attention.
    Attention,
    /// By the last part of their names, as PEFT has it: `q_proj`, `v_proj`; `c_attn` in GPT-2.
    Named(Vec<String>),
}

/// One spelling each, for options, forms and files.
macro_rules! words {
    ($type:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),+ })
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                match s {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("`{s}` is not one of {}", [$($word),+].join(", "))),
                }
            }
        }
    };
}

words!(Schedule { Linear = "linear", Cosine = "cosine", Constant = "constant" });
words!(Supervise { Everything = "everything", Replies = "replies", LastReply = "last-reply" });

words!(Method { Lora = "lora", Full = "full" });
words!(Optim { AdamW = "adamw", AdamW8bit = "adamw_8bit" });
words!(GradientCheckpointing { None = "none", Attention = "attention", Layer = "layer" });

impl fmt::Display for TargetModules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllLinear => f.write_str("all-linear"),
            Self::Attention => f.write_str("attention"),
            Self::Named(names) => f.write_str(&names.join(",")),
        }
    }
}

impl FromStr for TargetModules {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "all-linear" => Ok(Self::AllLinear),
            "attention" => Ok(Self::Attention),
            _ => {
                let names: Vec<_> = s.split(',').map(|n| n.trim().to_owned()).collect();
                let named = |n: &String| {
                    !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
                };
                if names.iter().all(named) {
                    Ok(Self::Named(names))
                } else {
                    Err(format!("`{s}` is not all-linear, attention, or names like q_proj,v_proj"))
                }
            }
        }
    }
}

/// What a knob can be set to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KnobKind {
    /// A whole number, ends included.
    Whole {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A number, ends included.
    Real {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// `on` or `off`.
    Switch,
    /// One of some words.
    Choice {
        /// The words.
        of: &'static [&'static str],
    },
    /// Words of one's own; `examples` are good ones.
    Words {
        /// Good ones.
        examples: &'static [&'static str],
    },
}

impl fmt::Display for KnobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Real { min, max } => write!(f, "a number from {min} to {max}"),
            Self::Switch => write!(f, "on or off"),
            Self::Choice { of } => write!(f, "one of {}", of.join(", ")),
            Self::Words { examples } => write!(f, "such as {}", examples.join(" or ")),
        }
    }
}

/// What is known of a knob without its value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Knob {
    /// As files and options spell it; the field's own name (PEFT, transformers) where it has one.
    pub key: &'static str,
    /// On the form.
    pub label: &'static str,
    /// What turning it does, in a plain sentence.
    pub help: &'static str,
    /// What it can be set to.
    pub kind: KnobKind,
}

/// A value that a knob cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KnobError {
    /// There is no such knob.
    #[error("there is no setting `{0}`")]
    Unknown(String),
    /// The value is out of range or not of its kind.
    #[error("`{value}` does not fit {key}: it is {kind}")]
    Unfit {
        /// Which knob.
        key: &'static str,
        /// What was given.
        value: String,
        /// What it can be.
        kind: String,
    },
}

/// How a value of this type is written in options, forms and lists.
trait Setting: Sized {
    fn parse(s: &str) -> Option<Self>;
    fn show(&self) -> String;
    /// The value as a number, where the range applies to it.
    fn number(&self) -> Option<f64> {
        None
    }
}

macro_rules! number_setting {
    ($($type:ty),+) => {$(
        impl Setting for $type {
            fn parse(s: &str) -> Option<Self> {
                s.parse().ok()
            }
            fn show(&self) -> String {
                self.to_string()
            }
            fn number(&self) -> Option<f64> {
                Some(*self as f64)
            }
        }
    )+};
}
number_setting!(u32, u64, f64);

impl Setting for bool {
    fn parse(s: &str) -> Option<Self> {
        match s {
            "on" | "true" | "yes" => Some(true),
            "off" | "false" | "no" => Some(false),
            _ => None,
        }
    }
    fn show(&self) -> String {
        if *self { "on" } else { "off" }.to_owned()
    }
}

macro_rules! word_setting {
    ($($type:ty),+) => {$(
        impl Setting for $type {
            fn parse(s: &str) -> Option<Self> {
                s.parse().ok()
            }
            fn show(&self) -> String {
                self.to_string()
            }
        }
    )+};
}
word_setting!(
    GradientCheckpointing,
    Method,
    MixedPrecision,
    Optim,
    Prefix,
    Quantization,
    Schedule,
    Supervise,
    TargetModules,
    Trainable
);

fn fits(kind: KnobKind, number: Option<f64>) -> bool {
    match (kind, number) {
        (KnobKind::Whole { min, max }, Some(n)) => (min as f64..=max as f64).contains(&n),
        (KnobKind::Real { min, max }, Some(n)) => (min..=max).contains(&n),
        _ => true,
    }
}

macro_rules! knobs {
    ($($(#[$older:meta])* $field:ident: $type:ty, $label:literal, $help:literal, $kind:expr;)+) => {
        /// The knobs set by hand; the rest is left to the plan.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "specta", derive(specta::Type))]
        #[serde(default, deny_unknown_fields)]
        pub struct Asked {$(
            #[doc = $help]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,
        )+}

        /// All knobs, each with its reason.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "specta", derive(specta::Type))]
        pub struct Decided {$(
            #[doc = $help]
            $(#[$older])*
            pub $field: Chosen<$type>,
        )+}

        /// All knobs, in the order of the form.
        pub const KNOBS: &[Knob] = &[$(
            Knob { key: stringify!($field), label: $label, help: $help, kind: $kind },
        )+];

        impl Asked {
            /// Sets the knob called `key` to what `value` says.
            pub fn set(&mut self, key: &str, value: &str) -> Result<(), KnobError> {
                match key {
                    $(stringify!($field) => {
                        let parsed = <$type as Setting>::parse(value.trim())
                            .filter(|v| fits($kind, Setting::number(v)));
                        let unfit = || KnobError::Unfit {
                            key: stringify!($field),
                            value: value.to_owned(),
                            kind: $kind.to_string(),
                        };
                        self.$field = Some(parsed.ok_or_else(unfit)?);
                        Ok(())
                    })+
                    _ => Err(KnobError::Unknown(key.to_owned())),
                }
            }

            /// Leaves the knob called `key` to the plan again.
            ///
            /// # Errors
            /// [`KnobError::Unknown`].
            pub fn clear(&mut self, key: &str) -> Result<(), KnobError> {
                match key {
                    $(stringify!($field) => self.$field = None,)+
                    _ => return Err(KnobError::Unknown(key.to_owned())),
                }
                Ok(())
            }

            /// The same with the knobs that `other` sets.
            #[must_use]
            pub fn with(self, other: Self) -> Self {
                Self {$($field: other.$field.or(self.$field)),+}
            }

            /// The knobs that are set, as `set` reads them.
            pub fn rows(&self) -> Vec<(&'static str, String)> {
                let mut rows = Vec::new();
                $(if let Some(value) = &self.$field {
                    rows.push((stringify!($field), Setting::show(value)));
                })+
                rows
            }

            /// That every value is one its knob can take: for values that came by another way than `set`.
            pub fn check(&self) -> Result<(), KnobError> {
                let mut again = Self::default();
                self.rows().iter().try_for_each(|(key, value)| again.set(key, value))
            }
        }

        impl Decided {
            /// Each knob's key, value and reason, in the order of the form.
            pub fn rows(&self) -> Vec<(&'static str, String, &crate::Because)> {
                vec![$((stringify!($field), Setting::show(&self.$field.value), &self.$field.because)),+]
            }

            /// The same run asked for in full: nothing is left to the plan.
            pub fn to_asked(&self) -> Asked {
                Asked {$($field: Some(self.$field.value.clone())),+}
            }
        }
    };
}

/// What plans meant before they could say so.
fn every_example() -> Chosen<u32> {
    Chosen::new(0, crate::Because::Usual("all of them".to_owned()))
}

fn adapter() -> Chosen<Method> {
    Chosen::new(Method::Lora, crate::Because::Usual("the only method there was".to_owned()))
}

fn everything() -> Chosen<Trainable> {
    Chosen::new(Trainable::default(), crate::Because::Usual("all of it".to_owned()))
}

fn decoded() -> Chosen<Quantization> {
    Chosen::new(Quantization::None, crate::Because::Usual("there was no other way".to_owned()))
}

fn in_32_bits() -> Chosen<MixedPrecision> {
    Chosen::new(MixedPrecision::No, crate::Because::Usual("products were made in 32 bits".to_owned()))
}

fn no_prefix() -> Chosen<Prefix> {
    Chosen::new(Prefix::default(), crate::Because::Usual("texts were read as they stood".to_owned()))
}

fn whole_moments() -> Chosen<Optim> {
    Chosen::new(Optim::AdamW, crate::Because::Usual("the only optimiser there was".to_owned()))
}

fn all_kept() -> Chosen<GradientCheckpointing> {
    Chosen::new(GradientCheckpointing::None, crate::Because::Usual("everything was kept".to_owned()))
}

fn mixed_lengths() -> Chosen<bool> {
    Chosen::new(false, crate::Because::Usual("rows came in any order".to_owned()))
}

fn unweighted() -> Chosen<bool> {
    Chosen::new(false, crate::Because::Usual("every example counted alike".to_owned()))
}

knobs! {
    supervise: Supervise, "What is taught",
        "Which tokens the model learns to write: everything, the replies, or only the last reply.",
        KnobKind::Choice { of: &["everything", "replies", "last-reply"] };
    #[serde(default = "no_prefix")]
    source_prefix: Prefix, "Task prefix",
        "What each source begins with, for a model that turns texts into others and knows several tasks; none is nothing.",
        KnobKind::Words { examples: &["summarize:", "translate English to German:", "none"] };
    context_length: u32, "Context length",
        "The longest example in tokens; what is longer is cut. Longer needs more memory.",
        KnobKind::Whole { min: 8, max: 131_072 };
    packing: bool, "Packing",
        "Puts short examples into one row, so that no time goes into padding. They do not see each other.",
        KnobKind::Switch;
    #[serde(default = "mixed_lengths")]
    group_by_length: bool, "Group by length",
        "Rows of about the same length share a batch, so that a graphics adapter computes little padding; in another order.",
        KnobKind::Switch;
    #[serde(default = "adapter")]
    method: Method, "Method",
        "LoRA trains a small adapter beside the frozen model; full trains the model itself, which takes more memory.",
        KnobKind::Choice { of: &["lora", "full"] };
    #[serde(default = "everything")]
    trainable: Trainable, "What learns",
        "With full: all, embeddings, head, norms, biases, layers:0-3, or names with stars; ! before a word freezes it.",
        KnobKind::Words { examples: &["all", "!embeddings", "layers:4-5,head", "biases,head"] };
    #[serde(default = "decoded")]
    quantization: Quantization, "Frozen weights",
        "none keeps 32 bits; bf16 half, and is quicker where the processor multiplies such; q8_0 or nf4 (QLoRA) take a quarter or a seventh; stored leaves a GGUF's.",
        KnobKind::Choice { of: Quantization::WORDS };
    #[serde(default = "in_32_bits")]
    mixed_precision: MixedPrecision, "Mixed precision",
        "fp16 makes products on a graphics adapter in 16 bits: frozen weights take half the memory, and most cards are quicker.",
        KnobKind::Choice { of: MixedPrecision::WORDS };
    rank: u32, "Rank",
        "How much the adapter can hold. Double it if the model does not pick up the task.",
        KnobKind::Whole { min: 1, max: 1024 };
    alpha: f64, "Alpha",
        "How strongly the adapter speaks: its output is scaled by alpha / rank.",
        KnobKind::Real { min: 0.01, max: 4096.0 };
    dropout: f64, "Dropout",
        "The share of the adapter's input left out at random in each step; helps on very little data.",
        KnobKind::Real { min: 0.0, max: 0.9 };
    target_modules: TargetModules, "Target modules",
        "Which layers get an adapter. All of them learns most; attention alone is smaller.",
        KnobKind::Words { examples: &["all-linear", "attention", "q_proj,v_proj"] };
    use_rslora: bool, "Rank-stabilised scale",
        "Scales by alpha / √rank instead, which keeps high ranks from fading.",
        KnobKind::Switch;
    learning_rate: f64, "Learning rate",
        "How far each step moves what learns. Halve it if the loss jumps.",
        KnobKind::Real { min: 1e-7, max: 1.0 };
    schedule: Schedule, "Schedule",
        "How the learning rate falls towards the end.",
        KnobKind::Choice { of: &["linear", "cosine", "constant"] };
    warmup_ratio: f64, "Warm-up",
        "The share of all steps over which the learning rate rises from zero.",
        KnobKind::Real { min: 0.0, max: 0.9 };
    epochs: f64, "Epochs",
        "How often the model sees the whole training data.",
        KnobKind::Real { min: 0.001, max: 1000.0 };
    max_steps: u32, "Steps",
        "How many times the weights are moved. Follows from the epochs unless it is set.",
        KnobKind::Whole { min: 1, max: 10_000_000 };
    batch_size: u32, "Batch size",
        "Rows that go through the model at once. Fewer need less memory.",
        KnobKind::Whole { min: 1, max: 1024 };
    gradient_accumulation: u32, "Accumulation",
        "Batches whose gradients are summed before the weights move. More are steadier and slower.",
        KnobKind::Whole { min: 1, max: 4096 };
    #[serde(default = "unweighted")]
    class_weights: bool, "Class weights",
        "Rare labels count as much as frequent ones. For tasks with one label of several.",
        KnobKind::Switch;
    weight_decay: f64, "Weight decay",
        "Pulls what learns towards zero a little in each step.",
        KnobKind::Real { min: 0.0, max: 1.0 };
    max_grad_norm: f64, "Gradient clipping",
        "Longer gradients are shortened to this, so that one odd batch does no harm; 0 is off.",
        KnobKind::Real { min: 0.0, max: 1000.0 };
    #[serde(default = "whole_moments")]
    optim: Optim, "Optimiser",
        "AdamW keeps two numbers for each weight that learns; adamw_8bit keeps them in a byte each.",
        KnobKind::Choice { of: &["adamw", "adamw_8bit"] };
    #[serde(default = "all_kept")]
    gradient_checkpointing: GradientCheckpointing, "Gradient checkpointing",
        "Makes the attention's numbers, or those of whole layers, again instead of keeping them: less memory, more time.",
        KnobKind::Choice { of: &["none", "attention", "layer"] };
    seed: u64, "Seed",
        "Of everything random. The same seed on the same device gives the same run.",
        KnobKind::Whole { min: 0, max: 9_007_199_254_740_991 };
    eval_interval: u32, "Validation interval",
        "Steps between two looks at the validation data.",
        KnobKind::Whole { min: 1, max: 1_000_000 };
    #[serde(default = "every_example")]
    eval_examples: u32, "Validation examples",
        "At most so many validation examples are looked at each time, drawn by the seed; 0 is all of them.",
        KnobKind::Whole { min: 0, max: 10_000_000 };
    early_stopping_patience: u32, "Early stopping",
        "Ends the run after this many looks without a better validation loss; 0 is off.",
        KnobKind::Whole { min: 0, max: 1000 };
    save_interval: u32, "Checkpoint interval",
        "Steps between two checkpoints: the most that a crash can cost.",
        KnobKind::Whole { min: 1, max: 1_000_000 };
    n_samples: u32, "Samples",
        "Validation prompts that the model answers at each look, for you to read.",
        KnobKind::Whole { min: 0, max: 16 };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_range_is_refused_with_the_range() {
        let mut asked = Asked::default();
        let err = asked.set("rank", "0").unwrap_err();
        assert_eq!(err.to_string(), "`0` does not fit rank: it is a whole number from 1 to 1024");
        assert_eq!(asked, Asked::default());
        assert!(asked.set("rank", "NaN").is_err() && asked.set("alpha", "NaN").is_err());
        assert_eq!(asked.set("ranks", "1"), Err(KnobError::Unknown("ranks".to_owned())));
    }

    #[test]
    fn what_is_set_is_read_back_by_rows() {
        let mut asked = Asked::default();
        let set = [
            ("supervise", "last-reply"),
            ("packing", "off"),
            ("rank", "16"),
            ("target_modules", "q_proj,v_proj"),
            ("learning_rate", "0.0002"),
            ("schedule", "cosine"),
        ];
        for (key, value) in set {
            asked.set(key, value).unwrap();
        }
        assert_eq!(asked.rows(), set.map(|(k, v)| (k, v.to_owned())));
        assert_eq!(asked.check(), Ok(()));
        asked.clear("rank").unwrap();
        assert_eq!((asked.rank, asked.rows().len()), (None, set.len() - 1));
        assert_eq!(asked.clear("ranks"), Err(KnobError::Unknown("ranks".to_owned())));
        let with = asked.clone().with(Asked { packing: Some(true), ..Asked::default() });
        assert_eq!((with.packing, with.schedule), (Some(true), asked.schedule));
    }

    #[test]
    fn a_file_with_a_setting_unknown_to_this_version_is_refused() {
        assert!(serde_json::from_str::<Asked>(r#"{"rank": 8}"#).is_ok());
        assert!(serde_json::from_str::<Asked>(r#"{"rnak": 8}"#).is_err());
    }

    #[test]
    fn the_table_has_no_knob_twice() {
        let keys: std::collections::BTreeSet<_> = KNOBS.iter().map(|knob| knob.key).collect();
        assert_eq!(keys.len(), KNOBS.len());
    }
}
