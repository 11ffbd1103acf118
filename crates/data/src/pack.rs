//! Packs tokenised examples into rows of one width, best fit first.
//!
//! Longest first, each example goes into the row whose free space it fills best (of equals, the one that has waited
//! longest), as TRL's "bfd" does, in the same order.
//! **Invariant:** each example is in exactly one row, whole. Deliberately absent: tensors, shuffling.

use std::collections::{BTreeMap, VecDeque};

use crate::Tokens;

/// One sequence for the model: examples end to end, which must not see each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Token ids, `[len]`.
    pub ids: Vec<u32>,
    /// Whether a token is to be learned, `[len]`. Never the first of a segment: nothing stands before it from which
    /// it could be told. The target of place `i` is token `i + 1`, if that is taught.
    pub taught: Vec<bool>,
    /// The lengths of the examples in it; they sum to `ids.len()`. Positions restart with each.
    pub segments: Vec<u32>,
}

impl Row {
    /// How many tokens are learned from it.
    pub fn n_supervised(&self) -> usize {
        self.taught.iter().filter(|taught| **taught).count()
    }

    /// The place of each token within its example, `[len]`.
    pub fn positions(&self) -> Vec<u32> {
        self.segments.iter().flat_map(|len| 0..*len).collect()
    }

    fn push(&mut self, tokens: &Tokens) {
        self.segments.push(tokens.ids.len() as u32);
        self.ids.extend_from_slice(&tokens.ids);
        let first = self.taught.len();
        self.taught.extend_from_slice(&tokens.supervised);
        if let Some(first) = self.taught.get_mut(first) {
            *first = false;
        }
    }
}

/// How many tokens are learned from all of `rows`.
pub fn n_supervised(rows: &[Row]) -> u64 {
    rows.iter().map(|row| row.n_supervised() as u64).sum()
}

/// Each example a row of its own, in the order given.
pub fn unpacked(examples: &[Tokens]) -> Vec<Row> {
    let alone = |tokens| {
        let mut row = Row::default();
        row.push(tokens);
        row
    };
    examples.iter().map(alone).collect()
}

/// The examples in as few rows of at most `width` tokens as best fit finds. An example longer than `width` has a row
/// of its own; there is none if it was cut to that length before.
pub fn pack(examples: &[Tokens], width: usize) -> Vec<Row> {
    let mut order: Vec<&Tokens> = examples.iter().collect();
    order.sort_by_key(|tokens| std::cmp::Reverse(tokens.ids.len()));

    let mut rows: Vec<Row> = Vec::new();
    let mut rows_by_space: BTreeMap<usize, VecDeque<usize>> = BTreeMap::new();
    for tokens in order {
        let len = tokens.ids.len();
        let best = rows_by_space.range(len..).next().map(|(space, _)| *space);
        let (row, space) = match best.and_then(|space| Some((take(&mut rows_by_space, space)?, space))) {
            Some(found) => found,
            None => {
                rows.push(Row::default());
                (rows.len() - 1, width)
            }
        };
        rows[row].push(tokens);
        let left = space.saturating_sub(len);
        if left > 0 {
            rows_by_space.entry(left).or_default().push_back(row);
        }
    }
    rows
}

/// The row that has waited longest with this much space.
fn take(rows_by_space: &mut BTreeMap<usize, VecDeque<usize>>, space: usize) -> Option<usize> {
    let waiting = rows_by_space.get_mut(&space)?;
    let row = waiting.pop_front();
    if waiting.is_empty() {
        rows_by_space.remove(&space);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn examples() -> impl Strategy<Value = Vec<Tokens>> {
        let example = prop::collection::vec((0u32..1000, any::<bool>()), 1..64).prop_map(|tokens| {
            let (ids, supervised) = tokens.into_iter().unzip();
            Tokens { ids, supervised, truncated: false }
        });
        prop::collection::vec(example, 0..60)
    }

    /// The segments of all rows, sorted: what was put in, however it is arranged.
    fn contents(rows: &[Row]) -> Vec<(Vec<u32>, Vec<bool>)> {
        let mut all = Vec::new();
        for row in rows {
            let mut at = 0;
            for len in &row.segments {
                let end = at + *len as usize;
                all.push((row.ids[at..end].to_vec(), row.taught[at..end].to_vec()));
                at = end;
            }
            assert_eq!(at, row.ids.len(), "segments cover the row");
        }
        all.sort();
        all
    }

    proptest! {
        #[test]
        fn packing_keeps_every_example_once_and_whole(examples in examples(), width in 64usize..300) {
            let (packed, alone) = (pack(&examples, width), unpacked(&examples));
            prop_assert!(packed.iter().all(|row| row.ids.len() <= width && row.positions().len() == row.ids.len()));
            prop_assert_eq!(contents(&packed), contents(&alone));
            prop_assert_eq!(n_supervised(&packed), n_supervised(&alone));
            prop_assert!(packed.len() <= alone.len());
        }

        #[test]
        fn no_two_rows_could_have_been_one(examples in examples(), width in 64usize..300) {
            let mut lengths: Vec<_> = pack(&examples, width).iter().map(|row| row.ids.len()).collect();
            lengths.sort_unstable();
            prop_assert!(lengths.len() < 2 || lengths[0] + lengths[1] > width, "best fit leaves no such pair");
        }
    }

    #[test]
    fn the_order_is_that_of_best_fit() {
        let of = |lengths: &[usize]| -> Vec<Tokens> {
            let tokens =
                |len: &usize| Tokens { ids: vec![0; *len], supervised: vec![true; *len], truncated: false };
            lengths.iter().map(tokens).collect()
        };
        let segments = |lengths: &[usize], width| -> Vec<Vec<u32>> {
            pack(&of(lengths), width).into_iter().map(|row| row.segments).collect()
        };
        assert_eq!(segments(&[2, 7, 5, 3, 3], 10), [vec![7, 3], vec![5, 3, 2]]);
        assert_eq!(segments(&[10, 10, 1], 10), [vec![10], vec![10], vec![1]]);
        assert_eq!(segments(&[12, 1], 10), [vec![12], vec![1]], "too long: alone");
    }
}
