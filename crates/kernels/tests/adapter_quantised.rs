//! Weights in blocks on a graphics adapter: their numbers are those that the processor reads of the same blocks, and the
//! operations say what they say of these numbers. Small shapes in one process, as in `adapter.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use blocks::Format;
use burn::{
    backend::Cube,
    tensor::{Device, Tensor},
};
use common::{adapter, near, quantised, same_on_adapter, tensor, values};
use cubecl::MemoryScope;
use kernels::{
    Before, Curve, Dropout, Entropy, Layer, LowRank, Quantised, Wanted, Weight, cross_entropy, linears, plain,
};

/// Whether numbers of a format are a product and nothing more, so that no shader compiler can round them otherwise.
fn is_one_product(format: Format) -> bool {
    !matches!(format, Format::Q4_1 | Format::Q5_1 | Format::Q2_K | Format::Q4_K | Format::Q5_K)
}

/// Bit for bit; where a minimum is added, within the last bit of the largest number.
fn same_numbers(found: &Weight, expected: &Weight, format: Format, what: &str) {
    let (found, expected) = (found.to_tensor(), expected.to_tensor());
    assert!(!kernels::on_processor(&found), "{what}");
    same_values(&found, &expected, format, what);
}

fn same_values(found: &Tensor<2>, expected: &Tensor<2>, format: Format, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let (found, expected) = (values(found), values(expected));
    match is_one_product(format) {
        true => assert_eq!(found, expected, "{what}"),
        false => near(&found, &expected, f64::from(f32::EPSILON), what),
    }
}

fn there(blocks: &Quantised) -> Weight {
    Weight::Quantised(blocks.clone().on(&adapter()).unwrap())
}

#[test]
fn blocks_of_every_format_are_read_as_on_the_processor() {
    // Whole blocks; rows that begin and end within blocks, and within words; one row, whose last block is incomplete.
    for format in Format::ALL {
        for (seed, shape) in [(1, [5, 256]), (2, [7, 37]), (3, [1, 513])] {
            let (here, what) = (quantised(format, shape, seed), format!("{format:?} of {shape:?}"));
            let blocks = there(&here);
            let here = Weight::Quantised(here);
            assert_eq!(blocks.device(), adapter());
            same_numbers(&blocks, &here, format, &what);
            let turned = (blocks.clone().transpose(), here.clone().transpose());
            same_numbers(&turned.0, &turned.1, format, &format!("{what}, turned"));
            let rows = [shape[0] as u32 - 1, 0, shape[0] as u32 / 2, 0];
            same_values(&blocks.select(&rows), &here.select(&rows), format, &format!("rows of {what}"));
            assert_eq!(blocks.select(&[]).dims(), [0, shape[1]], "{what}");
            let columns = [0, shape[1] as u32 - 1];
            same_values(&turned.0.select(&columns), &turned.1.select(&columns), format, &what);
        }
    }
}

#[test]
fn scales_of_every_size_are_read_as_on_the_processor() {
    // Zeros, the smallest, the largest that has lost its first bit, the smallest that has not, the largest.
    let halves = [0x0000u16, 0x8000, 0x0001, 0x03ff, 0x83ff, 0x0400, 0x8400, 0x3c01, 0x7bff, 0xfbff];
    let bytes = halves.iter().flat_map(|half| {
        let quants = (0..32u8).map(|i| i.wrapping_mul(17).wrapping_add(120));
        half.to_le_bytes().into_iter().chain(quants)
    });
    let here = Quantised::new(Format::Q8_0, [halves.len(), 32], bytes.collect()).unwrap();
    same_numbers(&there(&here), &Weight::Quantised(here.clone()), Format::Q8_0, "scales");
}

#[test]
fn blocks_go_to_an_adapter_and_not_back() {
    let here = quantised(Format::Q8_0, [3, 32], 1);
    assert_eq!(here.clone().on(&Device::flex()).map(|same| same.n_bytes()), Some(102));
    let there = here.on(&adapter()).unwrap();
    assert_eq!((there.n_bytes(), there.dims()), (102, [3, 32]));
    assert!(there.on(&Device::flex()).is_none());
}

/// Two layers with a norm's place before them, one with a pair and a bias, and a residual.
fn layers(x: &[Tensor<2>], weights: [Weight; 2], dropout: Option<Dropout>) -> Vec<Layer> {
    let pair = LowRank { a: x[1].clone(), b: x[2].clone(), scale: 0.7, dropout };
    let [one, other] = weights;
    vec![
        Layer { weight: one, bias: Some(x[3].clone()), low_rank: Some(pair) },
        Layer { weight: other, bias: None, low_rank: None },
    ]
}

