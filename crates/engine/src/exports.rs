//! What leaves the app: an adapter or a merged model, read back before it is called done.

use std::path::Path;

use export::{Card, ExportError, Exported, IfThere, Losses, Precision};
use spec::{ApiError, Code, DeviceChoice, RunId};

use crate::{
    Engine, Progress, Watch,
    errors::{Classify, parted},
};

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportForm {
    /// A PEFT adapter folder.
    Adapter,
    /// A folder with the whole model.
    Merged(Precision),
}

impl Classify for ExportError {
    fn classify(self) -> ApiError {
        let code = match &self {
            Self::Model(_) | Self::Adapt(_) | Self::Weights(_) | Self::Text(_) => Code::BadModel,
            Self::Write(_) | Self::Folder { .. } | Self::NoSpace { .. } => Code::Disk,
            Self::NoName { .. } | Self::Exists { .. } | Self::NotAnExport { .. } => Code::Usage,
            Self::Damaged { .. } | Self::Differs { .. } => Code::Mismatch,
            Self::Cancelled => Code::Cancelled,
        };
        parted(code, &self.to_string())
    }
}

impl Engine {
    /// Exports what a run learned to the folder `target`.
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
        let tuned = self.open_run(id, DeviceChoice::Cpu, watch)?;
        let Some(taught) = tuned.taught else {
            return Err(ApiError::new(Code::NotFound, "The run has nothing to export yet"));
        };
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
        // The export opens the base itself; two in memory would be one too many.
        let device = tuned.decoder.device().clone();
        drop(tuned.decoder);
        let tuned = export::Tuned {
            base: &tuned.open.checkpoint,
            lora: &taught.lora,
            device: &device,
            tokenizer: &tuned.open.tokenizer,
            card: &card,
        };
        let watch: &mut export::Watch<'_> = &mut |p| watch(&Progress::Exporting(p));
        let done = match form {
            ExportForm::Adapter => export::adapter(tuned, target, if_there, watch),
            ExportForm::Merged(precision) => export::merged(tuned, precision, target, if_there, watch),
        };
        done.map_err(Classify::classify)
    }
}
