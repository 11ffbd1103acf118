//! Quick, Standard and Thorough: how much to do, and in which portions.

use spec::{Asked, Because, Chosen, DeviceKind, Effort};

use crate::{
    DeviceFacts,
    rows::Rows,
    time::Speed,
    words::{count, counted, duration, times},
};

/// What an effort spends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    pub effort: Effort,
    /// Of the adapter.
    pub rank: u32,
    /// Times through the data, where time allows.
    pub epochs: f64,
    /// Fewer steps teach too little to be seen; small data is repeated until then.
    pub least_steps: f64,
    /// Seconds that training should not pass.
    pub secs: f64,
    /// Tokens that rows should not pass.
    pub context: u32,
    /// Validation examples that a look should not pass; 0 is all of them.
    pub looked_at: u32,
    /// More often than this, small data is learned by heart.
    pub most_epochs: f64,
    /// Rows that should be behind one step, where they are not packed.
    pub step_rows: f64,
}

impl Budget {
    pub(crate) fn of(effort: Effort) -> Self {
        let (rank, epochs, least_steps, secs, context, looked_at) = match effort {
            Effort::Quick => (8, 1.0, 30.0, 5.0 * 60.0, 512, 200),
            Effort::Standard => (16, 3.0, 60.0, 2.0 * 3600.0, 2048, 0),
            Effort::Thorough => (32, 5.0, 120.0, 12.0 * 3600.0, 8192, 0),
        };
        let (most_epochs, step_rows) = (MOST_EPOCHS, STEP_ROWS);
        Self { effort, rank, epochs, least_steps, secs, context, looked_at, most_epochs, step_rows }
    }

    /// The same for a model that answers with a head: one that is made new has all to learn, and its examples are short
    /// and each teaches one thing.
    pub(crate) fn of_head(effort: Effort) -> Self {
        let least_steps = match effort {
            Effort::Quick => 100.0,
            Effort::Standard => 400.0,
            Effort::Thorough => 800.0,
        };
        Self { least_steps, step_rows: HEAD_STEP_ROWS, ..Self::of(effort) }
    }
}

/// More often than this, small data is learned by heart.
const MOST_EPOCHS: f64 = 20.0;
/// Even where time is short.
const LEAST_STEPS: f64 = 10.0;
/// A step learns from about so many tokens, or so many rows, whichever is fewer rows.
const STEP_TOKENS: f64 = 2048.0;
const STEP_ROWS: f64 = 8.0;
/// The batch of most recipes for classifiers.
const HEAD_STEP_ROWS: f64 = 16.0;

/// Rows that should be behind one step.
pub(crate) fn rows_per_step(rows: &Rows, packing: bool, budget: &Budget) -> u32 {
    let goal = if packing { (STEP_TOKENS / rows.tokens).round() } else { budget.step_rows };
    goal.min(rows.n).clamp(1.0, budget.step_rows) as u32
}

/// Rows at once: as many as run side by side, and no more than fit. `joined` says that a thread takes several rows at
/// once, which short texts want.
pub(crate) fn batch_size(
    device: &DeviceFacts,
    goal: u32,
    joined: bool,
    fits: impl Fn(u32) -> bool,
    is_short: impl Fn(u32) -> bool,
) -> Chosen<u32> {
    let wanted = match device.info.kind {
        DeviceKind::Cpu if !joined => goal.min(device.n_threads.max(1)),
        _ => goal,
    };
    let mut batch = wanted;
    while batch > 1 && !fits(batch) {
        batch /= 2;
    }
    let in_memory = batch;
    while batch > 1 && !is_short(batch) {
        batch /= 2;
    }
    let because = match device.info.kind {
        _ if batch < in_memory => Because::Measured(format!(
            "{} at once would keep the adapter busy for too long at a time",
            counted(u64::from(in_memory), "row")
        )),
        _ if batch < wanted => Because::Measured(format!("{wanted} rows at once do not fit into memory")),
        DeviceKind::Cpu if !joined && batch == device.n_threads => Because::Measured(format!(
            "one row for each of the {}",
            counted(u64::from(batch), "processor thread")
        )),
        _ => Because::Follows(format!("all {} of a step at once", counted(u64::from(goal), "row"))),
    };
    Chosen::new(batch, because)
}

