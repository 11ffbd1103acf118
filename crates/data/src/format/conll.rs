//! CoNLL files: a word and its columns a line, a blank line between sentences. The first column is the word, the last
//! its tag; what stands between is passed over. `-DOCSTART-` lines and comments are no words.

use std::ops::ControlFlow;

use serde_json::Value;
use spec::ProblemKind;

use super::{Format, Head};
use crate::{
    Unreadable,
    lines::{Line, Lines},
    row::{Fields, Raw, Want},
    source::Source,
    tags,
};

/// The column of a sentence's words.
pub(crate) const WORDS: &str = "tokens";
/// The column of their tags.
pub(crate) const TAGS: &str = "tags";
/// No line of a word is this long.
const LONGEST_LINE: u64 = 1 << 20;
/// A sentence that goes on ends here, so that a file without blank lines is more than one row.
const LONGEST_SENTENCE: usize = 1024;
/// Lines by which a file of another ending is told.
const LOOK: usize = 200;

pub(crate) struct Conll;

impl Format for Conll {
    fn name(&self) -> &'static str {
        "CoNLL"
    }

    fn claims(&self, head: &Head) -> bool {
        match head.extension {
            "conll" | "conllu" | "bio" | "iob" | "iob2" => true,
            "txt" | "text" | "tsv" => looks_tagged(&String::from_utf8_lossy(head.bytes)),
            _ => false,
        }
    }

    fn read(
        &self,
        source: &Source,
        want: Want,
        each: &mut dyn FnMut(Raw) -> ControlFlow<()>,
    ) -> Result<(), Unreadable> {
        let mut lines = Lines::new(source.text()?, LONGEST_LINE);
        let mut sentence = Sentence::default();
        // Of the first word: the others have as many.
        let mut width = None;
        loop {
            let next = lines.next().map_err(|e| Unreadable::io(&source.name, e))?;
            let Some((number, line)) = next else { break };
            match line {
                Line::TooLong => sentence.fail(number, ProblemKind::LineTooLong { limit: LONGEST_LINE }),
                Line::Whole(line) => {
                    let line = String::from_utf8_lossy(&line);
                    if line.trim().is_empty() || line.starts_with("-DOCSTART-") {
                        if sentence.end(want, each).is_break() {
                            return Ok(());
                        }
                    } else if !(sentence.words.is_empty() && is_comment(&line)) {
                        sentence.word(number, &line, &mut width);
                    }
                }
            }
            if sentence.words.len() == LONGEST_SENTENCE && sentence.end(want, each).is_break() {
                return Ok(());
            }
        }
        // Whether the reader breaks here or not, the file has ended.
        let _ = sentence.end(want, each);
        Ok(())
    }
}

fn fields(line: &str) -> Vec<&str> {
    match line.contains('\t') {
        true => line.trim_end().split('\t').map(str::trim).collect(),
        false => line.split_whitespace().collect(),
    }
}

/// `# sent_id = 3`, `# text = …`: a word `#` would have its columns.
fn is_comment(line: &str) -> bool {
    line.starts_with("# ") && !line.contains('\t') && fields(line).last().is_none_or(|last| !is_tag(last))
}

fn is_tag(field: &str) -> bool {
    field == "O" || tags::split(field).is_some()
}

/// Whether the lines are words with tags of entities, all with as many columns.
fn looks_tagged(head: &str) -> bool {
    // The last line of a head may be cut.
    let whole = head.rsplit_once('\n').map_or(head, |(whole, _)| whole);
    let lines = whole.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("-DOCSTART-"));
    let (mut width, mut any) = (None, false);
    for line in lines.filter(|line| !is_comment(line)).take(LOOK) {
        let fields = fields(line);
        let Some(tag) = fields.last().filter(|tag| fields.len() > 1 && is_tag(tag)) else { return false };
        if *width.get_or_insert(fields.len()) != fields.len() {
            return false;
        }
        any |= *tag != "O";
    }
    any
}

