//! Lines of a text, numbered from 1 and bounded in length.

use std::io::{self, BufRead, Read};

/// A line without its end, or the news that it is too long to hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// **Invariant:** never holds more than `limit` bytes of one line.
pub(crate) struct Lines<R> {
    reader: R,
    limit: u64,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R, limit: u64) -> Self {
        Self { reader, limit, number: 0 }
    }

    /// The next line and its number.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Line)>> {
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(self.limit + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        } else if read as u64 > self.limit {
            self.reader.skip_until(b'\n')?;
            return Ok(Some((self.number, Line::TooLong)));
        }
        Ok(Some((self.number, Line::Whole(line))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_over_the_limit_is_named_and_the_next_one_is_whole() {
        let mut lines = Lines::new(&b"ab\r\nabcdef\n\ncd"[..], 4);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(line);
        }
        let whole = |s: &str| Line::Whole(s.into());
        assert_eq!(all, [(1, whole("ab")), (2, Line::TooLong), (3, whole("")), (4, whole("cd"))]);
    }
}
