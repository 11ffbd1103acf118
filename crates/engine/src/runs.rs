//! Runs: start, pause, resume, stop now or later; list, show, rename, delete, duplicate.

use std::path::PathBuf;

use runfolder::{EventLog, WorkerLock};
use spec::{
    ApiError, Code, Control, EndReason, Job, Plan, RunDetail, RunEvent, RunId, RunRow, RunSpec, RunStatus,
    SampledAt, SavedAt, Series, Wish,
};
use store::{NewRun, RunRecord};
use uuid::Uuid;

use crate::{APP_VERSION, Engine, clock, errors::AtTheEdge, find};

/// A run that was planned and can start.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// What was asked, verbatim.
    pub spec: RunSpec,
    /// What will be done.
    pub plan: Plan,
    /// The folder or GGUF file of the base model.
    pub model: PathBuf,
    /// The folder of the data set's version.
    pub data: PathBuf,
    /// As it is called when the person gave no name.
    pub name: String,
}

impl Engine {
    /// Keeps the run and starts it as soon as its device is free.
    ///
    /// # Errors
    /// When the disk refuses, or its worker could be started and was gone before its first word.
    pub fn begin(&self, run: &Prepared) -> Result<RunId, ApiError> {
        let id = RunId(Uuid::now_v7());
        let job = Job {
            run: id,
            plan: run.plan.clone(),
            model: run.model.clone(),
            data: run.data.clone(),
            profile: run.spec.profile,
        };
        // The folder first: a row without its folder would be a run that never can start.
        runfolder::write_job(&self.home().run(id), &job).at_the_edge()?;
        let now = clock::now_ms();
        let new = NewRun {
            id,
            name: run.spec.name.as_deref().unwrap_or(&run.name),
            spec: &run.spec,
            plan: &run.plan,
            app_version: APP_VERSION,
            created_ms: now,
        };
        self.inner.store.keep_run(&new).at_the_edge()?;
        self.start_if_free(id)?;
        Ok(id)
    }

