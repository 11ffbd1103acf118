//! Files to examples: the format finds rows, the mapping gives them a meaning, what is wrong is named.

use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
    ops::ControlFlow,
    path::PathBuf,
};

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};
use spec::{Example, Mapping, Problem, ProblemKind, ProblemTally};

use crate::{
    Unreadable,
    format::{self, Format},
    guess,
    row::{Column, Fields, Raw, Want},
    shape,
    source::Source,
    sources,
};

/// Rows by which a mapping is guessed.
const LOOK: usize = 64;
/// Rows looked at before giving up on finding a good one.
const LOOK_AT_MOST: usize = 4096;
/// Rows passed on at a time,
const BATCH: usize = 1024;
/// or bytes, if there are as many sooner. Then a word is said on how far the reading is.
const STRIDE: u64 = 1 << 18;

/// What was wrong, listed up to a limit and counted beyond it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// The first thousand.
    pub listed: Vec<Problem>,
    /// How many there were in all.
    pub n: u64,
    /// How many of each sort.
    #[serde(skip)]
    sorts: BTreeMap<ProblemKind, u64>,
}

impl Problems {
    /// As many as are listed.
    pub const LISTED: usize = 1000;
    /// Sorts that are told apart. There can be as many as there are unknown roles in a file; see [`beyond`].
    const SORTS: usize = 200;

    /// How many of each sort there were, the most frequent first.
    pub fn tallies(&self) -> Vec<ProblemTally> {
        let tally = |(kind, n): (&ProblemKind, &u64)| ProblemTally { kind: kind.clone(), n: *n };
        let mut tallies: Vec<_> = self.sorts.iter().map(tally).collect();
        tallies.sort_by_key(|tally| std::cmp::Reverse(tally.n));
        tallies
    }

    pub(crate) fn add(&mut self, file: &str, line: u64, kind: ProblemKind) {
        self.n += 1;
        let sort = kind.sort();
        let is_known = self.sorts.len() < Self::SORTS || self.sorts.contains_key(&sort);
        *self.sorts.entry(if is_known { sort } else { beyond(sort) }).or_default() += 1;
        if self.listed.len() < Self::LISTED {
            self.listed.push(Problem { file: file.to_owned(), line, kind });
        }
    }
}

/// What a sort counts as when there are too many to be told apart.
fn beyond(sort: ProblemKind) -> ProblemKind {
    let label = || "…".to_owned();
    match sort {
        ProblemKind::UnknownLabel { .. } => ProblemKind::UnknownLabel { label: label() },
        ProblemKind::SingleExample { .. } => ProblemKind::SingleExample { label: label() },
        ProblemKind::UnknownRole { .. } => ProblemKind::BadMessages,
        other => other,
    }
}

/// What a reading came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How the columns were understood.
    pub mapping: Mapping,
    /// Why so.
    pub because: String,
    /// Rows that became examples.
    pub n_examples: u64,
    /// Rows that did not, or were repaired.
    pub problems: Problems,
}

/// All of it at once, for what is small.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// In the order of the files.
    pub examples: Vec<Example>,
    /// How they were read.
    pub report: Report,
}

/// Reads `bytes` as a file called `name` would be read.
///
/// # Errors
/// [`Unreadable`] as [`Reader::open`] and [`Reader::read`].
pub fn read_bytes(name: &str, bytes: &[u8], mapping: Option<&Mapping>) -> Result<Imported, Unreadable> {
    let reader = Reader::of(vec![Source::bytes(name, bytes)], mapping)?;
    let mut examples = Vec::new();
    let report = reader.read(&mut |example| {
        examples.push(example);
        ControlFlow::Continue(())
    })?;
    Ok(Imported { examples, report })
}

/// Files whose columns are understood, ready to be read.
pub struct Reader {
    files: Vec<(Source, &'static dyn Format)>,
    mapping: Mapping,
    because: String,
}

impl Reader {
    /// Looks at the first rows of each file at `paths` (files or folders) and settles what the columns mean:
    /// `mapping` if it is given, else a guess.
    ///
    /// # Errors
    /// [`Unreadable`] if a file cannot be read, if the columns' meaning is not clear, or if the files differ in it.
    pub fn open(paths: &[PathBuf], mapping: Option<&Mapping>) -> Result<Self, Unreadable> {
        Self::of(sources::files(paths)?.iter().map(|path| Source::file(path)).collect(), mapping)
    }

