//! Trouble with rows, said in sentences: rows with the same trouble are one.

use std::collections::BTreeMap;

use crate::{DatasetInfo, Problem, ProblemGroup, ProblemKind};

/// Rows shown of each group.
const SHOWN: usize = 50;

impl ProblemKind {
    /// The same for all rows that one sentence speaks of: without what differs from row to row.
    #[must_use]
    pub fn sort(&self) -> Self {
        match self {
            Self::NotJson { .. } => Self::NotJson { column: 0 },
            Self::WrongFieldCount { expected, .. } => Self::WrongFieldCount { found: 0, expected: *expected },
            Self::Duplicate { .. } => Self::Duplicate { first: 0 },
            Self::DifferentLengths { .. } => Self::DifferentLengths { words: 0, tags: 0 },
            other => other.clone(),
        }
    }

    /// That the row was kept, repaired where it had to be, rather than left out.
    pub fn is_repaired(&self) -> bool {
        matches!(self, Self::BadEncoding | Self::SpanCutsWord | Self::SingleExample { .. })
    }

    /// "14 rows have no reply"
    pub fn sentence(&self, n: u64) -> String {
        let (rows, are, have, hold) = match n {
            1 => ("row", "is", "has", "holds"),
            _ => ("rows", "are", "have", "hold"),
        };
        let what = match self {
            Self::NotJson { .. } => format!("{are} not JSON"),
            Self::NotAnObject => format!("{are} not a JSON object"),
            Self::WrongFieldCount { expected, .. } => {
                format!("{have} not the {expected} fields that the header has")
            }
            Self::MissingColumn { column } => format!("{have} nothing in `{column}`"),
            Self::NotText { column } => format!("{hold} something other than text in `{column}`"),
            Self::NoReply => format!("{have} no reply"),
            Self::EmptyReply => format!("{have} an empty reply"),
            Self::EmptyPrompt => format!("{have} an empty prompt"),
            Self::EmptyText => format!("{are} empty"),
            Self::UnknownRole { role } => format!("{have} a message of an unknown role, `{role}`"),
            Self::BadMessages => format!("{are} not a list of messages with a role and a content"),
            Self::BadEncoding => format!("{hold} bytes that are not text, which were replaced"),
            Self::LineTooLong { limit } => format!("{are} longer than {} MB", limit / 1_000_000),
            Self::Duplicate { .. } => match n {
                1 => "repeats an earlier row".to_owned(),
                _ => "repeat an earlier row".to_owned(),
            },
            Self::EmptyLabel => format!("{have} an empty label"),
            Self::NotALabel { column } => format!("{hold} something other than labels in `{column}`"),
            Self::NotANumber { column } => format!("{hold} something other than a number in `{column}`"),
            Self::BadTags => format!("{are} not a list of words and a list of their tags"),
            Self::DifferentLengths { .. } => format!("{have} more words than tags, or fewer"),
            Self::BadSpans => {
                format!("{are} not a text with a list of spans, each with start, end and label")
            }
            Self::OverlappingSpans => format!("{have} spans that overlap"),
            Self::SpanOutside => format!("{have} a span that is empty or lies outside the text"),
            Self::SpanCutsWord => format!("{have} a span that cut a word, which was widened to all of it"),
            Self::UnknownLabel { label } => {
                format!("set aside for looks {have} the label `{label}`, which no row for training has")
            }
            Self::SingleExample { label } => match n {
                1 => format!("is the only one with the label `{label}`: one example teaches little"),
                _ => format!("are the only ones with the label `{label}`"),
            },
        };
        format!("{} {rows} {what}", count(n))
    }
}

impl DatasetInfo {
    /// What was wrong with its rows, the most frequent first. What an older version kept knows only the rows that are
    /// listed; where there were more, its sentences say "at least".
    pub fn groups(&self) -> Vec<ProblemGroup> {
        let mut listed: BTreeMap<ProblemKind, Vec<&Problem>> = BTreeMap::new();
        for problem in &self.problems {
            listed.entry(problem.kind.sort()).or_default().push(problem);
        }
        let tallied = !self.tallies.is_empty();
        let exact = tallied || self.problems.len() as u64 == self.n_problems;
        let counts: Vec<(ProblemKind, u64)> = match tallied {
            true => self.tallies.iter().map(|tally| (tally.kind.clone(), tally.n)).collect(),
            false => listed.iter().map(|(kind, rows)| (kind.clone(), rows.len() as u64)).collect(),
        };
        let group = |(kind, n): (ProblemKind, u64)| {
            let said = kind.sentence(n);
            let examples = listed.get(&kind).map_or(&[][..], Vec::as_slice);
            ProblemGroup {
                sentence: if exact { said } else { format!("At least {said}") },
                n,
                repaired: kind.is_repaired(),
                examples: examples.iter().take(SHOWN).map(|problem| (*problem).clone()).collect(),
            }
        };
        let mut groups: Vec<_> = counts.into_iter().map(group).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.n));
        groups
    }
}

/// `12,345`.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
