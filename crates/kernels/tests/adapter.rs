//! The kernels on a graphics adapter (Mesa's software Vulkan where there is no other) against the plain form on the
//! processor, which the other tests hold to differences in f64. Few and small shapes in one process: the first use of
//! each kernel costs seconds there.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use burn::tensor::{DType, Tensor};
use common::{adapter, near, numbers, same_on_adapter, tensor, typed, values};
use kernels::{
    AdamW, Before, Curve, Dropout, Heads, Layer, LowRank, Moments, Sight, Turn, Wanted, adamw, attention,
    cross_attention, cross_entropy, linears, plain, prepared,
};

/// A norm of the inputs behind the first: weight and bias.
fn norm(x: &[Tensor<2>], centred: bool) -> Before {
    Before::Norm { weight: x[1].clone(), bias: x.get(2).cloned(), centred, eps: 0.1 }
}

#[test]
fn norms_say_what_the_plain_form_says() {
    // Fewer numbers than a cube has units, and more; rows that end within a share of the gradient's sum.
    for ([tokens, width], centred, bias) in
        [([3, 5], false, false), ([70, 131], true, true), ([1, 300], true, false)]
    {
        let inputs = [tensor([tokens, width], 1) * 3.0, tensor([1, width], 2), tensor([1, width], 3)];
        let inputs = &inputs[..if bias { 3 } else { 2 }];
        for tracked in [vec![true; inputs.len()], [vec![true], vec![false; inputs.len() - 1]].concat()] {
            same_on_adapter(
                inputs,
                &tracked,
                1e-5,
                &format!("a norm of [{tokens}, {width}]"),
                |x| prepared(x[0].clone(), &norm(x, centred)),
                |x| plain::prepared(x[0].clone(), &norm(x, centred)),
            );
        }
    }
}

#[test]
fn gates_and_curves_say_what_the_plain_form_says() {
    for curve in [Curve::Silu, Curve::Gelu, Curve::GeluTanh, Curve::Relu, Curve::Tanh] {
        for before in [Before::Gate(curve), Before::Curve(curve)] {
            // Far out too, where e⁻ˣ is no number.
            let inputs =
                [tensor([7, 2 * 27], 1) * if matches!(before, Before::Gate(_)) { 4.0 } else { 100.0 }];
            same_on_adapter(
                &inputs,
                &[true],
                1e-5,
                &format!("{before:?}"),
                |x| prepared(x[0].clone(), &before),
                |x| plain::prepared(x[0].clone(), &before),
            );
        }
    }
}

/// Layers of these widths, each with what is asked for.
struct Asked {
    tokens: usize,
    width: usize,
    outs: Vec<usize>,
    rank: usize,
    bias: bool,
    residual: bool,
    dropout: bool,
}

type Form = fn(Tensor<2>, &Before, &[Layer], Option<Tensor<2>>) -> Tensor<2>;

impl Asked {
    /// `x`, the residual, a norm's weight, then of each layer weight, bias, `A`, `B`.
    fn inputs(&self, input: usize) -> Vec<Tensor<2>> {
        let outs: usize = self.outs.iter().sum();
        let mut shapes = vec![[self.tokens, self.width], [self.tokens, outs], [1, self.width]];
        for out in &self.outs {
            shapes.extend([[*out, input], [1, *out], [self.rank.max(1), input], [*out, self.rank.max(1)]]);
        }
        shapes.into_iter().enumerate().map(|(i, shape)| tensor(shape, i as u64 + 1)).collect()
    }

    fn run(&self, x: &[Tensor<2>], before: &Before, form: Form) -> Tensor<2> {
        let layers: Vec<Layer> = (0..self.outs.len())
            .map(|i| Layer {
                weight: x[3 + 4 * i].clone().into(),
                bias: self.bias.then(|| x[4 + 4 * i].clone()),
                low_rank: (self.rank > 0).then(|| LowRank {
                    a: x[5 + 4 * i].clone(),
                    b: x[6 + 4 * i].clone(),
                    scale: 0.7,
                    // Not of every layer.
                    dropout: (self.dropout && i != 1).then(|| halved(i as u64 + 7)),
                }),
            })
            .collect();
        form(x[0].clone(), before, &layers, self.residual.then(|| x[1].clone()))
    }

    /// Where a gradient flows if everything learns, or only the pairs.
    fn tracked(&self, n: usize, all: bool, norm: bool) -> Vec<bool> {
        let reached = |i: usize| match (i, i.saturating_sub(3) % 4) {
            (0, _) => true,
            (1, _) => all && self.residual,
            (2, _) => all && norm,
            (_, 0) => all,
            (_, 1) => all && self.bias,
            _ => self.rank > 0,
        };
        (0..n).map(reached).collect()
    }
}

/// Half of the numbers, twice as large.
fn halved(seed: u64) -> Dropout {
    Dropout::drawn(move |n| numbers(n, seed).into_iter().map(|x| if x < 0.0 { 0.0 } else { 2.0 }).collect())
}