    fn start_if_free(&self, id: RunId) -> Result<(), ApiError> {
        self.inner.start_next()?;
        let row = self.row(id)?;
        match row.error {
            Some(error) if row.status == RunStatus::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// Asks a run to save and be put aside. Returns at once; the run says when it is paused.
    ///
    /// # Errors
    /// When it neither runs nor waits.
    pub fn pause(&self, id: RunId) -> Result<(), ApiError> {
        self.ask(id, Control::Pause)
    }

    /// Asks a run to save and end; what was learned is kept. A run that is paused or was interrupted ends at its last
    /// checkpoint.
    ///
    /// # Errors
    /// When it is over already, or has nothing to keep.
    pub fn stop(&self, id: RunId) -> Result<(), ApiError> {
        match self.status(id)? {
            RunStatus::Queued | RunStatus::Running => self.ask(id, Control::Stop),
            RunStatus::Paused | RunStatus::Interrupted | RunStatus::Failed => self.end_at_last_checkpoint(id),
            RunStatus::Stopped | RunStatus::Finished => {
                Err(ApiError::new(Code::Usage, "The run is over already"))
            }
        }
    }

    /// Asks a run to save and end at a moment to come (milliseconds since 1970, UTC), or takes that back. What is
    /// asked stands in the run's folder, so it holds though no engine is open; a pause or a stop before that goes
    /// first, and after a pause it is forgotten.
    ///
    /// # Errors
    /// When it neither runs nor waits.
    pub fn stop_run_at(&self, id: RunId, at_ms: Option<u64>) -> Result<(), ApiError> {
        let _guard = self.inner.lock_queue()?;
        let folder = self.home().run(id);
        match (self.status(id)?, at_ms) {
            (RunStatus::Queued | RunStatus::Running, Some(at_ms)) => {
                runfolder::ask(&folder, Wish::StopAt(at_ms)).at_the_edge()
            }
            (RunStatus::Queued | RunStatus::Running, None) => match runfolder::asked(&folder) {
                Some(Wish::StopAt(_)) => runfolder::clear(&folder).at_the_edge(),
                // A pause or a stop that is on its way stays so.
                Some(Wish::Now(_)) | None => Ok(()),
            },
            (other, _) => {
                Err(ApiError::new(Code::Usage, format!("The run does not run: it is {}", word(other))))
            }
        }
    }

    /// When a run will stop by itself.
    pub(crate) fn stop_at_ms(&self, id: RunId, status: RunStatus) -> Option<u64> {
        let goes = matches!(status, RunStatus::Queued | RunStatus::Running);
        match runfolder::asked(&self.home().run(id)).filter(|_| goes)? {
            Wish::StopAt(at_ms) => Some(at_ms),
            Wish::Now(_) => None,
        }
    }

    fn ask(&self, id: RunId, control: Control) -> Result<(), ApiError> {
        // Under the queue's lock a waiting run cannot be started between the look and the deed.
        let _guard = self.inner.lock_queue()?;
        match self.status(id)? {
            RunStatus::Queued => self.inner.store.dequeue(id, control).at_the_edge(),
            RunStatus::Running => runfolder::ask(&self.home().run(id), Wish::Now(control)).at_the_edge(),
            other => Err(ApiError::new(Code::Usage, format!("The run does not run: it is {}", word(other)))),
        }
    }

    /// Without a worker the engine narrates, under the worker's own lock.
    fn end_at_last_checkpoint(&self, id: RunId) -> Result<(), ApiError> {
        let folder = self.home().run(id);
        let _lock = WorkerLock::take(&folder).at_the_edge()?;
        let mut log = EventLog::open(&folder).at_the_edge()?;
        let saved = log.read_all().at_the_edge()?.into_iter().rev().find_map(|stamped| match stamped.event {
            RunEvent::Saved { step, checkpoint } => Some((step, checkpoint)),
            _ => None,
        });
        let (step, checkpoint) = saved.ok_or_else(|| {
            ApiError::new(Code::Usage, "The run has no checkpoint yet, so there is nothing to keep")
                .hint("Resume it, or delete it.")
        })?;
        log.append(RunEvent::Ended { reason: EndReason::Stopped, step, checkpoint }).at_the_edge()?;
        self.inner.catch_up(id)
    }

    /// Goes on from the last checkpoint, or from the beginning where there is none, as soon as the device is free.
    ///
    /// # Errors
    /// When it runs, waits, or learned all that was planned.
    pub fn resume(&self, id: RunId) -> Result<(), ApiError> {
        let refuse = |why: &str| Err(ApiError::new(Code::Usage, why));
        match self.status(id)? {
            RunStatus::Queued => return refuse("The run waits for its device already"),
            RunStatus::Running => return refuse("The run is running already"),
            RunStatus::Finished => return refuse("The run learned all that was planned"),
            RunStatus::Paused | RunStatus::Stopped | RunStatus::Failed | RunStatus::Interrupted => {}
        }
        // A worker that has said its last word still has to let go of the device.
        let folder = self.home().run(id);
        drop(WorkerLock::take(&folder).at_the_edge()?);
        // What was asked of the worker before is over: a moment to stop at, too.
        runfolder::clear(&folder).at_the_edge()?;
        self.inner.store.enqueue(id, clock::now_ms()).at_the_edge()?;
        self.start_if_free(id)
    }

    /// Where a run stands now.
    ///
    /// # Errors
    /// When it is not there.
    pub fn status(&self, id: RunId) -> Result<RunStatus, ApiError> {
        Ok(self.row(id)?.status)
    }

    pub(crate) fn row(&self, id: RunId) -> Result<RunRow, ApiError> {
        Ok(self.record(id)?.row)
    }

    pub(crate) fn record(&self, id: RunId) -> Result<RunRecord, ApiError> {
        let inner = &self.inner;
        inner.catch_up(id)?;
        inner.store.run(id, &|id| inner.alive(id)).at_the_edge()
    }

    /// All runs, newest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn runs(&self) -> Result<Vec<RunRow>, ApiError> {
        self.inner.catch_up_all()?;
        self.inner.store.runs(&|id| self.inner.alive(id)).at_the_edge()
    }

    /// The run that a person means: `last`, its id, the beginning or the end of it, or its name.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn find_run(&self, asked: &str) -> Result<RunId, ApiError> {
        let rows = self.inner.store.runs(&|_| false).at_the_edge()?;
        let candidates: Vec<_> = rows.iter().map(|row| (row.id, row.name.as_str())).collect();
        find::find("run", asked, &candidates)
    }

