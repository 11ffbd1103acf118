//! Norms, gates and curves: a kernel each, forward and backward. What a norm keeps of a row, its mean and one over its
//! spread, is made again in the backward pass.

use burn::{
    backend::{
        Cube,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        wgpu::CubeTensor,
    },
    tensor::Tensor,
};
use burn_cubecl::kernel::into_contiguous;
use cubecl::prelude::*;

use super::place::{
    UNITS, buffer, contiguous, cubes, from_inner, from_tracked, guard, inner, room, shape, start, total,
    units,
};
use crate::{Before, Curve, primitive::in_graph, taken::give, trace::span_on};

/// Rows whose part of a norm's gradient one unit sums.
const ROWS: usize = 64;

/// What is done, with its tensors on the adapter.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub(super) enum Done {
    Nothing,
    Norm { weight: CubeTensor, bias: Option<CubeTensor>, centred: bool, eps: f32 },
    Gate(Curve),
    Curve(Curve),
}

impl Done {
    pub(super) fn of(before: &Before) -> Self {
        match before {
            Before::Nothing => Self::Nothing,
            Before::Norm { weight, bias, centred, eps } => Self::Norm {
                weight: contiguous(weight.clone()),
                bias: bias.clone().map(contiguous),
                centred: *centred,
                eps: *eps as f32,
            },
            Before::Gate(curve) => Self::Gate(*curve),
            Before::Curve(curve) => Self::Curve(*curve),
        }
    }

    /// How wide what comes out of `width` numbers is.
    fn width(&self, width: usize) -> usize {
        if matches!(self, Self::Gate(_)) { width / 2 } else { width }
    }

    /// `before(x)` of rows that lie one behind another.
    pub(super) fn forward(&self, x: &CubeTensor) -> CubeTensor {
        let [rows, width] = shape(x);
        match self {
            Self::Nothing => x.clone(),
            Self::Norm { weight, bias, centred, eps } => {
                for of_norm in std::iter::once(weight).chain(bias) {
                    assert_eq!(shape(of_norm), [1, width], "a norm has a number for each of its input's");
                }
                let to = room(x, [rows, width]);
                let (count, dim) = cubes(x, rows);
                if rows * width > 0 {
                    let (of, beside) = (bias.is_some(), bias.as_ref().unwrap_or(weight));
                    let size = (rows as u32, width as u32);
                    start!(
                        norm,
                        &x.client,
                        count,
                        dim,
                        buffer(x),
                        buffer(weight),
                        buffer(beside),
                        buffer(&to),
                        size.0,
                        size.1,
                        *eps,
                        *centred,
                        of,
                    );
                }
                to
            }
            Self::Gate(curve) => {
                let to = room(x, [rows, width / 2]);
                let n = rows * (width / 2);
                let (count, dim) = units(x, n);
                if n > 0 {
                    start!(
                        gate,
                        &x.client,
                        count,
                        dim,
                        buffer(x),
                        buffer(&to),
                        n as u32,
                        (width / 2) as u32,
                        *curve,
                    );
                }
                to
            }
            Self::Curve(curve) => {
                let to = room(x, [rows, width]);
                let n = rows * width;
                let (count, dim) = units(x, n);
                if n > 0 {
                    start!(curved, &x.client, count, dim, buffer(x), buffer(&to), n as u32, *curve);
                }
                to
            }
        }
    }

