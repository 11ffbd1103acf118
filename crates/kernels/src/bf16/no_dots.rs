//! A processor for which Rust has no dot products of bfloat16.

use std::ops::Range;

use super::{Halves, Pair, Step, Summed, Tile};

/// There are none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dots {}

impl Dots {
    pub(crate) fn here() -> Option<Self> {
        None
    }

    pub(super) fn pack_across(self, _: Halves<'_>, _: Range<usize>, _: Summed, _: &mut [Step]) {
        match self {}
    }

    pub(super) fn tile<const N: usize>(self, _: [&[Pair]; N], _: &[Step], _: Tile<'_>) {
        match self {}
    }
}
