//! The parts of a long task, each with the time it took.

use std::time::{Duration, Instant};

use crate::Outcome;

/// A clock over all phases.
pub struct Phases(Instant);

impl Phases {
    /// Starts the clock.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Runs one phase and says how long it took and how long all have taken.
    pub fn run<T>(&self, name: &str, phase: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        println!("== {name}");
        let start = Instant::now();
        let done = phase();
        let how = if done.is_ok() { "done" } else { "FAILED" };
        println!("== {name}: {how} in {}, {} in all\n", spoken(start.elapsed()), spoken(self.0.elapsed()));
        done.map_err(|why| format!("{name}: {why}"))
    }
}

fn spoken(time: Duration) -> String {
    match time.as_secs() {
        secs @ 0..60 => format!("{secs} s"),
        secs => format!("{} min {} s", secs / 60, secs % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!(spoken(Duration::from_millis(900)), "0 s");
        assert_eq!(spoken(Duration::from_secs(59)), "59 s");
        assert_eq!(spoken(Duration::from_secs(380)), "6 min 20 s");
    }
}
