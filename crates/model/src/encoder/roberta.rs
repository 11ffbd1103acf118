//! RoBERTa (Liu et al. 2019, arXiv 1907.11692): BERT's encoder, positions counted from behind the padding token's id,
//! and a head of its own.

use super::{
    Rows, bert,
    classifier::{Before, HeadNames, Pooling},
    post_norm::Names,
};
use crate::Activation;

pub(super) const NAMES: Names = Names { prefix: "roberta", ..bert::NAMES };

/// `out_proj(tanh(dense(first token)))`, both inside the module `classifier`.
pub(super) const SEQUENCE: HeadNames = HeadNames {
    pooling: Pooling::First,
    before: Some(Before {
        module: "classifier",
        dense: "classifier.dense",
        act: Activation::Tanh,
        norm: None,
        has_bias: true,
    }),
    classifier: "classifier.out_proj",
};

/// Each token's row in the position embedding: `pad + 1` for the first of a text. A padding token inside a text stays at
/// `pad` and is not counted, as transformers has it.
pub(super) fn positions(ids: &[u32], rows: &Rows, pad: u32) -> Vec<u32> {
    let mut positions = vec![pad; ids.len()];
    for text in rows.texts() {
        let mut last = pad;
        for at in text.clone().filter(|at| ids[*at] != pad) {
            last += 1;
            positions[at] = last;
        }
    }
    positions
}
