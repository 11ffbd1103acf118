//! What leaves the app: an adapter or a merged model, read back before it is called done.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use adapt::Learner;
use export::{Card, ExportError, IfThere, Losses};
use spec::{ApiError, Code, DeviceChoice, ExportForm, Exported, Job, RunId};

use crate::{
    Engine, Progress, Watch, clock,
    errors::{AtTheEdge, Classify, disk, parted},
    models::OpenModel,
    tuned::Taught,
};

impl Classify for ExportError {
    fn classify(self) -> ApiError {
        let code = match &self {
            Self::Model(_) | Self::Adapt(_) | Self::Weights(_) | Self::Text(_) => Code::BadModel,
            Self::Write(_) | Self::Folder { .. } | Self::NoSpace { .. } => Code::Disk,
            Self::NoName { .. } | Self::Exists { .. } | Self::NotAnExport { .. } | Self::NoAdapter => {
                Code::Usage
            }
            Self::Damaged { .. } | Self::Differs { .. } => Code::Mismatch,
            Self::Cancelled => Code::Cancelled,
        };
        parted(code, &self.to_string())
    }
}

/// What a run learned, without the model that it learned beside: an export opens that itself, and two in memory would be
/// one too many.
struct Learned {
    open: Arc<OpenModel>,
    learner: Learner,
    job: Job,
    checkpoint: String,
}

impl Engine {
    fn learned_by(&self, id: RunId, watch: &mut Watch<'_>) -> Result<Learned, ApiError> {
        let job = runfolder::read_job(&self.home().run(id)).at_the_edge()?;
        let nothing = || ApiError::new(Code::NotFound, "The run has nothing to export yet");
        if !job.plan.task.value.kind().answers_with_a_head() {
            let tuned = self.open_run(id, DeviceChoice::Cpu, watch)?;
            let Taught { learner, job, checkpoint } = tuned.taught.ok_or_else(nothing)?;
            return Ok(Learned { open: tuned.open, learner, job, checkpoint });
        }
        let checkpoint = self.result_of(id)?;
        let answerer = self.open_answerer(id, DeviceChoice::Cpu, watch)?;
        let (learner, job) = answerer.taught.ok_or_else(nothing)?;
        Ok(Learned { open: answerer.open, learner, job, checkpoint })
    }

    /// Exports what a run learned to `target`, or to a folder of its own among the exports. A folder that holds other
    /// things gets the export as a new folder in it; an earlier export of this run in this form is replaced once the
    /// new one is whole.
    ///
    /// # Errors
    /// Those of [`export`](Self::export).
    pub fn export_to(
        &self,
        id: RunId,
        form: ExportForm,
        target: Option<&Path>,
        watch: &mut Watch<'_>,
    ) -> Result<Exported, ApiError> {
        let earlier = self.inner.store.exports(id).at_the_edge()?;
        let is_earlier = |place: &Path| {
            earlier.iter().any(|export| same_form(export.form, form) && Path::new(&export.path) == place)
        };
        let name = folder_name(&self.row(id)?.name, form);
        let place = match target {
            None => free(&self.home().exports(), &name, &is_earlier),
            Some(target) => {
                let target = std::path::absolute(target).map_err(disk(target))?;
                if is_earlier(&target) || is_free(&target) {
                    target
                } else {
                    free(&target, &name, &is_earlier)
                }
            }
        };
        let if_there = if is_earlier(&place) { IfThere::Replace } else { IfThere::Refuse };
        self.export(id, form, &place, if_there, watch)
    }

