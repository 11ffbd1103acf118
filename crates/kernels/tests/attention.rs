//! Attention: the processor's form against the plain one, and that against differences in f64.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use burn::tensor::{DType, Tensor};
use common::{differences, gradients, near, numbers, on, typed, values};
use kernels::{Distances, Heads, Sight, Turn, attention, cross_attention, plain};
use proptest::prelude::*;

/// How tokens look.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Look {
    Back,
    Around,
}

/// Rows of segments, the last of each row being padding; tokens see as far as `window`.
fn sight(rows: &[Vec<usize>], window: usize, half: usize, own_turns: bool, look: Look) -> Sight {
    let width: usize = rows[0].iter().sum();
    let (mut first, mut end) = (Vec::new(), Vec::new());
    for row in rows {
        let mut start = 0;
        for length in row {
            let tokens = start..start + length;
            first.extend(tokens.clone().map(|i| start.max((i + 1).saturating_sub(window)) as u32));
            end.extend(tokens.map(|i| i.saturating_add(window).min(start + length) as u32));
            start += length;
        }
    }
    let n = if own_turns { rows.len() * width } else { width };
    let angles = numbers(n * half, 5);
    let table = |f: fn(f64) -> f64| angles.iter().map(|x| f(*x * 3.0) as f32).collect();
    Sight {
        width,
        keys: None,
        distances: None,
        first: first.into(),
        end: (look == Look::Around).then(|| end.into()),
        turn: Some(Turn { cos: table(f64::cos), sin: table(f64::sin) }),
    }
}

fn heads(shared: usize, groups: usize, half: usize, cap: Option<f64>) -> Heads {
    Heads { queries: shared * groups, groups, width: 2 * half, scale: 0.6, cap }
}

fn qkv(heads: &Heads, sight: &Sight, dtype: DType) -> Tensor<2> {
    let shape = [sight.first.len(), heads.together()];
    typed(&numbers(shape[0] * shape[1], 3), shape, dtype)
}

fn same(heads: &Heads, sight: &Sight, threads: usize) {
    let inputs = [qkv(heads, sight, DType::F32)];
    let expected = gradients(&inputs, &[true], |x| plain::attention(x[0].clone(), heads, sight));
    // A product makes a tensor of its own: what is turned in place must not be the caller's.
    let found = on(threads, || gradients(&inputs, &[true], |x| attention(x[0].clone(), heads, sight)));
    near(&found.0, &expected.0, 1e-5, "forward");
    near(found.1[0].as_ref().unwrap(), expected.1[0].as_ref().unwrap(), 1e-5, "backward");
    assert_eq!(values(&inputs[0]), values(&qkv(heads, sight, DType::F32)), "the input is left alone");
    let untracked = attention(inputs[0].clone(), heads, sight);
    near(&values(&untracked), &expected.0, 1e-5, "without a graph");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn both_forms_say_the_same_forward_and_backward(
        lengths in prop::collection::vec(prop::collection::vec(0usize..60, 3), 1..4),
        (shared, groups, half) in (1usize..4, 1usize..3, 1usize..6),
        window in prop_oneof![Just(usize::MAX), 1usize..40],
        cap in prop_oneof![Just(None), Just(Some(0.8))],
        (threads, own_turns) in (1usize..4, any::<bool>()),
        look in prop_oneof![Just(Look::Back), Just(Look::Around)],
    ) {
        let width = 1 + lengths.iter().map(|row| row.iter().sum::<usize>()).max().unwrap();
        let padded = |row: &Vec<usize>| [row.clone(), vec![width - row.iter().sum::<usize>()]].concat();
        let rows: Vec<_> = lengths.iter().map(padded).collect();
        same(&heads(shared, groups, half, cap), &sight(&rows, window, half, own_turns, look), threads);
    }
}

#[test]
fn rows_longer_than_a_block_of_keys_and_rows_of_one_token_are_no_different() {
    for (rows, window) in [
        (vec![vec![700]], usize::MAX),
        (vec![vec![600, 10], vec![5, 605]], usize::MAX),
        (vec![vec![700]], 300),
        (vec![vec![1]], usize::MAX),
        (vec![vec![1], vec![1]], 1),
    ] {
        for (threads, look) in [(1, Look::Back), (2, Look::Back), (1, Look::Around), (2, Look::Around)] {
            same(&heads(3, 2, 4, None), &sight(&rows, window, 4, true, look), threads);
        }
    }
    same(&heads(1, 8, 4, Some(2.0)), &sight(&[vec![300]], usize::MAX, 4, false, Look::Back), 2);
}

#[test]
fn the_plain_form_has_the_gradients_of_differences() {
    let (back, around) = (Look::Back, Look::Around);
    for (cap, window, look) in [(None, usize::MAX, back), (Some(0.5), 2, back), (None, 2, around)] {
        let (heads, sight) = (heads(2, 1, 1, cap), sight(&[vec![3, 2], vec![1, 4]], window, 1, true, look));
        let inputs = [qkv(&heads, &sight, DType::F64)];
        let run = |x: &[Tensor<2>]| plain::attention(x[0].clone(), &heads, &sight);
        let (_, found) = gradients(&inputs, &[true], run);
        near(found[0].as_ref().unwrap(), &differences(&inputs, run)[0], 1e-7, "backward");
    }
}