    pub(crate) fn of(sources: Vec<Source>, given: Option<&Mapping>) -> Result<Self, Unreadable> {
        let mut files = Vec::new();
        let mut agreed: Option<(String, Mapping, String)> = None;
        for source in sources {
            let format = format::of(&source)?;
            let look = Look::at(&source, format)?;
            let (mapping, because) = look.mapping(&source, given)?;
            agreed = Some(match agreed {
                None => (source.name.clone(), mapping, because),
                Some((first, known, why)) => {
                    let joined = join(&known, &mapping).ok_or_else(|| Unreadable::Mixed {
                        first: first.clone(),
                        first_shape: why.clone(),
                        second: source.name.clone(),
                        second_shape: because,
                    })?;
                    (first, joined, why)
                }
            });
            files.push((source, format));
        }
        let Some((_, mapping, because)) = agreed else {
            return Err(Unreadable::Missing { path: PathBuf::new() });
        };
        Ok(Self { files, mapping, because })
    }

    /// How the columns are understood.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Why so.
    pub fn because(&self) -> &str {
        &self.because
    }

    /// Gives each example to `each`, in the order of the files, until it breaks. Exact repeats are given once.
    ///
    /// # Errors
    /// [`Unreadable`] if a file breaks off, or if not one row can be used.
    pub fn read(&self, each: &mut dyn FnMut(Example) -> ControlFlow<()>) -> Result<Report, Unreadable> {
        let mut problems = Problems::default();
        let mut known = Known::default();
        let go_on = &mut |_| ControlFlow::Continue(());
        let n_examples =
            self.read_lines(&mut known, &mut problems, go_on, &mut |found| each(found.example))?;
        Ok(Report { mapping: self.mapping.clone(), because: self.because.clone(), n_examples, problems })
    }

    /// The same, with where each example was found, and with what is known from files read before. `watch` is told of
    /// the bytes that are read and may end the reading too.
    pub(crate) fn read_lines(
        &self,
        known: &mut Known,
        problems: &mut Problems,
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
        each: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<u64, Unreadable> {
        let columns: Vec<Column> = self.mapping.columns.values().map(|name| name.as_str().into()).collect();
        let mut pass = Pass { mapping: &self.mapping, known, problems, each, n_rows: 0, n_examples: 0 };
        let (mut before, mut stopped) = (0, false);
        for (source, format) in &self.files {
            let (mut batch, mut passed_on) = (Vec::new(), 0);
            format.read(source, Want::Only(&columns), &mut |raw| {
                batch.push(raw);
                let at = source.at();
                if batch.len() < BATCH && at < passed_on + STRIDE {
                    return ControlFlow::Continue(());
                }
                passed_on = at;
                let flow = watch(before + at).is_continue() && pass.on(source, &mut batch).is_continue();
                stopped = !flow;
                if flow { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            before += source.size();
            stopped = stopped || pass.on(source, &mut batch).is_break() || watch(before).is_break();
            if stopped {
                break;
            }
        }
        let Pass { known, problems, n_rows, n_examples, .. } = pass;
        match problems.listed.first() {
            Some(first) if n_examples == 0 && known.len() == 0 => Err(Unreadable::NothingUsable {
                n: n_rows,
                file: first.file.clone(),
                line: first.line,
                kind: first.kind.clone(),
            }),
            _ => Ok(n_examples),
        }
    }
}

/// An example, where it was found, and the line it is kept as.
pub(crate) struct Found<'a> {
    pub(crate) file: &'a str,
    pub(crate) row: u64,
    pub(crate) example: Example,
    pub(crate) line: &'a [u8],
}

/// A row that became an example.
struct Made {
    example: Example,
    line: Vec<u8>,
    key: u128,
    repair: Option<ProblemKind>,
}

impl Made {
    fn of(mapping: &Mapping, fields: Result<Fields, ProblemKind>) -> Result<Self, ProblemKind> {
        let (example, repair) = shape::example(mapping, &mut fields?)?;
        let line = canonical(&example);
        Ok(Self { key: Known::key(&line), example, line, repair })
    }
}

/// Passes rows on as examples, in their order; what can be done on all cores is.
struct Pass<'a> {
    mapping: &'a Mapping,
    known: &'a mut Known,
    problems: &'a mut Problems,
    each: &'a mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
    n_rows: u64,
    n_examples: u64,
}

impl Pass<'_> {
    fn on(&mut self, source: &Source, batch: &mut Vec<Raw>) -> ControlFlow<()> {
        let mapping = self.mapping;
        let made: Vec<_> = batch.par_drain(..).map(|raw| (raw.line, Made::of(mapping, raw.found))).collect();
        for (line, made) in made {
            self.n_rows += 1;
            let Made { example, line: canonical, key, repair } = match made {
                Ok(made) => made,
                Err(kind) => {
                    self.problems.add(&source.name, line, kind);
                    continue;
                }
            };
            if let Some(first) = self.known.repeats(key, line) {
                self.problems.add(&source.name, line, ProblemKind::Duplicate { first });
                continue;
            }
            if source.may_be_repaired() && String::from_utf8_lossy(&canonical).contains('\u{fffd}') {
                self.problems.add(&source.name, line, ProblemKind::BadEncoding);
            }
            if let Some(repair) = repair {
                self.problems.add(&source.name, line, repair);
            }
            self.n_examples += 1;
            (self.each)(Found { file: &source.name, row: line, example, line: &canonical })?;
        }
        ControlFlow::Continue(())
    }
}

/// The line an example is kept as and known by.
pub(crate) fn canonical(example: &Example) -> Vec<u8> {
    // Strings, enums and finite numbers alone: writing them to memory cannot fail.
    let mut line = serde_json::to_vec(example).unwrap_or_default();
    line.push(b'\n');
    line
}

/// The examples there were, by 128 bits of their hash.
#[derive(Default)]
pub(crate) struct Known(HashMap<u128, u64>);

impl Known {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn key(canonical: &[u8]) -> u128 {
        let digest: [u8; 32] = Sha256::digest(canonical).into();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        u128::from_le_bytes(key)
    }

