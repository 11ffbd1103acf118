//! What goes on with a text, or with several lines that began as one.

use burn::tensor::Tensor;

use crate::{Adapter, Cache, Decoder, Layout, ModelError};

/// Says how likely each token is to come next. Sampling and beam search are written over this, so that they serve
/// every kind of model.
pub trait Writer {
    /// What stands before the first new token, where penalties look too.
    fn beginning(&self) -> &[u32];

    /// Reads the beginning, and scores what may follow it, `[vocab_size]`.
    ///
    /// # Errors
    /// A beginning that the model cannot read.
    fn begin(&mut self) -> Result<Vec<f32>, ModelError>;

    /// Line `i` goes on from where line `lines[i].0` stood, with the token `lines[i].1`. There is one line at the
    /// beginning. Scores what may follow each, `[lines][vocab_size]`.
    ///
    /// # Errors
    /// A token beyond the vocabulary, or a device that gives up.
    fn go_on(&mut self, lines: &[(usize, u32)]) -> Result<Vec<Vec<f32>>, ModelError>;

    /// The most new tokens that there are positions for.
    fn room(&self) -> usize {
        usize::MAX
    }
}

/// A decoder behind a prompt.
pub struct DecoderWriter<'a> {
    model: &'a Decoder,
    adapter: &'a dyn Adapter,
    prompt: Vec<u32>,
    cache: Cache,
}

impl<'a> DecoderWriter<'a> {
    /// Nothing is read yet.
    ///
    /// # Errors
    /// An empty prompt.
    pub fn new(model: &'a Decoder, adapter: &'a dyn Adapter, prompt: &[u32]) -> Result<Self, ModelError> {
        if prompt.is_empty() {
            return Err(ModelError::Unsupported("there is no prompt to go on from".to_owned()));
        }
        let cache = Cache::new(model.config().num_hidden_layers);
        Ok(Self { model, adapter, prompt: prompt.to_vec(), cache })
    }
}

impl Writer for DecoderWriter<'_> {
    fn beginning(&self) -> &[u32] {
        &self.prompt
    }

    fn begin(&mut self) -> Result<Vec<f32>, ModelError> {
        self.cache = Cache::new(self.model.config().num_hidden_layers);
        let layout = Layout::after(self.model.config(), 0, self.prompt.len(), self.model.device());
        let hidden = self.model.hidden(&self.prompt, &layout, Some(&mut self.cache), self.adapter)?;
        let last = hidden.dims()[0] - 1;
        Ok(rows_of_scores(self.model.logits(hidden.narrow(0, last, 1), self.adapter))?.remove(0))
    }

    fn go_on(&mut self, lines: &[(usize, u32)]) -> Result<Vec<Vec<f32>>, ModelError> {
        let (from, tokens): (Vec<usize>, Vec<u32>) = lines.iter().copied().unzip();
        self.cache.select(&from);
        let Self { model, adapter, cache, .. } = self;
        // Among the threads that share the work, instead of waiting for them from outside at each step.
        rayon::scope(|_| {
            let layout = Layout::rows_after(model.config(), tokens.len(), cache.len(), 1, model.device());
            let hidden = model.hidden(&tokens, &layout, Some(cache), *adapter)?;
            rows_of_scores(model.logits(hidden, *adapter))
        })
    }

    fn room(&self) -> usize {
        self.model
            .config()
            .most_tokens()
            .map_or(usize::MAX, |most| (most + 1).saturating_sub(self.prompt.len()))
    }
}

/// `[lines, vocab_size]`, read back from the device.
pub(crate) fn rows_of_scores(logits: Tensor<2>) -> Result<Vec<Vec<f32>>, ModelError> {
    let width = logits.dims()[1];
    let data = logits.try_into_data().map_err(|e| ModelError::Device(e.to_string()))?;
    let all = data.try_into_vec_as::<f32>().map_err(|e| ModelError::Device(e.to_string()))?;
    if all.len() == width {
        return Ok(vec![all]);
    }
    Ok(all.chunks_exact(width.max(1)).map(<[f32]>::to_vec).collect())
}
