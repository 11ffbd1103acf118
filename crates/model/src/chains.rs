//! Which texts stand behind one another in one row, so that little of it is filled up.

use burn::tensor::Device;

/// Rows for texts of these lengths: for each the places of its texts, and how wide they are. Where attention looks for
/// itself who sees whom, all stand in one row, and nothing is filled up.
pub(crate) fn chained(lengths: &[usize], device: &Device) -> (Vec<Vec<usize>>, usize) {
    match kernels::looks_for_itself(device) && !lengths.is_empty() {
        true => (vec![(0..lengths.len()).collect()], lengths.iter().sum()),
        false => (in_rows(lengths), lengths.iter().copied().max().unwrap_or(0)),
    }
}

/// Rows as wide as the longest text. The longest first, each into the first row that has room.
fn in_rows(lengths: &[usize]) -> Vec<Vec<usize>> {
    let width = lengths.iter().copied().max().unwrap_or(0);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|text| std::cmp::Reverse(lengths[*text]));
    let mut rows: Vec<(usize, Vec<usize>)> = Vec::new();
    for text in order {
        let length = lengths[text];
        match rows.iter_mut().find(|(room, _)| length <= *room) {
            Some((room, chain)) => {
                *room -= length;
                chain.push(text);
            }
            None => rows.push((width - length, vec![text])),
        }
    }
    rows.into_iter().map(|(_, chain)| chain).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_texts_share_a_row() {
        assert_eq!(in_rows(&[12, 60, 30, 28, 25, 24]), [vec![1], vec![2, 3], vec![4, 5], vec![0]]);
        assert!(in_rows(&[]).is_empty());
    }

    #[test]
    fn on_the_processor_all_stand_in_one_row() {
        assert_eq!(chained(&[3, 9, 4], &Device::flex()), (vec![vec![0, 1, 2]], 16));
        assert_eq!(chained(&[], &Device::flex()), (Vec::new(), 0));
    }

    proptest! {
        #[test]
        fn each_text_stands_in_one_row_and_no_row_is_longer_than_the_longest_text(
            lengths in prop::collection::vec(1usize..40, 0..30)
        ) {
            let rows = in_rows(&lengths);
            let mut seen: Vec<usize> = rows.concat();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            let most = lengths.iter().copied().max().unwrap_or(0);
            for row in rows {
                prop_assert!(row.iter().map(|text| lengths[*text]).sum::<usize>() <= most);
            }
        }
    }
}
