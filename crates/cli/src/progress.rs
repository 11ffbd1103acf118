//! How far anything is: a bar on a terminal, a line now and then elsewhere, nothing for programs.

use std::{fmt::Write, ops::ControlFlow, time::Duration};

use engine::Progress;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use spec::{TaskProgress, TaskUnit};

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

impl Bar {
    /// Listens to Ctrl-C from now on: it cancels.
    pub fn new(out: &Out) -> Self {
        interrupt::listen();
        Self { bar: out.is_terminal().then(|| ProgressBar::new(0)), told: None, quiet: out.is_json() }
    }

    /// Shows it.
    pub fn show(&mut self, progress: &Progress) -> ControlFlow<()> {
        let TaskProgress { doing, done, total, unit, secs_left: _ } = progress.told();
        let changed = self.told.as_deref() != Some(&*doing);
        match &self.bar {
            Some(bar) => {
                if changed {
                    bar.reset();
                    bar.set_style(style(unit));
                    bar.set_message(doing.clone());
                }
                bar.set_length(total.unwrap_or(0));
                bar.set_position(done);
            }
            None if changed && !self.quiet => say(&doing),
            None => {}
        }
        if changed {
            self.told = Some(doing);
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

fn style(unit: TaskUnit) -> ProgressStyle {
    let template = match unit {
        TaskUnit::None => "{msg}…",
        TaskUnit::Bytes => "{msg} {wide_bar} {bytes}/{total_bytes}{left}",
        TaskUnit::Pieces => "{msg} {wide_bar} {percent}%{left}",
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
