//! Any line of a large file without reading all that stands before it.
//!
//! An index knows where every [`STRIDE`]th line begins, as far as anybody has asked: it grows with the first look at a
//! place and is not read again. A million rows take 125 kB.

use std::io::{self, BufRead, Seek, SeekFrom};

/// Lines from one known place to the next: the most that are read and passed over for a look.
const STRIDE: u64 = 64;

/// Where lines of one file begin.
#[derive(Clone, Debug)]
pub struct LineIndex {
    /// `places[i]` is where line `i · STRIDE` begins, in bytes.
    places: Vec<u64>,
}

impl Default for LineIndex {
    fn default() -> Self {
        Self { places: vec![0] }
    }
}

/// A file with its index, at a line.
pub struct Lookup<'a, R> {
    reader: R,
    index: &'a mut LineIndex,
    /// The line that comes next.
    line: u64,
    /// Where it begins.
    at: u64,
}

impl<'a, R: BufRead + Seek> Lookup<'a, R> {
    /// At the line `line`, counted from 0; at the end, if there are fewer.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn at(reader: R, index: &'a mut LineIndex, line: u64) -> io::Result<Self> {
        let known = (line / STRIDE).min(index.places.len() as u64 - 1);
        let at = index.places[known as usize];
        let mut lookup = Self { reader, index, line: known * STRIDE, at };
        lookup.reader.seek(SeekFrom::Start(at))?;
        while lookup.line < line && lookup.pass()? {}
        Ok(lookup)
    }

    /// The next line without its end, or nothing at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.reader.read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.went(read);
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok(Some(line))
    }

    /// Goes past a line without keeping it; whether there was one.
    fn pass(&mut self) -> io::Result<bool> {
        let read = self.reader.skip_until(b'\n')?;
        if read > 0 {
            self.went(read);
        }
        Ok(read > 0)
    }

    fn went(&mut self, bytes: usize) {
        self.line += 1;
        self.at += bytes as u64;
        if self.line.is_multiple_of(STRIDE) && self.line / STRIDE == self.index.places.len() as u64 {
            self.index.places.push(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        io::{BufReader, Cursor, Read},
        rc::Rc,
    };

    use super::*;

    /// Counts the bytes that are read.
    struct Counting(Cursor<Vec<u8>>, Rc<Cell<u64>>);

    impl Read for Counting {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(to)?;
            self.1.set(self.1.get() + read as u64);
            Ok(read)
        }
    }

    impl Seek for Counting {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn page(text: &[u8], index: &mut LineIndex, line: u64, n: usize) -> (Vec<String>, u64) {
        let count = Rc::new(Cell::new(0));
        let reader = BufReader::with_capacity(4096, Counting(Cursor::new(text.to_vec()), count.clone()));
        let mut lookup = Lookup::at(reader, index, line).unwrap();
        let mut lines = Vec::new();
        while lines.len() < n
            && let Some(line) = lookup.next_line().unwrap()
        {
            lines.push(String::from_utf8(line).unwrap());
        }
        (lines, count.get())
    }

    #[test]
    fn a_line_in_the_middle_of_a_million_is_reached_by_a_few_kilobytes() {
        let text: String = (0..1_000_000).map(|n| format!("line {n:07}\n")).collect();
        let mut index = LineIndex::default();
        let (lines, read) = page(text.as_bytes(), &mut index, 0, 2);
        assert_eq!((lines, read), (vec!["line 0000000".to_owned(), "line 0000001".to_owned()], 4096));
        let (lines, read) = page(text.as_bytes(), &mut index, 999_998, 9);
        assert_eq!(lines, ["line 0999998", "line 0999999"]);
        assert_eq!(read, text.len() as u64, "the first look at the end reads all, once");
        let (lines, read) = page(text.as_bytes(), &mut index, 500_001, 1);
        assert_eq!(lines, ["line 0500001"]);
        assert!(read <= 2 * 4096, "{read} bytes");
        assert!(page(text.as_bytes(), &mut index, 2_000_000, 1).0.is_empty());
        assert_eq!(index.places.len(), 1_000_000 / STRIDE as usize + 1);
    }

    #[test]
    fn every_line_is_found_whatever_was_asked_before() {
        let text: String = (0..500).map(|n| "x".repeat(n % 7) + &n.to_string() + "\n").collect();
        let mut index = LineIndex::default();
        for line in [130, 3, 499, 64, 65, 63, 128, 127, 0] {
            let expected = text.lines().nth(line as usize).unwrap();
            assert_eq!(page(text.as_bytes(), &mut index, line, 1).0, [expected]);
        }
    }
}
