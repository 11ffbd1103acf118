//! How often the page hears of progress, and how long it will take still.
//!
//! **Invariant:** at most ten times a second, the first and the last word of each part always; a time left only once
//! it is more than a guess.

use std::time::{Duration, Instant};

use engine::Progress;
use spec::TaskProgress;

const GAP: Duration = Duration::from_millis(100);
/// Before that, the pace is that of a start.
const SURE: Duration = Duration::from_millis(1500);

/// Of one call.
#[derive(Default)]
pub struct Pace {
    part: Option<Part>,
}

/// What goes on under one name: its pace says nothing of the next.
struct Part {
    doing: String,
    since: Instant,
    from: u64,
    told: Instant,
}

impl Pace {
    /// What to tell of it, if it is time.
    pub fn told(&mut self, progress: &Progress) -> Option<TaskProgress> {
        self.at(progress.told(), Instant::now())
    }

    fn at(&mut self, mut now: TaskProgress, at: Instant) -> Option<TaskProgress> {
        let Some(part) = self.part.as_mut().filter(|part| part.doing == now.doing) else {
            self.part = Some(Part { doing: now.doing.clone(), since: at, from: now.done, told: at });
            return Some(now);
        };
        let is_last = now.total == Some(now.done);
        if !is_last && at.duration_since(part.told) < GAP {
            return None;
        }
        part.told = at;
        let (spent, made) = (at.duration_since(part.since), now.done.saturating_sub(part.from));
        if SURE <= spent && made > 0 {
            let secs_each = spent.as_secs_f64() / made as f64;
            now.secs_left = now.total.map(|total| total.saturating_sub(now.done) as f64 * secs_each);
        }
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use spec::TaskUnit;

    use super::*;

    fn word(done: u64) -> TaskProgress {
        TaskProgress {
            doing: "Reading".into(),
            done,
            total: Some(100),
            unit: TaskUnit::Bytes,
            secs_left: None,
        }
    }

    #[test]
    fn the_page_is_told_ten_times_a_second_and_of_the_end() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let told: Vec<u64> = (0..=100)
            .filter(|done| pace.at(word(*done), start + Duration::from_millis(5 * done)).is_some())
            .collect();
        assert_eq!(told, [0, 20, 40, 60, 80, 100]);
    }

    #[test]
    fn the_time_left_is_that_of_the_pace_once_it_is_known() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut at = |done, secs| pace.at(word(done), start + Duration::from_secs(secs)).unwrap().secs_left;
        // Twenty were there before: a download that goes on.
        assert_eq!([at(20, 0), at(30, 1), at(60, 4)], [None, None, Some(4.0)]);
    }

    #[test]
    fn another_part_begins_anew() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let _ = pace.at(word(50), start);
        let other = TaskProgress { doing: "Writing".into(), ..word(1) };
        assert!(pace.at(other, start + Duration::from_millis(1)).is_some());
    }
}
