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
        let mut tail = Tail::from_seq(&self.home().run(id), from_seq);
        loop {
            // Looked at before the log is read: when nobody writes any more, what is read then is all.
            let over = self.is_over(id)?;
            loop {
                let batch = tail.read().at_the_edge()?;
                if batch.is_empty() {
                    break;
                }
                if each(&batch).is_break() {
                    return self.status(id);
                }
            }
            if over {
                return self.status(id);
            }
            thread::sleep(PACE);
        }
    }

    /// Hands over every event from `from_seq` on, in batches, over pauses and resumes, until `each` breaks. It is asked
    /// ten times a second, with an empty batch where nothing happened, so that it can. Blocks.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn follow_on(
        &self,
        id: RunId,
        from_seq: u64,
        mut each: impl FnMut(&[Stamped]) -> ControlFlow<()>,
    ) -> Result<(), ApiError> {
        let mut tail = Tail::from_seq(&self.home().run(id), from_seq);
        while each(&tail.read().at_the_edge()?).is_continue() {
            thread::sleep(PACE);
        }
        Ok(())
    }

    /// The place of the next event: what to follow from for those who know the story so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn next_seq(&self, id: RunId) -> Result<u64, ApiError> {
        self.inner.catch_up(id)?;
        Ok(self.inner.store.series_until(id).at_the_edge()?.1)
    }

    /// That nobody will write to the log unless the run is resumed.
    fn is_over(&self, id: RunId) -> Result<bool, ApiError> {
        let waits = matches!(self.status(id)?, RunStatus::Queued | RunStatus::Running);
        Ok(!waits && !self.inner.alive(id))
    }
}