    /// Exports what a run learned to the folder `target`, and remembers that.
    ///
    /// # Errors
    /// When the run has nothing yet, the folder cannot be written, or what was read back differs.
    pub fn export(
        &self,
        id: RunId,
        form: ExportForm,
        target: &Path,
        if_there: IfThere,
        watch: &mut Watch<'_>,
    ) -> Result<Exported, ApiError> {
        let taught = self.learned_by(id, watch)?;
        let (detail, series) = (self.run(id)?, self.series(id)?);
        let steps = taught.checkpoint.trim_start_matches("step-").parse().unwrap_or(detail.row.step);
        let mut kept = series.steps.iter().filter(|point| point.step <= steps);
        let card = Card {
            name: detail.row.name.clone(),
            data: detail.row.data.clone(),
            base_license: hub::in_catalogue(&taught.job.plan.model.0).map(|entry| entry.licence.to_owned()),
            plan: taught.job.plan.clone(),
            losses: Losses {
                steps,
                first_training: kept.next().map(|point| point.loss),
                last_training: kept.next_back().map(|point| point.loss),
                first_validation: series.evals.first().map(|point| point.loss),
                best_validation: detail.row.best,
            },
            app_version: crate::APP_VERSION.to_owned(),
        };
        let base_path = taught.job.model.clone();
        let device = model::devices::open(DeviceChoice::Cpu);
        let device = device.map_err(|error| parted(Code::Device, &error.to_string()))?.0;
        let tuned = export::Tuned {
            base: &taught.open.checkpoint,
            learner: &taught.learner,
            device: &device,
            tokenizer: &taught.open.tokenizer,
            card: &card,
        };
        let watch: &mut export::Watch<'_> = &mut |p| watch(&Progress::Exporting(p));
        let done = match form {
            ExportForm::Adapter => export::adapter(tuned, target, if_there, watch),
            ExportForm::Merged { precision } => export::merged(tuned, precision, target, if_there, watch),
        };
        let done = done.map_err(Classify::classify)?;
        let exported = Exported {
            snippet: export::snippet(form, &taught.job.plan, &base_path, &done.path),
            path: done.path.display().to_string(),
            files: done.files,
            bytes: done.bytes,
            difference: f64::from(done.agreement.max_difference),
            moved: f64::from(done.moved),
        };
        self.inner.store.keep_export(id, form, &exported, clock::now_ms()).at_the_edge()?;
        Ok(exported)
    }
}

/// Merged models of several precisions go to one folder, one after the other.
fn same_form(a: ExportForm, b: ExportForm) -> bool {
    matches!(
        (a, b),
        (ExportForm::Adapter, ExportForm::Adapter) | (ExportForm::Merged { .. }, ExportForm::Merged { .. })
    )
}

/// Letters and digits of a run's name, in any script, and what is exported; short enough for every file system.
fn folder_name(run: &str, form: ExportForm) -> String {
    const LONGEST: usize = 60;
    let plain: String = run.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let mut name = String::new();
    for c in words.join("-").chars() {
        if name.len() + c.len_utf8() > LONGEST {
            break;
        }
        name.push(c);
    }
    let name = if name.is_empty() { "run" } else { name.trim_end_matches('-') };
    let form = match form {
        ExportForm::Adapter => "adapter",
        ExportForm::Merged { .. } => "merged",
    };
    format!("{name}-{form}")
}

/// A folder in `parent` called `name`, or `name-2` and so on, where nothing stands in the way.
fn free(parent: &Path, name: &str, is_earlier: &dyn Fn(&Path) -> bool) -> PathBuf {
    let first = std::iter::once(parent.join(name));
    let others = (2..u32::MAX).map(|n| parent.join(format!("{name}-{n}")));
    first.chain(others).find(|place| is_earlier(place) || is_free(place)).unwrap_or_else(|| parent.join(name))
}

/// That nothing is there, or an empty folder.
fn is_free(place: &Path) -> bool {
    match fs::read_dir(place) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_after_the_run_whatever_it_is_called() {
        let name = |run: &str| folder_name(run, ExportForm::Adapter);
        assert_eq!(name("letters on SmolLM2-135M"), "letters-on-SmolLM2-135M-adapter");
        assert_eq!(name("../../etc/passwd"), "etc-passwd-adapter");
        assert_eq!(name("Grüße, Ελλάδα"), "Grüße-Ελλάδα-adapter");
        assert_eq!(name("?!"), "run-adapter");
        assert!(name(&"ä".repeat(200)).len() <= 70);
        let merged = ExportForm::Merged { precision: spec::Precision::F32 };
        assert_eq!(folder_name("a", merged), "a-merged");
    }

    #[test]
    fn a_folder_that_holds_other_things_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let never = |_: &Path| false;
        let place = |n: &str| folder.path().join(n);
        assert_eq!(free(folder.path(), "a", &never), place("a"));
        fs::create_dir(place("a")).unwrap();
        assert_eq!(free(folder.path(), "a", &never), place("a"), "an empty folder is as good as none");
        fs::write(place("a").join("thesis.docx"), "").unwrap();
        assert_eq!(free(folder.path(), "a", &never), place("a-2"));
        assert_eq!(free(folder.path(), "a", &|path| path == place("a")), place("a"), "an earlier export");
    }
}
