//! Work over the threads of the pool that the caller runs in.

use rayon::prelude::*;

/// Threads that share the work.
pub(crate) fn n_threads() -> usize {
    rayon::current_num_threads().max(1)
}

/// Runs each piece of work once, at the same time where there are threads.
pub(crate) fn each<T: Send>(pieces: Vec<T>, work: impl Fn(T) + Sync) {
    if n_threads() == 1 || pieces.len() < 2 {
        return pieces.into_iter().for_each(work);
    }
    let work = &work;
    rayon::scope(|scope| {
        for piece in pieces {
            scope.spawn(move |_| work(piece));
        }
    });
}

/// The same for work so short that handing it out counts.
pub(crate) fn each_short<T: Send>(pieces: Vec<T>, work: impl Fn(T) + Sync + Send) {
    if n_threads() == 1 || pieces.len() < 2 {
        return pieces.into_iter().for_each(work);
    }
    pieces.into_par_iter().with_max_len(1).for_each(work);
}

/// Rows that a thread gets of `n`: all are about as many, whole blocks of 16, and no fewer than pay.
pub(crate) fn share(n: usize) -> usize {
    n.div_ceil(n_threads()).next_multiple_of(16).max(64)
}
