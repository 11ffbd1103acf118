//! Attention token by token, or some tokens at a time, is that over all of them at once.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use std::sync::Arc;

use burn::tensor::Tensor;
use common::{near, numbers, on, tensor, values};
use kernels::{Heads, Past, Sight, Turn, attention, attention_after};
use proptest::prelude::*;

/// Of rows whose tokens from `from` on are new.
fn sight(rows: usize, from: usize, new: usize, window: usize, half: usize) -> Sight {
    let angles = numbers((from + new) * half, 5);
    let table = |f: fn(f64) -> f64| -> Arc<[f32]> {
        angles[from * half..].iter().map(|x| f(*x * 3.0) as f32).collect()
    };
    let places = || (0..rows * new).map(|at| from + at % new);
    Sight {
        width: new,
        keys: Some(from + new),
        first: places().map(|place| (place + 1).saturating_sub(window) as u32).collect(),
        end: Some(places().map(|place| place as u32 + 1).collect()),
        turn: Some(Turn { cos: table(f64::cos), sin: table(f64::sin) }),
        distances: None,
    }
}

/// The tokens `from..from + new` of each row of `all`.
fn part(all: &Tensor<2>, rows: usize, from: usize, new: usize) -> Tensor<2> {
    let total = all.dims()[0] / rows;
    let parts = (0..rows).map(|row| all.clone().narrow(0, row * total + from, new));
    Tensor::cat(parts.collect(), 0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn part_by_part_is_all_at_once(
        steps in prop::collection::vec(prop_oneof![Just(1usize), 1usize..40], 1..7),
        rows in 1usize..4,
        (shared, groups, half) in (1usize..4, 1usize..3, 1usize..18),
        window in prop_oneof![Just(usize::MAX), 1usize..30],
        cap in prop_oneof![Just(None), Just(Some(0.8))],
        threads in 1usize..4,
    ) {
        let heads = Heads { queries: shared * groups, groups, width: 2 * half, scale: 0.6, cap };
        let total: usize = steps.iter().sum();
        let all = tensor([rows * total, heads.together()], 3);
        let whole = Sight { keys: None, ..sight(rows, 0, total, window, half) };
        let expected = attention(all.clone(), &heads, &whole);
        let mut past = Past::default();
        let mut from = 0;
        for new in steps {
            let sight = sight(rows, from, new, window, half);
            let qkv = part(&all, rows, from, new);
            let found = on(threads, || attention_after(qkv.clone(), &heads, &sight, &mut past));
            near(&values(&found), &values(&part(&expected, rows, from, new)), 1e-5, "some tokens");
            from += new;
            prop_assert_eq!(past.tokens(), from);
        }
    }
}

/// Enough of them that threads share the work.
#[test]
fn one_token_after_many_is_the_last_of_all_on_any_threads() {
    let heads = Heads { queries: 9, groups: 3, width: 64, scale: 0.125, cap: None };
    let all = tensor([2 * 400, heads.together()], 3);
    let whole = Sight { keys: None, ..sight(2, 0, 400, usize::MAX, 32) };
    let expected = values(&part(&attention(all.clone(), &heads, &whole), 2, 399, 1));
    for threads in [1, 2, 3] {
        let mut past = Past::default();
        attention_after(part(&all, 2, 0, 399), &heads, &sight(2, 0, 399, usize::MAX, 32), &mut past);
        let last = part(&all, 2, 399, 1);
        let sight = sight(2, 399, 1, usize::MAX, 32);
        let found = on(threads, || attention_after(last.clone(), &heads, &sight, &mut past));
        near(&values(&found), &expected, 1e-5, "the last token");
    }
}

#[test]
fn rows_that_change_places_take_their_past_along() {
    let heads = Heads { queries: 2, groups: 1, width: 4, scale: 0.6, cap: None };
    let (before, after) = (tensor([3 * 5, heads.together()], 3), tensor([4, heads.together()], 4));
    let mut past = Past::default();
    attention_after(before.clone(), &heads, &sight(3, 0, 5, usize::MAX, 2), &mut past);
    let from = [2, 0, 2, 1];
    let mut chosen = past.clone();
    chosen.select(&from);
    let found = attention_after(after.clone(), &heads, &sight(4, 5, 1, usize::MAX, 2), &mut chosen);
    for (row, from) in from.into_iter().enumerate() {
        let mut alone = past.clone();
        alone.select(&[from]);
        let one = after.clone().narrow(0, row, 1);
        let expected = attention_after(one, &heads, &sight(1, 5, 1, usize::MAX, 2), &mut alone);
        near(&values(&found.clone().narrow(0, row, 1)), &values(&expected), 1e-6, "a row");
    }
    assert_eq!(past.tokens(), 5, "what was copied is left alone");
}
