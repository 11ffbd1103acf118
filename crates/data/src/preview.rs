//! A first look at a file, before it is imported: its columns, some rows, and what they are taken for.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;
use spec::{Example, Mapping, Problem};

use crate::{Unreadable, format, guess, read::Look, shape, source::Source, sources};

/// The first rows of the first file, as they stand and as they would be learned.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Preview {
    /// The name of the file looked at.
    pub file: String,
    /// How many files there are in all.
    pub n_files: usize,
    /// The format, as people call it.
    pub format: &'static str,
    /// In the order of the file.
    pub columns: Vec<String>,
    /// A text for each column, empty where a row has nothing in it.
    pub rows: Vec<Vec<String>>,
    /// What plays which part; `None` where that must be asked.
    pub mapping: Option<Mapping>,
    /// Why the mapping is what it is.
    pub because: String,
    /// The first examples.
    pub examples: Vec<Example>,
    /// What is wrong with rows looked at.
    pub problems: Vec<Problem>,
}

impl Preview {
    /// The first `n` rows at `paths`, under `mapping` or a guess.
    ///
    /// # Errors
    /// [`Unreadable`] if there is nothing to look at, or if `mapping` lacks a role. Columns that nobody can tell the
    /// meaning of are no error here: then `mapping` is `None`.
    pub fn of(paths: &[PathBuf], mapping: Option<&Mapping>, n: usize) -> Result<Self, Unreadable> {
        let files = sources::files(paths)?;
        let Some(first) = files.first() else {
            return Err(Unreadable::Missing { path: PathBuf::new() });
        };
        Self::of_source(&Source::file(first), files.len(), mapping, n)
    }

    fn of_source(
        source: &Source,
        n_files: usize,
        given: Option<&Mapping>,
        n: usize,
    ) -> Result<Self, Unreadable> {
        let format = format::of(source)?;
        let mut look = Look::at(source, format)?;
        let (mapping, because) = match given {
            Some(given) => {
                shape::check(given)?;
                (Some(given.clone()), "you mapped the columns".to_owned())
            }
            None => match guess::guess(&look.columns, &look.rows) {
                Ok((mapping, because)) => (Some(mapping), because),
                Err(why) => (None, why),
            },
        };
        look.rows.truncate(n);
        let cell = |value: Option<&Value>| match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let rows =
            look.rows.iter().map(|row| look.columns.iter().map(|c| cell(row.get(c))).collect()).collect();
        let example = |mapping| {
            look.rows.iter_mut().filter_map(|row| Some(shape::example(mapping, row).ok()?.0)).collect()
        };
        Ok(Self {
            file: source.name.clone(),
            n_files,
            format: format.name(),
            columns: look.columns.iter().map(|c| c.to_string()).collect(),
            rows,
            examples: mapping.as_ref().map(example).unwrap_or_default(),
            mapping,
            because,
            problems: look.problems.listed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_unknown_meaning_can_still_be_looked_at() {
        let source = Source::bytes("a.csv", b"x,y,z\none,two,three\n");
        let preview = Preview::of_source(&source, 1, None, 5).unwrap();
        assert_eq!(
            (preview.mapping, preview.rows),
            (None, vec![vec!["one".into(), "two".into(), "three".into()]])
        );
        let columns =
            [(spec::ColumnRole::Prompt, "z".to_owned()), (spec::ColumnRole::Completion, "x".to_owned())];
        let mapping = Mapping { shape: spec::Shape::PromptCompletion, columns: columns.into() };
        let preview = Preview::of_source(&source, 1, Some(&mapping), 5).unwrap();
        assert_eq!(
            preview.examples,
            [Example::Completion { prompt: "three".into(), completion: "one".into() }]
        );
    }
}
