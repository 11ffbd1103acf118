//! Tables with a header: commas, semicolons, tabs or bars between fields, quotes where needed.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io::{self, Read},
    ops::ControlFlow,
    rc::Rc,
};

use csv::{Reader, ReaderBuilder, StringRecord};
use serde_json::Value;
use spec::ProblemKind;

use super::{Format, Head};
use crate::{
    Unreadable,
    row::{Column, Fields, Raw, Want},
    source::Source,
};

/// More bytes than this in one row mean a quote that is never closed.
const LONGEST_ROW: u64 = 64 << 20;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
const SNIFFED_ROWS: usize = 20;

pub(crate) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "CSV"
    }

    fn claims(&self, head: &Head) -> bool {
        matches!(head.extension, "csv" | "tsv" | "tab")
    }

    fn read(
        &self,
        source: &Source,
        want: Want,
        each: &mut dyn FnMut(Raw) -> ControlFlow<()>,
    ) -> Result<(), Unreadable> {
        let delimiter = delimiter(source)?;
        let progress = Rc::new(RefCell::new(Progress::default()));
        let mut reader = reader(Guarded { inner: source.text()?, progress: progress.clone() }, delimiter);
        let mut record = StringRecord::new();
        let failed = |error: csv::Error, line: u64| broken(source, error, line);
        if !reader.read_record(&mut record).map_err(|e| failed(e, 1))? {
            return Err(Unreadable::Empty { file: source.name.clone() });
        }
        let mut line = progress.borrow_mut().line(&record, reader.position().byte());
        let columns: Vec<_> = names(&record).map(|name| want.column(&name)).collect();
        loop {
            if !reader.read_record(&mut record).map_err(|e| failed(e, line + 1))? {
                return Ok(());
            }
            line = progress.borrow_mut().line(&record, reader.position().byte());
            let found = if record.len() == columns.len() {
                Ok(fields(&columns, &record))
            } else {
                let (found, expected) = (record.len() as u32, columns.len() as u32);
                Err(ProblemKind::WrongFieldCount { found, expected })
            };
            if each(Raw { line, found }).is_break() {
                return Ok(());
            }
        }
    }
}

fn reader<R: Read>(from: R, delimiter: u8) -> Reader<R> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(from)
}

/// Trimmed; a column without a name is called by its place.
fn names(header: &StringRecord) -> impl Iterator<Item = String> {
    header.iter().enumerate().map(|(i, name)| match name.trim() {
        "" => format!("column {}", i + 1),
        name => name.to_owned(),
    })
}

fn fields(columns: &[Option<Column>], record: &StringRecord) -> Fields {
    let cell = |(column, text): (&Option<Column>, &str)| Some((column.clone()?, Value::from(text)));
    Fields(columns.iter().zip(record).filter_map(cell).collect())
}

/// The delimiter under which the first rows agree best on a number of fields; of several, the one with most.
fn delimiter(source: &Source) -> Result<u8, Unreadable> {
    if matches!(source.extension().as_str(), "tsv" | "tab") {
        return Ok(b'\t');
    }
    let mut head = Vec::new();
    source.text()?.take(1 << 18).read_to_end(&mut head).map_err(|e| Unreadable::io(&source.name, e))?;
    let score = |delimiter: &u8| {
        let mut reader = reader(&head[..], *delimiter);
        let mut counts = reader.byte_records().map_while(Result::ok).take(SNIFFED_ROWS).map(|row| row.len());
        let header = counts.next().unwrap_or(0);
        let (mut rows, mut agreeing) = (1, 1);
        for count in counts {
            rows += 1;
            agreeing += usize::from(count == header);
        }
        if header < 2 { (0, 0) } else { (agreeing * 100 / rows, header) }
    };
    // Of equals `max_by_key` takes the last: the comma, if they are looked at from the end.
    Ok(DELIMITERS.into_iter().rev().max_by_key(score).unwrap_or(b','))
}

