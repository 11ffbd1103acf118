//! Where the texts of a batch stand and which tokens see each other.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use kernels::{Sight, Turn};

use super::{EncoderConfig, Family, index, modernbert};
use crate::{Text, chains::chained, layout::mask, rope::Rope};

/// Whose tokens fill a row up: nobody's, and they see only each other.
const PADDING: u32 = u32::MAX;

/// The geometry of one forward pass: rows of one width, each a chain of texts that do not see each other, then
/// padding.
#[derive(Clone, Debug)]
pub struct Rows {
    pub(super) count: usize,
    pub(super) width: usize,
    texts: Vec<Range<usize>>,
    /// Which of a pair's texts each token belongs to; none where all belong to the first.
    types: Option<Vec<u32>>,
    pub(super) whole: View,
    /// Of layers that see only what stands near; absent where the family has none.
    pub(super) near: Option<View>,
}

/// What the layers of one kind need.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// `[rows, 1, width, width]`; absent where every token sees its whole row, and where `seen` says it.
    pub(super) mask: Option<Tensor<4>>,
    pub(super) rope: Option<Rope>,
    /// The same for an operation that looks for itself who sees whom; absent where there is none.
    pub(super) seen: Option<Sight>,
}

impl Rows {
    /// Rows of `width` tokens; `texts[row]` are the lengths of its texts in order. What they leave of the width is
    /// padding.
    pub fn packed(config: &EncoderConfig, texts: &[Vec<u32>], width: usize, device: &Device) -> Self {
        let count = texts.len();
        let (mut ranges, mut owners) = (Vec::new(), Vec::with_capacity(count * width));
        for (row, lengths) in texts.iter().enumerate() {
            for length in lengths {
                let start = owners.len();
                owners.extend(std::iter::repeat_n(ranges.len() as u32, *length as usize));
                ranges.push(start..owners.len());
            }
            owners.resize(((row + 1) * width).max(owners.len()), PADDING);
        }
        let is_full = texts.iter().all(|row| *row == [width as u32]);
        let within = |reach: usize| {
            let hides = !is_full || reach < width;
            let sees = |row: usize, query: usize, key: usize| {
                owners[row * width + query] == owners[row * width + key] && query.abs_diff(key) <= reach
            };
            hides.then(|| mask([count, width, width], device, sees))
        };
        let of_itself = kernels::looks_for_itself(device);
        let spans = if of_itself { spans(&owners, width) } else { Vec::new() };
        let view = |reach: usize, rope: Option<Rope>| match of_itself {
            true => {
                let turn = rope.as_ref().map(Rope::turn);
                View { mask: None, seen: Some(sight(&spans, width, reach, turn)), rope }
            }
            false => View { mask: within(reach), seen: None, rope },
        };
        let mut rows = Self { count, width, texts: ranges, types: None, whole: View::default(), near: None };
        match &config.family {
            Family::ModernBert(modern) => {
                let positions = rows.positions();
                let rope = |theta| Some(modernbert::rope(config, theta, &positions, count, device));
                rows.whole = view(usize::MAX, rope(modern.global_rope_theta));
                rows.near = Some(view(modern.local_attention / 2, rope(modern.local_rope_theta)));
            }
            _ => rows.whole = view(usize::MAX, None),
        }
        rows
    }

    /// Rows for `texts`, and the tokens in them. Texts share rows, so that little or nothing is filled up. **Invariant:** [`texts`](Self::texts) are in the order given.
    pub fn of(config: &EncoderConfig, texts: &[Text<'_>], device: &Device) -> (Vec<u32>, Self) {
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        let (chains, width) = chained(&lengths, device);
        let in_rows: Vec<Vec<u32>> =
            chains.iter().map(|chain| chain.iter().map(|text| lengths[*text] as u32).collect()).collect();
        let mut rows = Self::packed(config, &in_rows, width, device);
        let mut ids = vec![config.pad_token_id; chains.len() * width];
        let mut types = vec![0; ids.len()];
        let mut ranges = vec![0..0; texts.len()];
        for (text, range) in chains.iter().flatten().zip(&rows.texts) {
            ids[range.clone()].copy_from_slice(texts[*text].ids);
            if let Some(of_text) = texts[*text].type_ids {
                types[range.clone()].copy_from_slice(of_text);
            }
            ranges[*text] = range.clone();
        }
        rows.texts = ranges;
        rows.types = texts.iter().any(|text| text.type_ids.is_some()).then_some(types);
        (ids, rows)
    }

    pub(super) fn types(&self) -> Option<&[u32]> {
        self.types.as_deref()
    }

    /// How many texts there are.
    pub fn n_texts(&self) -> usize {
        self.texts.len()
    }

    /// Where each text's tokens stand among all, in order.
    pub fn texts(&self) -> &[Range<usize>] {
        &self.texts
    }

    /// Each token's place in its text; 0 in padding.
    pub(super) fn positions(&self) -> Vec<u32> {
        let mut positions = vec![0; self.count * self.width];
        for text in &self.texts {
            for (at, position) in positions[text.clone()].iter_mut().enumerate() {
                *position = at as u32;
            }
        }
        positions
    }

    /// The hidden state of each text's first token.
    ///
    /// - hidden: `[tokens, width]` → `[texts, width]`
    pub fn first(&self, hidden: Tensor<2>) -> Tensor<2> {
        let device = hidden.device().without_autodiff();
        hidden.select(0, index(self.texts.iter().map(|text| text.start as u32), &device))
    }

    /// The hidden states of all texts' tokens, text after text, without padding.
    ///
    /// - hidden: `[tokens, width]` → `[tokens of texts, width]`
    pub fn tokens(&self, hidden: Tensor<2>) -> Tensor<2> {
        let device = hidden.device().without_autodiff();
        hidden.select(0, index(self.texts.iter().cloned().flatten().map(|at| at as u32), &device))
    }

    /// The mean of each text's hidden states: a vector for the text.
    ///
    /// - hidden: `[tokens, width]` → `[texts, width]`
    pub fn mean(&self, hidden: Tensor<2>) -> Tensor<2> {
        let (n, tokens) = (self.n_texts(), self.count * self.width);
        let mut share = vec![0.0f32; n * tokens];
        for (row, text) in self.texts.iter().enumerate() {
            share[row * tokens..][text.clone()].fill(1.0 / text.len() as f32);
        }
        let device = hidden.device().without_autodiff();
        Tensor::<2>::from_data(TensorData::new(share, [n, tokens]), &device).matmul(hidden)
    }
}

/// For each token where in its row what belongs to its owner begins and ends.
fn spans(owners: &[u32], width: usize) -> Vec<Range<usize>> {
    let mut spans = Vec::with_capacity(owners.len());
    for row in owners.chunks_exact(width.max(1)) {
        for same in row.chunk_by(|a, b| a == b) {
            let start = spans.len() % width;
            spans.extend(std::iter::repeat_n(start..start + same.len(), same.len()));
        }
    }
    spans
}

/// Each token sees of its span what stands no further away than `reach`.
fn sight(spans: &[Range<usize>], width: usize, reach: usize, turn: Option<Turn>) -> Sight {
    let places = || spans.iter().enumerate().map(|(at, span)| (at % width.max(1), span));
    let first = places().map(|(place, span)| span.start.max(place.saturating_sub(reach)) as u32);
    let end =
        places().map(|(place, span)| span.end.min(place.saturating_add(reach).saturating_add(1)) as u32);
    Sight { width, keys: None, first: first.collect(), end: Some(end.collect()), turn, distances: None }
}
