//! Writes a target.

use super::{Seq2Seq, Seq2SeqCache, Source, Texts};
use crate::{Adapter, ModelError, Writer, writer::rows_of_scores};

/// The decoder behind one source.
pub struct Seq2SeqWriter<'a> {
    model: &'a Seq2Seq,
    adapter: &'a dyn Adapter,
    source: Source,
    start: [u32; 1],
    cache: Seq2SeqCache,
}

impl<'a> Seq2SeqWriter<'a> {
    /// Reads the source.
    ///
    /// # Errors
    /// No source, or a token beyond the vocabulary.
    pub fn new(model: &'a Seq2Seq, adapter: &'a dyn Adapter, source: &[u32]) -> Result<Self, ModelError> {
        let config = model.config();
        let source = model.encode(&Texts::padded(&[source], config.pad_token_id), adapter)?;
        let cache = Seq2SeqCache::new(config.num_decoder_layers);
        Ok(Self { model, adapter, source, start: [config.decoder_start_token_id], cache })
    }

    fn read(&mut self, tokens: &[u32]) -> Result<Vec<Vec<f32>>, ModelError> {
        let inputs: Vec<_> = tokens.iter().map(std::slice::from_ref).collect();
        let inputs = Texts::padded(&inputs, self.model.config().pad_token_id);
        let Self { model, adapter, source, cache, .. } = self;
        // Among the threads that share the work, instead of waiting for them from outside at each step.
        rayon::scope(|_| {
            let hidden = model.hidden(&inputs, source, Some(cache), *adapter)?;
            rows_of_scores(model.logits(hidden, *adapter))
        })
    }
}

impl Writer for Seq2SeqWriter<'_> {
    fn beginning(&self) -> &[u32] {
        &self.start
    }

    fn begin(&mut self) -> Result<Vec<f32>, ModelError> {
        self.cache = Seq2SeqCache::new(self.model.config().num_decoder_layers);
        Ok(self.read(&self.start.clone())?.remove(0))
    }

    fn go_on(&mut self, lines: &[(usize, u32)]) -> Result<Vec<Vec<f32>>, ModelError> {
        let (from, tokens): (Vec<usize>, Vec<u32>) = lines.iter().copied().unzip();
        self.cache.select(&from);
        self.read(&tokens)
    }
}
