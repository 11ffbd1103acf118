//! Linear layers over one input: the processor's form against the plain one, and that against differences in f64.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use burn::tensor::{DType, Tensor};
use common::{differences, gradients, near, numbers, on, tensor, typed, values};
use kernels::{Before, Curve, Dropout, Layer, LowRank, linears, plain};
use proptest::prelude::*;

/// What an operation is made of.
#[derive(Clone, Debug)]
struct Shape {
    tokens: usize,
    width: usize,
    outs: Vec<usize>,
    /// 0: the layer has no pair.
    rank: usize,
    bias: bool,
    residual: bool,
    before: usize,
    dropout: bool,
}

/// Half of the numbers, twice as large.
fn halved(seed: u64) -> Dropout {
    Dropout::drawn(move |n| numbers(n, seed).into_iter().map(|x| if x < 0.0 { 0.0 } else { 2.0 }).collect())
}

const N_BEFORE: usize = 14;

/// Behind the norms: gates of each curve, then curves.
const CURVES: [Curve; 5] = [Curve::Silu, Curve::Gelu, Curve::GeluTanh, Curve::Relu, Curve::Tanh];

impl Shape {
    fn input(&self) -> usize {
        if (4..9).contains(&self.before) { self.width / 2 } else { self.width }
    }

    /// x, the residual, a norm's weight and bias, then each layer's parts.
    fn shapes(&self) -> Vec<[usize; 2]> {
        let outs: usize = self.outs.iter().sum();
        let mut shapes = vec![[self.tokens, self.width]];
        shapes.extend(self.residual.then_some([self.tokens, outs]));
        shapes.extend(vec![
            [1, self.width];
            match self.before {
                1 | 3 => 1,
                2 => 2,
                _ => 0,
            }
        ]);
        for out in &self.outs {
            shapes.push([*out, self.input()]);
            shapes.extend(self.bias.then_some([1, *out]));
            if self.rank > 0 {
                shapes.extend([[self.rank, self.input()], [*out, self.rank]]);
            }
        }
        shapes
    }

    fn inputs(&self, dtype: DType) -> Vec<Tensor<2>> {
        let shapes = self.shapes();
        let of = |(i, shape): (usize, &[usize; 2])| {
            typed(&numbers(shape[0] * shape[1], i as u64 + 1), *shape, dtype)
        };
        shapes.iter().enumerate().map(of).collect()
    }

    /// The operation over such inputs, in one form or the other.
    fn run(&self, inputs: &[Tensor<2>], form: Form) -> Tensor<2> {
        let mut inputs = inputs.iter().cloned();
        let mut next = || inputs.next().unwrap();
        let x = next();
        let residual = self.residual.then(&mut next);
        let before = match self.before {
            // Two numbers that are nearly equal have no spread that f32 knows: a large `eps` keeps them tame.
            1 => Before::Norm { weight: next(), bias: None, centred: false, eps: 0.1 },
            2 => Before::Norm { weight: next(), bias: Some(next()), centred: true, eps: 0.1 },
            3 => Before::Norm { weight: next(), bias: None, centred: true, eps: 0.1 },
            gate @ 4..9 => Before::Gate(CURVES[gate - 4]),
            curve @ 9..14 => Before::Curve(CURVES[curve - 9]),
            _ => Before::Nothing,
        };
        let layers: Vec<Layer> = self
            .outs
            .iter()
            .enumerate()
            .map(|(i, _)| Layer {
                weight: next().into(),
                bias: self.bias.then(&mut next),
                low_rank: (self.rank > 0).then(|| LowRank {
                    a: next(),
                    b: next(),
                    scale: 0.7,
                    // Not of every layer.
                    dropout: (self.dropout && i != 1).then(|| halved(i as u64 + 7)),
                }),
            })
            .collect();
        form(x, &before, &layers, residual)
    }
}

type Form = fn(Tensor<2>, &Before, &[Layer], Option<Tensor<2>>) -> Tensor<2>;

fn shape() -> impl Strategy<Value = Shape> {
    let outs = prop::collection::vec(1usize..20, 1..=3);
    let flags = any::<(bool, bool, bool)>();
    (1usize..150, 1usize..20, outs, 0usize..4, flags, 0..N_BEFORE).prop_map(
        |(tokens, half, outs, rank, (bias, residual, dropout), before)| Shape {
            tokens,
            width: 2 * half,
            outs,
            rank,
            bias,
            residual,
            before,
            dropout,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// In f32, and sums of up to 150 tokens: 1e-5 of the largest number of each tensor.
    #[test]
    fn both_forms_say_the_same_forward_and_backward(shape in shape(), seed: u64, threads in 1usize..4) {
        let inputs = shape.inputs(DType::F32);
        let chance = numbers(inputs.len(), seed);
        let tracked: Vec<bool> = chance.iter().map(|x| *x > 0.0).collect();
        let expected = gradients(&inputs, &tracked, |inputs| shape.run(inputs, plain::linears));
        let found = on(threads, || gradients(&inputs, &tracked, |inputs| shape.run(inputs, linears)));
        near(&found.0, &expected.0, 1e-5, "forward");
        for (i, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some(expected)) = (found, expected) {
                near(found, expected, 1e-5, &format!("gradient {i} of {shape:?}"));
            }
        }
    }
}

#[test]
fn the_plain_form_has_the_gradients_of_differences() {
    for before in 0..N_BEFORE {
        for (rank, all) in [(0, false), (2, true)] {
            let (bias, residual, dropout) = (all, all, all);
            let shape =
                Shape { tokens: 3, width: 4, outs: vec![3, 2], rank, bias, residual, before, dropout };
            let inputs = shape.inputs(DType::F64);
            let run = |inputs: &[Tensor<2>]| shape.run(inputs, plain::linears);
            let (_, found) = gradients(&inputs, &vec![true; inputs.len()], run);
            for (i, (found, expected)) in found.iter().zip(differences(&inputs, run)).enumerate() {
                near(found.as_ref().unwrap(), &expected, 1e-7, &format!("gradient {i} of {shape:?}"));
            }
        }
    }
}

#[test]
fn no_tokens_make_no_output_and_the_same_numbers_the_same_bits() {
    let shape = |tokens| Shape {
        tokens,
        width: 8,
        outs: vec![5, 3],
        rank: 2,
        bias: true,
        residual: true,
        before: 1,
        dropout: true,
    };
    assert_eq!(shape(0).run(&shape(0).inputs(DType::F32), linears).dims(), [0, 8]);
    let once = || {
        let inputs = shape(300).inputs(DType::F32);
        on(2, || gradients(&inputs, &vec![true; inputs.len()], |inputs| shape(300).run(inputs, linears)))
    };
    assert_eq!(once(), once());
}

#[test]
fn a_transposed_weight_is_read_where_it_lies() {
    let (x, w) = (tensor([5, 4], 1), tensor([4, 3], 2));
    let layer = |weight: Tensor<2>| [Layer { weight: weight.into(), bias: None, low_rank: None }];
    let found = linears(x.clone(), &Before::Nothing, &layer(w.clone().transpose()), None);
    near(&values(&found), &values(&x.matmul(w)), 1e-6, "a view");
}