    /// All that is known of a run, its curves aside.
    ///
    /// # Errors
    /// When it is not there.
    pub fn run(&self, id: RunId) -> Result<RunDetail, ApiError> {
        let record = self.record(id)?;
        let (mut saved, mut warnings, mut sampled) = (Vec::new(), Vec::new(), Vec::new());
        for stamped in self.inner.store.events(id).at_the_edge()? {
            match stamped.event {
                RunEvent::Saved { step, checkpoint } => saved.push(SavedAt { step, checkpoint }),
                RunEvent::Warned { message } => warnings.push(message),
                RunEvent::Sampled { step, samples } => sampled.push(SampledAt { step, samples }),
                _ => {}
            }
        }
        Ok(RunDetail {
            row: record.row,
            spec: record.spec,
            plan: record.plan,
            app_version: record.app_version,
            device: record.device,
            parameters: record.parameters,
            saved,
            result: record.result,
            warnings,
            sampled,
        })
    }

    /// The curves of a run.
    ///
    /// # Errors
    /// When it is not there.
    pub fn series(&self, id: RunId) -> Result<Series, ApiError> {
        self.inner.catch_up(id)?;
        self.inner.store.series(id).at_the_edge()
    }

    /// Gives a run another name.
    ///
    /// # Errors
    /// When it is not there, or the name is empty.
    pub fn rename_run(&self, id: RunId, name: &str) -> Result<(), ApiError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(ApiError::new(Code::Usage, "A run needs a name"));
        }
        self.inner.store.rename_run(id, name).at_the_edge()
    }

    /// Takes a run out of the list. Nothing is removed from the disk for thirty days.
    ///
    /// # Errors
    /// When it runs or waits.
    pub fn delete_run(&self, id: RunId) -> Result<(), ApiError> {
        let _guard = self.inner.lock_queue()?;
        match self.status(id)? {
            RunStatus::Running | RunStatus::Queued => {
                Err(ApiError::new(Code::Busy, "The run is still going").hint("Pause or stop it first."))
            }
            _ => self.inner.store.delete_run(id, clock::now_ms()).at_the_edge(),
        }
    }

    /// Brings back the run that was deleted last, and says which; none if none is deleted.
    ///
    /// # Errors
    /// When the history cannot be written.
    pub fn undo_delete_run(&self) -> Result<Option<RunId>, ApiError> {
        self.inner.store.undo_delete_run().at_the_edge()
    }

    /// What was asked of a run, to ask it again: the same words, and a name that tells the two apart.
    ///
    /// # Errors
    /// When it is not there.
    pub fn duplicate_run(&self, id: RunId) -> Result<RunSpec, ApiError> {
        let record = self.record(id)?;
        Ok(RunSpec { name: Some(format!("{} (copy)", record.row.name)), ..record.spec })
    }
}

/// As a sentence has it.
fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "waiting",
        RunStatus::Running => "running",
        RunStatus::Paused => "paused",
        RunStatus::Stopped => "stopped",
        RunStatus::Finished => "finished",
        RunStatus::Failed => "failed",
        RunStatus::Interrupted => "interrupted",
    }
}
