//! Products in f16 on a graphics adapter, against the same of numbers that were rounded on the processor; and the loss scale
//! that is decided there, against the one that is decided here. One process and few shapes: the first use of each
//! kernel costs seconds on software.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use burn::tensor::{DType, Tensor};
use common::{adapter, gradients, near, tensor, values};
use kernels::{
    AdamW, Before, Curve, Dropout, Layer, LossScale, LowRank, Moments, Rates, Scaler, Sum, Told, Wanted,
    Weight, adamw, adamw_scaled, cross_entropy, has_f16, linears, plain, squares,
};

/// The same numbers, as near as f16 has them.
fn rounded(x: &Tensor<2>) -> Tensor<2> {
    x.clone().without_autodiff().to_device(&adapter()).cast(DType::F16)
}

fn f16(x: &Tensor<2>) -> Weight {
    Weight::Plain(rounded(x))
}

/// The test adapter has f16: without it nothing here would be tested.
fn there() -> burn::tensor::Device {
    assert!(has_f16(&adapter()), "Mesa's software Vulkan computes with f16");
    adapter()
}

fn layers(x: &[Tensor<2>], weight: impl Fn(&Tensor<2>) -> Weight, dropout: bool) -> Vec<Layer> {
    let half_of = |n: usize| (0..n).map(|i| if i % 3 == 0 { 0.0 } else { 1.5 }).collect::<Vec<f32>>();
    x.chunks_exact(4)
        .map(|x| Layer {
            weight: weight(&x[0]),
            bias: Some(x[1].clone()),
            low_rank: Some(LowRank {
                a: x[2].clone(),
                b: x[3].clone(),
                scale: 0.7,
                dropout: dropout.then(|| Dropout::drawn(half_of)),
            }),
        })
        .collect()
}

/// f16 has 11 bits: of numbers near one, sums of some tens of products are off by a thousandth or two.
const SHARE: f64 = 4e-3;

#[test]
fn layers_beside_weights_in_f16_say_nearly_what_they_say_in_f32_and_let_as_much_flow_back() {
    let there = there();
    for (before, width, outs, rank, dropout) in [
        (0, 24, vec![17, 5], 3, true),
        (1, 24, vec![16, 8, 8], 4, false),
        // A pair whose second half is a product of its own.
        (2, 48, vec![19], 20, false),
    ] {
        let input = if before == 2 { width / 2 } else { width };
        let out: usize = outs.iter().sum();
        let mut shapes = vec![[7, width], [7, out], [1, width]];
        for out in &outs {
            shapes.extend([[*out, input], [1, *out], [rank, input], [*out, rank]]);
        }
        let inputs: Vec<_> = shapes.into_iter().enumerate().map(|(i, s)| tensor(s, i as u64 + 1)).collect();
        let way = |x: &[Tensor<2>]| match before {
            0 => Before::Nothing,
            1 => Before::Norm { weight: x[2].clone(), bias: None, centred: false, eps: 0.1 },
            _ => Before::Gate(Curve::Silu),
        };
        // What learns, and what goes in; not the frozen weights.
        let tracked: Vec<bool> = (0..inputs.len())
            .map(|i| i < 3 && (i < 2 || before == 1) || i >= 3 && (i - 3) % 4 != 0)
            .collect();
        let expected = gradients(&inputs, &tracked, |x| {
            let layers = layers(&x[3..], |w| w.clone().into(), dropout);
            plain::linears(x[0].clone(), &way(x), &layers, Some(x[1].clone()))
        });
        let sent: Vec<_> = inputs.iter().map(|x| x.clone().to_device(&there)).collect();
        let run = |in_half: bool| {
            gradients(&sent, &tracked, |x| {
                let weight = |w: &Tensor<2>| if in_half { f16(w) } else { w.clone().into() };
                linears(x[0].clone(), &way(x), &layers(&x[3..], weight, dropout), Some(x[1].clone()))
            })
        };
        let (found, exact) = (run(true), run(false));
        near(&found.0, &expected.0, SHARE, "forward");
        assert!(found.0 != exact.0, "it is rounded");
        for (i, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
            if let (Some(found), Some(expected)) = (found, expected) {
                near(found, expected, SHARE, &format!("gradient {i} behind {before}"));
            }
        }
    }
}

/// What comes out of a product is not rounded again: sums that f16 cannot hold are right.
#[test]
fn sums_are_made_and_kept_in_f32() {
    let there = there();
    let x = Tensor::<2>::full([2, 300], 1000.0, &there);
    let weight = Weight::Plain(Tensor::<2>::full([3, 300], 2.0, &there).cast(DType::F16));
    let layer = Layer { weight, bias: None, low_rank: None };
    let y = values(&linears(x, &Before::Nothing, &[layer], None));
    assert_eq!(y, [600_000.0; 6]);
    let looked_up = Weight::Plain(rounded(&tensor([9, 4], 1))).select(&[8, 0]);
    assert_eq!((looked_up.dims(), looked_up.dtype()), ([2, 4], DType::F32));
    near(&values(&looked_up)[..4], &values(&tensor([9, 4], 1))[32..], 5e-4, "a row of a table in f16");
}

