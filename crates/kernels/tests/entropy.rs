//! Cross-entropy: the processor's form against the plain one, and that against differences in f64.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use burn::tensor::{DType, Tensor};
use common::{near, numbers, on, tensor, typed, values};
use kernels::{Entropy, Wanted, cross_entropy, plain};
use proptest::prelude::*;

const BOTH: Wanted = Wanted { hidden: true, head: true };

fn targets(n: usize, vocabulary: usize) -> Vec<u32> {
    (0..n).map(|i| (i * 7 % vocabulary) as u32).collect()
}

fn same(found: &Entropy, expected: &Entropy) {
    let [found_loss, expected_loss] = [found, expected].map(|of| of.loss.value().unwrap());
    let off = (found_loss - expected_loss).abs() / expected_loss.abs().max(1.0);
    assert!(off < 1e-5, "{found_loss} is not {expected_loss}");
    let pairs = [(&found.hidden, &expected.hidden), (&found.head, &expected.head)];
    for (found, expected) in pairs {
        assert_eq!(found.is_some(), expected.is_some());
        if let (Some(found), Some(expected)) = (found, expected) {
            near(&values(found), &values(expected), 1e-5, "a gradient");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn both_forms_say_the_same(
        (n, width, vocabulary) in (1usize..300, 1usize..20, 1usize..200),
        cap in prop_oneof![Just(None), Just(Some(1.5))],
        (hidden, head) in any::<(bool, bool)>(),
        threads in 1usize..4,
    ) {
        let (h, w, t) = (tensor([n, width], 1), tensor([vocabulary, width], 2), targets(n, vocabulary));
        let wanted = Wanted { hidden, head };
        let expected = plain::cross_entropy(h.clone(), &w, &t, cap, wanted).unwrap();
        same(&on(threads, || cross_entropy(h, &w.into(), &t, cap, wanted).unwrap()), &expected);
    }
}

#[test]
fn the_plain_form_has_the_gradients_of_differences() {
    const STEP: f64 = 1e-5;
    for cap in [None, Some(0.9)] {
        let (h, w, t) = (numbers(12, 1), numbers(20, 2), targets(3, 5));
        let of = |h: &[f64], w: &[f64], wanted| {
            let [h, w]: [Tensor<2>; 2] = [typed(h, [3, 4], DType::F64), typed(w, [5, 4], DType::F64)];
            plain::cross_entropy(h, &w, &t, cap, wanted).unwrap()
        };
        let found = of(&h, &w, BOTH);
        let loss = |h: &[f64], w: &[f64]| of(h, w, Wanted::default()).loss.value().unwrap();
        let moved = |x: &[f64], i: usize, by: f64| {
            let mut x = x.to_vec();
            x[i] += by;
            x
        };
        let slope = |up: f64, down: f64| (up - down) / (2.0 * STEP);
        let hidden: Vec<f64> =
            (0..12).map(|i| slope(loss(&moved(&h, i, STEP), &w), loss(&moved(&h, i, -STEP), &w))).collect();
        let head: Vec<f64> =
            (0..20).map(|i| slope(loss(&h, &moved(&w, i, STEP)), loss(&h, &moved(&w, i, -STEP)))).collect();
        near(&values(&found.hidden.unwrap()), &hidden, 1e-7, "hidden");
        near(&values(&found.head.unwrap()), &head, 1e-7, "head");
    }
}

#[test]
fn nothing_to_judge_costs_nothing_and_sure_answers_stay_finite() {
    let none = cross_entropy(tensor([0, 4], 1), &tensor([5, 4], 2).into(), &[], None, BOTH).unwrap();
    assert_eq!((none.loss.value().unwrap(), values(&none.head.unwrap())), (0.0, vec![0.0; 20]));
    let sure = cross_entropy(tensor([3, 4], 1) * 1e4, &tensor([5, 4], 2).into(), &targets(3, 5), None, BOTH)
        .unwrap();
    assert!(
        sure.loss.value().unwrap().is_finite() && values(&sure.hidden.unwrap()).iter().all(|x| x.is_finite())
    );
}
