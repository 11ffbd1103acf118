//! Which texts stand behind one another in one row, so that little of it is filled up.

/// Rows as wide as the longest text: for each the places of its texts in `lengths`. The longest first, each into the
/// first row that has room.
pub(crate) fn chained(lengths: &[usize]) -> Vec<Vec<usize>> {
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
        assert_eq!(chained(&[12, 60, 30, 28, 25, 24]), [vec![1], vec![2, 3], vec![4, 5], vec![0]]);
        assert!(chained(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn each_text_stands_in_one_row_and_no_row_is_longer_than_the_longest_text(
            lengths in prop::collection::vec(1usize..40, 0..30)
        ) {
            let rows = chained(&lengths);
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
