//! Weights in blocks: each operation says what it says of the same numbers as they are, in f32. Those in bfloat16, which
//! round what they are multiplied with, have tests of their own in `bf16.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use blocks::Format;
use burn::tensor::Tensor;
use common::{gradients, near, numbers, on, quantised, tensor, values};
use kernels::{Before, Curve, Entropy, Layer, LowRank, Quantised, Wanted, Weight, cross_entropy, linears};
use proptest::prelude::*;

fn one_of(formats: &[Format]) -> impl Strategy<Value = Format> + use<> {
    let exact = |format: &Format| *format != Format::Bf16;
    prop::sample::select(formats.iter().copied().filter(exact).collect::<Vec<_>>())
}

fn format() -> impl Strategy<Value = Format> {
    one_of(&Format::ALL)
}

/// What layers of one weight each come to, forward and back.
type Said = (Vec<f64>, Vec<Option<Vec<f64>>>);

/// Two layers with a norm before them, one of them with a pair and a bias, and a residual.
fn said(weights: &[Weight; 2], tokens: usize, rank: usize) -> Said {
    let [[out, input], [other, _]] = [weights[0].dims(), weights[1].dims()];
    let inputs = [
        tensor([tokens, input], 3),
        tensor([rank, input], 4),
        tensor([out, rank], 5),
        tensor([1, out], 6),
        tensor([tokens, out + other], 7),
    ];
    gradients(&inputs, &[true; 5], |inputs: &[Tensor<2>]| {
        let [x, a, b, bias, residual] = [0, 1, 2, 3, 4].map(|i| inputs[i].clone());
        let pair = LowRank { a, b, scale: 0.7, dropout: None };
        let layers = [
            Layer { weight: weights[0].clone(), bias: Some(bias), low_rank: Some(pair) },
            Layer { weight: weights[1].clone(), bias: None, low_rank: None },
        ];
        linears(x, &Before::Curve(Curve::Silu), &layers, Some(residual))
    })
}

fn same(found: &Said, expected: &Said, what: &str) {
    near(&found.0, &expected.0, 1e-5, what);
    for (i, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
        near(found.as_ref().unwrap(), expected.as_ref().unwrap(), 1e-5, &format!("gradient {i} of {what}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// In f32: 1e-5 of the largest number of each tensor, as between the plain form and the other.
    #[test]
    fn a_product_with_blocks_is_that_with_their_numbers_forward_and_backward(
        (one, other) in (format(), format()),
        blocks in 1usize..4,
        (outs, others) in (1usize..70, 1usize..20),
        tokens in prop_oneof![Just(1usize), 2usize..150],
        turned: bool,
        threads in 1usize..4,
    ) {
        let input = blocks * one.numbers().max(other.numbers());
        let blocks = |format, out, seed| match turned {
            false => Weight::Quantised(quantised(format, [out, input], seed)),
            // Blocks run along the outputs.
            true => {
                let out = if format == Format::Nf4 { out } else { format.numbers() };
                Weight::Quantised(quantised(format, [input, out], seed)).transpose()
            }
        };
        let weights = [blocks(one, outs, 1), blocks(other, others, 2)];
        let plain = weights.clone().map(|weight| Weight::Plain(weight.to_tensor()));
        let found = on(threads, || said(&weights, tokens, 3));
        same(&found, &said(&plain, tokens, 3), &format!("{weights:?} of {tokens}"));
    }

    /// NF4 runs on from row to row, so that rows may be of any width.
    #[test]
    fn rows_need_not_be_whole_blocks(
        format in one_of(&Format::MADE),
        (outs, input) in (1usize..90, 1usize..90),
        tokens in 1usize..100,
    ) {
        let weight = |seed| Weight::Quantised(quantised(format, [outs, input], seed));
        let weights = [weight(1), weight(2)];
        let plain = weights.clone().map(|weight| Weight::Plain(weight.to_tensor()));
        same(&said(&weights, tokens, 2), &said(&plain, tokens, 2), &format!("{weights:?} of {tokens}"));
    }

    #[test]
    fn a_loss_through_blocks_is_that_through_their_numbers(
        format in format(),
        (n, vocabulary) in (1usize..200, 1usize..300),
        threads in 1usize..4,
    ) {
        let head = Weight::Quantised(quantised(format, [vocabulary, format.numbers()], 2));
        let plain = Weight::Plain(head.to_tensor());
        let targets: Vec<u32> = (0..n).map(|i| (i * 7 % vocabulary) as u32).collect();
        let wanted = Wanted { hidden: true, head: false };
        let of = |head: &Weight| -> Entropy {
            cross_entropy(tensor([n, format.numbers()], 1), head, &targets, Some(3.0), wanted).unwrap()
        };
        let (found, expected) = (on(threads, || of(&head)), of(&plain));
        let [found_loss, expected_loss] = [&found, &expected].map(|of| of.loss.value().unwrap());
        prop_assert!((found_loss - expected_loss).abs() < 1e-5 * expected_loss.abs().max(1.0));
        // Near its cap, the slope of a score is a difference of nearly equal numbers.
        near(&values(&found.hidden.unwrap()), &values(&expected.hidden.unwrap()), 1e-4, "hidden");
    }

    #[test]
    fn rows_of_a_table_are_those_of_its_numbers(format in format(), rows in 1usize..50, seed: u64) {
        let table = Weight::Quantised(quantised(format, [rows, format.numbers()], seed));
        let chosen: Vec<u32> = (0..9).map(|i| (i * 5 % rows) as u32).collect();
        let expected = Weight::Plain(table.to_tensor()).select(&chosen);
        prop_assert_eq!(values(&table.select(&chosen)), values(&expected));
        let turned = table.clone().transpose();
        prop_assert_eq!(values(&turned.select(&[0])), values(&Weight::Plain(turned.to_tensor()).select(&[0])));
    }
}

/// Several panels: more numbers than a thread decodes at once.
#[test]
fn a_matrix_of_many_panels_is_multiplied_whole() {
    let weights =
        [(700, 1), (300, 2)].map(|(out, seed)| Weight::Quantised(quantised(Format::Q4_1, [out, 512], seed)));
    let plain = weights.clone().map(|weight| Weight::Plain(weight.to_tensor()));
    for tokens in [1, 5] {
        same(&said(&weights, tokens, 4), &said(&plain, tokens, 4), "many panels");
    }
}

#[test]
fn blocks_that_are_not_as_many_as_the_shape_wants_are_refused() {
    assert!(Quantised::new(Format::Q8_0, [2, 32], vec![0; 68]).is_some());
    assert!(Quantised::new(Format::Q8_0, [2, 32], vec![0; 67]).is_none());
    assert!(Quantised::new(Format::Q8_0, [usize::MAX, 2], vec![0; 68]).is_none());
    assert!(Quantised::made(Format::Nf4, [2, 3], &[0.0; 5]).is_none());
    assert!(Quantised::made(Format::Q4_0, [1, 32], &[0.0; 32]).is_none(), "only read");
}

#[test]
fn what_is_made_is_what_its_numbers_make_and_takes_what_it_says() {
    let numbers: Vec<f32> = numbers(70_000, 3).into_iter().map(|x| x as f32).collect();
    let made = Quantised::made(Format::Nf4, [100, 700], &numbers).unwrap();
    assert_eq!(made.n_bytes(), 70_000usize.div_ceil(64) * 36);
    let mut expected = vec![0.0; 70_000];
    Format::Nf4.decode_from(&Format::Nf4.make(&numbers).unwrap(), 0, &mut expected);
    let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
    assert_eq!(values(&Weight::Quantised(made).to_tensor()), expected);
}
