//! The same as `split.rs` for rows with labels: each part has its share of every label, and training has every label.
//!
//! **Invariant:** the same rows and the same seed give the same parts on every machine; rows of one group are never
//! divided; a label that any row has stands in a row for training, unless another group took the row elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use spec::{Split, SplitFractions};

use crate::split::{assign, mix};

/// The part of each row, given its group and its one label.
pub(crate) fn assign_by_label(groups: &[u64], labels: &[u32], fractions: &SplitFractions) -> Vec<Split> {
    // A group goes with the label of its first row.
    let (mut sizes, mut label_of) = (HashMap::<u64, usize>::new(), HashMap::new());
    for (group, label) in groups.iter().zip(labels) {
        *sizes.entry(*group).or_default() += 1;
        label_of.entry(*group).or_insert(*label);
    }
    let mut by_label: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for (group, label) in &label_of {
        by_label.entry(*label).or_default().push(*group);
    }
    for order in by_label.values_mut() {
        order.sort_unstable_by_key(|group| (mix(fractions.seed ^ mix(*group)), *group));
    }

    let mut parts: HashMap<u64, Split> = HashMap::new();
    for (split, fraction) in [(Split::Test, fractions.test), (Split::Validation, fractions.validation)] {
        if fraction <= 0.0 {
            continue;
        }
        let (mut carried, mut taken_in_all) = (0.0, 0);
        for order in by_label.values() {
            let rows: usize = order.iter().map(|group| sizes[group]).sum();
            // What one label could not give, the next one does, so that the whole has its share.
            let wanted = (rows as f64 * fraction + carried).max(0.0);
            let mut free: Vec<u64> = order.iter().copied().filter(|g| !parts.contains_key(g)).collect();
            // The last one is for training.
            free.pop();
            let mut taken = 0;
            for group in free {
                if (taken + sizes[&group]) as f64 <= wanted.round() {
                    taken += sizes[&group];
                    parts.insert(group, split);
                }
            }
            // A label with one row has none to give, and another cannot give what would unbalance it.
            carried = (wanted - taken as f64).clamp(-1.0, 1.0);
            taken_in_all += taken;
        }
        if taken_in_all == 0 {
            let left = |order: &&Vec<u64>| order.iter().filter(|g| !parts.contains_key(g)).count() > 1;
            let donor = by_label.values().filter(left).flatten().filter(|g| !parts.contains_key(g));
            if let Some(smallest) = donor.min_by_key(|group| (sizes[*group], **group)).copied() {
                parts.insert(smallest, split);
            }
        }
    }
    let assigned: Vec<Split> =
        groups.iter().map(|group| parts.get(group).copied().unwrap_or(Split::Train)).collect();
    // Where every label has one row only, a part that is asked for would be empty.
    let is_empty = |split, fraction: f64| fraction > 0.0 && !assigned.contains(&split);
    if is_empty(Split::Test, fractions.test) || is_empty(Split::Validation, fractions.validation) {
        return assign(groups, fractions);
    }
    assigned
}

/// The part of each row, given its group and its set of labels (an index into `sets`): as [`assign`], but that what
/// only rows set aside would have goes to training.
pub(crate) fn assign_keeping_labels(
    groups: &[u64],
    rows: &[u32],
    sets: &[Vec<u32>],
    fractions: &SplitFractions,
) -> Vec<Split> {
    let mut parts = assign(groups, fractions);
    let of = |row: usize| &sets[rows[row] as usize];
    let mut taught: BTreeSet<u32> =
        (0..rows.len()).filter(|row| parts[*row] == Split::Train).flat_map(|row| of(row).clone()).collect();
    let mut members: HashMap<u64, Vec<usize>> = HashMap::new();
    for (row, group) in groups.iter().enumerate() {
        members.entry(*group).or_default().push(row);
    }
    for row in 0..rows.len() {
        if parts[row] != Split::Train && of(row).iter().any(|label| !taught.contains(label)) {
            for member in &members[&groups[row]] {
                parts[*member] = Split::Train;
                taught.extend(of(*member));
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(parts: &[Split], split: Split) -> usize {
        parts.iter().filter(|part| **part == split).count()
    }

    #[test]
    fn each_label_gives_its_share_and_a_rare_one_stays_for_training() {
        // 60 of label 0, 30 of label 1, 9 of label 2, one of label 3.
        let labels: Vec<u32> = [(0, 60), (1, 30), (2, 9), (3, 1)]
            .into_iter()
            .flat_map(|(label, n)| std::iter::repeat_n(label, n))
            .collect();
        let groups: Vec<u64> = (0..100).collect();
        let parts =
            assign_by_label(&groups, &labels, &SplitFractions { validation: 0.1, test: 0.2, seed: 42 });
        let share =
            |split, label| (0..100).filter(|row| parts[*row] == split && labels[*row] == label).count();
        assert_eq!([0, 1, 2, 3].map(|label| share(Split::Test, label)), [12, 6, 2, 0]);
        assert_eq!([0, 1, 2, 3].map(|label| share(Split::Validation, label)), [6, 3, 1, 0]);
        assert_eq!(share(Split::Train, 3), 1);
    }

    #[test]
    fn a_part_that_is_asked_for_has_a_row_even_if_every_label_is_alone() {
        let (groups, labels): (Vec<u64>, Vec<u32>) = ((0..5).collect(), (0..5).collect());
        let parts = assign_by_label(&groups, &labels, &SplitFractions::default());
        assert_eq!(count(&parts, Split::Validation), 1);
    }

    proptest! {
        #[test]
        fn every_label_is_taught_and_the_shares_are_kept(
            rows in prop::collection::vec(0u32..6, 40..300), validation in 0.05..0.3f64, test in 0.0..0.3f64, seed: u64
        ) {
            let groups: Vec<u64> = (0..rows.len() as u64).collect();
            let parts = assign_by_label(&groups, &rows, &SplitFractions { validation, test, seed });
            for label in rows.iter().collect::<BTreeSet<_>>() {
                prop_assert!((0..rows.len()).any(|row| rows[row] == *label && parts[row] == Split::Train));
            }
            for (split, fraction) in [(Split::Validation, validation), (Split::Test, test)] {
                let wanted = rows.len() as f64 * fraction;
                prop_assert!((count(&parts, split) as f64 - wanted).abs() <= 2.0, "{} {wanted}", count(&parts, split));
            }
        }

        #[test]
        fn no_row_is_set_aside_whose_label_is_not_taught(
            rows in prop::collection::vec((0u64..30, 0u32..8), 2..80), validation in 0.1..0.5f64, seed: u64
        ) {
            let sets: Vec<Vec<u32>> = (0..8).map(|label| vec![label, label / 2]).collect();
            let (groups, rows): (Vec<u64>, Vec<u32>) = rows.into_iter().unzip();
            let parts = assign_keeping_labels(&groups, &rows, &sets, &SplitFractions { validation, test: 0.2, seed });
            let taught: BTreeSet<u32> = (0..rows.len())
                .filter(|row| parts[*row] == Split::Train)
                .flat_map(|row| sets[rows[row] as usize].clone())
                .collect();
            let mut side = HashMap::new();
            for row in 0..rows.len() {
                prop_assert!(sets[rows[row] as usize].iter().all(|label| taught.contains(label)));
                prop_assert_eq!(*side.entry(groups[row]).or_insert(parts[row]), parts[row]);
            }
        }
    }
}
