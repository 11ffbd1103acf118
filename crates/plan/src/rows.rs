//! How examples become rows: the context length, packing, and what a row then holds.

use spec::{Because, Chosen, DeviceKind};

use crate::{
    DataFacts,
    pace::Budget,
    words::{count, percent},
};

/// The lengths offered: multiples of 64, denser where most data lies.
pub(crate) const LADDER: [u32; 19] = [
    64, 128, 192, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 16_384, 32_768,
    65_536,
];
/// The share of examples that should fit whole.
const COVERED: f64 = 0.98;
/// How full packed rows get.
const FILLED: f64 = 0.95;

/// The rows of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rows {
    /// How many.
    pub n: f64,
    /// Tokens of one, padding left out, on average.
    pub tokens: f64,
    /// Tokens of the longest.
    pub longest: u32,
}

impl Rows {
    pub(crate) fn of(data: &DataFacts, context: u32, packing: bool) -> Self {
        let n = data.n_train.max(1) as f64;
        let mean = mean_capped(&data.lengths, context).max(1.0);
        if packing {
            let rows = (n * mean / (FILLED * f64::from(context))).ceil().clamp(1.0, n);
            Self { n: rows, tokens: n * mean / rows, longest: context }
        } else {
            let longest = data.lengths.last().map_or(context, |&l| l.clamp(1, context));
            Self { n, tokens: mean, longest }
        }
    }
}

/// The shortest length of the ladder that holds nearly all examples, within what model, time and memory allow.
pub(crate) fn context(
    data: &DataFacts,
    max: u32,
    budget: &Budget,
    fits: impl Fn(u32) -> bool,
) -> Chosen<u32> {
    let Some(wanted) = quantile(&data.lengths, COVERED) else {
        let value = budget.context.min(max);
        return Chosen::new(
            value,
            Because::Usual("the lengths of your examples are not known yet".to_owned()),
        );
    };
    let rung = |least: u32| LADDER.into_iter().find(|&l| l >= least).unwrap_or(LADDER[LADDER.len() - 1]);
    let (mut value, mut limit) = (rung(wanted), None);
    if value > budget.context && wanted > budget.context {
        value = budget.context;
        limit = Some(format!("{} goes no further, for the time it takes", budget.effort));
    }
    if value > max {
        value = max;
        limit = (wanted > max).then(|| "the model takes no more".to_owned());
    }
    while let Some(&shorter) = LADDER.iter().rev().find(|&&l| l < value)
        && !fits(value)
    {
        value = shorter;
        limit = Some("more does not fit into memory".to_owned());
    }
    let covers = coverage(&data.lengths, value);
    let why = match limit {
        Some(limit) => format!("{covers}; {limit}"),
        None => covers,
    };
    Chosen::new(value, Because::Measured(why))
}

/// Packs where a typical example fills less than half a row.
pub(crate) fn packing(data: &DataFacts, context: u32) -> Chosen<bool> {
    let Some(median) = quantile(&data.lengths, 0.5) else {
        return Chosen::new(
            false,
            Because::Usual("the lengths of your examples are not known yet".to_owned()),
        );
    };
    let per_row = context / median.max(1);
    if per_row >= 2 && data.n_train > 1 {
        let why = format!(
            "half of your examples have at most {} tokens, so {per_row} or more share a row",
            count(u64::from(median))
        );
        Chosen::new(true, Because::Measured(why))
    } else {
        let why = format!(
            "half of your examples have {} tokens or more, which leaves no room to share",
            count(u64::from(median))
        );
        Chosen::new(false, Because::Measured(why))
    }
}

/// Groups where rows of one batch would otherwise be padded to twice what most of them have.
pub(crate) fn group_by_length(
    data: &DataFacts,
    context: u32,
    packing: bool,
    device: DeviceKind,
) -> Chosen<bool> {
    let off = |why: &str| Chosen::new(false, Because::Follows(why.to_owned()));
    let cut = |share| quantile(&data.lengths, share).map(|tokens| tokens.min(context));
    match (device, cut(0.5), cut(0.9)) {
        (DeviceKind::Cpu, ..) => off("the processor computes no padding"),
        _ if packing => off("rows that are shared are about as long"),
        (_, Some(half), Some(most)) if most >= 2 * half => {
            let (half, most) = (count(u64::from(half)), count(u64::from(most)));
            let why = format!(
                "half of your examples have at most {half} tokens and a tenth {most} or more, to which others would be padded"
            );
            Chosen::new(true, Because::Measured(why))
        }
        _ => off("your examples are about as long"),
    }
}

fn coverage(lengths: &[u32], context: u32) -> String {
    let longest = count(u64::from(lengths.last().copied().unwrap_or(0)));
    let whole = lengths.partition_point(|&l| l <= context);
    if whole == lengths.len() {
        format!("holds all your examples; the longest has {longest} tokens")
    } else if whole == 0 {
        let shortest = count(u64::from(lengths[0]));
        format!("cuts all your examples, of which the shortest has {shortest} tokens")
    } else {
        let share = percent(whole as f64 / lengths.len() as f64);
        format!("covers {share} of your examples; the longest has {longest} tokens")
    }
}

fn quantile(sorted: &[u32], share: f64) -> Option<u32> {
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied()
}

fn mean_capped(lengths: &[u32], context: u32) -> f64 {
    if lengths.is_empty() {
        return f64::from(context) / 2.0;
    }
    lengths.iter().map(|&l| f64::from(l.min(context))).sum::<f64>() / lengths.len() as f64
}
