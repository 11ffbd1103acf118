//! Encoder-decoders: T5 (Raffel et al. 2019, arXiv 1910.10683), its version 1.1, and FLAN-T5, which is one.
//!
//! The encoder reads a source in both directions; the decoder writes a target behind a start token, from left to right,
//! and looks at what the encoder made of the source. Activations are `[tokens, width]` as in the decoder. Deliberately
//! absent: the dropout of transformers' T5, which is off where a model is asked and where a method brings its own.
//!
//! **Invariants:** module paths are those of transformers' `T5ForConditionalGeneration`
//! (`decoder.block.0.layer.1.EncDecAttention.q`). Every tensor asks the adapter first, so that any of them can learn
//! whole, beside what learns at the linear layers.

mod anatomy;
mod attention;
mod cache;
mod config;
mod position;
mod stack;
mod texts;
mod writer;

use burn::tensor::{Device, Tensor};
use kernels::{Weight, is_processor};
use spec::Quantization;
use weights::Checkpoint;

use crate::{Adapter, Base, BaseLinear, Kept, ModelError, Parameter, encoder::parts::Reader, layout::mask};

pub use cache::Seq2SeqCache;
pub use config::Seq2SeqConfig;
pub use texts::Texts;
pub use writer::Seq2SeqWriter;

use stack::{Seen, Stack};

/// The embedding that both sides share; some files have it under one side's name alone.
const SHARED: [&str; 3] = ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"];
const LM_HEAD: &str = "lm_head.weight";

/// A frozen encoder-decoder on one device.
#[derive(Clone, Debug)]
pub struct Seq2Seq {
    config: Seq2SeqConfig,
    device: Device,
    shared: Parameter,
    encoder: Stack,
    decoder: Stack,
    /// Absent where the output projection is the embedding.
    lm_head: Option<Parameter>,
    parameters: Vec<Parameter>,
    linears: Vec<(String, [usize; 2])>,
}

/// What the encoder made of some sources.
#[derive(Clone, Debug)]
pub struct Source {
    /// `[rows · tokens, d_model]`
    hidden: Tensor<2>,
    /// Of each row, how many of its tokens can be seen.
    lengths: Vec<usize>,
    /// `[rows, 1, 1, tokens]`; absent where no row has padding.
    mask: Option<Tensor<4>>,
}

impl Seq2Seq {
    /// Reads all weights onto `device` as f32.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape than the configuration makes it.
    pub fn open(checkpoint: &Checkpoint, device: &Device) -> Result<Self, ModelError> {
        Self::open_as(checkpoint, Kept::default(), device)
    }

    /// The same, its weights kept as `how` says.
    ///
    /// # Errors
    /// As [`open`](Self::open), or a device that cannot compute with weights that are kept so.
    pub fn open_as(
        checkpoint: &Checkpoint,
        how: impl Into<Kept>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let config = Seq2SeqConfig::from_json(&checkpoint.config_json()?)?;
        let how = how.into();
        if how.quantization != Quantization::None && !is_processor(device) {
            return Err(ModelError::Unsupported(format!(
                "the weights of a model that turns texts into others are computed with on the processor only, kept as \
                 {}; choose the device cpu, or the quantization none",
                how.quantization
            )));
        }
        let mut read = Reader::new(checkpoint, how, device)?;
        let shape = [config.vocab_size, config.d_model];
        let shared = read.tokens_called(&SHARED, shape)?;
        let encoder = Stack::read(&config, &mut read, "encoder")?;
        let decoder = Stack::read(&config, &mut read, "decoder")?;
        // A file may have the embedding a second time under the head's name, or a head of its own, whatever its
        // `tie_word_embeddings` says: what is in the file decides, as in transformers 5.
        let lm_head = match has_own_head(checkpoint)? {
            true => Some(read.tokens(LM_HEAD.to_owned(), shape)?),
            false => None,
        };
        let Reader { parameters, linears, .. } = read;
        Ok(Self { config, device: device.clone(), shared, encoder, decoder, lm_head, parameters, linears })
    }

    /// Its shape.
    pub fn config(&self) -> &Seq2SeqConfig {
        &self.config
    }

    /// Where it lies.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The output projection, `[vocab_size, d_model]`.
    pub fn head(&self, adapter: &dyn Adapter) -> Weight {
        self.lm_head.as_ref().unwrap_or(&self.shared).weight(adapter)
    }

    /// The name of the tensor that is the output projection.
    pub fn head_name(&self) -> &str {
        &self.lm_head.as_ref().unwrap_or(&self.shared).name
    }

