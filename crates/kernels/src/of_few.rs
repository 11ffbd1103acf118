//! Linear layers over few tokens, as when several lines are written side by side or a short text is read: threads share
//! the outputs instead of the tokens, so that each weight is read, and decoded, by one of them alone.

use crate::{
    layers::{Held, Kept},
    matrix::{Matrix, MatrixMut, There, product},
    primitive::{matrix, numbers, shape},
    threads::{each, n_threads},
};

/// Some outputs of a layer.
struct Piece<'a> {
    layer: &'a Held,
    /// The first of them.
    from: usize,
    /// Where it stands among those of all layers.
    column: usize,
    /// Where the layer's pair begins among those of all layers.
    start: usize,
    /// `[tokens, outputs]`
    says: Vec<f32>,
}

/// What the layers say of the tokens of `kept`, into `y`, and the pairs' first halves, into `narrow`. There is no
/// dropout.
pub(crate) fn of_few(kept: &Kept, narrow: &mut [f32], y: &mut [f32], there: There) {
    let [tokens, width] = shape(&kept.x);
    let (x, input) = (numbers(&kept.x), kept.layers.first().map_or(0, Held::input));
    let made;
    let x = if kept.before.is_nothing() {
        x
    } else {
        let mut to = vec![0.0; tokens * input];
        kept.before.forward(x, width, &mut to);
        made = to;
        made.as_slice()
    };
    let x = Matrix::of(x, tokens, input);
    let (ranks, outs) = (narrow.len() / tokens.max(1), y.len() / tokens.max(1));
    let share = outs.div_ceil(n_threads()).next_multiple_of(16).max(64);
    let (mut pieces, mut column, mut start) = (Vec::new(), 0, 0);
    for layer in &kept.layers {
        let (out, rank) = (layer.out(), layer.rank());
        if let Some((a, _, _)) = &layer.pair {
            let to = MatrixMut::new(&mut narrow[start..], [tokens, rank], ranks);
            product(to, There::Replaced, x, matrix(a).transposed(), 1.0);
        }
        let share = if layer.weight.is_divisible() { share } else { out };
        for from in (0..out).step_by(share.max(1)) {
            let says = vec![0.0; tokens * share.min(out - from)];
            pieces.push(Piece { layer, from, column: column + from, start, says });
        }
        (column, start) = (column + out, start + rank);
    }
    let narrow = Matrix::of(narrow, tokens, ranks);
    each(pieces.iter_mut().collect(), |piece: &mut Piece<'_>| {
        let Piece { layer, from, start, says, .. } = piece;
        let n = says.len() / tokens;
        layer.weight.says_some(*from..*from + n, MatrixMut::of(says, tokens, n), x);
        if let Some((_, b, scale)) = &layer.pair {
            let (narrow, b) = (narrow.columns(*start, layer.rank()), matrix(b).rows(*from, n));
            product(MatrixMut::of(says, tokens, n), There::AddedTo, narrow, b.transposed(), *scale);
        }
        if let Some(bias) = &layer.bias {
            for says in says.chunks_exact_mut(n) {
                says.iter_mut().zip(&numbers(bias)[*from..]).for_each(|(y, b)| *y += b);
            }
        }
    });
    for Piece { column, says, .. } in pieces {
        let n = says.len() / tokens;
        for (y, says) in y.chunks_exact_mut(outs).zip(says.chunks_exact(n.max(1))) {
            let to = y[column..column + n].iter_mut().zip(says);
            match there {
                There::Replaced => to.for_each(|(y, says)| *y = *says),
                There::AddedTo => to.for_each(|(y, says)| *y += says),
            }
        }
    }
}
