//! One row of a file before it has a meaning: its columns and what stands in them.

use std::sync::Arc;

use serde_json::Value;
use spec::ProblemKind;

/// A column's name, shared by all rows of a file.
pub(crate) type Column = Arc<str>;

/// Which columns a reading should bring back. The others are skipped unparsed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Want<'a> {
    All,
    Only(&'a [Column]),
}

impl Want<'_> {
    /// The name to store a value under, or nothing if the column is not wanted.
    pub(crate) fn column(&self, name: &str) -> Option<Column> {
        match self {
            Self::All => Some(name.into()),
            Self::Only(wanted) => wanted.iter().find(|w| &***w == name).cloned(),
        }
    }
}

/// The wanted columns of one row, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields(pub(crate) Vec<(Column, Value)>);

impl Fields {
    /// What stands in `column`, once. A JSON object that repeats a key means its last value, as parsers agree.
    pub(crate) fn take(&mut self, column: &str) -> Option<Value> {
        let at = self.0.iter().rposition(|(name, _)| &**name == column)?;
        Some(self.0.swap_remove(at).1)
    }

    pub(crate) fn get(&self, column: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(name, _)| &**name == column).map(|(_, value)| value)
    }
}

/// A row as a format found it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Raw {
    /// Counted from 1: the line of a text file, the row of a table.
    pub(crate) line: u64,
    pub(crate) found: Result<Fields, ProblemKind>,
}
