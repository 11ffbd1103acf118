//! Who sees whom, and how far tokens are turned, as buffers: sent once for a batch, since all layers ask the same.

use std::{cell::RefCell, collections::VecDeque, sync::Arc};

use burn::{backend::CubeDevice, backend::wgpu::CubeTensor};

use super::{
    place::{sent, sent_f32},
    scores::SIDE,
};
use crate::{Sight, Turn};

/// What is remembered: layers with a window and layers without, and as many tables of angles.
const REMEMBERED: usize = 4;

thread_local! {
    static SEEN: RefCell<VecDeque<(Sight, CubeDevice, CubeTensor)>> = const { RefCell::new(VecDeque::new()) };
    static TURNS: RefCell<VecDeque<(Turn, CubeDevice, CubeTensor)>> = const { RefCell::new(VecDeque::new()) };
}

/// Of each token the first that it sees and the one behind the last, `[tokens]` each; then of each block of queries of
/// each row the keys that any of them sees, and of each block of keys the queries that see any of them, as pairs.
pub(super) fn seen(sight: &Sight, beside: &CubeTensor) -> CubeTensor {
    SEEN.with_borrow_mut(|all| {
        let same = |other: &Sight| {
            let end = match (&sight.end, &other.end) {
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                (None, None) => true,
                _ => false,
            };
            end && Arc::ptr_eq(&sight.first, &other.first)
                && (sight.width, sight.n_keys()) == (other.width, other.n_keys())
        };
        if let Some((_, _, there)) =
            all.iter().find(|(other, device, _)| same(other) && *device == beside.device)
        {
            return there.clone();
        }
        let there = sent(beside, &table(sight));
        all.push_front((
            Sight { turn: None, distances: None, ..sight.clone() },
            beside.device.clone(),
            there.clone(),
        ));
        all.truncate(REMEMBERED);
        there
    })
}

/// Cosines, then sines: `[2, tokens, width / 2]`.
pub(super) fn angles(turn: &Turn, beside: &CubeTensor) -> CubeTensor {
    TURNS.with_borrow_mut(|all| {
        let same = |other: &Turn| Arc::ptr_eq(&turn.cos, &other.cos) && Arc::ptr_eq(&turn.sin, &other.sin);
        if let Some((_, _, there)) =
            all.iter().find(|(other, device, _)| same(other) && *device == beside.device)
        {
            return there.clone();
        }
        let there = sent_f32(beside, &[&turn.cos[..], &turn.sin[..]].concat());
        all.push_front((turn.clone(), beside.device.clone(), there.clone()));
        all.truncate(REMEMBERED);
        there
    })
}

fn table(sight: &Sight) -> Vec<u32> {
    let (tokens, width, rows) = (sight.first.len(), sight.width, sight.n_rows());
    let within = |row: usize| (0..width).all(|token| sight.of_row(row).range(token).end <= sight.n_keys());
    assert!(tokens == rows * width && (0..rows).all(within), "what is seen is there");
    let ranges = |row: usize| (0..width).map(move |token| sight.of_row(row).range(token));
    let mut table = sight.first.to_vec();
    for row in 0..rows {
        table.extend(ranges(row).map(|range| range.end as u32));
    }
    table.resize(2 * tokens, 0);
    for row in 0..rows {
        for from in (0..width).step_by(SIDE) {
            let keys = sight.of_row(row).of_all(from..(from + SIDE).min(width));
            table.extend([keys.start as u32, keys.end as u32]);
        }
    }
    for row in 0..rows {
        let mut queries = vec![(u32::MAX, 0); sight.n_keys().div_ceil(SIDE)];
        for (token, range) in ranges(row).enumerate().filter(|(_, range)| !range.is_empty()) {
            for (low, high) in &mut queries[range.start / SIDE..range.end.div_ceil(SIDE)] {
                *low = (*low).min(token as u32);
                *high = token as u32 + 1;
            }
        }
        table.extend(queries.into_iter().flat_map(|(low, high)| [low.min(high), high]));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_know_what_their_tokens_see_and_who_sees_them() {
        // Two segments of 40 and 30 tokens, each token seeing back to where its segment begins.
        let first: Vec<u32> = (0..70).map(|token| if token < 40 { 0 } else { 40 }).collect();
        let sight = Sight {
            width: 70,
            keys: None,
            first: first.clone().into(),
            end: None,
            turn: None,
            distances: None,
        };
        let table = table(&sight);
        assert_eq!(&table[..70], first);
        assert_eq!(&table[70..140], (1..=70).collect::<Vec<u32>>());
        assert_eq!(&table[140..146], [0, 32, 0, 64, 40, 70], "keys of each block of queries");
        assert_eq!(&table[146..], [0, 40, 32, 70, 64, 70], "queries of each block of keys");
    }
}
