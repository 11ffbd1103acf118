//! How far anything is: a bar on a terminal, a line now and then elsewhere, nothing for programs.

use std::ops::ControlFlow;

use engine::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{interrupt, out::Out};

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
        let (what, done, total) = match progress {
            Progress::Downloading(p) => (format!("Downloading {}", p.file), p.done, p.total.unwrap_or(0)),
            Progress::Hashing { done, total } => ("Reading the weights".to_owned(), *done, *total),
            Progress::Tokenising => ("Measuring the data".to_owned(), 0, 0),
            Progress::Opening => ("Opening the model".to_owned(), 0, 0),
            Progress::Evaluating { done, total } => ("Evaluating".to_owned(), *done, *total),
            Progress::Exporting => ("Writing, reading back and comparing".to_owned(), 0, 0),
        };
        let changed = self.told.as_ref() != Some(&what);
        match &self.bar {
            Some(bar) => {
                if changed {
                    bar.set_style(style(progress));
                    bar.set_message(what.clone());
                }
                bar.set_length(total);
                bar.set_position(done);
            }
            None if changed && !self.quiet => say(&what),
            None => {}
        }
        self.told = Some(what);
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

fn style(progress: &Progress) -> ProgressStyle {
    let template = match progress {
        Progress::Downloading(_) | Progress::Hashing { .. } => "{msg} {wide_bar} {bytes}/{total_bytes} {eta}",
        Progress::Evaluating { .. } => "{msg} {wide_bar} {percent}% {eta}",
        Progress::Tokenising | Progress::Opening | Progress::Exporting => "{msg}…",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[allow(clippy::print_stderr, reason = "standard error is where progress goes")]
fn say(what: &str) {
    eprintln!("{what}…");
}