#[test]
fn linear_layers_over_blocks_say_what_they_say_over_their_numbers() {
    let curve = Before::Curve(Curve::Silu);
    // Of one token, of few and of more; rows that are no whole blocks.
    for (one, other, input, tokens) in [
        (Format::Nf4, Format::Q8_0, 54, 37),
        (Format::Q4_K, Format::Q6_K, 256, 1),
        (Format::Bf16, Format::Q4_0, 96, 3),
    ] {
        let (out, others, rank) = (23, 9, 3);
        let what = format!("{one:?} and {other:?} of {tokens} tokens");
        let blocks = [quantised(one, [out, input], 1), quantised(other, [others, input], 2)];
        let inputs = [
            tensor([tokens, input], 3),
            tensor([rank, input], 4),
            tensor([out, rank], 5),
            tensor([1, out], 6),
            tensor([tokens, out + others], 7),
        ];
        let halved = |n: usize| (0..n).map(|i| if i % 3 == 0 { 0.0 } else { 1.5 }).collect::<Vec<f32>>();
        for dropout in [None, Some(Dropout::drawn(halved))] {
            same_on_adapter(
                &inputs,
                &[true; 5],
                1e-5,
                &what,
                |x| {
                    let layers = layers(x, blocks.each_ref().map(there), dropout.clone());
                    linears(x[0].clone(), &curve, &layers, Some(x[4].clone()))
                },
                |x| {
                    let numbers = |blocks: &Quantised| Weight::Quantised(blocks.clone()).to_tensor().into();
                    let layers = layers(x, blocks.each_ref().map(numbers), dropout.clone());
                    plain::linears(x[0].clone(), &curve, &layers, Some(x[4].clone()))
                },
            );
        }
    }
}

/// As GPT-2 has its matrices, `[in, out]`.
#[test]
fn blocks_that_run_along_the_outputs_are_multiplied_too() {
    let (input, out) = (11, 64);
    for tokens in [1, 5] {
        let blocks = quantised(Format::Q5_0, [input, out], 1);
        let layer = |weight: Weight| [Layer { weight: weight.transpose(), bias: None, low_rank: None }];
        same_on_adapter(
            &[tensor([tokens, input], 2)],
            &[true],
            1e-5,
            "turned blocks",
            |x| linears(x[0].clone(), &Before::Nothing, &layer(there(&blocks)), None),
            |x| {
                let numbers = Weight::Quantised(blocks.clone()).to_tensor();
                plain::linears(x[0].clone(), &Before::Nothing, &layer(numbers.into()), None)
            },
        );
    }
}

#[test]
fn a_loss_through_blocks_is_that_through_their_numbers() {
    let (n, vocabulary, width) = (33, 71, 64);
    for format in [Format::Q8_0, Format::Q6_K, Format::Bf16] {
        let head = quantised(format, [vocabulary, width], 2);
        let numbers = Weight::Plain(Weight::Quantised(head.clone()).to_tensor());
        let (hidden, targets) =
            (tensor([n, width], 1), (0..n).map(|i| (i * 7 % vocabulary) as u32).collect::<Vec<_>>());
        let wanted = Wanted { hidden: true, head: false };
        let of = |hidden, head: &Weight| -> Entropy {
            cross_entropy(hidden, head, &targets, Some(3.0), wanted).unwrap()
        };
        let (found, expected) =
            (of(hidden.clone().to_device(&adapter()), &there(&head)), of(hidden, &numbers));
        let [found_loss, expected_loss] = [&found, &expected].map(|of| of.loss.value().unwrap());
        assert!((found_loss - expected_loss).abs() < 1e-5 * expected_loss, "{format:?}");
        near(
            &values(&found.hidden.unwrap()),
            &values(&expected.hidden.unwrap()),
            1e-5,
            &format!("{format:?}"),
        );
    }
}

/// What is decoded for a product is let go: a graph holds the blocks alone.
#[test]
fn what_is_decoded_is_not_kept_for_the_backward_pass() {
    let side = 1024;
    let in_use = |beside: &Tensor<2>| {
        let primitive = beside.clone().try_into_primitive::<Cube>().unwrap();
        primitive.client.memory_report(MemoryScope::Device).usage().bytes_in_use
    };
    let there = [1, 2, 3].map(|seed| there(&quantised(Format::Nf4, [side, side], seed)));
    let x = tensor([5, side], 4).to_device(&adapter());
    let before = in_use(&x);
    let tracked = x.clone().autodiff().require_grad();
    let mut y = tracked.clone();
    for weight in &there {
        let layer = Layer { weight: weight.clone(), bias: None, low_rank: None };
        y = linears(y, &Before::Nothing, &[layer], None);
    }
    let said = values(&y);
    assert!(said.iter().all(|x| x.is_finite()));
    let kept = in_use(&x).saturating_sub(before);
    assert!(kept < 4 * (side * side) as u64, "{kept} bytes are kept, as many as a matrix or more");
}
