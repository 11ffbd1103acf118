//! Linear layers over a single token, as when a text is written: each weight is read once, so that all threads read.

use crate::{
    layers::{Firsts, Held, Kept},
    matrix::{Matrix, MatrixMut, There, product},
    primitive::{matrix, numbers, shape},
    threads::{each, n_threads},
};

/// What the layers say of the one token of `kept`, into `y`, and the pairs' first halves, into `narrow`. There is no
/// dropout.
pub(crate) fn of_one(kept: &Kept, firsts: &Firsts, narrow: &mut [f32], y: &mut [f32], there: There) {
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
    let a = Matrix::of(&firsts.a, firsts.ranks, input).transposed();
    product(MatrixMut::of(narrow, 1, firsts.ranks), There::Replaced, Matrix::of(x, 1, input), a, 1.0);
    let (narrow, share) = (&*narrow, y.len().div_ceil(n_threads()).next_multiple_of(16).max(64));
    let (mut pieces, mut rest) = (Vec::new(), y);
    for (layer, start) in kept.layers.iter().zip(&firsts.starts) {
        let (own, others) = rest.split_at_mut(layer.out());
        let narrow = &narrow[*start..*start + layer.rank()];
        pieces.extend(own.chunks_mut(share).enumerate().map(|(i, to)| (layer, narrow, i * share, to)));
        rest = others;
    }
    each(pieces, |(layer, narrow, from, to): (&Held, &[f32], usize, &mut [f32])| {
        let n = to.len();
        layer.weight.says_of_one(from..from + n, to, there, x);
        if let Some((_, b, scale)) = &layer.pair {
            let (narrow, b) = (Matrix::of(narrow, 1, narrow.len()), matrix(b).rows(from, n).transposed());
            product(MatrixMut::of(to, 1, n), There::AddedTo, narrow, b, *scale);
        }
        if let Some(bias) = &layer.bias {
            to.iter_mut().zip(&numbers(bias)[from..]).for_each(|(y, b)| *y += b);
        }
    });
}