#[derive(Default)]
struct Sentence {
    first: u64,
    words: Vec<Value>,
    tags: Vec<Value>,
    problem: Option<ProblemKind>,
}

impl Sentence {
    fn word(&mut self, number: u64, line: &str, width: &mut Option<usize>) {
        let fields = fields(line);
        let expected = *width.get_or_insert(fields.len().max(2));
        match &fields[..] {
            [word, .., tag] if fields.len() == expected => {
                self.begin(number);
                self.words.push(Value::from(*word));
                self.tags.push(Value::from(*tag));
            }
            _ => {
                let (found, expected) = (fields.len() as u32, expected as u32);
                self.fail(number, ProblemKind::WrongFieldCount { found, expected });
            }
        }
    }

    fn begin(&mut self, number: u64) {
        if self.words.is_empty() && self.problem.is_none() {
            self.first = number;
        }
    }

    /// The sentence cannot be used; the line at fault is the one that is named.
    fn fail(&mut self, number: u64, problem: ProblemKind) {
        if self.problem.is_none() {
            self.first = number;
            self.problem = Some(problem);
        }
    }

    fn end(&mut self, want: Want, each: &mut dyn FnMut(Raw) -> ControlFlow<()>) -> ControlFlow<()> {
        let Self { first, words, tags, problem } = std::mem::take(self);
        let found = match problem {
            Some(problem) => Err(problem),
            None if words.is_empty() => return ControlFlow::Continue(()),
            None => {
                let cells = [(WORDS, words), (TAGS, tags)];
                let cells = cells.into_iter();
                Ok(Fields(
                    cells.filter_map(|(name, list)| Some((want.column(name)?, Value::Array(list)))).collect(),
                ))
            }
        };
        each(Raw { line: first, found })
    }
}

#[cfg(test)]
mod tests {
    use crate::format::tests::rows;
    use expect_test::expect;

    #[test]
    fn sentences_end_at_blank_lines() {
        let file = "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\n\nBRUSSELS NNP I-NP I-LOC\n# NN I-NP O";
        expect![[r##"
            CoNLL
            3: tokens=["EU","rejects"] tags=["I-ORG","O"]
            7: tokens=["BRUSSELS","#"] tags=["I-LOC","O"]
        "##]]
        .assert_eq(&rows("a.conll", file.as_bytes()));
    }

    #[test]
    fn a_broken_sentence_is_named_and_the_rest_is_kept() {
        let file = "# sent_id = 1\nNew\tB-LOC\nYork\n\nin\tO\r\nWest York\tB-LOC\r\n\nalone\n";
        expect![[r#"
            CoNLL
            3: (1 fields where the header has 2)
            5: tokens=["in","West York"] tags=["O","B-LOC"]
            8: (1 fields where the header has 2)
        "#]]
        .assert_eq(&rows("a.bio", file.as_bytes()));
    }

    #[test]
    fn a_text_is_taken_for_tagged_words_only_if_every_line_is() {
        let tagged = rows("a.txt", b"EU B-ORG\nrejects O\n\nPeter B-PER\n");
        assert!(tagged.starts_with("CoNLL\n1: tokens=[\"EU\",\"rejects\"]"), "{tagged}");
        for text in ["EU B-ORG\nrejects the call O\n", "All is O\nwell with O\n", "Once upon a time\n"] {
            assert!(rows("a.txt", text.as_bytes()).starts_with("text\n"), "{text}");
        }
        assert!(rows("a.tsv", b"text\tlabel\nwell\tO\n").starts_with("CSV\n"));
    }

    #[test]
    fn a_file_without_blank_lines_is_more_than_one_row() {
        let file = "word O\n".repeat(2500);
        let found = rows("a.conll", file.as_bytes());
        let lines: Vec<_> = found.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
        assert_eq!(lines, ["1", "1025", "2049"]);
    }
}
