//! Which row goes to training, to validation, to test.
//!
//! **Invariant:** the same groups and the same seed give the same parts on every machine and in every version; rows
//! of one group are never divided. A group is what rows share that must not be known beforehand: their prompt.

use std::collections::HashMap;

use spec::{Split, SplitFractions};

/// The part of each row, given its group.
///
/// Groups are put in an order that the seed decides, and validation and test are filled from its beginning up to
/// their fractions. A part that is asked for has at least one row as soon as there are groups enough, and training
/// always keeps one.
pub fn assign(groups: &[u64], fractions: &SplitFractions) -> Vec<Split> {
    let mut sizes: HashMap<u64, usize> = HashMap::new();
    for group in groups {
        *sizes.entry(*group).or_default() += 1;
    }
    let mut order: Vec<u64> = sizes.keys().copied().collect();
    order.sort_unstable_by_key(|group| (mix(fractions.seed ^ mix(*group)), *group));

    let mut parts: HashMap<u64, Split> = HashMap::new();
    for (split, fraction) in [(Split::Test, fractions.test), (Split::Validation, fractions.validation)] {
        if fraction <= 0.0 || order.len() - parts.len() < 2 {
            continue;
        }
        let wanted = ((groups.len() as f64 * fraction).round() as usize).max(1);
        let free: Vec<u64> = order.iter().copied().filter(|g| !parts.contains_key(g)).collect();
        let mut taken = 0;
        // The last free group is for training.
        for group in &free[..free.len() - 1] {
            let size = sizes[group];
            if taken + size <= wanted {
                taken += size;
                parts.insert(*group, split);
            }
        }
        if taken == 0
            && let Some(smallest) = free[..free.len() - 1].iter().min_by_key(|group| sizes[group])
        {
            parts.insert(*smallest, split);
        }
    }
    groups.iter().map(|group| parts.get(group).copied().unwrap_or(Split::Train)).collect()
}

/// The places of `most` of `n` things, drawn by `seed`, in their order; all of them, if there are no more.
pub fn drawn(n: usize, most: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    if most < n {
        order.sort_unstable_by_key(|place| (mix(seed ^ mix(*place as u64)), *place));
        order.truncate(most);
        order.sort_unstable();
    }
    order
}

/// SplitMix64's output function: each bit of the input changes half of the output's.
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(parts: &[Split], split: Split) -> usize {
        parts.iter().filter(|part| **part == split).count()
    }

    #[test]
    fn the_parts_of_a_seed_are_the_same_for_ever() {
        let groups: Vec<u64> = (0..12).collect();
        let parts = assign(&groups, &SplitFractions { validation: 0.25, test: 0.1, seed: 42 });
        let letters: String = parts.iter().map(|part| &part.as_str()[..2]).collect();
        expect_test::expect!["trtrvatrtrtrtrtrtrtevava"].assert_eq(&letters);
    }

    #[test]
    fn what_a_seed_draws_is_the_same_for_ever_and_from_all_over() {
        assert_eq!(drawn(3, 5, 1), [0, 1, 2]);
        let (one, other) = (drawn(1000, 100, 42), drawn(1000, 100, 43));
        assert_eq!((one.len(), other.len()), (100, 100));
        assert!(one != other && one == drawn(1000, 100, 42));
        assert!(one.is_sorted() && one[..] != (0..100).collect::<Vec<_>>()[..]);
        let late = one.iter().filter(|place| **place >= 500).count();
        assert!((35..65).contains(&late), "{late} of the second half");
        expect_test::expect!["[2, 9, 11]"].assert_eq(&format!("{:?}", drawn(12, 3, 42)));
    }

    #[test]
    fn two_rows_are_enough_for_a_validation_row() {
        for n in [2, 3, 9] {
            let groups: Vec<u64> = (0..n).collect();
            let parts = assign(&groups, &SplitFractions { validation: 0.01, test: 0.0, seed: 1 });
            assert_eq!(count(&parts, Split::Validation), 1, "{n} rows");
        }
        assert_eq!(assign(&[7], &SplitFractions::default()), [Split::Train]);
        assert_eq!(assign(&[], &SplitFractions::default()), []);
    }

    proptest! {
        #[test]
        fn no_prompt_is_on_two_sides_and_training_keeps_a_row(
            groups in prop::collection::vec(0u64..40, 1..200),
            validation in 0.0..0.5f64, test in 0.0..0.4f64, seed: u64
        ) {
            let parts = assign(&groups, &SplitFractions { validation, test, seed });
            let mut side = HashMap::new();
            for (group, part) in groups.iter().zip(&parts) {
                prop_assert_eq!(*side.entry(group).or_insert(part), part);
            }
            prop_assert!(count(&parts, Split::Train) > 0);
            if validation > 0.0 && test == 0.0 && side.len() > 1 {
                prop_assert!(count(&parts, Split::Validation) > 0);
            }
        }

        #[test]
        fn rows_of_their_own_are_divided_as_asked(n in 50usize..400, seed: u64) {
            let groups: Vec<u64> = (0..n as u64).collect();
            let parts = assign(&groups, &SplitFractions { validation: 0.1, test: 0.2, seed });
            prop_assert_eq!(count(&parts, Split::Validation), (n as f64 * 0.1).round() as usize);
            prop_assert_eq!(count(&parts, Split::Test), (n as f64 * 0.2).round() as usize);
        }
    }
}
