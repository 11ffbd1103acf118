//! What a step costs, part by part, if that was asked: the first steps but one are recorded.

use std::{path::Path, time::Duration};

use kernels::trace;
use spec::{PartCost, Profile, RunEvent};

use crate::{TrainError, Workers};

/// Steps that are recorded. One is left out before: it warms up caches, and graphics adapters compile in it.
const STEPS: u32 = 3;

/// Records steps and says what they cost.
pub(crate) struct Profiler<'a> {
    file: &'a Path,
    lanes: u32,
    threads: u32,
    warm: bool,
    measured: u32,
    secs: f64,
}

impl<'a> Profiler<'a> {
    /// That writes each piece of work into `file`.
    pub(crate) fn new(file: &'a Path, workers: &Workers) -> Self {
        let [lanes, threads] = workers.lanes_and_threads();
        Self { file, lanes, threads, warm: false, measured: 0, secs: 0.0 }
    }

    /// Before a step; `last` if no other follows it, when it is recorded cold.
    pub(crate) fn begin(&mut self, last: bool) {
        match (self.warm || last, self.measured) {
            (true, 0) => trace::record(),
            (true, _) => trace::go_on(),
            (false, _) => {}
        }
    }

    /// After a step of `secs`. Tells the costs when enough was recorded or nothing more comes.
    pub(crate) fn end(&mut self, secs: f64, last: bool) -> Result<Option<RunEvent>, TrainError> {
        if !self.warm && !last {
            self.warm = true;
            return Ok(None);
        }
        trace::hold();
        self.measured += 1;
        self.secs += secs;
        if self.measured < STEPS && !last {
            return Ok(None);
        }
        let recorded = trace::taken();
        atomic::write_whole(self.file, recorded.to_json().as_bytes())?;
        let each = |time: Duration| time.as_secs_f64() / f64::from(self.measured);
        let profile = Profile {
            steps: self.measured,
            secs: self.secs / f64::from(self.measured),
            lanes: self.lanes,
            threads: self.threads,
            parts: recorded
                .totals()
                .into_iter()
                .map(|(name, time)| PartCost { name: name.to_owned(), secs: each(time) })
                .collect(),
            product_secs: each(recorded.in_products),
            product_flop: recorded.flop as f64 / f64::from(self.measured),
        };
        let trace = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Some(RunEvent::Profiled { profile, trace }))
    }
}
