//! Following a run: live, afterwards, or both; it is the same reading of the same log.

use std::{ops::ControlFlow, thread, time::Duration};

use runfolder::Tail;
use spec::{ApiError, RunId, RunStatus, Stamped};

use crate::{Engine, errors::AtTheEdge};

/// At most ten batches a second.
const PACE: Duration = Duration::from_millis(100);

impl Engine {
    /// Hands over every event from `from_seq` on, in batches, until the run is over, paused or interrupted, or until
    /// `each` breaks. Gives back where the run stands then. Blocks; a run that waits in the queue is waited for.
    ///
    /// # Errors
    /// When the run is not there or its log cannot be read.
    pub fn follow(
        &self,
        id: RunId,
        from_seq: u64,
        mut each: impl FnMut(&[Stamped]) -> ControlFlow<()>,
    ) -> Result<RunStatus, ApiError> {
        let mut tail = Tail::from_start(&self.home().run(id));
        loop {
            // Looked at before the log is read: when nobody writes any more, what is read then is all.
            let over = self.is_over(id)?;
            loop {
                let mut batch = tail.read().at_the_edge()?;
                if batch.is_empty() {
                    break;
                }
                batch.retain(|stamped| from_seq <= stamped.seq);
                if !batch.is_empty() && each(&batch).is_break() {
                    return self.status(id);
                }
            }
            if over {
                return self.status(id);
            }
            thread::sleep(PACE);
        }
    }

    /// The place of the next event: what to follow from for those who know the story so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn next_seq(&self, id: RunId) -> Result<u64, ApiError> {
        let mut tail = Tail::from_start(&self.home().run(id));
        let mut next = 0;
        while let Some(last) = tail.read().at_the_edge()?.last() {
            next = last.seq + 1;
        }
        Ok(next)
    }

    /// That nobody will write to the log unless the run is resumed.
    fn is_over(&self, id: RunId) -> Result<bool, ApiError> {
        let waits = matches!(self.status(id)?, RunStatus::Queued | RunStatus::Running);
        Ok(!waits && !self.inner.alive(id))
    }
}