#[test]
fn linear_layers_say_what_the_plain_form_says() {
    let asked = |outs: &[usize], rank, [bias, residual, dropout]: [bool; 3]| Asked {
        tokens: 37,
        width: 22,
        outs: outs.to_vec(),
        rank,
        bias,
        residual,
        dropout,
    };
    for (asked, kind, all) in [
        (asked(&[13, 5, 6], 3, [true, false, true]), 1, true),
        (asked(&[9], 20, [false, true, false]), 2, false),
        (asked(&[22], 0, [false, false, false]), 0, true),
        (asked(&[10, 64], 2, [false, true, false]), 3, true),
    ] {
        let before = |x: &[Tensor<2>]| match kind {
            0 => Before::Nothing,
            1 => Before::Norm { weight: x[2].clone(), bias: None, centred: false, eps: 0.1 },
            2 => Before::Gate(Curve::Silu),
            _ => Before::Curve(Curve::GeluTanh),
        };
        let inputs = asked.inputs(if kind == 2 { 11 } else { 22 });
        same_on_adapter(
            &inputs,
            &asked.tracked(inputs.len(), all, kind == 1),
            1e-5,
            &format!("linear layers {:?} behind {kind}", asked.outs),
            |x| asked.run(x, &before(x), linears),
            |x| asked.run(x, &before(x), plain::linears),
        );
    }
}

#[test]
fn no_tokens_make_no_output() {
    let asked =
        Asked { tokens: 0, width: 4, outs: vec![3, 2], rank: 2, bias: true, residual: true, dropout: true };
    let inputs: Vec<_> = asked.inputs(4).into_iter().map(|x| x.to_device(&adapter())).collect();
    assert_eq!(asked.run(&inputs, &Before::Nothing, linears).dims(), [0, 5]);
}

fn loss(of: &kernels::Entropy) -> f64 {
    of.loss.value().unwrap()
}

#[test]
fn losses_and_their_gradients_are_those_of_the_processor() {
    // 300 numbers are more than a cube has units.
    for (vocabulary, cap) in [(300, None), (7, Some(0.8))] {
        let (hidden, head) = (tensor([5, 12], 1) * 2.0, tensor([vocabulary, 12], 2));
        let targets = [3, 0, 6, 2, 5];
        let wanted = Wanted { hidden: true, head: true };
        let expected = cross_entropy(hidden.clone(), &head.clone().into(), &targets, cap, wanted).unwrap();
        let there = |x: &Tensor<2>| x.clone().to_device(&adapter());
        let found = cross_entropy(there(&hidden), &there(&head).into(), &targets, cap, wanted).unwrap();
        assert!(
            (loss(&found) - loss(&expected)).abs() < 1e-5 * loss(&expected),
            "{} {}",
            loss(&found),
            loss(&expected)
        );
        let found_loss = loss(&found);
        for (found, expected) in [(found.hidden, expected.hidden), (found.head, expected.head)] {
            near(&values(&found.unwrap()), &values(&expected.unwrap()), 1e-5, "a gradient");
        }
        let only =
            cross_entropy(there(&hidden), &there(&head).into(), &targets, cap, Wanted::default()).unwrap();
        assert_eq!(loss(&only), found_loss, "the loss alone is the same");
    }
}

/// Rows of segments; tokens see as far as `window`, and ahead too if they look around.
fn sight(rows: &[&[usize]], window: usize, half: usize, around: bool) -> Sight {
    let width: usize = rows[0].iter().sum();
    let (mut first, mut end) = (Vec::new(), Vec::new());
    for row in rows {
        let mut start = 0;
        for length in *row {
            let tokens = start..start + length;
            first.extend(tokens.clone().map(|i| start.max((i + 1).saturating_sub(window)) as u32));
            end.extend(tokens.map(|i| i.saturating_add(window).min(start + length) as u32));
            start += length;
        }
    }
    let angles = numbers(width * half, 5);
    let table = |f: fn(f64) -> f64| angles.iter().map(|x| f(*x * 3.0) as f32).collect();
    Sight {
        width,
        keys: None,
        distances: None,
        first: first.into(),
        end: around.then(|| end.into()),
        turn: Some(Turn { cos: table(f64::cos), sin: table(f64::sin) }),
    }
}

#[test]
fn attention_says_what_the_plain_form_says() {
    let heads = |shared, groups, half: usize, cap| Heads {
        queries: shared * groups,
        groups,
        width: 2 * half,
        scale: 0.6,
        cap,
    };
    for (heads, sight) in [
        // Grouped queries; rows that end within a block; packed segments; a window; in both directions.
        (heads(3, 2, 5, None), sight(&[&[45, 26], &[1, 70]], usize::MAX, 5, false)),
        (heads(3, 2, 5, None), sight(&[&[71]], 9, 5, false)),
        (heads(2, 1, 5, Some(0.8)), sight(&[&[33, 7]], usize::MAX, 5, true)),
        // Heads of which few rows lie in shared memory at once. 256, the widest of today's, takes a minute to compile.
        (heads(2, 1, 35, None), sight(&[&[64]], usize::MAX, 35, false)),
    ] {
        let shape = [sight.first.len(), heads.together()];
        let inputs = [typed(&numbers(shape[0] * shape[1], 3), shape, DType::F32)];
        same_on_adapter(
            &inputs,
            &[true],
            1e-5,
            &format!("attention of {heads:?}"),
            |x| attention(x[0].clone(), &heads, &sight),
            |x| plain::attention(x[0].clone(), &heads, &sight),
        );
    }
}