    /// The gradients with respect to `x` and, if it is wanted, a norm's weight and bias, given that with respect to
    /// what came out.
    pub(super) fn backward(
        &self,
        x: &CubeTensor,
        slope: &CubeTensor,
        of_norm: bool,
    ) -> (CubeTensor, Option<[Tensor<2>; 2]>) {
        let [rows, width] = shape(x);
        assert_eq!(shape(slope), [rows, self.width(width)], "a gradient is as large as what it is of");
        match self {
            Self::Nothing => (slope.clone(), None),
            Self::Norm { weight, centred, eps, .. } => {
                let (to, levels) = (room(x, [rows, width]), room(x, [rows, 2]));
                let (count, dim) = cubes(x, rows);
                if rows * width > 0 {
                    start!(
                        norm_back,
                        &x.client,
                        count,
                        dim,
                        buffer(x),
                        buffer(weight),
                        buffer(slope),
                        buffer(&to),
                        buffer(&levels),
                        rows as u32,
                        width as u32,
                        *eps,
                        *centred,
                    );
                }
                (to, of_norm.then(|| sums(x, slope, &levels)))
            }
            Self::Gate(curve) => {
                let to = room(x, [rows, width]);
                let n = rows * (width / 2);
                let (count, dim) = units(x, n);
                if n > 0 {
                    let (n, half) = (n as u32, (width / 2) as u32);
                    start!(
                        gate_back,
                        &x.client,
                        count,
                        dim,
                        buffer(x),
                        buffer(slope),
                        buffer(&to),
                        n,
                        half,
                        *curve,
                    );
                }
                (to, None)
            }
            Self::Curve(curve) => {
                let to = room(x, [rows, width]);
                let n = rows * width;
                let (count, dim) = units(x, n);
                if n > 0 {
                    start!(
                        curve_back,
                        &x.client,
                        count,
                        dim,
                        buffer(x),
                        buffer(slope),
                        buffer(&to),
                        n as u32,
                        *curve,
                    );
                }
                (to, None)
            }
        }
    }
}

/// A norm's gradients, `[1, width]` each: each unit sums a column over some rows, then those sums are summed.
fn sums(x: &CubeTensor, slope: &CubeTensor, levels: &CubeTensor) -> [Tensor<2>; 2] {
    let [rows, width] = shape(x);
    let parts = rows.div_ceil(ROWS).max(1);
    let to = [room(x, [parts, width]), room(x, [parts, width])];
    if width > 0 {
        let columns = width.div_ceil(UNITS) as u32;
        start!(
            norm_sums,
            &x.client,
            CubeCount::Static(columns, parts as u32, 1),
            CubeDim::new_1d(UNITS as u32),
            buffer(x),
            buffer(slope),
            buffer(levels),
            buffer(&to[0]),
            buffer(&to[1]),
            rows as u32,
            width as u32,
            ROWS as u32,
        );
    }
    to.map(|to| from_inner::<2>(to).sum_dim(0))
}

#[derive(Clone, Debug)]
struct Kept {
    x: CubeTensor,
    before: Done,
}

/// As [`prepared`](crate::prepared), of tensors on an adapter.
pub(crate) fn prepared(x: Tensor<2>, before: &Before) -> Tensor<2> {
    let [weight, bias] = before.parameters();
    let parents = [Some(x.clone()), weight, bias];
    let kept = Kept { x: contiguous(x.clone()), before: Done::of(before) };
    if !parents.iter().flatten().any(in_graph) {
        return from_inner(kept.before.forward(&kept.x));
    }
    let guards = parents.map(|parent| guard(parent, &x));
    from_tracked(match Prepared.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let y = kept.before.forward(&kept.x);
            prep.finish(kept, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(kept.before.forward(&kept.x)),
    })
}

#[derive(Debug)]
struct Prepared;

impl Backward<Cube, 3> for Prepared {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = into_contiguous(grads.consume::<Cube>(&ops.node));
        let [x, weight, bias] = ops.parents;
        let kept = &ops.state;
        let wants_norm = weight.is_some() || bias.is_some();
        let device = from_inner::<2>(slope.clone()).device();
        let backward = || kept.before.backward(&kept.x, &slope, wants_norm);
        let (to, of_norm) = span_on(&device, "norms and curves, backward", backward);
        for (node, gradient) in [weight, bias].into_iter().zip(of_norm.into_iter().flatten()) {
            if let Some(node) = node {
                give::<Cube>(grads, node.id, inner(gradient));
            }
        }
        if let Some(x) = x {
            give::<Cube>(grads, x.id, to);
        }
    }
}

