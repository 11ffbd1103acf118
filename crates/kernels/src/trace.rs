//! What the parts of a step cost, if someone asked: spans of time, and the work in matrix products.
//!
//! One recording serves the process. Off, it costs a look at a flag; on, a graphics adapter's work is waited for piece by
//! piece, so that a step takes longer there than otherwise.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use burn::tensor::Device;

static ON: AtomicBool = AtomicBool::new(false);
static RECORD: Mutex<Option<Record>> = Mutex::new(None);
static PRODUCT_NANOS: AtomicU64 = AtomicU64::new(0);
static PRODUCT_FLOP: AtomicU64 = AtomicU64::new(0);
static THREADS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static THREAD: u32 = THREADS.fetch_add(1, Relaxed);
}

struct Record {
    since: Instant,
    spans: Vec<Span>,
}

/// A piece of work.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What was done.
    pub name: &'static str,
    /// By which thread, counted from 0.
    pub thread: u32,
    /// When it began, since the recording did.
    pub start: Duration,
    /// How long it took.
    pub took: Duration,
}

/// What was recorded.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// In the order in which they ended; a span may lie within another of its thread.
    pub spans: Vec<Span>,
    /// Time in matrix products, summed over the threads.
    pub in_products: Duration,
    /// Floating-point operations of these products.
    pub flop: u64,
}

/// Begins a recording; what was recorded before is gone.
pub fn record() {
    PRODUCT_NANOS.store(0, Relaxed);
    PRODUCT_FLOP.store(0, Relaxed);
    let record = Record { since: Instant::now(), spans: Vec::new() };
    *RECORD.lock().unwrap_or_else(PoisonError::into_inner) = Some(record);
    ON.store(true, Relaxed);
}

/// What is done from now on is not recorded, until [`go_on`].
pub fn hold() {
    ON.store(false, Relaxed);
}

/// Goes on with a recording that was put on hold.
pub fn go_on() {
    ON.store(true, Relaxed);
}

/// Ends the recording.
pub fn taken() -> Trace {
    ON.store(false, Relaxed);
    let record = RECORD.lock().unwrap_or_else(PoisonError::into_inner).take();
    Trace {
        spans: record.map(|record| record.spans).unwrap_or_default(),
        in_products: Duration::from_nanos(PRODUCT_NANOS.load(Relaxed)),
        flop: PRODUCT_FLOP.load(Relaxed),
    }
}

/// Does `work` under a name.
pub fn span<R>(name: &'static str, work: impl FnOnce() -> R) -> R {
    if !ON.load(Relaxed) {
        return work();
    }
    let start = Instant::now();
    let done = work();
    let took = start.elapsed();
    let thread = THREAD.with(|thread| *thread);
    if let Some(record) = RECORD.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        let start = start.saturating_duration_since(record.since);
        record.spans.push(Span { name, thread, start, took });
    }
    done
}

/// The same for work on `device`, which a graphics adapter does later by itself: while something is recorded, what was begun
/// before is waited for first, and then the work.
pub fn span_on<R>(device: &Device, name: &'static str, work: impl FnOnce() -> R) -> R {
    if !ON.load(Relaxed) {
        return work();
    }
    // A device that gave up says so where its numbers are read.
    let _ = device.sync();
    span(name, || {
        let done = work();
        let _ = device.sync();
        done
    })
}

/// Does a product of so many floating-point operations.
pub(crate) fn counted(flop: usize, work: impl FnOnce()) {
    if !ON.load(Relaxed) {
        return work();
    }
    let start = Instant::now();
    work();
    PRODUCT_NANOS.fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
    PRODUCT_FLOP.fetch_add(flop as u64, Relaxed);
}

impl Trace {
    /// Names with the time that their spans took in all, the longest first. Where spans lie within one another, time is
    /// the innermost's.
    pub fn totals(&self) -> Vec<(&'static str, Duration)> {
        let mut totals: Vec<(&'static str, Duration)> = Vec::new();
        for (i, span) in self.spans.iter().enumerate() {
            // A span ends after those within it.
            let end = span.start + span.took;
            let mut within = Duration::ZERO;
            let mut from = end;
            for inner in self.spans[..i].iter().rev().filter(|inner| inner.thread == span.thread) {
                if inner.start < span.start {
                    break;
                }
                if inner.start + inner.took <= from {
                    within += inner.took;
                    from = inner.start;
                }
            }
            let own = span.took.saturating_sub(within);
            match totals.iter_mut().find(|(name, _)| *name == span.name) {
                Some((_, total)) => *total += own,
                None => totals.push((span.name, own)),
            }
        }
        totals.sort_by_key(|(_, total)| std::cmp::Reverse(*total));
        totals
    }

    /// As a file that the trace viewers of browsers open (Chrome's trace event format).
    pub fn to_json(&self) -> String {
        let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
        let event = |span: &Span| {
            let Span { name, thread, start, took } = span;
            let (start, took) = (micros(*start), micros(*took));
            format!(r#"{{"name":"{name}","ph":"X","pid":1,"tid":{thread},"ts":{start},"dur":{took}}}"#)
        };
        let events: Vec<String> = self.spans.iter().map(event).collect();
        format!("{{\"traceEvents\":[\n{}\n]}}\n", events.join(",\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_within_a_span_is_the_inner_ones_and_the_file_is_json() {
        let span = |name, thread, start, took| Span {
            name,
            thread,
            start: Duration::from_millis(start),
            took: Duration::from_millis(took),
        };
        let spans = vec![
            span("inner", 0, 1, 2),
            span("other", 1, 0, 9),
            span("inner", 0, 4, 3),
            span("outer", 0, 0, 10),
            span("outer", 0, 10, 1),
        ];
        let trace = Trace { spans, ..Trace::default() };
        let millis = |n| Duration::from_millis(n);
        assert_eq!(trace.totals(), [("other", millis(9)), ("outer", millis(6)), ("inner", millis(5))]);
        let json: serde_json::Value = serde_json::from_str(&trace.to_json()).unwrap();
        assert_eq!(json["traceEvents"].as_array().unwrap().len(), 5);
        assert_eq!(json["traceEvents"][0]["dur"], 2000.0);
    }

    #[test]
    fn what_is_done_while_recording_is_in_the_record() {
        record();
        span("outer", || span("inner", || counted(6, || ())));
        hold();
        span("between", || counted(1, || ()));
        go_on();
        span("later", || ());
        let trace = taken();
        assert_eq!(trace.spans.iter().map(|span| span.name).collect::<Vec<_>>(), ["inner", "outer", "later"]);
        assert_eq!(trace.flop, 6);
        span("after", || ());
        assert!(taken().spans.is_empty());
    }
}
