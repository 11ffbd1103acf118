//! Which labels each row has, remembered while a data set is divided: by them rows are set aside, and what nothing
//! teaches is left out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use spec::{Example, ProblemKind, Shape, Split, SplitFractions};

use crate::{KeepError, Problems, read::Found, split, stratify};

/// A head with more outputs is larger than what it stands on.
const MOST: usize = 2000;

/// The labels of all rows.
pub(crate) struct RowLabels {
    shape: Shape,
    names: Vec<String>,
    ids: HashMap<String, u32>,
    /// Sets that occur, each once, its labels in order of their ids.
    sets: Vec<Vec<u32>>,
    places: HashMap<Vec<u32>, u32>,
    /// Of each row: its set, and where it stands.
    rows: Vec<(u32, Arc<str>, u64)>,
}

impl RowLabels {
    /// None for rows of a shape that has no labels, numbers or tags.
    pub(crate) fn of(shape: Shape) -> Option<Self> {
        match shape {
            Shape::Labelled | Shape::LabelledSeveral | Shape::Scored | Shape::TaggedWords | Shape::Spans => {}
            Shape::Text | Shape::PromptCompletion | Shape::Alpaca | Shape::Messages | Shape::ShareGpt => {
                return None;
            }
        }
        let (ids, places) = (HashMap::new(), HashMap::new());
        Some(Self { shape, names: Vec::new(), ids, sets: Vec::new(), places, rows: Vec::new() })
    }

    pub(crate) fn add(&mut self, found: &Found<'_>) -> Result<(), KeepError> {
        let labels: &[String] = match &found.example {
            Example::Labelled { labels, .. } => labels,
            Example::Tagged { tags, .. } => tags,
            _ => &[],
        };
        let set: BTreeSet<u32> = labels.iter().map(|label| self.id(label)).collect();
        if self.names.len() > MOST {
            return Err(KeepError::TooManyLabels { most: MOST });
        }
        let set: Vec<u32> = set.into_iter().collect();
        let next = self.sets.len() as u32;
        let place = *self.places.entry(set.clone()).or_insert(next);
        if place == next {
            self.sets.push(set);
        }
        let file = match self.rows.last() {
            Some((_, file, _)) if **file == *found.file => file.clone(),
            _ => found.file.into(),
        };
        self.rows.push((place, file, found.row));
        Ok(())
    }

    fn id(&mut self, label: &str) -> u32 {
        if let Some(id) = self.ids.get(label) {
            return *id;
        }
        let id = self.names.len() as u32;
        self.names.push(label.to_owned());
        self.ids.insert(label.to_owned(), id);
        id
    }

    fn set(&self, row: usize) -> &[u32] {
        &self.sets[self.rows[row].0 as usize]
    }

    /// Parts of the rows from `first` on, given their groups.
    pub(crate) fn assign(&self, first: usize, groups: &[u64], fractions: &SplitFractions) -> Vec<Split> {
        match self.shape {
            Shape::Labelled => {
                let labels: Vec<u32> = (first..self.rows.len()).map(|row| self.set(row)[0]).collect();
                stratify::assign_by_label(groups, &labels, fractions)
            }
            Shape::Scored => split::assign(groups, fractions),
            _ => {
                let sets: Vec<u32> = self.rows[first..].iter().map(|row| row.0).collect();
                stratify::assign_keeping_labels(groups, &sets, &self.sets, fractions)
            }
        }
    }

    /// `parts`, less the rows set aside that have a label which no row for training has. They are named in `problems`,
    /// and so are labels with one example.
    pub(crate) fn taught(&self, parts: Vec<Split>, problems: &mut Problems) -> Vec<Option<Split>> {
        let trained = (0..parts.len()).filter(|row| parts[*row] == Split::Train);
        let taught: BTreeSet<u32> = trained.flat_map(|row| self.set(row).iter().copied()).collect();
        let mut rows_of: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
        for row in 0..parts.len() {
            for label in self.set(row) {
                rows_of.entry(*label).or_insert((0, row)).0 += 1;
            }
        }
        let name = |label: u32| self.names[label as usize].clone();
        if matches!(self.shape, Shape::Labelled | Shape::LabelledSeveral) {
            for (label, (n, row)) in rows_of {
                if n == 1 && taught.contains(&label) {
                    let (_, file, line) = &self.rows[row];
                    problems.add(file, *line, ProblemKind::SingleExample { label: name(label) });
                }
            }
        }
        let left = |(row, part)| {
            let unknown = self.set(row).iter().find(|label| !taught.contains(label))?;
            let (_, file, line) = &self.rows[row];
            (part != Split::Train).then(|| (file, *line, ProblemKind::UnknownLabel { label: name(*unknown) }))
        };
        let keep = |(row, part)| match left((row, part)) {
            Some((file, line, kind)) => {
                problems.add(file, line, kind);
                None
            }
            None => Some(part),
        };
        parts.into_iter().enumerate().map(keep).collect()
    }
}
