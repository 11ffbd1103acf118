//! What is done to the input of linear layers: nothing, a norm, or the gate of a feed-forward layer. It is cheap, so it
//! is done again in the backward pass instead of being kept.

use burn::{backend::flex::FlexTensor, tensor::Tensor};

use crate::{
    exp::{dot, exp, normal, sigmoid, sum, tanh, vectorised},
    primitive::{contiguous, inner, numbers},
};

/// What is done to the input of linear layers.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub enum Before {
    /// `x`
    Nothing,
    /// `x / √(mean(x²) + eps) ∘ weight + bias`, and of a LayerNorm the same of `x - mean(x)`.
    Norm {
        /// `[width]`, or `[1, width]`
        weight: Tensor<2>,
        /// Of the same shape.
        bias: Option<Tensor<2>>,
        /// The mean is taken away, as LayerNorm does and RMSNorm does not.
        centred: bool,
        /// Added to the mean square.
        eps: f64,
    },
    /// `curve(x[.., ..n]) ∘ x[.., n..]`, half as wide as `x`.
    Gate(Curve),
    /// `curve(x)`
    Curve(Curve),
}

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// `x / (1 + e⁻ˣ)`
    Silu,
    /// `x/2 · (1 + erf(x / √2))`
    Gelu,
    /// `x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))`
    GeluTanh,
    /// `max(x, 0)`
    Relu,
    /// `tanh x`
    Tanh,
}

/// Does `$work` with `$known` a curve that the compiler knows, so that its loops become vector instructions.
macro_rules! known {
    ($curve:expr, $known:ident => $work:expr) => {
        vectorised(
            #[inline(always)]
            || match $curve {
                Curve::Silu => {
                    const $known: Curve = Curve::Silu;
                    $work
                }
                Curve::Gelu => {
                    const $known: Curve = Curve::Gelu;
                    $work
                }
                Curve::GeluTanh => {
                    const $known: Curve = Curve::GeluTanh;
                    $work
                }
                Curve::Relu => {
                    const $known: Curve = Curve::Relu;
                    $work
                }
                Curve::Tanh => {
                    const $known: Curve = Curve::Tanh;
                    $work
                }
            },
        )
    };
}

impl Curve {
    /// Its value and slope at `x`.
    #[inline(always)]
    fn at(self, x: f32) -> (f32, f32) {
        match self {
            Self::Silu => {
                let s = sigmoid(x);
                (x * s, s * (1.0 + x * (1.0 - s)))
            }
            Self::Gelu => {
                const DENSITY: f32 = 0.398_942_3; // 1 / √(2π)
                let (below, bell) = normal(x);
                (x * below, below + x * bell * DENSITY)
            }
            Self::GeluTanh => {
                const SCALE: f32 = 0.797_884_6; // √(2/π)
                const CUBE: f32 = 0.044_715;
                let t = tanh(SCALE * (x + CUBE * x * x * x));
                let slope = SCALE * (1.0 + 3.0 * CUBE * x * x) * (1.0 - t * t);
                (0.5 * x * (1.0 + t), 0.5 * (1.0 + t) + 0.5 * x * slope)
            }
            Self::Relu => (x.max(0.0), if x > 0.0 { 1.0 } else { 0.0 }),
            Self::Tanh => {
                let t = tanh(x);
                (t, 1.0 - t * t)
            }
        }
    }
}

/// The same on the processor.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub(crate) enum Done {
    Nothing,
    Norm { weight: FlexTensor, bias: Option<FlexTensor>, centred: bool, eps: f32 },
    Gate(Curve),
    Curve(Curve),
}

impl Before {
    /// A norm's weight and bias.
    pub(crate) fn parameters(&self) -> [Option<Tensor<2>>; 2] {
        match self {
            Self::Norm { weight, bias, .. } => [Some(weight.clone()), bias.clone()],
            _ => [None, None],
        }
    }

    pub(crate) fn inner(&self) -> Done {
        match self {
            Self::Nothing => Done::Nothing,
            Self::Norm { weight, bias, centred, eps } => Done::Norm {
                weight: contiguous(inner(weight.clone())),
                bias: bias.clone().map(|bias| contiguous(inner(bias))),
                centred: *centred,
                eps: *eps as f32,
            },
            Self::Gate(curve) => Done::Gate(*curve),
            Self::Curve(curve) => Done::Curve(*curve),
        }
    }
}

impl Done {
    /// That nothing is done, so that the input itself may be read.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// How wide what comes out of `width` numbers is.
    pub(crate) fn width(&self, width: usize) -> usize {
        if matches!(self, Self::Gate(_)) { width / 2 } else { width }
    }

    /// `to = before(x)`, row by row.
    pub(crate) fn forward(&self, x: &[f32], width: usize, to: &mut [f32]) {
        match self {
            Self::Nothing => to.copy_from_slice(x),
            Self::Norm { weight, bias, centred, eps } => {
                let (weight, bias) = (numbers(weight), bias.as_ref().map(numbers));
                vectorised(
                    #[inline(always)]
                    || norm(x, width, weight, bias, (*centred, *eps), to),
                );
            }
            Self::Gate(curve) => known!(curve, CURVE => gate(CURVE, x, width, to)),
            Self::Curve(curve) => {
                known!(curve, CURVE => to.iter_mut().zip(x).for_each(|(y, x)| *y = CURVE.at(*x).0));
            }
        }
    }

