//! The backward pass of [`attention`](crate::attention).
//!
//! With `p = e^(s - total)` made again block by block and `g` the gradient of `out`: `∂v = pᵀ·g`, `∂p = g·vᵀ`,
//! `∂s = p ∘ (∂p - Σ g∘out)`, `∂q = scale·∂s·k`, `∂k = scale·∂sᵀ·q`, and of what distances add, `Σ ∂s`; then queries
//! and keys are turned back.

use burn::backend::flex::FlexTensor;

use crate::{
    Heads,
    attend::{KEYS, Kept, block, capped, gathered, moved},
    exp::{dot, exp, vectorised},
    matrix::{Matrix, MatrixMut, There, product},
    operands::{Group, by_distance, of_kinds},
    primitive::{made, numbers, shape},
    threads::{each, n_threads},
};

/// A block of queries: the first token's place in the row, and where its queries' gradients go.
type Block<'a> = (usize, &'a mut [f32]);

/// A row's number, its first place here, the gradients from there on, and what each part adds to them.
type Piece<'a> = (usize, usize, &'a mut [f32], &'a [Vec<f32>]);

/// One thread's part of a row: some blocks, the gradients of all keys and values, `[keys, groups · 2 · d]`, and those of
/// what distances add, `[heads, 2 · reach - 1]`.
struct Part<'a> {
    row: usize,
    blocks: Vec<Block<'a>>,
    to_keys: Vec<f32>,
    to_far: Vec<f32>,
}

