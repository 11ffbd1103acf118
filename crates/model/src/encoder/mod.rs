//! Encoders: BERT, RoBERTa, DistilBERT and ModernBERT, and the heads that classify with them.
//!
//! A text is read in both directions at once. Activations are `[tokens, width]` as in the decoder, and rows are
//! chains of texts that do not see each other ([`Rows`]).
//!
//! **Invariants:** module paths are those of transformers' classes for classification (`bert.encoder.layer.0…`,
//! `classifier`), whatever prefix the file has. Every tensor asks the adapter first, so that any of them can learn
//! whole, beside what learns at the linear layers.
//!
//! To add a family: a file beside `bert.rs` that says its configuration, the names of its parts and its head; a variant
//! of [`Family`].

mod anatomy;
mod attention;
mod bert;
mod classifier;
mod config;
mod distilbert;
mod modernbert;
pub(crate) mod parts;
mod post_norm;
mod roberta;
mod rows;

use burn::tensor::{Device, Int, Tensor, TensorData};
use weights::Checkpoint;

use crate::{Adapter, Kept, ModelError};

pub use classifier::Classifier;
pub(crate) use config::num_labels;
pub use config::{EncoderConfig, Family};
pub use modernbert::ModernBert;
pub use rows::Rows;

use parts::Reader;

/// A frozen encoder on one device.
#[derive(Clone, Debug)]
pub struct Encoder {
    config: EncoderConfig,
    device: Device,
    body: Body,
}

/// Whose hidden states are read behind the last layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readers {
    All,
    /// Each text's first token.
    First,
}

impl Readers {
    /// What a layer's attention saw and what it saw it from, of those that are read behind the layer.
    fn of(self, is_last: bool, rows: &Rows, seen: Tensor<2>, x: Tensor<2>) -> [Tensor<2>; 2] {
        match self == Self::First && is_last {
            true => [rows.first(seen), rows.first(x)],
            false => [seen, x],
        }
    }
}

/// What stands between the tokens and the hidden states.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one")]
enum Body {
    PostNorm(post_norm::PostNorm),
    ModernBert(modernbert::Body),
}

impl Encoder {
    /// Reads the weights onto `device` as f32, without any head.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape than the configuration makes it.
    pub fn open(checkpoint: &Checkpoint, device: &Device) -> Result<Self, ModelError> {
        let config = EncoderConfig::from_json(&checkpoint.config_json()?)?;
        Self::read(config, &mut Reader::new(checkpoint, Kept::default(), device)?)
    }

    /// The same with a reader that goes on to read a head.
    fn read(config: EncoderConfig, read: &mut Reader) -> Result<Self, ModelError> {
        read.prefix = config.family.prefix();
        let body = match &config.family {
            Family::Bert => Body::PostNorm(post_norm::PostNorm::read(&config, &bert::NAMES, read)?),
            Family::Roberta => Body::PostNorm(post_norm::PostNorm::read(&config, &roberta::NAMES, read)?),
            Family::DistilBert => {
                Body::PostNorm(post_norm::PostNorm::read(&config, &distilbert::NAMES, read)?)
            }
            Family::ModernBert(modern) => Body::ModernBert(modernbert::Body::read(&config, modern, read)?),
        };
        Ok(Self { config, device: read.device.clone(), body })
    }

    /// Its shape.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Where it lies.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The hidden states after the last layer.
    ///
    /// - ids: the tokens of `rows`, row after row, padding included → `[tokens, hidden_size]`
    ///
    /// # Errors
    /// A token beyond the vocabulary, or a text longer than the model has positions for.
    pub fn hidden(&self, ids: &[u32], rows: &Rows, adapter: &dyn Adapter) -> Result<Tensor<2>, ModelError> {
        self.read_by(ids, rows, Readers::All, adapter)
    }

    /// The same of each text's first token alone; the last layer then makes nothing for the others.
    ///
    /// - ids: the tokens of `rows`, row after row, padding included → `[texts, hidden_size]`
    ///
    /// # Errors
    /// As [`hidden`](Self::hidden).
    pub fn firsts(&self, ids: &[u32], rows: &Rows, adapter: &dyn Adapter) -> Result<Tensor<2>, ModelError> {
        self.read_by(ids, rows, Readers::First, adapter)
    }

    fn read_by(
        &self,
        ids: &[u32],
        rows: &Rows,
        readers: Readers,
        adapter: &dyn Adapter,
    ) -> Result<Tensor<2>, ModelError> {
        let vocab_size = self.config.vocab_size;
        if let Some(&id) = ids.iter().find(|id| **id as usize >= vocab_size) {
            return Err(ModelError::TokenOutOfRange { id, vocab_size });
        }
        Ok(match &self.body {
            Body::PostNorm(body) => body.forward(&self.config, ids, rows, readers, adapter)?,
            Body::ModernBert(body) => body.forward(&self.config, ids, rows, readers, adapter),
        })
    }
}

/// Indices on a device.
pub(crate) fn index(values: impl Iterator<Item = u32>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = values.map(|v| v as i32).collect();
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n]), device)
}
