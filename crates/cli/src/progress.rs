//! How far anything is: a bar on a terminal, a line now and then elsewhere, nothing for programs.

use std::{fmt::Write, ops::ControlFlow, time::Duration};

use engine::{Exporting, Progress};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::{
    interrupt,
    out::{Out, duration},
};

/// A shorter wait is not announced.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// A bar that takes the engine's word. Dropping it clears it.
pub struct Bar {
    bar: Option<ProgressBar>,
    told: Option<String>,
    quiet: bool,
}

/// What is counted.
#[derive(Clone, Copy)]
enum Unit {
    /// Nothing: it just takes its time.
    None,
    Bytes,
    Pieces,
}

impl Bar {
    /// Listens to Ctrl-C from now on: it cancels.
    pub fn new(out: &Out) -> Self {
        interrupt::listen();
        Self { bar: out.is_terminal().then(|| ProgressBar::new(0)), told: None, quiet: out.is_json() }
    }

    /// Shows it.
    pub fn show(&mut self, progress: &Progress) -> ControlFlow<()> {
        let (what, unit, done, total) = said(progress);
        let changed = self.told.as_deref() != Some(&*what);
        match &self.bar {
            Some(bar) => {
                if changed {
                    bar.reset();
                    bar.set_style(style(unit));
                    bar.set_message(what.clone());
                }
                bar.set_length(total);
                bar.set_position(done);
            }
            None if changed && !self.quiet => say(&what),
            None => {}
        }
        if changed {
            self.told = Some(what);
        }
        interrupt::going()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn said(progress: &Progress) -> (String, Unit, u64, u64) {
    let (what, unit, done, total) = match progress {
        Progress::Downloading(p) => {
            return (format!("Downloading {}", p.file), Unit::Bytes, p.done, p.total.unwrap_or(0));
        }
        Progress::Hashing { done, total } => ("Reading the weights", Unit::Bytes, *done, *total),
        Progress::Importing(p) => ("Reading the data", Unit::Bytes, p.done, p.total),
        Progress::Tokenising(p) => ("Measuring the data", Unit::Pieces, p.done, p.total),
        Progress::Opening => ("Opening the model", Unit::None, 0, 0),
        Progress::Evaluating { done, total } => ("Evaluating", Unit::Pieces, *done, *total),
        Progress::Exporting(Exporting::Writing { done, total }) => ("Writing", Unit::Pieces, *done, *total),
        Progress::Exporting(Exporting::ReadingBack { done, total }) => {
            ("Reading back and comparing", Unit::Pieces, *done, *total)
        }
    };
    (what.to_owned(), unit, done, total)
}

fn style(unit: Unit) -> ProgressStyle {
    let template = match unit {
        Unit::None => "{msg}…",
        Unit::Bytes => "{msg} {wide_bar} {bytes}/{total_bytes}{left}",
        Unit::Pieces => "{msg} {wide_bar} {percent}%{left}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("left", |state: &ProgressState, to: &mut dyn Write| {
        let left = state.eta();
        if left > WORTH_SAYING {
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(to, "  {} left", duration(left.as_secs_f64()));
        }
    })
}

#[allow(clippy::print_stderr, reason = "standard error is where progress goes")]
fn say(what: &str) {
    eprintln!("{what}…");
}