/// A row's mean, or 0 where it is not taken away, and one over its spread.
#[cube]
fn level(
    x: &[f32],
    start: usize,
    width: u32,
    eps: f32,
    shared: &mut Shared<[f32]>,
    #[comptime] centred: bool,
) -> (f32, f32) {
    let unit = UNIT_POS as usize;
    let mut mean = 0.0f32;
    if centred {
        let mut sum = 0.0f32;
        let mut i = unit;
        while i < width as usize {
            sum += x[start + i];
            i += UNITS;
        }
        mean = total(shared, sum) / width as f32;
    }
    let mut square = 0.0f32;
    let mut i = unit;
    while i < width as usize {
        let off = x[start + i] - mean;
        square += off * off;
        i += UNITS;
    }
    let square = total(shared, square) / width as f32;
    (mean, 1.0f32 / (square + eps).sqrt())
}

#[cube(launch_unchecked)]
fn norm(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    to: &mut [f32],
    rows: u32,
    width: u32,
    eps: f32,
    #[comptime] centred: bool,
    #[comptime] biased: bool,
) {
    let row = CUBE_POS;
    if row >= rows as usize {
        terminate!();
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let start = row * width as usize;
    let (mean, scale) = level(x, start, width, eps, &mut shared, centred);
    let mut i = UNIT_POS as usize;
    while i < width as usize {
        let mut y = (x[start + i] - mean) * scale * weight[i];
        if biased {
            y += bias[i];
        }
        to[start + i] = y;
        i += UNITS;
    }
}

/// With `x̂ = (x - mean)·s` and `g = slope ∘ weight`: `s·(g - mean(g) - x̂·mean(g·x̂))`, without the mean of `g` where
/// the mean of `x` is not taken away.
#[cube(launch_unchecked)]
fn norm_back(
    x: &[f32],
    weight: &[f32],
    slope: &[f32],
    to: &mut [f32],
    levels: &mut [f32],
    rows: u32,
    width: u32,
    eps: f32,
    #[comptime] centred: bool,
) {
    let row = CUBE_POS;
    if row >= rows as usize {
        terminate!();
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let start = row * width as usize;
    let (mean, scale) = level(x, start, width, eps, &mut shared, centred);
    let mut sum = 0.0f32;
    let mut along = 0.0f32;
    let mut i = UNIT_POS as usize;
    while i < width as usize {
        let g = slope[start + i] * weight[i];
        sum += g;
        along += g * (x[start + i] - mean);
        i += UNITS;
    }
    let mut level_g = 0.0f32;
    if centred {
        level_g = total(&mut shared, sum) / width as f32;
    }
    let pull = total(&mut shared, along) * scale * scale / width as f32;
    let mut i = UNIT_POS as usize;
    while i < width as usize {
        let g = slope[start + i] * weight[i];
        to[start + i] = scale * (g - level_g - (x[start + i] - mean) * pull);
        i += UNITS;
    }
    if UNIT_POS == 0 {
        levels[2 * row] = mean;
        levels[2 * row + 1] = scale;
    }
}

#[cube(launch_unchecked)]
fn norm_sums(
    x: &[f32],
    slope: &[f32],
    levels: &[f32],
    to_weight: &mut [f32],
    to_bias: &mut [f32],
    rows: u32,
    width: u32,
    share: u32,
) {
    let column = ABSOLUTE_POS_X as usize;
    let part = CUBE_POS_Y as usize;
    let (rows, width, share) = (rows as usize, width as usize, share as usize);
    if column >= width {
        terminate!();
    }
    let mut of_weight = 0.0f32;
    let mut of_bias = 0.0f32;
    let mut row = part * share;
    let end = min(row + share, rows);
    while row < end {
        let g = slope[row * width + column];
        of_weight += g * (x[row * width + column] - levels[2 * row]) * levels[2 * row + 1];
        of_bias += g;
        row += 1;
    }
    to_weight[part * width + column] = of_weight;
    to_bias[part * width + column] = of_bias;
}

#[cube]
fn sigmoid(x: f32) -> f32 {
    // Beyond that e⁻ˣ is no number that f32 has.
    1.0f32 / (1.0f32 + (-max(x, -80.0f32)).exp())
}

/// A curve's value at `x`.
#[cube]
fn value(x: f32, #[comptime] curve: Curve) -> f32 {
    match curve {
        Curve::Silu => x * sigmoid(x),
        Curve::Gelu => 0.5f32 * x * (1.0f32 + Erf::erf(x * 0.707_106_77f32)),
        Curve::GeluTanh => 0.5f32 * x * (1.0f32 + bent(x)),
        Curve::Relu => max(x, 0.0f32),
        Curve::Tanh => tanh(x),
    }
}

/// Its slope there.
#[cube]
fn steep(x: f32, #[comptime] curve: Curve) -> f32 {
    match curve {
        Curve::Silu => {
            let s = sigmoid(x);
            s * (1.0f32 + x * (1.0f32 - s))
        }
        Curve::Gelu => {
            let bell = (-0.5f32 * x * x).exp() * 0.398_942_3f32;
            0.5f32 * (1.0f32 + Erf::erf(x * 0.707_106_77f32)) + x * bell
        }
        Curve::GeluTanh => {
            let t = bent(x);
            let inner = 0.797_884_6f32 * (1.0f32 + 0.134_145f32 * x * x) * (1.0f32 - t * t);
            0.5f32 * (1.0f32 + t) + 0.5f32 * x * inner
        }
        Curve::Relu => select(x > 0.0f32, 1.0f32, 0.0f32),
        Curve::Tanh => {
            let t = tanh(x);
            1.0f32 - t * t
        }
    }
}

/// `tanh(√(2/π)·(x + 0.044715·x³))`
#[cube]
fn bent(x: f32) -> f32 {
    tanh(0.797_884_6f32 * (x + 0.044_715f32 * x * x * x))
}

/// By `e²ˣ`, of which there is enough: some drivers' own is no number far out.
#[cube]
pub(super) fn tanh(x: f32) -> f32 {
    let near = max(min(x, 12.0f32), -12.0f32);
    1.0f32 - 2.0f32 / ((2.0f32 * near).exp() + 1.0f32)
}

#[cube(launch_unchecked)]
fn gate(x: &[f32], to: &mut [f32], n: u32, half: u32, #[comptime] curve: Curve) {
    let at = ABSOLUTE_POS;
    if at >= n as usize {
        terminate!();
    }
    let half = half as usize;
    let open = at / half * 2 * half + at % half;
    to[at] = value(x[open], curve) * x[open + half];
}

#[cube(launch_unchecked)]
fn gate_back(x: &[f32], slope: &[f32], to: &mut [f32], n: u32, half: u32, #[comptime] curve: Curve) {
    let at = ABSOLUTE_POS;
    if at >= n as usize {
        terminate!();
    }
    let half = half as usize;
    let open = at / half * 2 * half + at % half;
    let g = slope[at];
    to[open] = g * x[open + half] * steep(x[open], curve);
    to[open + half] = g * value(x[open], curve);
}

#[cube(launch_unchecked)]
fn curved(x: &[f32], to: &mut [f32], n: u32, #[comptime] curve: Curve) {
    let at = ABSOLUTE_POS;
    if at >= n as usize {
        terminate!();
    }
    to[at] = value(x[at], curve);
}

#[cube(launch_unchecked)]
fn curve_back(x: &[f32], slope: &[f32], to: &mut [f32], n: u32, #[comptime] curve: Curve) {
    let at = ABSOLUTE_POS;
    if at >= n as usize {
        terminate!();
    }
    to[at] = slope[at] * steep(x[at], curve);
}
