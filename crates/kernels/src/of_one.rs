//! Linear layers over a single token, as when a text is written: each weight is read once, so that all threads read.

use crate::{
    layers::{Held, Kept},
    matrix::{Matrix, MatrixMut, There, product},
    primitive::{matrix, numbers, shape},
    threads::{each_short, n_threads},
};

/// Pieces that each thread gets, so that one that is held up leaves something to the others.
const PIECES: usize = 2;

/// What the layers say of the one token of `kept`, into `y`, and the pairs' first halves, into `narrow`. There is no
/// dropout.
pub(crate) fn of_one(kept: &Kept, narrow: &mut [f32], y: &mut [f32], there: There) {
    let (x, input) = (numbers(&kept.x), kept.layers.first().map_or(0, Held::input));
    let made;
    let x = if kept.before.is_nothing() {
        x
    } else {
        let mut to = vec![0.0; input];
        kept.before.forward(x, shape(&kept.x)[1], &mut to);
        made = to;
        made.as_slice()
    };
    let share = y.len().div_ceil(PIECES * n_threads()).next_multiple_of(16).max(64);
    let (mut pieces, mut rest, mut narrow) = (Vec::new(), y, narrow);
    for layer in &kept.layers {
        let (first, others) = narrow.split_at_mut(layer.rank());
        if let Some((a, _, _)) = &layer.pair {
            let (x, a) = (Matrix::of(x, 1, input), matrix(a).transposed());
            product(MatrixMut::of(first, 1, layer.rank()), There::Replaced, x, a, 1.0);
        }
        let first = &*first;
        let (own, more) = rest.split_at_mut(layer.out());
        pieces.extend(own.chunks_mut(share).enumerate().map(|(i, to)| (layer, first, i * share, to)));
        (rest, narrow) = (more, others);
    }
    each_short(pieces, |(layer, first, from, to): (&Held, &[f32], usize, &mut [f32])| {
        let n = to.len();
        layer.weight.says_of_one(from..from + n, to, there, x);
        if let Some((_, b, scale)) = &layer.pair {
            let (first, b) = (Matrix::of(first, 1, first.len()), matrix(b).rows(from, n).transposed());
            product(MatrixMut::of(to, 1, n), There::AddedTo, first, b, *scale);
        }
        if let Some(bias) = &layer.bias {
            to.iter_mut().zip(&numbers(bias)[from..]).for_each(|(y, b)| *y += b);
        }
    });
}
