//! A word of the system's at the end of a run, for whoever does not look at the window.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use spec::{RunId, RunRow, RunStatus};
use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_notification::NotificationExt;

use crate::{TheEngine, window};

/// What was said of runs last.
#[derive(Default)]
pub struct Ends {
    before: Mutex<HashMap<RunId, RunStatus>>,
    /// The last run that was told of: whom a pressed notification means.
    told: Mutex<Option<RunId>>,
}

impl Ends {
    /// Of `rows`, those that trained when they were looked at last and do not any more.
    fn of<'a>(&self, rows: &'a [RunRow]) -> Vec<&'a RunRow> {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let over = |row: &&RunRow| {
            let now = row.status;
            let trained = before.get(&row.id) == Some(&RunStatus::Running);
            trained && !matches!(now, RunStatus::Running | RunStatus::Queued | RunStatus::Paused)
        };
        let ended = rows.iter().filter(over).collect();
        *before = rows.iter().map(|row| (row.id, row.status)).collect();
        ended
    }

    /// The run that was told of last.
    pub fn told(&self) -> Option<RunId> {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of runs that ended, if that is wanted and nobody looks.
pub fn look<R: Runtime>(app: &AppHandle<R>, rows: &[RunRow]) {
    let ends = app.state::<Ends>();
    for row in ends.of(rows) {
        let wanted = app.state::<TheEngine>().get().and_then(|engine| engine.settings());
        if !wanted.is_ok_and(|settings| settings.notify) || !window::is_out_of_sight(app) {
            continue;
        }
        *ends.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(row.id);
        let (title, body) = words(row);
        // A desktop without notifications has the list of runs still.
        let _ = app.notification().builder().title(title).body(body).show();
    }
}

fn words(row: &RunRow) -> (String, String) {
    let what = match row.status {
        RunStatus::Failed => "failed",
        RunStatus::Interrupted => "was interrupted",
        RunStatus::Stopped => "was stopped; what it learned is kept",
        _ => "has finished",
    };
    let body = match (&row.error, row.best.or(row.loss)) {
        (Some(error), _) => [Some(error.message.clone()), error.hint.clone()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
        (None, Some(loss)) => format!("Loss {loss:.2} after {} steps.", row.step),
        (None, None) => String::new(),
    };
    (format!("“{}” {what}", row.name), body)
}

#[cfg(test)]
mod tests {
    use spec::ModelId;
    use uuid::Uuid;

    use super::*;

    fn row(status: RunStatus) -> RunRow {
        RunRow {
            id: RunId(Uuid::nil()),
            name: "Support replies".into(),
            model: ModelId("m".into()),
            data: "d".into(),
            task: spec::TaskKind::Write,
            status,
            created_ms: 0,
            queued_ms: None,
            step: 40,
            of: Some(40),
            loss: Some(1.5),
            best: Some(1.25),
            score: None,
            secs_left: None,
            losses: vec![],
            error: None,
        }
    }

    #[test]
    fn only_a_run_that_was_seen_training_and_is_over_is_told_of() {
        let ends = Ends::default();
        let mut told = |status| ends.of(&[row(status)]).len();
        use RunStatus::{Finished, Interrupted, Paused, Queued, Running};
        let said = [Finished, Queued, Running, Running, Paused, Running, Finished, Finished].map(&mut told);
        assert_eq!(said, [0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!([Running, Interrupted].map(&mut told), [0, 1]);
    }

    #[test]
    fn the_word_says_what_came_of_it() {
        assert_eq!(
            words(&row(RunStatus::Finished)),
            ("“Support replies” has finished".into(), "Loss 1.25 after 40 steps.".into())
        );
    }
}
