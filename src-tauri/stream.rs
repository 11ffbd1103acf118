//! The events of one run, for the page that shows it.

use std::{ops::ControlFlow, thread};

use spec::{ApiError, Code, RunId, Stamped};

use crate::{
    TheEngine,
    line::{Lines, Speaker},
    tasks::Stop,
};

/// The logs that pages follow, by the numbers of their tasks.
pub type Streams = Lines<Vec<Stamped>>;

/// Follows on a thread of its own until `stop` is asked for or the page is gone. Returns at once.
///
/// # Errors
/// When there is no thread to be had.
pub fn run(
    engine: TheEngine,
    stop: Stop,
    id: RunId,
    from_seq: u64,
    events: Speaker<Vec<Stamped>>,
) -> Result<(), ApiError> {
    let follow = move || {
        let told = engine.get()?.follow_on(id, from_seq, |batch| {
            let heard = batch.is_empty() || events.say(batch.to_vec(), || stop.is_asked());
            if stop.is_asked() || !heard { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // A run whose folder is gone has nothing more to say; its page was told when it was opened.
        told.map(drop)
    };
    thread::Builder::new()
        .name("follow-run".into())
        .spawn(move || drop::<Result<(), ApiError>>(follow()))
        .map(drop)
        .map_err(|e| ApiError::new(Code::Internal, format!("the run cannot be followed: {e}")))
}
