//! Plain text and Markdown: pieces of a readable length, so that packing can fill rows with them.
//!
//! A piece ends at the last blank line within [`PIECE`] characters; failing that at a line end, a sentence's end, a
//! space, or at the limit. Nothing is lost but the white space at the cuts.

use std::{io::BufRead, io::Read, ops::ControlFlow};

use serde_json::Value;

use super::{Format, Head};
use crate::{
    Unreadable,
    row::{Fields, Raw, Want},
    source::Source,
};

/// The longest piece in characters: about 500 tokens of English.
const PIECE: usize = 2000;
/// The name of the one column.
pub(crate) const COLUMN: &str = "text";

pub(crate) struct PlainText;

impl Format for PlainText {
    fn name(&self) -> &'static str {
        "text"
    }

    fn claims(&self, head: &Head) -> bool {
        matches!(head.extension, "txt" | "text" | "md" | "markdown")
    }

    fn read(
        &self,
        source: &Source,
        want: Want,
        each: &mut dyn FnMut(Raw) -> ControlFlow<()>,
    ) -> Result<(), Unreadable> {
        let mut pieces = Pieces { reader: source.text()?, ahead: String::new(), bytes: Vec::new(), line: 1 };
        while let Some((line, text)) = pieces.next().map_err(|e| Unreadable::io(&source.name, e))? {
            let cell = want.column(COLUMN).map(|column| (column, Value::from(text)));
            if each(Raw { line, found: Ok(Fields(cell.into_iter().collect())) }).is_break() {
                break;
            }
        }
        Ok(())
    }
}

struct Pieces<R> {
    reader: R,
    /// Text read and not yet given.
    ahead: String,
    /// The bytes of a character that was not read to its end.
    bytes: Vec<u8>,
    line: u64,
}

impl<R: BufRead> Pieces<R> {
    /// The next piece that is not blank, and the line it begins in.
    fn next(&mut self) -> std::io::Result<Option<(u64, String)>> {
        loop {
            self.fill()?;
            if self.ahead.is_empty() {
                return Ok(None);
            }
            if self.ahead.trim().is_empty() {
                self.line += newlines(&self.ahead);
                self.ahead.clear();
                continue;
            }
            self.skip_blank();
            self.fill()?;
            let (begins, end) = (self.line, cut(&self.ahead));
            let piece: String = self.ahead.drain(..end).collect();
            self.line += newlines(&piece);
            let piece = piece.replace("\r\n", "\n");
            if !piece.trim().is_empty() {
                return Ok(Some((begins, piece.trim_end().to_owned())));
            }
        }
    }

    /// Blank lines before a piece are not part of it; spaces that indent its first line are.
    fn skip_blank(&mut self) {
        let trimmed = self.ahead.trim_start();
        let blank = self.ahead.len() - trimmed.len();
        let end = self.ahead[..blank].rfind('\n').map_or(0, |at| at + 1);
        self.line += newlines(&self.ahead[..end]);
        self.ahead.drain(..end);
    }

    /// Reads on until a whole piece is ahead, or the end.
    fn fill(&mut self) -> std::io::Result<()> {
        while self.ahead.len() <= 4 * PIECE {
            let read = self.reader.by_ref().take(4 * PIECE as u64).read_to_end(&mut self.bytes)?;
            let valid = match std::str::from_utf8(&self.bytes) {
                Ok(text) => text.len(),
                Err(error) => error.valid_up_to(),
            };
            self.ahead.push_str(&String::from_utf8_lossy(&self.bytes[..valid]));
            self.bytes.drain(..valid);
            if read == 0 {
                break;
            }
        }
        Ok(())
    }
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|b| *b == b'\n').count() as u64
}

/// Where the first piece of `text` ends, in bytes; at least one character on.
fn cut(text: &str) -> usize {
    let Some((limit, _)) = text.char_indices().nth(PIECE) else {
        return text.len();
    };
    let window = &text[..limit];
    // A piece of a few words would teach little, so a break counts only beyond the first eighth.
    let enough = limit / 8;
    let after =
        |pattern: &str| window.rfind(pattern).map(|at| at + pattern.len()).filter(|end| *end > enough);
    ["\n\n", "\n\r\n", "\n", ". ", "! ", "? ", "。", " "].into_iter().find_map(after).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(text: &str) -> Vec<(u64, String)> {
        let mut pieces = Pieces { reader: text.as_bytes(), ahead: String::new(), bytes: Vec::new(), line: 1 };
        std::iter::from_fn(|| pieces.next().unwrap()).collect()
    }

    #[test]
    fn pieces_end_at_blank_lines_and_know_their_first_line() {
        let paragraph = "A sentence of some length. ".repeat(40).trim_end().to_owned();
        let text = format!("\n\n{paragraph}\n\n{paragraph}\r\n\r\n  {paragraph}\n");
        let found = pieces(&text);
        let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 5, 7]);
        assert_eq!(found[2].1, format!("  {paragraph}"), "indentation is kept");
    }

    #[test]
    fn a_line_without_end_is_cut_at_sentences() {
        let found = pieces(&"One two three. ".repeat(1000));
        assert!(found.len() > 7 && found.iter().all(|(line, text)| *line == 1 && text.ends_with('.')));
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_piece_is_too_long(
            parts in prop::collection::vec(("[a-zé\u{1F600} .]{0,900}", "(\n|\n\n|\r\n| )"), 0..12)
        ) {
            let text: String = parts.into_iter().flat_map(|(words, gap)| [words, gap]).collect();
            let found = pieces(&text);
            let squeeze = |s: &str| s.split_whitespace().collect::<String>();
            let joined: String = found.iter().map(|(_, piece)| squeeze(piece)).collect();
            prop_assert_eq!(joined, squeeze(&text));
            prop_assert!(found.iter().all(|(_, piece)| piece.chars().count() <= PIECE && !piece.trim().is_empty()));
        }
    }
}
