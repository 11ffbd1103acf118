//! Formats of files: one file each, behind one small trait.
//!
//! **Invariant:** whatever the bytes, a format yields rows, problems or an [`Unreadable`]; it does not panic, and it
//! holds no more than a batch of rows.

mod class_names;
mod conll;
mod csv;
mod json;
mod json_lines;
mod json_row;
mod parquet;
mod text;

use std::ops::ControlFlow;

use crate::{
    Unreadable,
    row::{Raw, Want},
    source::{self, Source},
};

/// What [`FORMATS`] can read, as said to a person.
pub const FORMAT_NAMES: &str =
    ".jsonl, .json, .csv, .tsv, .parquet, .conll, .txt and .md (each also packed, as in .jsonl.gz)";

/// The beginning of a file, by which formats claim it.
pub(crate) struct Head<'a> {
    /// The name's ending in lower case.
    pub(crate) extension: &'a str,
    pub(crate) bytes: &'a [u8],
}

/// A format of files.
pub(crate) trait Format: Sync {
    fn name(&self) -> &'static str;

    /// Judges by the beginning alone; must not fail.
    fn claims(&self, head: &Head) -> bool;

    /// Gives each row to `each` until it breaks or the file ends.
    fn read(
        &self,
        source: &Source,
        want: Want,
        each: &mut dyn FnMut(Raw) -> ControlFlow<()>,
    ) -> Result<(), Unreadable>;
}

/// Most specific first.
pub(crate) const FORMATS: &[&dyn Format] =
    &[&parquet::Parquet, &json::Json, &json_lines::JsonLines, &conll::Conll, &csv::Csv, &text::PlainText];

/// Endings of files that a folder is searched for.
pub(crate) const EXTENSIONS: &[&str] = &[
    "jsonl", "ndjson", "json", "csv", "tsv", "tab", "parquet", "txt", "text", "md", "markdown", "conll",
    "conllu", "bio", "iob", "iob2",
];

/// The format that claims `source`.
pub(crate) fn of(source: &Source) -> Result<&'static dyn Format, Unreadable> {
    let bytes = source.head()?;
    if bytes.is_empty() {
        return Err(Unreadable::Empty { file: source.name.clone() });
    }
    let extension = source.extension();
    let head = Head { extension: &extension, bytes: &bytes };
    FORMATS.iter().find(|format| format.claims(&head)).copied().ok_or_else(|| {
        let file = source.name.clone();
        if bytes.contains(&0) {
            Unreadable::Binary { file, looks_like: source::looks_like(&bytes) }
        } else {
            Unreadable::UnknownFormat { file }
        }
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::fmt::Write;

    /// What a format makes of `bytes`, a row a line.
    pub(crate) fn rows(name: &str, bytes: &[u8]) -> String {
        rows_wanted(name, bytes, Want::All)
    }

    pub(crate) fn rows_wanted(name: &str, bytes: &[u8], want: Want) -> String {
        let source = Source::bytes(name, bytes);
        let format = match of(&source) {
            Ok(format) => format,
            Err(error) => return format!("{error}\n"),
        };
        let mut out = format!("{}\n", format.name());
        let ended = format.read(&source, want, &mut |raw| {
            write!(out, "{}:", raw.line).unwrap();
            match raw.found {
                Ok(fields) => fields.0.iter().for_each(|(k, v)| write!(out, " {k}={v}").unwrap()),
                Err(kind) => write!(out, " ({kind})").unwrap(),
            }
            out.push('\n');
            ControlFlow::Continue(())
        });
        if let Err(error) = ended {
            writeln!(out, "{error}").unwrap();
        }
        out
    }
}