#[test]
fn cross_entropy_over_a_projection_in_f16_is_nearly_that_of_f32() {
    let there = there();
    // So many tokens that each has a share of the gradient near the smallest that f16 holds.
    let (n, width, vocabulary) = (5, 16, 20_000);
    let (hidden, head) = (tensor([n, width], 1), tensor([vocabulary, width], 2));
    let targets: Vec<u32> = (0..n as u32).map(|i| i * 3777).collect();
    let wanted = Wanted { hidden: true, head: false };
    let expected = cross_entropy(hidden.clone(), &head.clone().into(), &targets, Some(30.0), wanted).unwrap();
    let found = cross_entropy(hidden.to_device(&there), &f16(&head), &targets, Some(30.0), wanted).unwrap();
    let (loss, known) = (found.loss.value().unwrap(), expected.loss.value().unwrap());
    assert!((loss - known).abs() < 1e-3 * known, "{loss} is not {known}");
    near(&values(&found.hidden.unwrap()), &values(&expected.hidden.unwrap()), 2e-3, "the gradient");
}

/// A scale that is decided on the adapter goes as the one that is decided here, whatever the gradients are; a step that is
/// skipped leaves values and moments as they were, bit for bit, and the others move as AdamW moves them.
#[test]
fn steps_of_a_scaled_loss_are_skipped_or_taken_there_as_torch_does() {
    let there = there();
    let rates: Vec<Rates> = (0..8)
        .map(|n| Rates { rate: 1e-2 * f64::from(n + 1), root: 0.03 * f64::from(n + 1), kept: 0.999 })
        .collect();
    let mut law = LossScale { scale: 8.0, good: LossScale::INTERVAL - 2, skipped: 5 };
    let mut scaler = Scaler::new(law, &there);
    let (mut value, mut moments) = (tensor([3, 70], 1).to_device(&there), None);
    let (mut known, mut known_moments) = (tensor([3, 70], 1), None);
    for (step, broken) in
        [None, None, Some(f32::INFINITY), None, Some(f32::NAN), Some(-1e30), None].iter().enumerate()
    {
        let gradient = tensor([3, 70], 10 + step as u64);
        let scaled = gradient.clone() * law.scale;
        let mut numbers: Vec<f32> = values(&scaled).into_iter().map(|x| x as f32).collect();
        if let Some(broken) = broken {
            numbers[137] = *broken;
        }
        let data = burn::tensor::TensorData::new(numbers, [3, 70]);
        let scaled = Tensor::<2>::from_data(data, &there);
        let most = 2.0;
        // As if nothing had been read since five were skipped.
        let square = squares(std::slice::from_ref(&scaled)).unwrap();
        scaler = scaler.after(&square, most, (5, &rates));
        let own = rates[(law.skipped - 5) as usize];
        let step = AdamW { beta1: 0.9, beta2: 0.999, eps: 1e-8, clip: 1.0, rate: 9.0, root: 9.0, kept: 9.0 };
        let before = moments.take().unwrap_or_else(|| Moments::whole(&value));
        let stayed = both(&before);
        let (moved, after) =
            adamw_scaled(&step, &scaler, vec![value.clone()], vec![scaled.clone()], vec![before]);
        let told = Told::read(Sum::values(&scaler.sums()).unwrap().try_into().unwrap());
        law = law.after(broken.is_none());
        assert_eq!((told.scale, told.skipped), (law, broken.is_some()), "{broken:?}");
        let (moved, after) = (moved[0].clone(), after.into_iter().next().unwrap());
        if broken.is_some() {
            assert_eq!(told.norm, 0.0);
            assert_eq!(
                (values(&moved), both(&after)),
                (values(&value), stayed),
                "{broken:?} moves something"
            );
        } else {
            let norm = values(&gradient).iter().map(|g| g * g).sum::<f64>().sqrt();
            assert!((told.norm - norm).abs() < 1e-5 * norm, "{} is not {norm}", told.norm);
            let clip = (most / (norm + 1e-6)).min(1.0);
            let Rates { rate, root, kept } = own;
            let here = AdamW { rate, root, kept, clip, ..step };
            let moments = known_moments.take().unwrap_or_else(|| Moments::whole(&known));
            let (now, all) = adamw(&here, vec![known], vec![gradient], vec![moments]);
            known = now[0].clone();
            known_moments = all.into_iter().next();
            near(&values(&moved), &values(&known), 1e-5, "values");
            for (found, known) in both(&after).iter().zip(both(known_moments.as_ref().unwrap())) {
                near(found, &known, 1e-5, "moments");
            }
        }
        (value, moments) = (moved, Some(after));
    }
    assert_eq!((law.scale, law.skipped), (2.0, 8), "it grew once, and shrank three times");
}

fn both(moments: &Moments) -> Vec<Vec<f64>> {
    let Moments::Whole(both) = moments else { panic!("whole moments") };
    both.iter().map(values).collect()
}
