//! Watching a run: its events as lines, as objects, or behind a bar; Ctrl-C pauses it, a second one stops it.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use engine::Engine;
use indicatif::{ProgressBar, ProgressStyle};
use spec::{ApiError, Code, RunEvent, RunFolder, RunId, RunRow, RunStatus, Score, Stamped};

use crate::{
    interrupt,
    out::{Out, duration},
    profile,
};

const GLANCE: Duration = Duration::from_millis(50);

/// What Ctrl-C means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInterrupt {
    /// Pause the run; a second one stops it.
    PauseThenStop,
    /// It ends the program, as everywhere; the run goes on by itself.
    Leave,
}

/// Follows a run from `from_seq` on until it is over. A run that failed is an error.
pub fn watch(
    engine: &Engine,
    id: RunId,
    from_seq: u64,
    on_interrupt: OnInterrupt,
    out: &mut Out,
) -> Result<RunStatus, ApiError> {
    if on_interrupt == OnInterrupt::PauseThenStop {
        interrupt::listen();
    }
    let before = interrupt::pressed();
    let bar = out.is_terminal().then(|| ProgressBar::new(0));
    if let Some(bar) = &bar {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    }
    let over = AtomicBool::new(false);
    let status = thread::scope(|scope| {
        scope.spawn(|| {
            let mut heard = before;
            while on_interrupt == OnInterrupt::PauseThenStop && !over.load(Ordering::SeqCst) {
                let pressed = interrupt::pressed();
                if heard < pressed {
                    // A run that ended meanwhile has nothing to pause: what it said is shown anyway.
                    let _ = if pressed == before + 1 { engine.pause(id) } else { engine.stop(id) };
                    heard = pressed;
                }
                thread::sleep(GLANCE);
            }
        });
        let status = engine.follow(id, from_seq, |batch| {
            for stamped in batch {
                tell(stamped, engine.home().run(id), bar.as_ref(), out);
            }
            ControlFlow::Continue(())
        });
        over.store(true, Ordering::SeqCst);
        status
    })?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    verdict(engine, id, status, out)
}

fn verdict(engine: &Engine, id: RunId, status: RunStatus, out: &mut Out) -> Result<RunStatus, ApiError> {
    let row = engine.run(id)?.row;
    match status {
        RunStatus::Failed | RunStatus::Interrupted => {
            for line in remedy(engine, &row) {
                out.remark(line);
            }
            return Err(row
                .error
                .unwrap_or_else(|| ApiError::new(Code::Internal, "The run was interrupted")));
        }
        RunStatus::Paused => {
            out.say(format!("Paused at step {}. Go on with: tunesmith runs resume {id}", row.step))
        }
        RunStatus::Stopped => out.say(format!("Stopped at step {}; what was learned is kept.", row.step)),
        RunStatus::Finished => {
            let best = row.best.map_or_else(String::new, |best| format!(", best validation loss {best:.4}"));
            out.say(format!("Finished after {} steps{best}.", row.step));
        }
        RunStatus::Queued | RunStatus::Running => out.say("The run goes on by itself."),
    }
    Ok(status)
}

/// After memory ran out: what would need less, and how to go on with it.
pub fn remedy(engine: &Engine, row: &RunRow) -> Vec<String> {
    let broke_off = matches!(row.status, RunStatus::Failed | RunStatus::Interrupted);
    if !broke_off || row.error.as_ref().is_none_or(|error| error.code != Code::OutOfMemory) {
        return Vec::new();
    }
    // A suggestion that cannot be made, since the model is gone, is none.
    let Ok(Some(smaller)) = engine.smaller_run(row.id) else { return Vec::new() };
    let how = if smaller.same_result { "Go on with it" } else { "Start anew with it" };
    vec![smaller.says, format!("{how}: tunesmith runs resume {} --with-less", row.id)]
}

fn tell(stamped: &Stamped, folder: RunFolder, bar: Option<&ProgressBar>, out: &mut Out) {
    if out.is_json() {
        // Events come from JSON; they have a JSON form.
        let _ = out.object(stamped);
        return;
    }
    if let (Some(bar), RunEvent::Stepped { step, of, .. }) = (bar, &stamped.event) {
        bar.set_length(u64::from(*of));
        bar.set_position(u64::from(*step));
        bar.set_message(line(&stamped.event).unwrap_or_default());
        return;
    }
    let said = match &stamped.event {
        RunEvent::Profiled { profile, trace } => {
            Some(profile::lines(profile, &folder.path().join(trace)).join("\n"))
        }
        event => line(event),
    };
    if let Some(line) = said {
        match bar {
            Some(bar) => bar.suspend(|| out.say(line)),
            None => out.say(line),
        }
    }
}

/// `  accuracy 0.9123  macro F1 0.8977`
pub fn scores(scores: &[Score]) -> String {
    scores.iter().map(|Score { metric, value }| format!("  {metric} {value:.4}")).collect()
}

/// An event in a line; none for those that only programs care for.
fn line(event: &RunEvent) -> Option<String> {
    Some(match event {
        RunEvent::Started { device, .. } => format!("Training on {} ({})", device.name, device.choice),
        RunEvent::Ready {
            trainable_parameters,
            total_parameters,
            n_truncated,
            n_untaught,
            resumed_at,
            ..
        } => {
            let mut line = format!("{trainable_parameters} of {total_parameters} numbers learn");
            if *n_truncated > 0 {
                line.push_str(&format!("; {n_truncated} examples are cut to the context length"));
            }
            if *n_untaught > 0 {
                line.push_str(&format!("; {n_untaught} examples teach nothing and are left out"));
            }
            if *resumed_at > 0 {
                line.push_str(&format!("; going on after step {resumed_at}"));
            }
            line
        }
        RunEvent::Stepped { step, of, loss, tokens, secs, secs_left, .. } => {
            let pace = *tokens as f64 / secs.max(1e-9);
            let left = secs_left.map_or_else(String::new, |left| format!("  {} left", duration(left)));
            format!("step {step}/{of}  loss {loss:.4}  {pace:.0} tokens/s{left}")
        }
        RunEvent::Evaluated { step, loss, best, scores: all, .. } => {
            let best = if *best { "  (best so far)" } else { "" };
            format!("step {step}  validation loss {loss:.4}{}{best}", scores(all))
        }
        RunEvent::Sampled { samples, .. } => {
            let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let each = samples
                .iter()
                .map(|sample| format!("  > {}\n    {}", one_line(&sample.prompt), one_line(&sample.output)));
            each.collect::<Vec<_>>().join("\n")
        }
        RunEvent::Warned { message } => format!("note: {message}"),
        RunEvent::Saved { .. } | RunEvent::Paused { .. } | RunEvent::Profiled { .. } => return None,
        RunEvent::Ended { .. } | RunEvent::Failed { .. } => return None,
    })
}