#[test]
fn tokens_that_look_at_others_say_what_the_plain_form_says() {
    let heads = Heads { queries: 4, groups: 2, width: 10, scale: 0.5, cap: None };
    let (width, keys, seen) = (35, 50, [50u32, 19]);
    let sight = Sight {
        width,
        keys: Some(keys),
        first: vec![0; 2 * width].into(),
        end: Some(seen.iter().flat_map(|n| vec![*n; width]).collect()),
        turn: None,
        distances: None,
    };
    let inputs = [tensor([2 * width, 40], 1), tensor([2 * keys, 40], 2)];
    same_on_adapter(
        &inputs,
        &[true, true],
        1e-5,
        "attention across",
        |x| cross_attention(x[0].clone(), x[1].clone(), &heads, &sight),
        |x| plain::cross_attention(x[0].clone(), x[1].clone(), &heads, &sight),
    );
}

#[test]
fn scores_far_apart_leave_finite_numbers() {
    let heads = Heads { queries: 1, groups: 1, width: 10, scale: 0.6, cap: None };
    let sight = sight(&[&[40]], usize::MAX, 5, false);
    let there = tensor([40, 30], 4).to_device(&adapter()) * 1e4;
    let (said, slopes) = common::gradients(&[there], &[true], |x| attention(x[0].clone(), &heads, &sight));
    assert!(said.iter().chain(slopes[0].as_ref().unwrap()).all(|x| x.is_finite()));
}

#[test]
fn the_length_of_gradients_is_that_of_one_vector() {
    // More numbers than one cube sums, fewer than it has units, none.
    let all = [tensor([130, 131], 1), tensor([1, 3], 2), tensor([0, 4], 3)];
    let there: Vec<_> = all.iter().map(|x| x.clone().to_device(&adapter())).collect();
    let known: f64 = all.iter().flat_map(values).map(|x| x * x).sum();
    let found = kernels::length(&there).unwrap();
    assert!((found - known.sqrt()).abs() < 1e-6 * known.sqrt(), "{found} {}", known.sqrt());
}

#[test]
fn weights_move_as_those_on_the_processor() {
    let step = AdamW { beta1: 0.9, beta2: 0.999, rate: 1e-2, root: 0.03, kept: 0.999, eps: 1e-8, clip: 0.7 };
    let shapes = [[7, 33], [1, 5]];
    let of = |seed| shapes.map(|shape| tensor(shape, seed));
    let moments: Vec<_> = of(3).into_iter().zip(of(4)).map(|(m, s)| [m, s.square()]).collect();
    let there = |x: &Tensor<2>| x.clone().to_device(&adapter());
    let known =
        adamw(&step, of(1).to_vec(), of(2).to_vec(), moments.iter().cloned().map(Moments::Whole).collect());
    let kept: Vec<_> = moments.iter().map(|both| both.each_ref().map(there)).collect();
    let found = adamw(
        &step,
        of(1).iter().map(there).collect(),
        of(2).iter().map(there).collect(),
        kept.iter().cloned().map(Moments::Whole).collect(),
    );
    // Shortened by a length that nobody read.
    let long = AdamW { clip: 1.0, ..step };
    let gradients: Vec<_> = of(2).iter().map(there).collect();
    let squares = kernels::squares(&gradients).unwrap();
    assert_eq!(squares.known(), None, "it is still being computed");
    let length = squares.value().unwrap().sqrt();
    let whole = |all: &[[Tensor<2>; 2]]| all.iter().cloned().map(Moments::Whole).collect::<Vec<_>>();
    let shortened = kernels::adamw_shortened(
        &long,
        (&squares, 0.7 * length),
        of(1).iter().map(there).collect(),
        gradients,
        whole(&kept),
    );
    for (shortened, known) in shortened.0.iter().zip(&known.0) {
        near(&values(shortened), &values(known), 1e-5, "a weight by a shortened gradient");
    }
    for i in 0..shapes.len() {
        near(&values(&found.0[i]), &values(&known.0[i]), 1e-6, "a weight");
        let [Moments::Whole(found), Moments::Whole(known)] = [&found.1[i], &known.1[i]] else { panic!() };
        for which in 0..2 {
            near(&values(&found[which]), &values(&known[which]), 1e-6, "a moment");
            assert_eq!(values(&kept[i][which]), values(&moments[i][which]), "what others have is left alone");
        }
    }
}
