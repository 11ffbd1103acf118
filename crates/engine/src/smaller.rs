//! What to do about a run that ran out of memory: it goes on with less where that comes to the same, and else another one
//! starts anew.

use plan::Smaller;
use runfolder::WorkerLock;
use spec::{ApiError, Code, Job, ModelId, Plan, RunId, RunSpec, RunStatus, SmallerRun};
use store::RunRecord;

use crate::{Engine, Watch, advice::asked_for, errors::AtTheEdge, models::shape_of};

impl Engine {
    /// What a run that ran out of memory would need less with; none if nothing would help.
    ///
    /// # Errors
    /// When the run or its model is not there.
    pub fn smaller_run(&self, id: RunId) -> Result<Option<SmallerRun>, ApiError> {
        let record = self.record(id)?;
        Ok(self.smaller(&record)?.map(|(smaller, plan)| SmallerRun {
            says: smaller.says(&plan),
            frees: smaller.frees,
            same_result: smaller.same_result,
            spec: asked_instead(record, smaller),
        }))
    }

    /// Does what [`smaller_run`](Self::smaller_run) says: the run goes on from its last checkpoint, or another one starts.
    /// Which of the two it was shows in the id.
    ///
    /// # Errors
    /// When nothing would help, when the run still goes, or when another cannot be planned.
    pub fn resume_smaller(&self, id: RunId, watch: &mut Watch<'_>) -> Result<RunId, ApiError> {
        let record = self.record(id)?;
        if let RunStatus::Queued | RunStatus::Running | RunStatus::Finished = record.row.status {
            return Err(ApiError::new(Code::Usage, "The run did not break off"));
        }
        let Some((smaller, plan)) = self.smaller(&record)? else {
            return Err(ApiError::new(Code::Usage, "Nothing would need clearly less memory")
                .hint("Choose a smaller model, or close other programs and resume."));
        };
        if !smaller.same_result {
            return self.start(&asked_instead(record, smaller), watch);
        }
        let folder = self.home().run(id);
        {
            let _lock = WorkerLock::take(&folder).at_the_edge()?;
            let job = runfolder::read_job(&folder).at_the_edge()?;
            runfolder::write_job(&folder, &Job { plan: smaller.applied(&plan), ..job }).at_the_edge()?;
        }
        self.resume(id)?;
        Ok(id)
    }

    fn smaller(&self, record: &RunRecord) -> Result<Option<(Smaller, Plan)>, ApiError> {
        let job = runfolder::read_job(&self.home().run(record.row.id)).at_the_edge()?;
        let open = self.inner.known.model(&job.model)?;
        // The job's plan is the newest: one that goes on with less may have ended before its first word.
        let plan = &job.plan;
        let model = shape_of(&ModelId(plan.model.0.clone()), plan.model_hash.clone(), &open);
        let device = match record.device.clone() {
            Some(device) => device,
            None => asked_for(plan.device.value, &self.devices_or_processor())?,
        };
        let device = self.device_facts(device, &plan.model_hash)?;
        Ok(plan::smaller(plan, &model, &device).map(|smaller| (smaller, job.plan)))
    }
}

/// The same words with other knobs.
fn asked_instead(record: RunRecord, smaller: Smaller) -> RunSpec {
    RunSpec {
        name: Some(format!("{} (smaller)", record.row.name)),
        knobs: record.spec.knobs.clone().with(smaller.knobs),
        ..record.spec
    }
}
