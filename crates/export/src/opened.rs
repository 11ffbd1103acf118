//! A model as an export sees it: one that writes, one that makes one text of another, or one that answers with a head.

use model::{
    Adapter, Base, Decoder, HeadModel, Text, head_spec,
    seq2seq::{Seq2Seq, Seq2SeqConfig, Texts},
};
use serde_json::Value;
use spec::Quantization;
use weights::Checkpoint;

use crate::{ExportError, Tuned, fixed_prompt, logits};

/// Frozen, on its device.
#[allow(clippy::large_enum_variant, reason = "one for an export")]
pub(crate) enum Opened {
    Writer(Decoder),
    Seq2Seq(Box<Seq2Seq>),
    Head(HeadModel),
}

impl Opened {
    /// The base as the run had it: a head that was made new is made again from the run's seed. bfloat16 is how a run
    /// computes, and what is exported is compared as exactly as can be.
    pub(crate) fn base(tuned: Tuned<'_>) -> Result<Self, ExportError> {
        let how = match tuned.card.plan.knobs.quantization.value {
            Quantization::Bf16 => Quantization::None,
            how => how,
        };
        Self::open(tuned, tuned.base, &tuned.base.config_json()?, how)
    }

    /// What was exported.
    ///
    /// # Errors
    /// [`ExportError::Damaged`] where its head is not the one that was written.
    pub(crate) fn written(tuned: Tuned<'_>, written: &Checkpoint) -> Result<Self, ExportError> {
        let opened = Self::open(tuned, written, &written.config_json()?, Quantization::None)?;
        if let Self::Head(model) = &opened
            && !model.born().is_empty()
        {
            return Err(ExportError::Damaged { what: "its head is missing".to_owned() });
        }
        Ok(opened)
    }

    fn open(
        tuned: Tuned<'_>,
        checkpoint: &Checkpoint,
        config: &Value,
        how: Quantization,
    ) -> Result<Self, ExportError> {
        let plan = &tuned.card.plan;
        Ok(match head_spec(&plan.task.value, config, plan.knobs.seed.value) {
            Some(spec) => Self::Head(HeadModel::open_as(checkpoint, spec, how, tuned.device)?),
            None if Seq2SeqConfig::is_one(config) => {
                Self::Seq2Seq(Box::new(Seq2Seq::open_as(checkpoint, how, tuned.device)?))
            }
            None => Self::Writer(Decoder::open_as(checkpoint, how, tuned.device)?),
        })
    }

    /// What it says to the fixed prompt: the scores of each next token, or the head's numbers for texts of several
    /// lengths.
    pub(crate) fn says(&self, adapter: &dyn Adapter) -> Result<Vec<f32>, ExportError> {
        match self {
            Self::Writer(model) => Ok(logits(model, adapter, &fixed_prompt(model.config().vocab_size))?),
            Self::Seq2Seq(model) => {
                let prompt = fixed_prompt(model.config().vocab_size);
                let texts = |ids: &[u32]| Texts::padded(&[ids], model.config().pad_token_id);
                let source = model.encode(&texts(&prompt), adapter)?;
                let hidden = model.hidden(&texts(&model.shifted(&prompt)), &source, None, adapter)?;
                let said = model.logits(hidden, adapter).try_into_data();
                Ok(said.map_err(|e| model::ModelError::Device(e.to_string()))?.iter::<f32>().collect())
            }
            Self::Head(model) => {
                let prompt = fixed_prompt(model.vocab_size());
                let text = |n: usize| Text { ids: &prompt[..n.min(model.longest())], type_ids: None };
                let said = model.logits(&[text(prompt.len()), text(7), text(19)], adapter)?;
                let said = said.try_into_data().map_err(|e| model::ModelError::Device(e.to_string()))?;
                Ok(said.iter::<f32>().collect())
            }
        }
    }

    /// As adapters see it.
    pub(crate) fn as_base(&self) -> &dyn Base {
        match self {
            Self::Writer(model) => model,
            Self::Seq2Seq(model) => model.as_ref(),
            Self::Head(model) => model,
        }
    }

    pub(crate) fn n_layers(&self) -> usize {
        match self {
            Self::Writer(model) => model.config().num_hidden_layers,
            Self::Seq2Seq(model) => model.config().num_layers + model.config().num_decoder_layers,
            Self::Head(model) => model.n_layers(),
        }
    }
}
