//! Entities in tagged text, as seqeval finds and scores them.

use std::{
    collections::{BTreeMap, HashSet},
    ops::{AddAssign, Range},
};

use crate::{Averages, Counts, MetricError, Prf, error::paired};

/// How tags are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// seqeval's default mode, which is conlleval's: IOB1, IOB2 and BIOES alike, and an entity that does not begin as
    /// it should begins all the same.
    #[default]
    Lenient,
    /// seqeval's `mode="strict", scheme=IOB2`: an entity begins with `B-` and nothing else.
    StrictIob2,
}

/// A run of tokens with one type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entity {
    /// What follows the tag's letter, as in `B-PER`; `_` where nothing does.
    pub kind: String,
    /// The first token.
    pub start: usize,
    /// The token after the last one.
    pub end: usize,
}

impl Entity {
    /// Its tokens.
    pub fn tokens(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// The entities of one sequence of tags, in order.
///
/// # Errors
/// [`MetricError::EmptyTag`].
pub fn entities<T: AsRef<str>>(tags: &[T], reading: Reading) -> Result<Vec<Entity>, MetricError> {
    let tags: Vec<Tag> = tags
        .iter()
        .enumerate()
        .map(|(place, tag)| Tag::read(tag.as_ref()).ok_or(MetricError::EmptyTag { place }))
        .collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    // Leniently, whatever ends goes back to where something last began.
    let (mut before, mut start) = (Tag::OUTSIDE, (reading == Reading::Lenient).then_some(0));
    for (at, tag) in tags.iter().copied().chain([Tag::OUTSIDE]).enumerate() {
        let (ends, starts) = match reading {
            Reading::Lenient => (tag.ends(before), tag.starts(before)),
            Reading::StrictIob2 => (tag.letter != 'I' || tag.kind != before.kind, tag.letter == 'B'),
        };
        if ends && let Some(start) = start {
            found.push(Entity { kind: before.kind.to_owned(), start, end: at });
        }
        start = if starts { Some(at) } else { start.filter(|_| !ends || reading == Reading::Lenient) };
        before = tag;
    }
    Ok(found)
}

#[derive(Clone, Copy)]
struct Tag<'a> {
    letter: char,
    kind: &'a str,
}

impl<'a> Tag<'a> {
    const OUTSIDE: Tag<'static> = Tag { letter: 'O', kind: "_" };

    fn read(tag: &'a str) -> Option<Tag<'a>> {
        let letter = tag.chars().next()?;
        let rest = &tag[letter.len_utf8()..];
        let kind = rest.split_once('-').map_or(rest, |(_, kind)| kind);
        Some(Tag { letter, kind: if kind.is_empty() { "_" } else { kind } })
    }

    fn is_outside(self) -> bool {
        matches!(self.letter, 'O' | '.')
    }

    /// Whether what `before` was part of is over.
    fn ends(self, before: Tag) -> bool {
        match (before.letter, self.letter) {
            ('E' | 'S', _) | ('B' | 'I', 'B' | 'S' | 'O') => true,
            _ => !before.is_outside() && before.kind != self.kind,
        }
    }

    /// Whether something begins here that `before` is not part of.
    fn starts(self, before: Tag) -> bool {
        match (before.letter, self.letter) {
            (_, 'B' | 'S') | ('E' | 'S' | 'O', 'E' | 'I') => true,
            _ => !self.is_outside() && before.kind != self.kind,
        }
    }
}

/// How many entities of each type were found, found rightly, and are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityCounts(BTreeMap<String, Counts>);

impl AddAssign<&EntityCounts> for EntityCounts {
    fn add_assign(&mut self, other: &EntityCounts) {
        for (kind, counts) in &other.0 {
            *self.0.entry(kind.clone()).or_default() += *counts;
        }
    }
}

impl EntityCounts {
    /// Of each row: an entity is right if its type and its tokens are. Counts of rows add up.
    ///
    /// # Errors
    /// [`MetricError::Lengths`], [`MetricError::RowLengths`], [`MetricError::Empty`], [`MetricError::EmptyTag`].
    pub fn rows<P, A>(
        predicted: &[Vec<P>],
        actual: &[Vec<A>],
        reading: Reading,
    ) -> Result<Vec<EntityCounts>, MetricError>
    where
        P: AsRef<str>,
        A: AsRef<str>,
    {
        paired(predicted, actual)?;
        let rows = predicted.iter().zip(actual).enumerate();
        rows.map(|(row, (predicted, actual))| {
            if predicted.len() != actual.len() {
                let (predicted, expected) = (predicted.len(), actual.len());
                return Err(MetricError::RowLengths { row, predicted, expected });
            }
            let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
            let found: HashSet<Entity> = entities(predicted, reading)?.into_iter().collect();
            for entity in &found {
                counts.entry(entity.kind.clone()).or_default().predicted += 1;
            }
            for entity in entities(actual, reading)? {
                let hits = u64::from(found.contains(&entity));
                *counts.entry(entity.kind).or_default() += Counts { hits, predicted: 0, actual: 1 };
            }
            Ok(EntityCounts(counts))
        })
        .collect()
    }