fn broken(source: &Source, error: csv::Error, line: u64) -> Unreadable {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => Unreadable::Broken {
            file: source.name.clone(),
            at: format!("at line {line}"),
            what: "a quote is opened and never closed".to_owned(),
        },
        csv::ErrorKind::Io(error) => Unreadable::io(&source.name, error),
        kind => Unreadable::Broken {
            file: source.name.clone(),
            at: format!("at line {line}"),
            what: format!("{kind:?}"),
        },
    }
}

/// Stops a reading that swallows the file as one row, and notes where lines end.
struct Guarded<R> {
    inner: R,
    progress: Rc<RefCell<Progress>>,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        let mut progress = self.progress.borrow_mut();
        if progress.read - progress.row_end > LONGEST_ROW {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let begin = progress.read;
        let ends = into[..read]
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .map(|(i, _)| begin + i as u64);
        progress.line_ends.extend(ends);
        progress.read += read as u64;
        Ok(read)
    }
}

/// How far the file was read. The parser's own line numbers leave out line ends within quotes.
#[derive(Default)]
struct Progress {
    /// Bytes given to the parser.
    read: u64,
    /// Where the last row ended, in bytes.
    row_end: u64,
    /// Where lines end that no row has reached yet.
    line_ends: VecDeque<u64>,
    /// Line ends before `row_end`.
    passed: u64,
}

impl Progress {
    /// The line in which `record` began, now that the parser stands at byte `end`.
    fn line(&mut self, record: &StringRecord, end: u64) -> u64 {
        let mut last = None;
        while let Some(line_end) = self.line_ends.pop_front_if(|line_end| *line_end < end) {
            last = Some(line_end);
            self.passed += 1;
        }
        self.row_end = end;
        let inside: u64 = record.iter().map(|field| field.matches('\n').count() as u64).sum();
        // A row that ends in a carriage return, or with the file, has its line end still before it.
        let is_passed = last.is_some_and(|last| last + 1 == end);
        (self.passed + u64::from(!is_passed)).saturating_sub(inside).max(1)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        format::tests::{rows, rows_wanted},
        row::Want,
    };
    use expect_test::expect;

    #[test]
    fn quotes_line_ends_and_wrong_rows_are_told_apart() {
        let file = "\u{feff}prompt, completion\r\n\"a, \"\"b\"\"\nc\",d\r\nonly one\n\n1,2,3\n ,\n";
        expect![[r#"
            CSV
            2: prompt="a, \"b\"\nc" completion="d"
            4: (1 fields where the header has 2)
            6: (3 fields where the header has 2)
            7: prompt=" " completion=""
        "#]]
        .assert_eq(&rows("a.csv", file.as_bytes()));
    }

    #[test]
    fn the_delimiter_is_found() {
        for (name, file) in [
            ("a.csv", "p,c\na;x,b\n"),
            ("a.csv", "p;c\n\"a;x\";b\n"),
            ("a.csv", "p\tc\na, x\tb\n"),
            ("a.csv", "p|c\na,x|b\n"),
            ("a.tsv", "p\tc\na,b,c\tb\n"),
        ] {
            assert_eq!(rows(name, file.as_bytes()).matches("c=\"b\"").count(), 1, "{file}");
        }
        expect![[r#"
            CSV
            2: text="a"
            3: text="b"
        "#]]
        .assert_eq(&rows("a.csv", b"text\na\nb\n"));
    }

    #[test]
    fn ten_thousand_columns_are_no_trouble() {
        let header: Vec<_> = (0..10_000).map(|i| format!("c{i}")).collect();
        let row: Vec<_> = (0..10_000).map(|i| i.to_string()).collect();
        let file = format!("{}\n{}\n{}\n", header.join(","), row.join(","), row[1..].join(","));
        let want = ["c9999".into(), "c0".into()];
        expect![[r#"
            CSV
            2: c0="0" c9999="9999"
            3: (9999 fields where the header has 10000)
        "#]]
        .assert_eq(&rows_wanted("a.csv", file.as_bytes(), Want::Only(&want)));
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
        let mut file = b"a,b\n1,\"".to_vec();
        file.resize(70 << 20, b'x');
        expect![[r#"
            CSV
            a.csv is broken at line 2: a quote is opened and never closed. Save it again, or take out what is broken.
        "#]]
        .assert_eq(&rows("a.csv", &file));
    }
}
