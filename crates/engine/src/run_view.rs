//! A run as its page shows it.

use std::path::Path;

use runfolder::story;
use spec::{ApiError, ExportRecord, RunId, RunView};

use crate::{Engine, errors::AtTheEdge};

impl Engine {
    /// All that a run's page starts from; [`follow_on`](Self::follow_on) from `next_seq` brings it up to date.
    ///
    /// # Errors
    /// When the run is not there, or its log cannot be read.
    pub fn run_view(&self, id: RunId) -> Result<RunView, ApiError> {
        self.inner.catch_up(id)?;
        // The curves hold all before `next_seq` and nothing after, so that no step is missing and none comes twice.
        let (series, next_seq) = self.inner.store.series_until(id).at_the_edge()?;
        let story = story(&self.home().run(id), next_seq).at_the_edge()?;
        let detail = self.run(id)?;
        Ok(RunView {
            n_steps: series.steps.len() as u64,
            series: series.thinned(),
            memory: self.inner.store.memory(id).at_the_edge()?,
            folder: self.home().run(id).path().display().to_string(),
            story,
            next_seq,
            stop_at_ms: self.stop_at_ms(id, detail.row.status),
            exports: self.exports(id)?,
            detail,
        })
    }

    /// What was exported of a run, newest first, and whether it still lies there.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn exports(&self, id: RunId) -> Result<Vec<ExportRecord>, ApiError> {
        let mut exports = self.inner.store.exports(id).at_the_edge()?;
        if exports.is_empty() {
            return Ok(exports);
        }
        let job = runfolder::read_job(&self.home().run(id)).at_the_edge()?;
        for export in &mut exports {
            let folder = Path::new(&export.path);
            export.there = folder.join("README.md").is_file();
            export.snippet = export::snippet(export.form, &job.plan, &job.model, folder);
        }
        Ok(exports)
    }
}
