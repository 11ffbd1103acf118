//! JSON lines: an object a line. Lines are parsed on all cores, a batch at a time, and given on in their order.

use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::de::DeserializeSeed;
use spec::ProblemKind;

use super::{Format, Head, json_row::RowSeed};
use crate::{
    Unreadable,
    lines::{Line, Lines},
    row::{Fields, Raw, Want},
    source::Source,
};

/// A longer line is named and skipped: no single example is this long, and a file without line ends must not fill
/// the memory.
const LONGEST_LINE: u64 = 64 << 20;
const BATCH_BYTES: usize = 4 << 20;

pub(crate) struct JsonLines;

impl Format for JsonLines {
    fn name(&self) -> &'static str {
        "JSON lines"
    }

    fn claims(&self, head: &Head) -> bool {
        matches!(head.extension, "jsonl" | "ndjson" | "json")
    }

    fn read(
        &self,
        source: &Source,
        want: Want,
        each: &mut dyn FnMut(Raw) -> ControlFlow<()>,
    ) -> Result<(), Unreadable> {
        let mut lines = Lines::new(source.text()?, LONGEST_LINE);
        // The first batches are small: a look at the first rows should not parse megabytes.
        let mut limit = 1 << 14;
        loop {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while bytes < limit {
                let Some((number, line)) = lines.next().map_err(|e| Unreadable::io(&source.name, e))? else {
                    break;
                };
                bytes += if let Line::Whole(line) = &line { line.len() + 64 } else { 0 };
                batch.push((number, line));
            }
            if batch.is_empty() {
                return Ok(());
            }
            let parsed: Vec<_> =
                batch.par_iter().filter_map(|(number, line)| parse(*number, line, want)).collect();
            for raw in parsed {
                if each(raw).is_break() {
                    return Ok(());
                }
            }
            limit = (limit * 4).min(BATCH_BYTES);
        }
    }
}

/// Blank lines are no rows.
fn parse(number: u64, line: &Line, want: Want) -> Option<Raw> {
    let found = match line {
        Line::TooLong => Err(ProblemKind::LineTooLong { limit: LONGEST_LINE }),
        Line::Whole(line) if line.trim_ascii().is_empty() => return None,
        Line::Whole(line) => object(line, want),
    };
    Some(Raw { line: number, found })
}

fn object(line: &[u8], want: Want) -> Result<Fields, ProblemKind> {
    let mut parser = serde_json::Deserializer::from_slice(line);
    let not_json = |error: serde_json::Error| ProblemKind::NotJson { column: error.column() as u64 };
    let fields = RowSeed(want).deserialize(&mut parser).map_err(not_json)?;
    parser.end().map_err(not_json)?;
    fields.ok_or(ProblemKind::NotAnObject)
}

#[cfg(test)]
mod tests {
    use crate::{
        format::tests::{rows, rows_wanted},
        row::Want,
    };
    use expect_test::expect;

    #[test]
    fn a_broken_line_is_named_and_the_rest_is_kept() {
        let file = b"{\"prompt\":\"2+2\",\"completion\":\"4\"}\n{oops\n\n[1,2]\n\"a\"\n3\nnull\n{} {}\r\n{\"prompt\":1e999}\n{\"a\":{\"b\":[1,null]}}";
        expect![[r#"
            JSON lines
            1: prompt="2+2" completion="4"
            2: (not JSON at column 2)
            4: (not a JSON object)
            5: (not a JSON object)
            6: (not a JSON object)
            7: (not a JSON object)
            8: (not JSON at column 4)
            9: (not JSON at column 15)
            10: a={"b":[1,null]}
        "#]]
        .assert_eq(&rows("a.jsonl", file));
    }

    #[test]
    fn only_wanted_columns_are_built() {
        let file = br#"{"huge":{"x":[1,2,3]},"text":"a","t\u0065xt2":"b"}"#;
        let found = rows_wanted("a.jsonl", file, Want::Only(&["text2".into()]));
        expect![[r#"
            JSON lines
            1: text2="b"
        "#]]
        .assert_eq(&found);
    }

    #[test]
    fn nesting_without_end_is_a_broken_line() {
        let mut file = "[".repeat(1_000_000);
        file.insert_str(0, "{\"a\":1}\n{\"a\":");
        expect![[r#"
            JSON lines
            1: a=1
            2: (not JSON at column 132)
        "#]]
        .assert_eq(&rows("a.jsonl", file.as_bytes()));
    }
}
