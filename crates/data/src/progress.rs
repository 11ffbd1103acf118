//! How far something is that takes longer than a moment, and whether it should go on.

use std::ops::ControlFlow;

/// How far it is: bytes of the files that are imported, or examples that are tokenised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// So many are done.
    pub done: u64,
    /// Of so many.
    pub total: u64,
}

/// Told how far it is; `Break` cancels.
pub type Watch<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// A [`Watch`] for those who do not.
pub fn unwatched(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