    /// `to` = the gradient with respect to `x`, given `slope`, that with respect to what came out.
    pub(crate) fn backward(&self, x: &[f32], width: usize, slope: &[f32], to: &mut [f32]) {
        match self {
            Self::Nothing => to.copy_from_slice(slope),
            Self::Norm { weight, centred, eps, .. } => {
                let weight = numbers(weight);
                vectorised(
                    #[inline(always)]
                    || norm_back(x, width, weight, (*centred, *eps), slope, to),
                );
            }
            Self::Gate(curve) => known!(curve, CURVE => gate_back(CURVE, x, width, slope, to)),
            Self::Curve(curve) => known!(curve, CURVE => {
                let all = to.iter_mut().zip(x).zip(slope);
                all.for_each(|((to, x), s)| *to = s * CURVE.at(*x).1);
            }),
        }
    }

    /// The gradients with respect to a norm's weight and bias, `[width]` each, summed over the rows.
    pub(crate) fn of_norm(&self, x: &[f32], width: usize, slope: &[f32]) -> [Vec<f32>; 2] {
        let (mut weight, mut bias) = (vec![0.0; width], vec![0.0; width]);
        let Self::Norm { centred, eps, .. } = self else { return [weight, bias] };
        vectorised(
            #[inline(always)]
            || {
                for (x, slope) in x.chunks_exact(width).zip(slope.chunks_exact(width)) {
                    let (mean, scale) = level(x, *centred, *eps);
                    let sums = weight.iter_mut().zip(&mut bias);
                    for ((weight, bias), (x, slope)) in sums.zip(x.iter().zip(slope)) {
                        *weight += slope * (x - mean) * scale;
                        *bias += slope;
                    }
                }
            },
        );
        [weight, bias]
    }
}

/// A row's mean, or 0 where it is not taken away, and one over its spread.
#[inline(always)]
fn level(x: &[f32], centred: bool, eps: f32) -> (f32, f32) {
    let n = x.len() as f32;
    let mean = if centred { sum(x) / n } else { 0.0 };
    let square = if centred {
        let mut sums = [0.0f32; 16];
        let (chunks, rest) = x.as_chunks::<16>();
        for x in chunks {
            for i in 0..16 {
                sums[i] += (x[i] - mean) * (x[i] - mean);
            }
        }
        sums.iter().sum::<f32>() + rest.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>()
    } else {
        dot(x, x)
    };
    (mean, 1.0 / (square / n + eps).sqrt())
}

#[inline(always)]
fn norm(
    x: &[f32],
    width: usize,
    weight: &[f32],
    bias: Option<&[f32]>,
    (centred, eps): (bool, f32),
    to: &mut [f32],
) {
    for (x, to) in x.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        let (mean, scale) = level(x, centred, eps);
        for ((to, x), w) in to.iter_mut().zip(x).zip(weight) {
            *to = (x - mean) * scale * w;
        }
        if let Some(bias) = bias {
            to.iter_mut().zip(bias).for_each(|(to, b)| *to += b);
        }
    }
}

/// With `x̂ = (x - mean)·s` and `g = slope ∘ weight`: `s·(g - mean(g) - x̂·mean(g·x̂))`, without the mean of `g` where
/// the mean of `x` is not taken away.
#[inline(always)]
fn norm_back(
    x: &[f32],
    width: usize,
    weight: &[f32],
    (centred, eps): (bool, f32),
    slope: &[f32],
    to: &mut [f32],
) {
    let rows = x.chunks_exact(width).zip(slope.chunks_exact(width)).zip(to.chunks_exact_mut(width));
    for ((x, slope), to) in rows {
        let (mean, scale) = level(x, centred, eps);
        for ((to, s), w) in to.iter_mut().zip(slope).zip(weight) {
            *to = s * w;
        }
        let n = width as f32;
        let level_g = if centred { sum(to) / n } else { 0.0 };
        // Σ g·(x - mean)
        let along = dot(to, x) - mean * level_g * n;
        let pull = along * scale * scale / n;
        for (to, x) in to.iter_mut().zip(x) {
            *to = scale * (*to - level_g - (x - mean) * pull);
        }
    }
}

#[inline(always)]
fn gate(curve: Curve, x: &[f32], width: usize, to: &mut [f32]) {
    for (x, to) in x.chunks_exact(width).zip(to.chunks_exact_mut(width / 2)) {
        let (open, through) = x.split_at(width / 2);
        for ((to, o), t) in to.iter_mut().zip(open).zip(through) {
            *to = curve.at(*o).0 * t;
        }
    }
}

#[inline(always)]
fn gate_back(curve: Curve, x: &[f32], width: usize, slope: &[f32], to: &mut [f32]) {
    let half = width / 2;
    let rows = x.chunks_exact(width).zip(slope.chunks_exact(half)).zip(to.chunks_exact_mut(width));
    for ((x, slope), to) in rows {
        let ((open, through), (to_open, to_through)) = (x.split_at(half), to.split_at_mut(half));
        for i in 0..half.min(slope.len()) {
            let (value, steep) = curve.at(open[i]);
            to_open[i] = slope[i] * through[i] * steep;
            to_through[i] = slope[i] * value;
        }
    }
}

/// `row = e^(row - top)`, and the sum of it.
#[inline(always)]
pub(crate) fn softened(row: &mut [f32], top: f32) -> f32 {
    for x in row.iter_mut() {
        *x = exp(*x - top);
    }
    sum(row)
}