    /// Of all rows together.
    ///
    /// # Errors
    /// As [`EntityCounts::rows`].
    pub fn count<P, A>(
        predicted: &[Vec<P>],
        actual: &[Vec<A>],
        reading: Reading,
    ) -> Result<EntityCounts, MetricError>
    where
        P: AsRef<str>,
        A: AsRef<str>,
    {
        let mut all = EntityCounts::default();
        EntityCounts::rows(predicted, actual, reading)?.iter().for_each(|row| all += row);
        Ok(all)
    }

    /// By type, in alphabetical order.
    pub fn per_kind(&self) -> &BTreeMap<String, Counts> {
        &self.0
    }

    /// Of all types together: what `seqeval.metrics.f1_score` and its kin give.
    pub fn overall(&self) -> Prf {
        self.averages().micro
    }

    /// The averages of seqeval's `classification_report`.
    pub fn averages(&self) -> Averages {
        Averages::over(&self.0.values().copied().collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tags: &str, reading: Reading, expected: &str) {
        let tags: Vec<&str> = tags.split(' ').collect();
        let found = entities(&tags, reading).unwrap();
        let found: Vec<String> =
            found.iter().map(|entity| format!("{}:{:?}", entity.kind, entity.tokens())).collect();
        assert_eq!(found.join(" "), expected, "{tags:?}");
    }

    #[test]
    fn each_scheme_is_read_without_being_told_which_it_is() {
        check("B-PER I-PER O B-LOC", Reading::Lenient, "PER:0..2 LOC:3..4");
        check("I-PER I-PER B-PER I-LOC", Reading::Lenient, "PER:0..2 PER:2..3 LOC:3..4");
        check("B-PER E-PER S-PER O S-X-Y", Reading::Lenient, "PER:0..2 PER:2..3 X-Y:4..5");
        check("B I O I", Reading::Lenient, "_:0..2 _:3..4");
    }

    #[test]
    fn strictly_an_entity_begins_with_its_first_letter() {
        check("I-PER I-PER O B-LOC I-LOC I-PER", Reading::StrictIob2, "LOC:3..5");
        check("B-PER B-PER I-LOC I-LOC", Reading::StrictIob2, "PER:0..1 PER:1..2");
    }

    #[test]
    fn what_does_not_pair_up_is_refused() {
        let count = |predicted: &[Vec<&str>], actual: &[Vec<&str>]| {
            EntityCounts::count(predicted, actual, Reading::Lenient).unwrap_err()
        };
        assert_eq!(count(&[], &[]), MetricError::Empty);
        assert_eq!(
            count(&[vec!["O"]], &[vec!["O", "O"]]),
            MetricError::RowLengths { row: 0, predicted: 1, expected: 2 }
        );
        assert_eq!(count(&[vec!["O", ""]], &[vec!["O", "O"]]), MetricError::EmptyTag { place: 1 });
    }

    #[test]
    fn nothing_to_find_and_nothing_found_is_zero() {
        let none = EntityCounts::count(&[vec!["O"]], &[vec!["O"]], Reading::Lenient).unwrap();
        assert_eq!(none.averages(), Averages::default());
    }
}