/// The gradients with respect to the queries (and keys and values, where they stand side by side) before they were
/// turned, to keys and values that stand apart, and to the numbers of distances.
pub(crate) fn backward(kept: &Kept, slope: &FlexTensor) -> [Option<FlexTensor>; 3] {
    let [tokens, step] = shape(&kept.operands.q);
    let (heads, width, keys) = (&kept.heads, kept.sight.width.max(1), kept.sight.n_keys());
    let (block, beside) = (block(heads), 2 * heads.groups * heads.width);
    let far = by_distance(&kept.sight);
    let mut to = vec![0.0; tokens * step];
    let n_parts = n_threads().min(width.div_ceil(2 * block)).max(1);
    let mut parts: Vec<Part> = Vec::new();
    for (row, to) in to.chunks_mut(width * step).enumerate() {
        let first = parts.len();
        parts.extend((0..n_parts).map(|_| Part {
            row,
            blocks: Vec::new(),
            to_keys: vec![0.0; keys * beside],
            to_far: vec![0.0; far.len()],
        }));
        let mut rest = to;
        for (i, tokens) in kept.sight.of_row(row).blocks(block).into_iter().enumerate() {
            // Later blocks have more to do: dealt out there and back.
            let turn = i % (2 * n_parts);
            let part = if turn < n_parts { turn } else { 2 * n_parts - 1 - turn };
            let (to, after) = rest.split_at_mut(tokens.len() * step);
            parts[first + part].blocks.push((tokens.start, to));
            rest = after;
        }
    }
    each(parts.iter_mut().collect(), |part: &mut Part| some(kept, &far, numbers(slope), part));
    let (to_keys, to_fars): (Vec<_>, Vec<_>) =
        parts.into_iter().map(|part| (part.to_keys, part.to_far)).unzip();

    let to_far = kept.sight.distances.as_ref().map(|distances| {
        let mut sums = vec![0.0; far.len()];
        for part in &to_fars {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        made(of_kinds(&kept.sight, &sums), distances.weight.dims())
    });
    let added = |to: &mut [f32], step: usize, keys: usize| {
        let share = keys.div_ceil(n_threads()).max(1);
        let mut pieces = Vec::new();
        for (row, to) in to.chunks_mut((keys * step).max(1)).enumerate() {
            let of_row = &to_keys[row * n_parts..(row + 1) * n_parts];
            for (i, to) in to.chunks_mut(share * step).enumerate() {
                pieces.push((row, i * share, to, of_row));
            }
        }
        each(pieces, |(row, from, to, parts): Piece| {
            for (i, to) in to.chunks_exact_mut(step).enumerate() {
                let to = &mut to[step - beside..];
                for part in parts {
                    let part = &part[(from + i) * beside..(from + i + 1) * beside];
                    to.iter_mut().zip(part).for_each(|(to, part)| *to += part);
                }
            }
            if let Some(turn) = &kept.sight.turn {
                let turned = heads.queries + heads.groups;
                turn.apply(to, step, turned, heads.width, row * keys + from, true);
            }
        });
    };
    let to_kv = match &kept.operands.kv {
        Some(kv) => {
            let [others, step] = shape(kv);
            let mut to_kv = vec![0.0; others * step];
            added(&mut to_kv, step, keys);
            Some(made(to_kv, [others, step]))
        }
        None => {
            added(&mut to, step, keys);
            None
        }
    };
    [Some(made(to, [tokens, step])), to_kv, to_far]
}

/// One thread's blocks.
fn some(kept: &Kept, far: &[f32], slope: &[f32], part: &mut Part<'_>) {
    let heads = &kept.heads;
    let (d, shared) = (heads.width, heads.queries / heads.groups);
    let (width, seen_width) = (kept.sight.width, heads.queries * d);
    let of_row = |x: usize| part.row * width * x..(part.row + 1) * width * x;
    let operands = kept.operands.in_row(heads, &kept.sight, part.row);
    let step = operands.q_step;
    let (out, slope) = (&numbers(&kept.out)[of_row(seen_width)], &slope[of_row(seen_width)]);
    let (total, sight) = (&kept.total[of_row(heads.queries)], kept.sight.of_row(part.row));
    let beside = 2 * heads.groups * d;
    for (from, to) in &mut part.blocks {
        let (from, n) = (*from, to.len() / step);
        let all = sight.of_all(from..from + n);
        let most = n * shared * KEYS.min(all.len());
        let (mut weights, mut slopes) = (vec![0.0; most], vec![0.0; most]);
        for group in 0..heads.groups {
            let Group { k, v } = operands.group(heads, group);
            let q = gathered(heads, operands.q, step, from, n, group);
            let g = gathered(heads, slope, seen_width, from, n, group);
            let seen_out = gathered(heads, out, seen_width, from, n, group);
            let dots: Vec<f32> =
                g.chunks_exact(d).zip(seen_out.chunks_exact(d)).map(|(g, out)| dot(g, out)).collect();
            let totals = gathered(&Heads { width: 1, ..*heads }, total, heads.queries, from, n, group);
            let (q, g) = (Matrix::of(&q, n * shared, d), Matrix::of(&g, n * shared, d));
            let mut to_q = vec![0.0; n * shared * d];
            for key in all.clone().step_by(KEYS) {
                let keys = KEYS.min(all.end - key);
                let (weights, slopes) = (&mut weights[..n * shared * keys], &mut slopes[..n * shared * keys]);
                let (k, v) = (k.rows(key, keys), v.rows(key, keys));
                let scale = heads.scale as f32;
                let replaced = There::Replaced;
                product(MatrixMut::of(weights, n * shared, keys), replaced, q, k.transposed(), scale);
                product(MatrixMut::of(slopes, n * shared, keys), replaced, g, v.transposed(), 1.0);
                let to_far = &mut part.to_far;
                vectorised(
                    #[inline(always)]
                    || {
                        let rows = weights.chunks_exact_mut(keys).zip(slopes.chunks_exact_mut(keys));
                        for (i, (weights, slopes)) in rows.enumerate() {
                            let (query, head) = (from + i / shared, group * shared + i % shared);
                            let (low, high) = sight.within(query, key, keys);
                            for side in [&mut *weights, &mut *slopes] {
                                side[..low].fill(0.0);
                                side[high..].fill(0.0);
                            }
                            let (weights, slopes) = (&mut weights[low..high], &mut slopes[low..high]);
                            if weights.is_empty() {
                                continue;
                            }
                            moved(weights, (&kept.sight, far), head, query, key + low);
                            capped(weights, heads.cap);
                            weigh(weights, slopes, totals[i], dots[i], heads.cap);
                            if let Some(distances) = &kept.sight.distances {
                                let at = head * distances.kinds.len() + distances.place(query, key + low);
                                to_far[at..].iter_mut().zip(&*slopes).for_each(|(to, slope)| *to += slope);
                            }
                        }
                    },
                );
                let (weights, slopes) =
                    (Matrix::of(weights, n * shared, keys), Matrix::of(slopes, n * shared, keys));
                let added = There::AddedTo;
                product(MatrixMut::of(&mut to_q, n * shared, d), added, slopes, k, scale);
                let to_k = MatrixMut::new(&mut part.to_keys[key * beside + group * d..], [keys, d], beside);
                product(to_k, added, slopes.transposed(), q, scale);
                let at = key * beside + (heads.groups + group) * d;
                let to_v = MatrixMut::new(&mut part.to_keys[at..], [keys, d], beside);
                product(to_v, added, weights.transposed(), g, 1.0);
            }
            let together_d = shared * d;
            for (to, to_q) in to.chunks_exact_mut(step).zip(to_q.chunks_exact(together_d)) {
                to[group * together_d..(group + 1) * together_d].copy_from_slice(to_q);
            }
        }
    }
}

/// From scores to weights, and from the weights' gradients to the scores'.
#[inline(always)]
fn weigh(weights: &mut [f32], slopes: &mut [f32], total: f32, dot: f32, cap: Option<f64>) {
    match cap {
        None => {
            for (w, s) in weights.iter_mut().zip(slopes) {
                *w = exp(*w - total);
                *s = *w * (*s - dot);
            }
        }
        Some(cap) => {
            let share = 1.0 / cap as f32;
            for (w, s) in weights.iter_mut().zip(slopes) {
                let bent = *w * share;
                *w = exp(*w - total);
                *s = *w * (*s - dot) * (1.0 - bent * bent);
            }
        }
    }
}
