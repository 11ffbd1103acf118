//! Where the queries, keys and values of attention lie, and what distances add to scores.

use burn::backend::flex::FlexTensor;

use crate::{
    Heads, Sight,
    matrix::Matrix,
    primitive::{contiguous, inner, numbers, shape},
};

/// Queries, keys and values, side by side or in two tensors.
#[derive(Clone, Debug)]
pub(crate) struct Operands {
    /// `[tokens, queries | keys | values]`, turned; or queries alone.
    pub(crate) q: FlexTensor,
    /// `[tokens, keys | values]`, where those are of other tokens.
    pub(crate) kv: Option<FlexTensor>,
}

/// Those of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InRow<'a> {
    /// A token's queries begin its numbers.
    pub(crate) q: &'a [f32],
    /// Numbers from one token's queries to the next one's.
    pub(crate) q_step: usize,
    kv: Matrix<'a>,
}

/// Keys and values of a group, `[keys, width]` each.
pub(crate) struct Group<'a> {
    pub(crate) k: Matrix<'a>,
    pub(crate) v: Matrix<'a>,
}

impl Operands {
    pub(crate) fn in_row(&self, heads: &Heads, sight: &Sight, row: usize) -> InRow<'_> {
        let of_row = |tensor: &FlexTensor, tokens: usize| -> (std::ops::Range<usize>, usize) {
            let step = shape(tensor)[1];
            (row * tokens * step..(row + 1) * tokens * step, step)
        };
        let (at, q_step) = of_row(&self.q, sight.width);
        let q = &numbers(&self.q)[at];
        let beside = 2 * heads.groups * heads.width;
        let kv = match &self.kv {
            Some(kv) => {
                let (at, step) = of_row(kv, sight.n_keys());
                Matrix::of(&numbers(kv)[at], sight.n_keys(), step)
            }
            None => Matrix::of(q, sight.width, q_step).columns(q_step - beside, beside),
        };
        InRow { q, q_step, kv }
    }
}

impl<'a> InRow<'a> {
    pub(crate) fn group(&self, heads: &Heads, group: usize) -> Group<'a> {
        let d = heads.width;
        Group { k: self.kv.columns(group * d, d), v: self.kv.columns((heads.groups + group) * d, d) }
    }
}

/// What each head adds to a score, by the place of its distance: `[heads, 2 · reach - 1]`. Empty where distances do not
/// count.
pub(crate) fn by_distance(sight: &Sight) -> Vec<f32> {
    let Some(distances) = &sight.distances else { return Vec::new() };
    let weight = contiguous(inner(distances.weight.clone()));
    let (weight, [_, heads]) = (numbers(&weight), shape(&weight));
    (0..heads)
        .flat_map(|head| distances.kinds.iter().map(move |kind| weight[*kind as usize * heads + head]))
        .collect()
}

/// The way back: from what scores of each head and distance sum up to, to `[kinds, heads]`.
pub(crate) fn of_kinds(sight: &Sight, sums: &[f32]) -> Vec<f32> {
    let Some(distances) = &sight.distances else { return Vec::new() };
    let [kinds, heads] = distances.weight.dims();
    let mut of_kinds = vec![0.0; kinds * heads];
    for (head, sums) in sums.chunks_exact(distances.kinds.len().max(1)).enumerate() {
        for (kind, sum) in distances.kinds.iter().zip(sums) {
            of_kinds[*kind as usize * heads + head] += sum;
        }
    }
    of_kinds
}