    /// The line of the same example earlier on; else remembers this one.
    fn repeats(&mut self, key: u128, line: u64) -> Option<u64> {
        match self.0.entry(key) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(free) => {
                free.insert(line);
                None
            }
        }
    }
}

/// The beginning of a file: its columns in their order, some rows, and what was wrong with others.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Fields>,
    pub(crate) problems: Problems,
}

impl Look {
    pub(crate) fn at(source: &Source, format: &dyn Format) -> Result<Self, Unreadable> {
        let (mut look, mut known, mut n_rows) = (Self::default(), HashSet::new(), 0);
        format.read(source, Want::All, &mut |raw| {
            n_rows += 1;
            match raw.found {
                Ok(fields) => {
                    for (column, _) in &fields.0 {
                        if known.insert(column.clone()) {
                            look.columns.push(column.clone());
                        }
                    }
                    look.rows.push(fields);
                }
                Err(kind) => look.problems.add(&source.name, raw.line, kind),
            }
            if look.rows.len() == LOOK || n_rows == LOOK_AT_MOST {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        match (look.rows.is_empty(), look.problems.listed.first()) {
            (true, None) => Err(nothing_in(source)?),
            (true, Some(first)) => Err(Unreadable::NothingUsable {
                n: look.problems.n,
                file: first.file.clone(),
                line: first.line,
                kind: first.kind.clone(),
            }),
            (false, _) => Ok(look),
        }
    }

    /// What was given, if it fits; else a guess.
    fn mapping(&self, source: &Source, given: Option<&Mapping>) -> Result<(Mapping, String), Unreadable> {
        let Some(given) = given else {
            return guess::guess(&self.columns, &self.rows).map_err(|_| Unreadable::NoShape {
                file: source.name.clone(),
                columns: self.column_names(),
            });
        };
        shape::check(given)?;
        for role in shape::roles(given.shape).0 {
            let column = &given.columns[role];
            if !self.columns.iter().any(|c| **c == **column) {
                return Err(Unreadable::NoColumn {
                    file: source.name.clone(),
                    column: column.clone(),
                    columns: self.column_names(),
                });
            }
        }
        Ok((given.clone(), "you mapped the columns".to_owned()))
    }

    fn column_names(&self) -> String {
        const SAID: usize = 20;
        let mut names = self.columns.iter().take(SAID).map(|c| &**c).collect::<Vec<_>>().join(", ");
        if self.columns.len() > SAID {
            names += &format!(", and {} more", self.columns.len() - SAID);
        }
        names
    }
}

/// Why there is not one row.
fn nothing_in(source: &Source) -> Result<Unreadable, Unreadable> {
    let file = source.name.clone();
    let blank = source.head()?.iter().all(u8::is_ascii_whitespace);
    Ok(if blank { Unreadable::Empty { file } } else { Unreadable::NoRows { file } })
}

/// One mapping for two files: the same but for columns that may be missing.
fn join(known: &Mapping, other: &Mapping) -> Option<Mapping> {
    let needed = shape::roles(known.shape).0;
    let agree = known.shape == other.shape
        && needed.iter().all(|role| known.columns.get(role) == other.columns.get(role))
        && known.columns.iter().all(|(role, column)| other.columns.get(role).is_none_or(|o| o == column));
    agree.then(|| {
        let mut joined = known.clone();
        joined.columns.extend(other.columns.clone());
        joined
    })
}

#[cfg(test)]
mod labelled_tests;
#[cfg(test)]
mod tests;
