//! Weights in bfloat16, by which activations and gradients are multiplied rounded to bfloat16: each operation says what the
//! plain form says of the same weights and exact activations, within what such rounding can do. That the products
//! themselves are those of the rounded numbers, within f32, is held by the tests beside them (`src/bf16/tests.rs`).
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use blocks::Format;
use burn::tensor::Tensor;
use common::{gradients, near, numbers, on, tensor, values};
use kernels::{
    Before, Curve, Dropout, Entropy, Layer, LowRank, Quantised, Wanted, Weight, cross_entropy, linears, plain,
};
use proptest::prelude::*;

/// Rounding to 8 bits is off by 2⁻⁹ at most, of each of the numbers that are summed up: their sum by less than this share
/// of the largest.
const ROUNDED: f64 = 1.0 / 256.0;

fn weight(shape: [usize; 2], seed: u64) -> Weight {
    let numbers: Vec<f32> = numbers(shape[0] * shape[1], seed).into_iter().map(|x| x as f32).collect();
    Weight::Quantised(Quantised::made(Format::Bf16, shape, &numbers).unwrap())
}

fn exact(weight: &Weight) -> Weight {
    Weight::Plain(weight.to_tensor())
}

type Inputs = [Tensor<2>];

/// Two layers with a curve before them, one of them with a pair, dropout and a bias, and a residual.
fn layers(weights: &[Weight; 2], inputs: &Inputs) -> (Before, [Layer; 2]) {
    let [a, b, bias] = [1, 2, 3].map(|i| inputs[i].clone());
    let dropout = Dropout::drawn(|n| (0..n).map(|i| if i % 3 == 0 { 0.0 } else { 1.5 }).collect());
    let pair = LowRank { a, b, scale: 0.7, dropout: Some(dropout) };
    let layers = [
        Layer { weight: weights[0].clone(), bias: Some(bias), low_rank: Some(pair) },
        Layer { weight: weights[1].clone(), bias: None, low_rank: None },
    ];
    (Before::Curve(Curve::Silu), layers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn layers_say_and_learn_what_they_do_with_the_same_weights_in_f32(
        (input, outs, others) in (1usize..150, 1usize..150, 1usize..40),
        tokens in prop_oneof![Just(1usize), 2usize..150],
        turned: bool,
        threads in 1usize..4,
    ) {
        let of = |out, seed| match turned {
            false => weight([out, input], seed),
            true => weight([input, out], seed).transpose(),
        };
        let weights = [of(outs, 1), of(others, 2)];
        let inputs = [
            tensor([tokens, input], 3),
            tensor([3, input], 4),
            tensor([outs, 3], 5),
            tensor([1, outs], 6),
            tensor([tokens, outs + others], 7),
        ];
        let found = on(threads, || gradients(&inputs, &[true; 5], |inputs| {
            let (before, layers) = layers(&weights, inputs);
            linears(inputs[0].clone(), &before, &layers, Some(inputs[4].clone()))
        }));
        let weights = [exact(&weights[0]), exact(&weights[1])];
        let expected = gradients(&inputs, &[true; 5], |inputs| {
            let (before, layers) = layers(&weights, inputs);
            plain::linears(inputs[0].clone(), &before, &layers, Some(inputs[4].clone()))
        });
        let what = format!("{input} to {outs} and {others}, {tokens} tokens, turned {turned}");
        near(&found.0, &expected.0, ROUNDED, &what);
        // What does not go through the weights is as exact as ever: the pair, the bias, the residual.
        for (i, share) in [ROUNDED, 1e-5, 1e-5, 1e-5, 1e-5].into_iter().enumerate() {
            let [found, expected] = [&found, &expected].map(|said| said.1[i].as_ref().unwrap());
            near(found, expected, share, &format!("gradient {i} of {what}"));
        }
    }

    #[test]
    fn a_loss_is_that_through_the_same_head_in_f32(
        (n, width, vocabulary) in (1usize..300, 1usize..100, 1usize..300),
        threads in 1usize..4,
    ) {
        let head = weight([vocabulary, width], 2);
        let targets: Vec<u32> = (0..n).map(|i| (i * 7 % vocabulary) as u32).collect();
        let wanted = Wanted { hidden: true, head: false };
        let of = |head: &Weight| -> Entropy {
            cross_entropy(tensor([n, width], 1), head, &targets, None, wanted).unwrap()
        };
        let (found, expected) = (on(threads, || of(&head)), of(&exact(&head)));
        // Logits here are as large as 5: each is off by less than 0.02, and losses by less than that.
        let [found_loss, expected_loss] = [&found, &expected].map(|of| of.loss.value().unwrap());
        prop_assert!((found_loss - expected_loss).abs() < 0.02 * n as f64, "{found_loss} is not {expected_loss}");
        near(&values(&found.hidden.unwrap()), &values(&expected.hidden.unwrap()), 0.02, "hidden");
    }
}

/// What is rounded to bfloat16 already is multiplied as it is.
#[test]
fn nothing_is_lost_where_nothing_is_rounded() {
    let weight = weight([70, 90], 1);
    let x = self::weight([20, 90], 2).to_tensor();
    let says = |weight: Weight| {
        let layer = Layer { weight, bias: None, low_rank: None };
        values(&linears(x.clone(), &Before::Nothing, &[layer], None))
    };
    near(&says(weight.clone()), &says(exact(&weight)), 1e-6, "rounded activations");
}

#[test]
fn one_thread_and_several_say_the_same_bits() {
    let (weight, x) = (weight([200, 300], 1), tensor([256, 300], 2));
    let says = |threads| {
        let layer = Layer { weight: weight.clone(), bias: None, low_rank: None };
        on(threads, || values(&linears(x.clone(), &Before::Nothing, &[layer], None)))
    };
    assert_eq!(says(1), says(2));
    assert_eq!(says(1), says(3));
}

#[test]
fn a_weight_takes_two_bytes_a_number() {
    let Weight::Quantised(made) = weight([64, 48], 1) else { panic!("in blocks") };
    assert_eq!(made.n_bytes(), 2 * 64 * 48);
}