    /// What the encoder makes of `sources`.
    ///
    /// # Errors
    /// No tokens at all, or a token beyond the vocabulary.
    pub fn encode(&self, sources: &Texts, adapter: &dyn Adapter) -> Result<Source, ModelError> {
        let (rows, width) = (sources.len(), sources.width);
        // A source without a token sees its padding: there must be something to see.
        let seen = |length: &usize| if *length == 0 { width } else { *length };
        let lengths: Vec<usize> = sources.lengths.iter().map(seen).collect();
        let hides = lengths.iter().any(|length| *length < width);
        let mask = hides.then(|| mask([rows, 1, width], &self.device, |row, _, key| key < lengths[row]));
        let x = self.embed(&sources.ids, adapter)?;
        Ok(Source { hidden: self.encoder.encode(x, &lengths, mask.as_ref(), adapter), lengths, mask })
    }

    /// The decoder's hidden states after the final norm, scaled for the output projection.
    ///
    /// - inputs: a row for each of the source's, or several for each, those of one source together; with a cache, of
    ///   one source only, and one token a row once there is something in it → `[rows · tokens, d_model]`
    ///
    /// # Errors
    /// No tokens at all, or a token beyond the vocabulary.
    pub fn hidden(
        &self,
        inputs: &Texts,
        source: &Source,
        cache: Option<&mut Seq2SeqCache>,
        adapter: &dyn Adapter,
    ) -> Result<Tensor<2>, ModelError> {
        let x = self.embed(&inputs.ids, adapter)?;
        let seen = Seen { source: &source.hidden, lengths: &source.lengths, mask: source.mask.as_ref() };
        let hidden = self.decoder.decode(x, inputs.len(), &seen, cache, adapter);
        Ok(match self.config.scale_decoder_outputs {
            true => hidden * (self.config.d_model as f64).powf(-0.5),
            false => hidden,
        })
    }

    /// The scores of the next token, before softmax.
    ///
    /// - hidden: `[tokens, d_model]` → `[tokens, vocab_size]`
    pub fn logits(&self, hidden: Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let head = self.head(adapter);
        match kernels::on_processor(&hidden) {
            true => {
                let layer = kernels::Layer { weight: head, bias: None, low_rank: None };
                kernels::linears(hidden, &kernels::Before::Nothing, &[layer], None)
            }
            false => hidden.matmul(head.to_tensor().transpose()),
        }
    }

    /// What the decoder reads to be taught `target`: the start token, then all but the last.
    pub fn shifted(&self, target: &[u32]) -> Vec<u32> {
        let before = target.len().saturating_sub(1);
        [self.config.decoder_start_token_id].into_iter().chain(target[..before].iter().copied()).collect()
    }

    fn embed(&self, ids: &[u32], adapter: &dyn Adapter) -> Result<Tensor<2>, ModelError> {
        if ids.is_empty() {
            return Err(ModelError::Unsupported("there is no text to read".to_owned()));
        }
        let vocab_size = self.config.vocab_size;
        if let Some(&id) = ids.iter().find(|id| **id as usize >= vocab_size) {
            return Err(ModelError::TokenOutOfRange { id, vocab_size });
        }
        Ok(self.shared.weight(adapter).select(ids))
    }
}

/// That the file has an output projection that is not the embedding.
///
/// # Errors
/// Numbers that cannot be read.
pub fn has_own_head(checkpoint: &Checkpoint) -> Result<bool, ModelError> {
    let shared = SHARED.iter().find_map(|name| checkpoint.tensor(name));
    let (Some(head), Some(shared)) = (checkpoint.tensor(LM_HEAD), shared) else { return Ok(false) };
    Ok(match (head.shape == shared.shape, head.dtype == shared.dtype) {
        (false, _) => true,
        (true, true) => head.bytes() != shared.bytes(),
        (true, false) => head.to_f32()? != shared.to_f32()?,
    })
}

impl Base for Seq2Seq {
    fn device(&self) -> &Device {
        &self.device
    }

    fn linears(&self) -> Vec<BaseLinear<'_>> {
        let attends = |path: &str| path.contains(".SelfAttention.") || path.contains(".EncDecAttention.");
        let all = self.linears.iter();
        all.map(|(path, shape)| BaseLinear { path, shape: *shape, in_attention: attends(path) }).collect()
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn task_type(&self) -> &'static str {
        "SEQ_2_SEQ_LM"
    }
}
