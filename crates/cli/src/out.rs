//! Printing. Lines go to standard output, errors and progress to standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;
use serde_json::json;
use spec::{ApiError, Code};

/// How a person or a program is answered.
#[derive(Debug)]
pub struct Out {
    json: bool,
}

impl Out {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// That a program listens.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// That bars and colours have a place to be.
    pub fn is_terminal(&self) -> bool {
        io::stderr().is_terminal() && !self.json
    }

    /// A line for a person; programs do not see it.
    pub fn say(&mut self, line: impl AsRef<str>) {
        if !self.json {
            self.print(line.as_ref());
            self.print("\n");
        }
    }

    /// Text without an end of line, as it comes; programs do not see it.
    pub fn piece(&mut self, text: &str) {
        if !self.json {
            self.print(text);
        }
    }

    /// An object for a program; persons do not see it.
    pub fn object(&mut self, value: &impl Serialize) -> Result<(), ApiError> {
        if self.json {
            let line = serde_json::to_string(value).map_err(|error| {
                ApiError::new(Code::Internal, format!("A result has no JSON form: {error}"))
            })?;
            self.print(&line);
            self.print("\n");
        }
        Ok(())
    }

    /// A list: an object a line for a program, a table for a person, `empty` if there is nothing.
    pub fn list<T: Serialize>(
        &mut self,
        items: &[T],
        head: &[&str],
        row: impl Fn(&T) -> Vec<String>,
        empty: &str,
    ) -> Result<(), ApiError> {
        if self.json {
            return items.iter().try_for_each(|item| self.object(item));
        }
        if items.is_empty() {
            self.say(empty);
            return Ok(());
        }
        let mut rows = vec![head.iter().map(|title| (*title).to_owned()).collect()];
        rows.extend(items.iter().map(row));
        for line in table(&rows) {
            self.say(line);
        }
        Ok(())
    }

    /// A remark on what is being done; never part of the answer.
    #[allow(clippy::print_stderr, reason = "standard error is where remarks go")]
    pub fn remark(&mut self, line: impl AsRef<str>) {
        eprintln!("{}", line.as_ref());
    }

    /// What went wrong and what to do; for programs as an object.
    pub fn error(&mut self, error: &ApiError) {
        if self.json {
            self.remark(json!({ "error": error }).to_string());
            return;
        }
        self.remark(format!("error: {error}"));
        if let Some(hint) = &error.hint {
            self.remark(format!("hint: {hint}"));
        }
    }

    fn print(&mut self, text: &str) {
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
            && error.kind() == ErrorKind::BrokenPipe
        {
            // Whoever read has had enough (`| head`): that is an end, not an error. Workers go on by themselves.
            std::process::exit(0);
        }
    }
}

/// Columns as wide as their widest cell, two spaces between.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..n_columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// `1.2 GB`, as disks and downloads are labelled.
pub fn bytes(n: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let n = n as f64;
    let unit = units.into_iter().find(|(_, size)| n >= *size);
    unit.map_or_else(|| format!("{n:.0} B"), |(unit, size)| format!("{:.1} {unit}", n / size))
}

/// `1 h 5 min`, `3 min 20 s`, `12 s`.
pub fn duration(secs: f64) -> String {
    let secs = secs.max(0.0).round() as u64;
    match (secs / 3600, secs / 60 % 60, secs % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// The end of an id, which tells apart what the beginning, a time, does not.
pub fn short(id: impl std::fmt::Display) -> String {
    let id = id.to_string();
    id.get(id.len().saturating_sub(8)..).unwrap_or(&id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let rows = [vec!["id".into(), "name".into()], vec!["12345".into(), "ä".into()]];
        assert_eq!(table(&rows), ["id     name", "12345  ä"]);
    }

    #[test]
    fn sizes_and_times_read_as_people_say_them() {
        assert_eq!([bytes(999), bytes(1_500_000)], ["999 B", "1.5 MB"]);
        assert_eq!([duration(12.4), duration(200.0), duration(3900.0)], ["12 s", "3 min 20 s", "1 h 5 min"]);
    }
}
