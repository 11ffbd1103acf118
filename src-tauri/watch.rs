//! Follows the list of runs for the page.
//!
//! **Invariant:** one watch lives at a time (a page that was loaded again starts a new one), and it says each thing
//! once, at most four times a second.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use spec::{ApiError, RunRow};

use crate::line::Line;

/// Between two looks.
pub const PACE: Duration = Duration::from_millis(250);

/// What the page hears.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunsUpdate {
    /// All runs, newest first.
    Runs {
        /// One for each.
        rows: Vec<RunRow>,
    },
    /// They cannot be read just now; the watch goes on.
    Trouble {
        /// What happened and what to do.
        error: ApiError,
    },
}

/// Who may watch: whoever asked last.
#[derive(Default)]
pub struct Watch(Mutex<Arc<Line<RunsUpdate>>>);

impl Watch {
    /// A new watch; the one before ends at its next look.
    pub fn take_over(&self) -> Turn {
        let mine = Arc::new(Line::default());
        std::mem::replace(&mut *self.lock(), mine.clone()).close();
        Turn(mine)
    }

    /// Where the newest watch is heard.
    pub fn line(&self) -> Arc<Line<RunsUpdate>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Line<RunsUpdate>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to watch, until somebody takes over.
pub struct Turn(Arc<Line<RunsUpdate>>);

impl Turn {
    /// Tells it in the place of what was not heard yet; whether anybody may still hear it.
    pub fn tell(&self, update: RunsUpdate) -> bool {
        self.0.correct(update)
    }

    /// Waits for `pace`; whether to go on then.
    pub fn pause(&self, pace: Duration) -> bool {
        thread::sleep(pace);
        !self.0.is_closed()
    }
}

/// Tells what `list` holds, at first and after each change, until `pause` says that it is enough or `tell` that nobody
/// listens any more.
pub fn follow(
    list: &dyn Fn() -> Result<Vec<RunRow>, ApiError>,
    mut pause: impl FnMut() -> bool,
    mut tell: impl FnMut(RunsUpdate) -> bool,
) {
    let mut said = None;
    loop {
        let now = match list() {
            Ok(rows) => RunsUpdate::Runs { rows },
            Err(error) => RunsUpdate::Trouble { error },
        };
        if said.as_ref() != Some(&now) {
            if !tell(now.clone()) {
                return;
            }
            said = Some(now);
        }
        if !pause() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use spec::Code;

    use super::*;

    /// What is told of lists that come one after the other; the listener leaves after `patience` updates.
    fn told(lists: &[Result<Vec<RunRow>, ApiError>], patience: usize) -> Vec<&'static str> {
        let looks = Cell::new(0);
        let mut heard = Vec::new();
        follow(
            &|| {
                looks.set(looks.get() + 1);
                lists[looks.get() - 1].clone()
            },
            || looks.get() < lists.len(),
            |update| {
                heard.push(match update {
                    RunsUpdate::Runs { .. } => "runs",
                    RunsUpdate::Trouble { .. } => "trouble",
                });
                heard.len() < patience
            },
        );
        heard
    }

    fn locked() -> Result<Vec<RunRow>, ApiError> {
        Err(ApiError::new(Code::Busy, "the database is locked"))
    }

    #[test]
    fn what_has_not_changed_is_said_once() {
        assert_eq!(told(&[Ok(vec![]), Ok(vec![]), Ok(vec![])], 9), ["runs"]);
    }

    #[test]
    fn trouble_is_told_and_so_is_its_end() {
        assert_eq!(told(&[Ok(vec![]), locked(), locked(), Ok(vec![])], 9), ["runs", "trouble", "runs"]);
    }

    #[test]
    fn nobody_is_told_after_the_listener_left() {
        assert_eq!(told(&[Ok(vec![]), locked(), Ok(vec![])], 1), ["runs"]);
    }

    #[test]
    fn who_asks_last_watches_alone() {
        let watch = Watch::default();
        let first = watch.take_over();
        assert!(first.pause(Duration::ZERO), "nobody else has asked");
        let second = watch.take_over();
        assert!(!first.pause(Duration::ZERO), "the second took over");
        assert!(second.pause(Duration::ZERO));
    }
}
