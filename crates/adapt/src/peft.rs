//! PEFT's folder: `adapter_config.json` and `adapter_model.safetensors`, as PEFT 0.21 writes and reads them.

use std::{fs, path::Path};

use model::Base;
use serde::{Deserialize, Serialize};
use spec::TargetModules;
use weights::Checkpoint;

use crate::{AdaptError, Lora, LoraConfig, NamedTensor};

/// `adapter_config.json`. What is not listed here has PEFT's default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeftConfig {
    /// `LORA`.
    pub peft_type: String,
    /// `CAUSAL_LM`, `SEQ_CLS`, `TOKEN_CLS`.
    #[serde(default)]
    pub task_type: Option<String>,
    /// Where PEFT finds the base.
    #[serde(default)]
    pub base_model_name_or_path: Option<String>,
    /// Width of the bottleneck.
    pub r: usize,
    /// See [`LoraConfig::scale`].
    pub lora_alpha: f64,
    /// The share of the input left out in training.
    #[serde(default)]
    pub lora_dropout: f64,
    /// The layers, by the last part of their names; `"all-linear"` is a word of its own.
    pub target_modules: Targets,
    /// `none`: biases do not learn.
    #[serde(default = "none")]
    pub bias: String,
    /// The base has its weights as `[in, out]`, as GPT-2 does.
    #[serde(default)]
    pub fan_in_fan_out: bool,
    /// The adapter is not to be trained on when loaded.
    #[serde(default)]
    pub inference_mode: bool,
    /// Rank-stabilised scale.
    #[serde(default)]
    pub use_rslora: bool,
    /// Weight-decomposed; not supported yet.
    #[serde(default)]
    pub use_dora: bool,
    /// Modules that learn whole, by the ends of their paths.
    #[serde(default)]
    pub modules_to_save: Option<Vec<String>>,
}

/// PEFT's `target_modules`: a list of names, or one word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Targets {
    /// Last parts of names.
    Names(Vec<String>),
    /// `all-linear`, or a pattern.
    Word(String),
}

fn none() -> String {
    "none".to_owned()
}

impl PeftConfig {
    /// What PEFT is told of `lora` on the base that it finds at `base`.
    pub fn of(lora: &Lora, base: &str) -> Self {
        let config = lora.config();
        Self {
            peft_type: "LORA".to_owned(),
            task_type: Some(lora.task_type().to_owned()),
            base_model_name_or_path: Some(base.to_owned()),
            r: config.r,
            lora_alpha: config.lora_alpha,
            lora_dropout: config.lora_dropout,
            target_modules: Targets::Names(lora.target_names().to_vec()),
            bias: none(),
            fan_in_fan_out: lora.fan_in_fan_out(),
            inference_mode: true,
            use_rslora: config.use_rslora,
            use_dora: false,
            modules_to_save: (!config.modules_to_save.is_empty()).then(|| config.modules_to_save.clone()),
        }
    }

    /// What the adapter is made of.
    ///
    /// # Errors
    /// A method, or a part of one, that cannot be run yet.
    pub fn lora(&self) -> Result<LoraConfig, AdaptError> {
        let refuse = |what: String| AdaptError::File { file: "adapter_config.json".to_owned(), what };
        if self.peft_type != "LORA" {
            return Err(refuse(format!(
                "adapters of type {} cannot be opened yet; LORA can",
                self.peft_type
            )));
        }
        if self.use_dora || self.bias != "none" {
            let what = "DoRA and trained biases cannot be opened yet";
            return Err(refuse(what.to_owned()));
        }
        if self.r == 0 || !self.lora_alpha.is_finite() {
            return Err(refuse("r must be above 0 and lora_alpha a number".to_owned()));
        }
        let target_modules = match &self.target_modules {
            Targets::Names(names) => TargetModules::Named(names.clone()),
            Targets::Word(word) if word == "all-linear" => TargetModules::AllLinear,
            Targets::Word(word) => {
                return Err(refuse(format!("the pattern `{word}` cannot be read; names can")));
            }
        };
        Ok(LoraConfig {
            r: self.r,
            lora_alpha: self.lora_alpha,
            lora_dropout: self.lora_dropout,
            use_rslora: self.use_rslora,
            target_modules,
            modules_to_save: self.modules_to_save.clone().unwrap_or_default(),
        })
    }
}

impl Lora {
    /// Opens a folder that PEFT, or this program, wrote.
    ///
    /// # Errors
    /// Files that cannot be read, a method that cannot be run, or tensors that do not fit the model.
    pub fn open(folder: &Path, model: &(impl Base + ?Sized)) -> Result<Self, AdaptError> {
        let path = folder.join("adapter_config.json");
        let file = |what: String| AdaptError::File { file: path.display().to_string(), what };
        let json = fs::read(&path).map_err(|e| file(e.to_string()))?;
        let config: PeftConfig = serde_json::from_slice(&json).map_err(|e| file(e.to_string()))?;
        Self::restore(model, config.lora()?, read_tensors(&folder.join("adapter_model.safetensors"))?)
    }
}

/// Every tensor of a safetensors file of matrices and vectors.
///
/// # Errors
/// A file that cannot be read, or a tensor that is neither.
pub fn read_tensors(path: &Path) -> Result<Vec<NamedTensor>, AdaptError> {
    let checkpoint = Checkpoint::open(path)?;
    let mut tensors = Vec::new();
    for name in checkpoint.names() {
        let name: String = name.into();
        let view = checkpoint.tensor(&name).ok_or_else(|| AdaptError::MissingTensor(name.clone()))?;
        if !(1..=2).contains(&view.shape.len()) {
            return Err(AdaptError::UnexpectedTensor(name));
        }
        tensors.push(NamedTensor { values: view.to_f32()?, shape: view.shape.clone(), name });
    }
    Ok(tensors)
}