#[test]
fn the_same_numbers_give_the_same_bits() {
    let (heads, sight) = (heads(3, 1, 4, None), sight(&[vec![500]], usize::MAX, 4, false, Look::Around));
    let inputs = [qkv(&heads, &sight, DType::F32)];
    let once = || on(2, || gradients(&inputs, &[true], |x| attention(x[0].clone(), &heads, &sight)));
    assert_eq!(once(), once());
}

#[test]
fn scores_far_apart_leave_finite_numbers() {
    let (heads, sight) = (heads(1, 1, 2, None), sight(&[vec![40]], usize::MAX, 2, false, Look::Back));
    let large = [qkv(&heads, &sight, DType::F32) * 1e4];
    let (said, slopes) = gradients(&large, &[true], |x| attention(x[0].clone(), &heads, &sight));
    assert!(said.iter().chain(slopes[0].as_ref().unwrap()).all(|x| x.is_finite()));
}

/// Rows of `width` tokens that look at rows of `keys` others, of each of which so many can be seen.
fn across(width: usize, keys: usize, seen: &[usize], distances: Option<Distances>) -> Sight {
    let tokens = seen.len() * width;
    let end = seen.iter().flat_map(|n| vec![*n as u32; width]);
    Sight {
        width,
        keys: Some(keys),
        first: vec![0; tokens].into(),
        end: Some(end.collect()),
        turn: None,
        distances,
    }
}

/// Numbers by distance, of three kinds.
fn distances(weight: Tensor<2>, reach: usize) -> Distances {
    Distances { weight, kinds: (0..2 * reach - 1).map(|at| (at * 7 % 3) as u32).collect() }
}

/// Queries, keys and values apart, and the numbers of three kinds of distances.
fn apart(heads: &Heads, sight: &Sight, dtype: DType) -> Vec<Tensor<2>> {
    let (tokens, others) = (sight.first.len(), sight.first.len() / sight.width * sight.keys.unwrap());
    let shapes =
        [[tokens, heads.queries * heads.width], [others, 2 * heads.groups * heads.width], [3, heads.queries]];
    let of =
        |(i, shape): (usize, [usize; 2])| typed(&numbers(shape[0] * shape[1], i as u64 + 5), shape, dtype);
    shapes.into_iter().enumerate().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn tokens_that_look_at_others_say_the_same_in_both_forms(
        (width, keys) in (1usize..70, 1usize..330),
        seen in prop::collection::vec(1usize..330, 1..3),
        (shared, groups, half) in (1usize..3, 1usize..3, 1usize..5),
        (threads, far) in (1usize..4, any::<bool>()),
    ) {
        let heads = heads(shared, groups, half, None);
        let seen: Vec<usize> = seen.into_iter().map(|n| n.min(keys)).collect();
        let plainly = across(width, keys, &seen, None);
        let inputs = apart(&heads, &plainly, DType::F32);
        let sight = |x: &[Tensor<2>]| Sight {
            distances: far.then(|| distances(x[2].clone(), width.max(keys))),
            ..plainly.clone()
        };
        let tracked = [true, true, far];
        let expected = gradients(&inputs, &tracked, |x| {
            plain::cross_attention(x[0].clone(), x[1].clone(), &heads, &sight(x))
        });
        let found = on(threads, || {
            gradients(&inputs, &tracked, |x| cross_attention(x[0].clone(), x[1].clone(), &heads, &sight(x)))
        });
        near(&found.0, &expected.0, 1e-5, "forward");
        for (found, expected) in found.1.iter().flatten().zip(expected.1.iter().flatten()) {
            near(found, expected, 2e-5, "backward");
        }
    }

    #[test]
    fn distances_count_the_same_in_both_forms(
        lengths in prop::collection::vec(1usize..40, 1..4),
        (heads_of, half, threads) in (1usize..4, 1usize..5, 1usize..4),
        look in prop_oneof![Just(Look::Back), Just(Look::Around)],
    ) {
        let heads = heads(1, heads_of, half, None);
        let reach = *lengths.iter().max().unwrap();
        let plainly = Sight { turn: None, ..sight(&[lengths], usize::MAX, half, false, look) };
        let inputs = [qkv(&heads, &plainly, DType::F32), typed(&numbers(3 * heads_of, 9), [3, heads_of], DType::F32)];
        let sight = |x: &[Tensor<2>]| Sight { distances: Some(distances(x[1].clone(), reach)), ..plainly.clone() };
        let expected = gradients(&inputs, &[true; 2], |x| plain::attention(x[0].clone(), &heads, &sight(x)));
        let found = on(threads, || gradients(&inputs, &[true; 2], |x| attention(x[0].clone(), &heads, &sight(x))));
        near(&found.0, &expected.0, 1e-5, "forward");
        for (found, expected) in found.1.iter().flatten().zip(expected.1.iter().flatten()) {
            near(found, expected, 2e-5, "backward");
        }
    }
}

#[test]
fn the_plain_form_across_has_the_gradients_of_differences() {
    let heads = heads(1, 2, 1, None);
    let plainly = across(3, 4, &[4, 2], None);
    let inputs = apart(&heads, &plainly, DType::F64);
    let run = |x: &[Tensor<2>]| {
        let sight = Sight { distances: Some(distances(x[2].clone(), 4)), ..plainly.clone() };
        plain::cross_attention(x[0].clone(), x[1].clone(), &heads, &sight)
    };
    let (_, found) = gradients(&inputs, &[true; 3], run);
    for (found, expected) in found.iter().zip(differences(&inputs, run)) {
        near(found.as_ref().unwrap(), &expected, 1e-7, "backward");
    }
}