/// Batches that make up the rows of a step.
pub(crate) fn gradient_accumulation(batch: u32, goal: u32, rows: &Rows) -> Chosen<u32> {
    let value = goal.div_ceil(batch.max(1)).max(1);
    let in_all = u64::from(value) * u64::from(batch);
    let tokens = count((in_all as f64 * rows.tokens).round() as u64);
    let why =
        format!("makes {} and about {tokens} tokens a step, which keeps it steady", counted(in_all, "row"));
    Chosen::new(value, Because::Follows(why))
}

/// Epochs and steps. `step_rows` rows are behind a step.
pub(crate) fn length(
    asked: &Asked,
    budget: &Budget,
    rows: &Rows,
    step_rows: f64,
    speed: Speed,
) -> (Chosen<f64>, Chosen<u32>) {
    let per_epoch = (rows.n / step_rows).ceil().max(1.0);
    let once = counted(per_epoch as u64, "step");
    let to_steps = |epochs: f64| (epochs * per_epoch).ceil().clamp(1.0, 1e7) as u32;
    let to_epochs = |steps: u32| ((f64::from(steps) / per_epoch * 1e3).round() / 1e3).clamp(0.001, 1000.0);
    let follows = |epochs: f64| {
        let each = if epochs == 1.0 { "" } else { " each" };
        Because::Follows(format!("{} through the data, {once}{each}", times(epochs)))
    };
    match (asked.epochs, asked.max_steps) {
        (Some(epochs), Some(steps)) => {
            (Chosen::new(epochs, Because::Asked), Chosen::new(steps, Because::Asked))
        }
        (Some(epochs), None) => {
            (Chosen::new(epochs, Because::Asked), Chosen::new(to_steps(epochs), follows(epochs)))
        }
        (None, Some(steps)) => {
            let why = format!(
                "{}, and once through the data takes {}",
                counted(u64::from(steps), "step"),
                count(per_epoch as u64)
            );
            (Chosen::new(to_epochs(steps), Because::Follows(why)), Chosen::new(steps, Because::Asked))
        }
        (None, None) => {
            let (epochs, because) = open_epochs(budget, per_epoch, &once);
            let steps = to_steps(epochs);
            let step_secs = step_rows * rows.tokens / speed.tokens_per_sec;
            let in_time = (budget.secs / step_secs).floor();
            let most = in_time.max(LEAST_STEPS) as u32;
            if steps <= most {
                return (Chosen::new(epochs, because), Chosen::new(steps, follows(epochs)));
            }
            let limit = if in_time < LEAST_STEPS {
                format!("fewer than {LEAST_STEPS} steps teach nothing")
            } else {
                format!("{} trains for about {}", budget.effort, duration(budget.secs))
            };
            let cut = format!("{limit}, and once through the data takes {once}");
            let why = format!(
                "about {} at an expected {} tokens a second; {} through the data would be {}",
                duration(f64::from(most) * step_secs),
                count(speed.tokens_per_sec.round() as u64),
                times(epochs),
                counted(u64::from(steps), "step"),
            );
            (Chosen::new(to_epochs(most), Because::Follows(cut)), Chosen::new(most, Because::Measured(why)))
        }
    }
}

fn open_epochs(budget: &Budget, per_epoch: f64, once: &str) -> (f64, Because) {
    let most = budget.most_epochs;
    let repeated = (budget.least_steps / per_epoch).ceil().min(most);
    if repeated > budget.epochs {
        let why = if repeated < most {
            format!(
                "once through your data takes {once}, and fewer than {} in all teach little",
                budget.least_steps
            )
        } else {
            format!("once through your data takes {once}, and more than {most} times is learning by heart")
        };
        (repeated, Because::Measured(why))
    } else {
        (budget.epochs, Because::Effort(budget.effort))
    }
}
