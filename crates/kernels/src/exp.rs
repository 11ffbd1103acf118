//! The exponential function as straight code that compilers turn into vector instructions, and what is made of it.

use std::f32::consts::LOG2_E;

/// Runs `work` compiled for the best vector instructions that this processor has. What it calls must be inlined.
#[inline(always)]
pub(crate) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// `eˣ`, within 2 units in the last place; 0 below -87 and at most e⁸⁸ above.
///
/// As in Cephes: `x = n·ln 2 + r` with whole `n` and `|r| ≤ ln 2 / 2`, and a polynomial for `eʳ`.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Added to a number, it leaves the nearest whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let small = x < -87.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.987_569_2e-4;
    p = p * r + 1.398_2e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    if small { 0.0 } else { y * power }
}

/// `1 / (1 + e⁻ˣ)`
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `tanh x`, within 3e-7 of it.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// The share of a normal distribution that lies below `x`, `(1 + erf(x / √2)) / 2`, within 3e-7 of it, and `e^(-x²/2)`.
///
/// By 7.1.26 of Abramowitz and Stegun, *Handbook of Mathematical Functions*.
#[inline(always)]
pub(crate) fn normal(x: f32) -> (f32, f32) {
    const NEAR: f32 = 0.231_641_9; // 0.3275911 / √2
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (1.0 + NEAR * x.abs());
    let mut p = 0.530_702_7;
    p = p * t - 0.726_576;
    p = p * t + 0.710_706_9;
    p = p * t - 0.142_248_37;
    p = p * t + 0.127_414_8;
    // Half of what `erf` lacks of 1.
    let above = p * t * bell;
    (if x < 0.0 { above } else { 1.0 - above }, bell)
}

/// `Σ a·b`, in sixteen sums side by side.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..16 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    folded(&{ sums }) + rest
}

/// `Σ sums`, halves upon halves: one after another they would wait for each other longer than a short product takes.
// A function of its own, since inlined it keeps compilers from making vectors of the loop before it.
#[inline(never)]
pub(crate) fn folded(sums: &[f32; 16]) -> f32 {
    let (mut eight, mut four) = ([0.0f32; 8], [0.0f32; 4]);
    for i in 0..8 {
        eight[i] = sums[i] + sums[i + 8];
    }
    for i in 0..4 {
        four[i] = eight[i] + eight[i + 4];
    }
    (four[0] + four[2]) + (four[1] + four[3])
}

/// `Σ a`, likewise.
#[inline(always)]
pub(crate) fn sum(a: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (a, rest) = a.as_chunks::<16>();
    for a in a {
        for i in 0..16 {
            sums[i] += a[i];
        }
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// The largest of `a`, or -∞.
#[inline(always)]
pub(crate) fn top(a: &[f32]) -> f32 {
    let mut tops = [f32::NEG_INFINITY; 16];
    let (a, rest) = a.as_chunks::<16>();
    for a in a {
        for i in 0..16 {
            tops[i] = if a[i] > tops[i] { a[i] } else { tops[i] };
        }
    }
    tops.iter().chain(rest).fold(f32::NEG_INFINITY, |top, a| top.max(*a))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error of `found` over many `x`, in units of what `allowed` says of the true value.
    fn worst(found: fn(f32) -> f32, truth: fn(f64) -> f64, allowed: fn(f64) -> f64) -> f64 {
        let xs = (-87_000..88_000).map(|i| i as f32 * 1e-3 + 3.3e-4);
        xs.map(|x| {
            let truth = truth(f64::from(x));
            (f64::from(found(x)) - truth).abs() / allowed(truth)
        })
        .fold(0.0, f64::max)
    }

    /// The share of a normal distribution below `x`, summed over thin slices from the middle.
    fn below(x: f64) -> f64 {
        const SLICES: i32 = 400;
        let end = x.clamp(-9.0, 9.0);
        let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let width = end / f64::from(SLICES);
        // Simpson's rule.
        let sum: f64 = (0..SLICES)
            .map(|i| {
                let at = f64::from(i) * width;
                density(at) + 4.0 * density(at + width / 2.0) + density(at + width)
            })
            .sum();
        0.5 + sum * width / 6.0
    }

    #[test]
    fn the_exponential_is_that_of_the_library_to_a_millionth() {
        assert!(worst(exp, f64::exp, |y| y * 1e-6) < 0.3, "relative, where it is a normal number");
        assert!(worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), |y| y * 1e-6) < 0.5);
        assert!(worst(tanh, f64::tanh, |_| 1e-6) < 0.5);
        assert!(worst(|x| normal(x).0, below, |_| 1e-6) < 0.3);
        assert!(worst(|x| normal(x).1, |x| (-0.5 * x * x).exp(), |_| 1e-6) < 0.5);
    }

    #[test]
    fn what_is_far_off_is_zero_or_large_and_what_is_no_number_stays_none() {
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-1e30), 0.0);
        assert!(exp(f32::INFINITY) > 1e38);
        assert!(exp(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn sums_are_those_of_plain_loops() {
        for n in [0, 1, 15, 16, 17, 100] {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.3).cos()).collect();
            let truth: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert!((dot(&a, &b) - truth).abs() < 1e-5, "{n}");
            assert!((sum(&a) - a.iter().sum::<f32>()).abs() < 1e-5, "{n}");
            assert_eq!(top(&a), a.iter().copied().fold(f32::NEG_INFINITY, f32::max), "{n}");
        }
    }
}
