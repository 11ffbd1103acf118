//! Why there is no number.

/// Input that has no score. Nothing here is about a model being bad: that is a low number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// Predictions and what is right do not pair up.
    #[error("{predicted} predictions cannot be compared with {expected} expected values")]
    Lengths {
        /// How many were predicted.
        predicted: usize,
        /// How many there should be.
        expected: usize,
    },
    /// As [`MetricError::Lengths`], within one row.
    #[error("row {row} has {predicted} predicted tags for {expected} tokens")]
    RowLengths {
        /// Counted from zero.
        row: usize,
        /// How many were predicted.
        predicted: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Nothing to score.
    #[error("there is nothing to score")]
    Empty,
    /// A class outside of those that were named.
    #[error("class {class} does not exist: there are {n_classes}, counted from zero")]
    NoSuchClass {
        /// As it was given.
        class: usize,
        /// How many there are.
        n_classes: usize,
    },
    /// A row that says nothing about what is right.
    #[error("row {row} has no reference to compare with")]
    NoReference {
        /// Counted from zero.
        row: usize,
    },
    /// A tag without a letter.
    #[error("the tag at place {place} is empty")]
    EmptyTag {
        /// In its sequence, counted from zero.
        place: usize,
    },
    /// An infinite number, or none at all.
    #[error("the value in row {row} is not a finite number")]
    NotFinite {
        /// Counted from zero.
        row: usize,
    },
    /// Sound input for which the number is not defined, where the reference implementation gives `nan`.
    #[error("the number is not defined: {0}")]
    Undefined(&'static str),
}

/// That both have the same length, which is not zero.
pub(crate) fn paired<P, E>(predicted: &[P], expected: &[E]) -> Result<(), MetricError> {
    if predicted.len() != expected.len() {
        return Err(MetricError::Lengths { predicted: predicted.len(), expected: expected.len() });
    }
    if predicted.is_empty() { Err(MetricError::Empty) } else { Ok(()) }
}
