//! The learning rate of each step, as transformers' schedulers have it.

use spec::Schedule;

/// The learning rate of the step after `step` are done, of `steps` in all: a rise from 0 over `warmup` steps, then
/// what the schedule says.
pub fn learning_rate(schedule: Schedule, peak: f64, step: u32, steps: u32, warmup: u32) -> f64 {
    if step < warmup {
        return peak * f64::from(step) / f64::from(warmup.max(1));
    }
    let t = f64::from(step - warmup) / f64::from(steps.saturating_sub(warmup).max(1));
    match schedule {
        Schedule::Constant => peak,
        Schedule::Linear => peak * (1.0 - t).max(0.0),
        Schedule::Cosine => peak * 0.5 * (1.0 + (std::f64::consts::PI * t).cos()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_with_warm_up_is_that_of_transformers() {
        // transformers.get_cosine_schedule_with_warmup, peak 2e-3, 4 of 20 steps
        let expected = [0.0, 0.0005, 0.001, 0.0015, 0.002, 0.0019807852804032307, 0.0019238795325112869];
        for (step, lr) in expected.into_iter().enumerate() {
            assert!(
                (learning_rate(Schedule::Cosine, 2e-3, step as u32, 20, 4) - lr).abs() < 1e-12,
                "step {step}"
            );
        }
    }

    #[test]
    fn linear_ends_at_zero_and_constant_never_falls() {
        assert_eq!(learning_rate(Schedule::Linear, 1.0, 10, 10, 0), 0.0);
        assert_eq!(learning_rate(Schedule::Linear, 1.0, 5, 10, 0), 0.5);
        assert_eq!(learning_rate(Schedule::Constant, 1.0, 9, 10, 2), 1.0);
    }
}
