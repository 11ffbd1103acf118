//! Loops compiled for the best that this processor has: wide vectors, multiplying and adding in one step, and
//! instructions that read halves.

use blocks::half;

use crate::exp::vectorised;

/// What a processor does with numbers.
pub(crate) trait Arithmetic: Copy {
    /// `a·b + c`, rounded once where the processor does both in one step.
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32;

    /// Reads two halves that lie side by side.
    fn halves(self, bytes: [u8; 4]) -> [f32; 2];
}

/// Work over numbers that is compiled for each kind of processor.
pub(crate) trait Work {
    /// What comes of it.
    type Out;

    /// What it calls must be inlined, as it must be itself.
    fn with(self, arithmetic: impl Arithmetic) -> Self::Out;
}

/// Does the work with the best that this processor has.
pub(crate) fn with_best<W: Work>(work: W) -> W::Out {
    #[cfg(target_arch = "x86_64")]
    let work = match x86::with_best(work) {
        Ok(done) => return done,
        Err(work) => work,
    };
    with_plain(work)
}

/// Does it as every processor can.
pub(crate) fn with_plain<W: Work>(work: W) -> W::Out {
    vectorised(
        #[inline(always)]
        || work.with(Plain),
    )
}

/// In each way that this processor can, the plain one first.
#[cfg(test)]
pub(crate) fn in_each_way<W: Work + Clone>(work: &W) -> Vec<W::Out> {
    let plain = with_plain(work.clone());
    #[cfg(target_arch = "x86_64")]
    let more = x86::in_each_way(work);
    #[cfg(not(target_arch = "x86_64"))]
    let more = Vec::new();
    std::iter::once(plain).chain(more).collect()
}

#[derive(Clone, Copy)]
struct Plain;

impl Arithmetic for Plain {
    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        // In one step only where every processor of the kind has it: elsewhere it is a call.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) { a.mul_add(b, c) } else { a * b + c }
    }

    #[inline(always)]
    fn halves(self, [a, b, c, d]: [u8; 4]) -> [f32; 2] {
        [half([a, b]), half([c, d])]
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::{
        arch::{
            is_x86_feature_detected,
            x86_64::{_mm_cvtph_ps, _mm_cvtsi32_si128, _mm_cvtss_f32, _mm_movehdup_ps},
        },
        sync::LazyLock,
    };

    use super::{Arithmetic, Work};

    /// How wide the vectors are.
    #[derive(Clone, Copy, PartialEq)]
    enum Width {
        Of512,
        Of256,
        Other,
    }

    static WIDTH: LazyLock<Width> = LazyLock::new(|| {
        let has_256 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        let has_512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match (has_256, has_512) {
            (true, true) => Width::Of512,
            (true, false) => Width::Of256,
            (false, _) => Width::Other,
        }
    });

    pub(super) fn with_best<W: Work>(work: W) -> Result<W::Out, W> {
        match *WIDTH {
            // SAFETY: the processor was found to have all that the function is compiled for.
            Width::Of512 => Ok(unsafe { of_512(work) }),
            // SAFETY: as above.
            Width::Of256 => Ok(unsafe { of_256(work) }),
            Width::Other => Err(work),
        }
    }

    #[cfg(test)]
    pub(super) fn in_each_way<W: Work + Clone>(work: &W) -> Vec<W::Out> {
        let mut done = Vec::new();
        if *WIDTH != Width::Other {
            // SAFETY: the processor was found to have all that the function is compiled for.
            done.push(unsafe { of_256(work.clone()) });
        }
        if *WIDTH == Width::Of512 {
            // SAFETY: as above.
            done.push(unsafe { of_512(work.clone()) });
        }
        done
    }

    #[target_feature(enable = "avx2,bmi2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
    fn of_512<W: Work>(work: W) -> W::Out {
        work.with(Fused(()))
    }

    #[target_feature(enable = "avx2,bmi2,fma,f16c")]
    fn of_256<W: Work>(work: W) -> W::Out {
        work.with(Fused(()))
    }

    /// **Invariant:** there is one only within functions that are compiled for FMA and F16C.
    #[derive(Clone, Copy)]
    struct Fused(());

    impl Arithmetic for Fused {
        #[inline(always)]
        fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
            a.mul_add(b, c)
        }

        #[inline(always)]
        fn halves(self, bytes: [u8; 4]) -> [f32; 2] {
            // SAFETY: whoever has a `Fused` runs on a processor with F16C.
            unsafe { halves(bytes) }
        }
    }

    #[target_feature(enable = "f16c,sse3")]
    #[inline]
    fn halves(bytes: [u8; 4]) -> [f32; 2] {
        let both = _mm_cvtph_ps(_mm_cvtsi32_si128(i32::from_le_bytes(bytes)));
        [_mm_cvtss_f32(both), _mm_cvtss_f32(_mm_movehdup_ps(both))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Halves<'a>(&'a [u8]);

    impl Work for Halves<'_> {
        type Out = Vec<f32>;

        #[inline(always)]
        fn with(self, arithmetic: impl Arithmetic) -> Vec<f32> {
            self.0.as_chunks().0.iter().flat_map(|bytes| arithmetic.halves(*bytes)).collect()
        }
    }

    #[derive(Clone)]
    struct Sums<'a>(&'a [f32]);

    impl Work for Sums<'_> {
        type Out = Vec<f32>;

        #[inline(always)]
        fn with(self, arithmetic: impl Arithmetic) -> Vec<f32> {
            self.0.windows(3).map(|x| arithmetic.mul_add(x[0], x[1], x[2])).collect()
        }
    }

    #[test]
    fn every_half_is_read_alike() {
        let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let truth: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| half(*bytes)).collect();
        for found in in_each_way(&Halves(&bytes)) {
            assert_eq!(found.len(), truth.len());
            for (bits, (found, truth)) in found.iter().zip(&truth).enumerate() {
                let same = found.to_bits() == truth.to_bits() || found.is_nan() && truth.is_nan();
                assert!(same, "{bits:#06x}: {found}, {truth}");
            }
        }
    }

    #[test]
    fn products_and_sums_are_within_a_rounding() {
        let numbers: Vec<f32> = (0..500).map(|i| (i as f32 * 0.37).sin()).collect();
        let truth = || numbers.windows(3).map(|x| f64::from(x[0]) * f64::from(x[1]) + f64::from(x[2]));
        for found in in_each_way(&Sums(&numbers)) {
            assert_eq!(found.len(), 498);
            for (found, truth) in found.into_iter().zip(truth()) {
                assert!((f64::from(found) - truth).abs() < 2e-7, "{found}, {truth}");
            }
        }
    }
}
