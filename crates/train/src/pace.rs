//! How long it will still take.

use std::time::Instant;

/// Steps before a forecast is given: the first ones warm caches up.
const UNSURE: u32 = 3;

/// Wall time per step, late steps counting more.
#[derive(Debug)]
pub(crate) struct Pace {
    last: Instant,
    steps: u32,
    secs_per_step: f64,
    secs_per_look: f64,
}

impl Pace {
    pub(crate) fn start() -> Self {
        Self { last: Instant::now(), steps: 0, secs_per_step: 0.0, secs_per_look: 0.0 }
    }

    /// Seconds since the last lap.
    pub(crate) fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let secs = now.duration_since(self.last).as_secs_f64();
        self.last = now;
        secs
    }

    pub(crate) fn stepped(&mut self, secs: f64) {
        let weight = if self.steps == 0 { 1.0 } else { 0.1_f64.max(1.0 / f64::from(self.steps + 1)) };
        self.secs_per_step += (secs - self.secs_per_step) * weight;
        self.steps += 1;
    }

    pub(crate) fn looked(&mut self, secs: f64) {
        self.secs_per_look = secs;
    }

    /// Seconds for so many steps and looks; unknown at first.
    pub(crate) fn left(&self, steps: u32, looks: u32) -> Option<f64> {
        (self.steps >= UNSURE)
            .then(|| f64::from(steps) * self.secs_per_step + f64::from(looks) * self.secs_per_look)
    }
}
