//! Numbers beside those that are expected.

/// Holds a number to one that is expected.
///
/// # Panics
/// If it is further away than `tolerance`, or is not a number.
#[track_caller]
pub fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected} ± {tolerance}");
}

/// Holds each number to the one that is expected in its place.
///
/// # Panics
/// If there are more or fewer, one is further away than `tolerance`, or one is not a number.
#[track_caller]
pub fn assert_close<T: Copy + Into<f64>>(found: &[T], expected: &[T], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let (found, expected) = ((*found).into(), (*expected).into());
        assert!(
            (found - expected).abs() <= tolerance,
            "{what}, at {at}: {found} is not {expected} ± {tolerance}"
        );
    }
}
