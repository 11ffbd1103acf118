//! Numbers, and gradients of a sum over what an operation gives.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its part; helpers of tests may give up

use blocks::Format;
use burn::tensor::{DType, Device, Tensor, TensorData};
use kernels::Quantised;

/// Numbers that look like chance and are the same each time.
pub fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}

/// Blocks of numbers that look like chance: made where they can be, else of bytes whose scales are tame.
pub fn quantised(format: Format, shape: [usize; 2], seed: u64) -> Quantised {
    let n = shape[0] * shape[1];
    let of = |n| numbers(n, seed).into_iter().map(|x| x as f32).collect::<Vec<_>>();
    if Format::MADE.contains(&format) {
        return Quantised::made(format, shape, &of(n)).unwrap();
    }
    let bytes = of(format.bytes_of(n).unwrap()).into_iter().map(|x| (x * 127.0) as i8 as u8);
    let mut bytes: Vec<u8> = bytes.collect();
    for block in bytes.chunks_mut(format.bytes()) {
        // Where scales lie, a half between 1/128 and 1/64: 0x20 and 0x23 begin such.
        let places: &[usize] = match format {
            Format::Q4_0 | Format::Q5_0 => &[0],
            Format::Q4_1 | Format::Q5_1 | Format::Q4_K | Format::Q5_K => &[0, 2],
            Format::Q2_K => &[80, 82],
            Format::Q3_K => &[108],
            Format::Q6_K => &[208],
            Format::Q8_0 | Format::Nf4 | Format::Bf16 => &[],
        };
        places.iter().for_each(|place| block[place + 1] = 0x20 | block[place + 1] & 3);
    }
    Quantised::new(format, shape, bytes).unwrap()
}

pub fn tensor(shape: [usize; 2], seed: u64) -> Tensor<2> {
    typed(&numbers(shape[0] * shape[1], seed), shape, DType::F32)
}

pub fn typed(numbers: &[f64], shape: [usize; 2], dtype: DType) -> Tensor<2> {
    let data = TensorData::new(numbers.to_vec(), shape).convert_dtype(dtype);
    Tensor::from_data(data, (&Device::flex(), dtype))
}

/// The graphics adapter that is tested: Mesa's software Vulkan where there is no other.
pub fn adapter() -> Device {
    Device::wgpu(Default::default())
}

/// That `operation` says on the adapter what `reference` says on the processor, forward and backward, within `share` of
/// the largest number of each tensor.
pub fn same_on_adapter(
    inputs: &[Tensor<2>],
    tracked: &[bool],
    share: f64,
    what: &str,
    operation: impl Fn(&[Tensor<2>]) -> Tensor<2>,
    reference: impl Fn(&[Tensor<2>]) -> Tensor<2>,
) {
    let expected = gradients(inputs, tracked, reference);
    let there: Vec<_> = inputs.iter().map(|x| x.clone().to_device(&adapter())).collect();
    assert!(
        there.iter().all(|x| kernels::is_fused(x) && !kernels::on_processor(x)),
        "{what}: on the adapter"
    );
    let found = gradients(&there, tracked, &operation);
    near(&found.0, &expected.0, share, &format!("forward of {what}"));
    for (i, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
        assert_eq!(found.is_some(), expected.is_some(), "gradient {i} of {what}");
        if let (Some(found), Some(expected)) = (found, expected) {
            near(found, expected, share, &format!("gradient {i} of {what}"));
        }
    }
    let untracked = values(&operation(&there));
    near(&untracked, &expected.0, share, &format!("{what} without a graph"));
    for (there, input) in there.iter().zip(inputs) {
        assert_eq!(values(there), values(input), "{what}: the inputs are left alone");
    }
}

pub fn values(x: &Tensor<2>) -> Vec<f64> {
    x.clone().without_autodiff().into_data().iter::<f64>().collect()
}

/// What `operation` gives for `inputs`, and the gradient of its weighted sum with respect to those that are `tracked`.
pub fn gradients(
    inputs: &[Tensor<2>],
    tracked: &[bool],
    operation: impl Fn(&[Tensor<2>]) -> Tensor<2>,
) -> (Vec<f64>, Vec<Option<Vec<f64>>>) {
    let leaves: Vec<Tensor<2>> = inputs
        .iter()
        .zip(tracked)
        .map(|(x, tracked)| if *tracked { x.clone().autodiff().require_grad() } else { x.clone() })
        .collect();
    let y = operation(&leaves);
    let said = values(&y);
    let weights =
        typed(&numbers(said.len(), 99), y.dims(), y.dtype()).to_device(&y.device().without_autodiff());
    if !tracked.contains(&true) {
        return (said, vec![None; inputs.len()]);
    }
    let mut all = (y * weights).sum().backward();
    let of = |(x, tracked): (&Tensor<2>, &bool)| tracked.then(|| values(&x.grad_remove(&mut all).unwrap()));
    (said, leaves.iter().zip(tracked).map(of).collect())
}

/// The same gradients by differences, for numbers in f64.
pub fn differences(inputs: &[Tensor<2>], operation: impl Fn(&[Tensor<2>]) -> Tensor<2>) -> Vec<Vec<f64>> {
    const STEP: f64 = 1e-5;
    let sum = |inputs: &[Tensor<2>]| -> f64 {
        let said = values(&operation(inputs));
        said.iter().zip(numbers(said.len(), 99)).map(|(y, w)| y * w).sum()
    };
    let mut all = Vec::new();
    for (i, input) in inputs.iter().enumerate() {
        let at = values(input);
        let slope = |j: usize| {
            let moved = |by: f64| {
                let mut at = at.clone();
                at[j] += by;
                let mut inputs = inputs.to_vec();
                inputs[i] = typed(&at, input.dims(), DType::F64);
                sum(&inputs)
            };
            (moved(STEP) - moved(-STEP)) / (2.0 * STEP)
        };
        all.push((0..at.len()).map(slope).collect());
    }
    all
}

/// That two lists are equal within `share` of the largest number.
pub fn near(found: &[f64], expected: &[f64], share: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1.0f64, |top, x| top.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (found - expected).abs() / largest;
        assert!(off <= share, "{what}: {found} is not {expected} at {i}");
    }
}

/// Runs `work` in a pool of so many threads.
pub fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}
