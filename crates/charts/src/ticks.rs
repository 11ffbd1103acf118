//! Round numbers along an axis, and how they are written.

/// About `n` round numbers between `low` and `high`; three at least, where round numbers give them.
pub(crate) fn linear(low: f64, high: f64, n: f64) -> Vec<f64> {
    let width = high - low;
    if width <= 0.0 || !width.is_finite() {
        return vec![low];
    }
    let magnitude = 10f64.powf((width / n.max(1.0)).log10().floor());
    let first = |step: f64| (low / step).ceil();
    let count = |step: f64| (high / step).floor() - first(step) + 1.0;
    let misses = |step: &f64| (count(*step) - n).abs() + if count(*step) < 3.0 { n } else { 0.0 };
    let steps = [10.0, 5.0, 2.0, 1.0].map(|factor| factor * magnitude);
    let step = steps.into_iter().min_by(|a, b| misses(a).total_cmp(&misses(b))).unwrap_or(magnitude);
    (0..count(step).clamp(1.0, 50.0) as u32).map(|i| (first(step) + f64::from(i)) * step).collect()
}

/// Steps are whole.
pub(crate) fn whole(low: u32, high: u32, n: f64) -> Vec<f64> {
    let mut ticks = linear(f64::from(low), f64::from(high), n);
    ticks.retain(|tick| tick.fract() == 0.0);
    ticks
}

/// 1, 2 and 5 times the powers of ten where that gives enough; else as [`linear`]. Both ends are positive.
pub(crate) fn logarithmic(low: f64, high: f64, n: f64) -> Vec<f64> {
    let decades = high.log10() - low.log10();
    let factors: &[f64] = if decades > n { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let from = low.log10().floor() as i32;
    let to = (high.log10().ceil() as i32).min(from.saturating_add(80));
    let every = (decades / n).ceil().max(1.0) as usize;
    let ticks: Vec<f64> = (from..=to)
        .step_by(every)
        .flat_map(|exponent| factors.iter().map(move |factor| factor * 10f64.powi(exponent)))
        .filter(|tick| (low..=high).contains(tick))
        .collect();
    if ticks.len() >= 3 { ticks } else { linear(low, high, n) }
}

/// All with the decimals that tell them apart.
pub(crate) fn labels(ticks: &[f64]) -> Vec<String> {
    let step = ticks.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(f64::INFINITY, f64::min);
    let largest = ticks.iter().fold(0f64, |largest, tick| largest.max(tick.abs()));
    ticks
        .iter()
        .map(|&tick| {
            if largest >= 1e6 || (largest > 0.0 && step < 1e-6) {
                return format!("{tick:.1e}");
            }
            let decimals =
                if step.is_finite() { (-(step * 1.001).log10().floor()).clamp(0.0, 7.0) } else { 2.0 };
            format!("{:.*}", decimals as usize, tick + 0.0)
        })
        .collect()
}

/// `12,000`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Three significant digits.
pub(crate) fn three_digits(value: f64) -> String {
    let size = value.abs();
    if size >= 1e6 || (size > 0.0 && size < 1e-3) {
        return format!("{value:.2e}");
    }
    let decimals = if size > 0.0 { (2.0 - size.log10().floor()).clamp(0.0, 6.0) } else { 0.0 };
    format!("{value:.*}", decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_carry_round_numbers() {
        let linear = |low, high| labels(&linear(low, high, 5.0)).join(" ");
        assert_eq!(linear(1.13, 4.52), "2 3 4");
        assert_eq!(linear(0.0, 1.0), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(linear(4.11, 4.93), "4.2 4.4 4.6 4.8");
        assert_eq!(linear(2.301, 2.309), "2.302 2.304 2.306 2.308");
        let log = |low, high| labels(&logarithmic(low, high, 5.0)).join(" ");
        assert_eq!(log(0.8, 12.0), "1 2 5 10");
        assert_eq!(log(1.1, 1.9), "1.2 1.4 1.6 1.8");
        assert_eq!(whole(0, 3, 6.0), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(
            [three_digits(1.2345), three_digits(0.04321), three_digits(123.4)],
            ["1.23", "0.0432", "123"]
        );
    }
}
