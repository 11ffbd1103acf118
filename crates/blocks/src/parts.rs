//! A block taken apart, so that a product can be made of its whole numbers before they are scaled.

/// A block as whole numbers, and of each group of them, which are as many in each, what they are multiplied by and what
/// is then added.
#[derive(Clone, Copy, Debug)]
pub struct Parts<const LEN: usize, const GROUPS: usize> {
    /// Of the whole block.
    pub whole: [i8; LEN],
    /// One for each group.
    pub scale: [f32; GROUPS],
    /// One for each group.
    pub more: [f32; GROUPS],
}

/// Added to a number, it leaves that as it is, a zero's sign included.
pub(crate) const NOTHING: f32 = -0.0;

impl<const LEN: usize, const GROUPS: usize> Parts<LEN, GROUPS> {
    /// Numbers that are to be filled in, with nothing to be added.
    #[inline(always)]
    pub(crate) fn none() -> Self {
        Self { whole: [0; LEN], scale: [0.0; GROUPS], more: [NOTHING; GROUPS] }
    }

    /// The numbers that they come to.
    #[inline(always)]
    pub fn numbers(&self, out: &mut [f32; LEN]) {
        let groups = out.chunks_exact_mut(LEN / GROUPS).zip(self.whole.chunks_exact(LEN / GROUPS));
        for ((out, whole), (scale, more)) in groups.zip(self.scale.iter().zip(&self.more)) {
            let whole = if GROUPS > 1 { one(whole) } else { whole };
            for (out, whole) in out.iter_mut().zip(whole) {
                *out = scale * f32::from(*whole) + more;
            }
        }
    }
}

/// One of several by itself: without this, compilers gather the first numbers of all, then the second ones, which takes
/// five times as long.
#[inline(always)]
pub(crate) fn one<T: ?Sized>(of_several: &T) -> &T {
    std::hint::black_box(of_several)
}
