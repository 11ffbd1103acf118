//! The backward pass of [`linears`](crate::linears).
//!
//! With `g` the gradient of the output, `z = b(x)` and `n = z·Aᵀ`, for each layer: `∂z += g·W + (s·g·B)·A`,
//! `∂A = (s·g·B)ᵀ·z`, `∂B = s·gᵀ·n`, `∂W = gᵀ·z`, `∂bias = Σ g`; then `∂x` is `∂z` through `b`.

use burn::backend::flex::FlexTensor;

use crate::{
    layers::{Firsts, Held, Kept, MOST, PARENTS, factors, multiplied},
    matrix::{Matrix, MatrixMut, There, product},
    primitive::{made, matrix, numbers, shape},
    threads::{each, n_threads, share},
};

/// The gradients that are wanted, in the order of the parents.
pub(crate) fn backward(
    kept: Kept,
    slope: FlexTensor,
    wanted: [bool; PARENTS],
) -> [Option<FlexTensor>; PARENTS] {
    let [tokens, width] = shape(&kept.x);
    let input = kept.layers.first().map_or(0, Held::input);
    let outs: usize = kept.layers.iter().map(Held::out).sum();
    let firsts = Firsts::of(&kept.layers);
    let (x, g) = (numbers(&kept.x), numbers(&slope));
    let learns = |what: usize| (0..MOST).any(|i| wanted[4 + 4 * i + what]);
    let [wants_x, wants_norm] = [wanted[0], wanted[2] || wanted[3]];
    let mut gradients = [const { None }; PARENTS];

    // First by tokens: z again, the pairs' ∂n = s·g·B, ∂z and ∂x.
    let wants_z = learns(0) || learns(2);
    let reads_x = kept.before.is_nothing();
    let factors = factors(&kept.layers, tokens);
    let mut z = vec![0.0; if wants_z && !reads_x { tokens * input } else { 0 }];
    let mut narrow = vec![0.0; tokens * firsts.ranks];
    let mut to_z = vec![0.0; if wants_norm { tokens * input } else { 0 }];
    let mut to_x = vec![0.0; if wants_x { tokens * width } else { 0 }];
    {
        let (kept, firsts, factors, share) = (&kept, &firsts, &factors, share(tokens));
        let mut zs = z.chunks_mut((share * input).max(1));
        let mut narrows = narrow.chunks_mut((share * firsts.ranks).max(1));
        let mut to_zs = to_z.chunks_mut((share * input).max(1));
        let mut to_xs = to_x.chunks_mut((share * width).max(1));
        let pieces = g
            .chunks((share * outs).max(1))
            .zip(x.chunks((share * width).max(1)))
            .enumerate()
            .map(|(i, (g, x))| {
                let to = (zs.next(), narrows.next(), to_zs.next(), to_xs.next());
                (i * share, g, x, to)
            })
            .collect();
        each(pieces, |(at, g, x, (z, narrow, to_z, to_x))| {
            let n = x.len() / width;
            if let Some(z) = z {
                kept.before.forward(x, width, z);
            }
            let g = Matrix::of(g, n, outs);
            let narrow = narrow.unwrap_or_default();
            let mut from = 0;
            for (layer, start) in kept.layers.iter().zip(&firsts.starts) {
                if let Some((_, b, scale)) = &layer.pair {
                    let to = MatrixMut::new(&mut narrow[*start..], [n, layer.rank()], firsts.ranks);
                    product(to, There::Replaced, g.columns(from, layer.out()), matrix(b), *scale);
                }
                from += layer.out();
            }
            if to_x.is_none() && to_z.is_none() {
                return;
            }
            let mut own = Vec::new();
            let direct = reads_x && to_z.is_none();
            let (to_input, to_x) = match (to_z, to_x) {
                (None, Some(to_x)) if direct => (to_x, None),
                (Some(to_z), to_x) => (to_z, to_x),
                (None, to_x) => {
                    own.resize(n * input, 0.0);
                    (own.as_mut_slice(), to_x)
                }
            };
            let mut from = 0;
            for (i, layer) in kept.layers.iter().enumerate() {
                let there = if i == 0 { There::Replaced } else { There::AddedTo };
                let g = g.columns(from, layer.out());
                layer.weight.back(MatrixMut::of(to_input, n, input), there, g);
                from += layer.out();
            }
            let (narrow, a) =
                (Matrix::of(narrow, n, firsts.ranks), Matrix::of(&firsts.a, firsts.ranks, input));
            if factors.iter().all(Option::is_none) {
                product(MatrixMut::of(to_input, n, input), There::AddedTo, narrow, a, 1.0);
                through(kept, x, width, to_input, to_x);
                return;
            }
            for ((layer, start), factors) in kept.layers.iter().zip(&firsts.starts).zip(factors) {
                let (narrow, a) = (narrow.columns(*start, layer.rank()), a.rows(*start, layer.rank()));
                let Some(factors) = factors else {
                    product(MatrixMut::of(to_input, n, input), There::AddedTo, narrow, a, 1.0);
                    continue;
                };
                let mut dropped = vec![0.0; n * input];
                product(MatrixMut::of(&mut dropped, n, input), There::Replaced, narrow, a, 1.0);
                let all = to_input.iter_mut().zip(&dropped).zip(&factors[at * input..]);
                all.for_each(|((to, dropped), factor)| *to += dropped * factor);
            }
            through(kept, x, width, to_input, to_x);
        });
    }

    // Then by weights: each is summed over all tokens.
    let z = if reads_x { x } else { &z };
    let dropped: Vec<Option<Vec<f32>>> =
        factors.into_iter().map(|factors| Some(multiplied(z, &factors?))).collect();
    let n_z = if wants_z { tokens } else { 0 };
    let z = Matrix::of(z, n_z, input);
    let g_matrix = Matrix::of(g, tokens, outs);
    let narrow = Matrix::of(&narrow, tokens, firsts.ranks);
    let said = Matrix::of(&kept.inner, tokens, firsts.ranks);
    let mut sums: Vec<Sum> = Vec::new();
    let mut from = 0;
    for (i, (layer, start)) in kept.layers.iter().zip(&firsts.starts).enumerate() {
        let (out, rank, at) = (layer.out(), layer.rank(), 4 + 4 * i);
        let dropped = dropped[i].as_ref().map_or(z, |dropped| Matrix::of(dropped, n_z, input));
        let g = g_matrix.columns(from, out).transposed();
        let scale = layer.pair.as_ref().map_or(1.0, |(_, _, scale)| *scale);
        let mut sum = |parent: usize, rows, cols, a, b, scale| {
            if wanted[parent] {
                sums.push(Sum { parent, to: vec![0.0; rows * cols], cols, a, b, scale });
            }
        };
        sum(at, out, input, g, z, 1.0);
        sum(at + 2, rank, input, narrow.columns(*start, rank).transposed(), dropped, 1.0);
        sum(at + 3, out, rank, g, said.columns(*start, rank), scale);
        if wanted[at + 1] {
            let mut bias = vec![0.0; out];
            for g in numbers(&slope).chunks_exact(outs) {
                bias.iter_mut().zip(&g[from..from + out]).for_each(|(bias, g)| *bias += g);
            }
            gradients[at + 1] = Some(made(bias, [1, out]));
        }
        from += out;
    }
    each(sums.iter_mut().flat_map(Sum::pieces).collect(), |(to, cols, a, b, scale)| {
        let rows = to.len() / cols;
        product(MatrixMut::of(to, rows, cols), There::Replaced, a, b, scale);
    });
    for Sum { parent, to, cols, .. } in sums {
        let rows = to.len() / cols.max(1);
        gradients[parent] = Some(made(to, [rows, cols]));
    }
    if wants_norm {
        let [weight, bias] = kept.before.of_norm(x, width, &to_z);
        gradients[2] = wanted[2].then(|| made(weight, [1, width]));
        gradients[3] = wanted[3].then(|| made(bias, [1, width]));
    }
    if wants_x {
        gradients[0] = Some(made(to_x, [tokens, width]));
    }
    if wanted[1] {
        gradients[1] = Some(slope);
    }
    gradients
}

/// From the gradient of `b(x)` to that of `x`, where it does not lie there already.
fn through(kept: &Kept, x: &[f32], width: usize, slope: &[f32], to: Option<&mut [f32]>) {
    if let Some(to) = to {
        kept.before.backward(x, width, slope, to);
    }
}

/// A gradient that is a product over all tokens.
struct Sum<'a> {
    parent: usize,
    to: Vec<f32>,
    cols: usize,
    a: Matrix<'a>,
    b: Matrix<'a>,
    scale: f32,
}

impl<'a> Sum<'a> {
    /// Its rows, shared out where there are many: (where they go, columns, the two sides, the scale).
    fn pieces(&mut self) -> Vec<(&mut [f32], usize, Matrix<'a>, Matrix<'a>, f32)> {
        let Self { to, cols, a, b, scale, .. } = self;
        let rows = to.len() / (*cols).max(1);
        let share = if rows > 64 { rows.div_ceil(n_threads()) } else { rows }.max(1);
        to.chunks_mut((share * *cols).max(1))
            .enumerate()
            .map(|(i, to)| {
                let n = to.len() / *cols;
                (to, *cols, a.rows(i * share, n), *b, *scale)
            })
            .collect()
    }
}
