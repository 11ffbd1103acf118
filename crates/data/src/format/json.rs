//! A JSON document: a list of objects, or an object that holds one such list. Read as a stream.
//!
//! A `.json` file of JSON lines is left to [`super::json_lines`]. Rows are counted, since a stream knows its elements
//! and not their lines. Where the syntax breaks, the rest cannot be found, so that is an error and not a problem.

use std::{
    cell::RefCell,
    fmt,
    io::{BufRead, Read},
    ops::ControlFlow,
};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use spec::ProblemKind;

use super::{Format, Head, json_row::RowSeed};
use crate::{
    Unreadable,
    row::{Raw, Want},
    source::Source,
};

/// The keys under which a row of its own holds a list, so that a file of one such row is not taken for a list of rows.
const LISTS_OF_A_ROW: &[&str] = &["messages", "conversations", "conversation", "prompt", "completion"];
/// What the parser is told when the reading was ended on purpose.
const ENOUGH: &str = "enough";

pub(crate) struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "JSON"
    }

    fn claims(&self, head: &Head) -> bool {
        if !matches!(head.extension, "json" | "jsonl" | "ndjson") {
            return false;
        }
        let text: Vec<u8> = head.bytes.iter().copied().filter(|b| *b != 0).collect();
        let text = text.trim_prefix_marks();
        match text.first() {
            Some(b'[') => true,
            Some(b'{') => head.extension == "json" && holds_a_list(text),
            _ => false,
        }
    }

    fn read(
        &self,
        source: &Source,
        want: Want,
        each: &mut dyn FnMut(Raw) -> ControlFlow<()>,
    ) -> Result<(), Unreadable> {
        let walk = Walk { want, each: RefCell::new(each), lists: RefCell::default(), own: &[] };
        let mut parser = serde_json::Deserializer::from_reader(unmarked(source.text()?, &source.name)?);
        let walked = Document(&walk).deserialize(&mut parser).and_then(|()| parser.end());
        match walked {
            Err(error) if error.to_string().starts_with(ENOUGH) => Ok(()),
            Err(error) if error.is_io() => Err(Unreadable::io(&source.name, error.into())),
            Err(error) => Err(Unreadable::Broken {
                file: source.name.clone(),
                at: format!("at line {}, column {}", error.line(), error.column()),
                what: said_by(&error),
            }),
            Ok(()) => match walk.lists.into_inner() {
                lists if lists.len() > 1 => {
                    Err(Unreadable::SeveralLists { file: source.name.clone(), lists: lists.join(", ") })
                }
                _ => Ok(()),
            },
        }
    }
}

trait TrimMarks {
    fn trim_prefix_marks(&self) -> &[u8];
}

impl TrimMarks for [u8] {
    /// Less a byte order mark of any kind, and white space.
    fn trim_prefix_marks(&self) -> &[u8] {
        let marks: [&[u8]; 3] = [b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF"];
        marks.iter().find_map(|mark| self.strip_prefix(*mark)).unwrap_or(self).trim_ascii_start()
    }
}

/// Whether `text`, which begins with a brace, is one object with a list of rows inside, rather than JSON lines.
fn holds_a_list(text: &[u8]) -> bool {
    let (first, rest) = text.split_at(text.iter().position(|b| *b == b'\n').unwrap_or(text.len()));
    let whole = serde_json::from_slice::<IgnoredAny>(first).is_ok();
    if whole && !rest.trim_ascii().is_empty() {
        return false;
    }
    let mut found = false;
    let mut stop = |raw: Raw| {
        found |= raw.found.is_ok();
        ControlFlow::Break(())
    };
    let walk = Walk {
        want: Want::Only(&[]),
        each: RefCell::new(&mut stop),
        lists: RefCell::default(),
        own: LISTS_OF_A_ROW,
    };
    let _ = Document(&walk).deserialize(&mut serde_json::Deserializer::from_slice(text));
    drop(walk);
    // An object of many lines is no JSON line, even if its list begins beyond what was looked at.
    found || !whole && !rest.is_empty()
}

/// The decoder has dropped the mark already; this only turns a failing first read into our error.
fn unmarked(mut reader: Box<dyn BufRead>, name: &str) -> Result<impl Read, Unreadable> {
    reader.fill_buf().map_err(|e| Unreadable::io(name, e))?;
    Ok(reader)
}

/// The parser's words, less the place, which is said apart.
fn said_by(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.rsplit_once(" at line ").map_or(said.clone(), |(what, _)| what.to_owned())
}

struct Walk<'a, 'w> {
    want: Want<'w>,
    each: RefCell<&'a mut dyn FnMut(Raw) -> ControlFlow<()>>,
    /// The keys of the lists that held rows.
    lists: RefCell<Vec<String>>,
    /// Keys whose lists are passed over.
    own: &'static [&'static str],
}

/// The whole document.
struct Document<'a, 'b, 'w>(&'a Walk<'b, 'w>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of objects, or an object that holds one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        Rows { walk: self.0 }.visit_seq(seq).map(drop)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.0.own.contains(&&*key) {
                map.next_value::<IgnoredAny>()?;
            } else if map.next_value_seed(Rows { walk: self.0 })? > 0 {
                self.0.lists.borrow_mut().push(key);
            }
        }
        Ok(())
    }
}

/// A list of rows; anything else is passed over. Says how many there were.
struct Rows<'a, 'b, 'w> {
    walk: &'a Walk<'b, 'w>,
}

impl<'de> DeserializeSeed<'de> for Rows<'_, '_, '_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<u64, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_, '_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
        let mut row = 0;
        while let Some(fields) = seq.next_element_seed(RowSeed(self.walk.want))? {
            row += 1;
            let raw = Raw { line: row, found: fields.ok_or(ProblemKind::NotAnObject) };
            if (self.walk.each.borrow_mut())(raw).is_break() {
                return Err(A::Error::custom(ENOUGH));
            }
        }
        Ok(row)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(0)
    }

    fn visit_unit<E>(self) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_bool<E>(self, _: bool) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_i64<E>(self, _: i64) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_u64<E>(self, _: u64) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_f64<E>(self, _: f64) -> Result<u64, E> {
        Ok(0)
    }

    fn visit_str<E>(self, _: &str) -> Result<u64, E> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use crate::format::tests::rows;
    use expect_test::{Expect, expect};

    fn check(file: &str, expected: Expect) {
        expected.assert_eq(&rows("a.json", file.as_bytes()));
    }

    #[test]
    fn a_list_is_read_element_by_element() {
        check(
            "\u{feff} [ {\"text\":\"a\"}, 7, {\"text\":\"b\"} ]\n",
            expect![[r#"
                JSON
                1: text="a"
                2: (not a JSON object)
                3: text="b"
            "#]],
        );
    }

    #[test]
    fn an_object_may_hold_the_list() {
        check(
            r#"{"version": "1", "meta": {"of": [1]}, "tags": [], "data": [{"text": "a"}, {"text": "b"}]}"#,
            expect![[r#"
                JSON
                1: text="a"
                2: text="b"
            "#]],
        );
        check(
            r#"{"a": [{"text": "a"}], "b": [{"text": "b"}]}"#,
            expect![[r#"
                JSON
                1: text="a"
                1: text="b"
                a.json holds several lists (a, b); keep the one with the examples, in a file of its own.
            "#]],
        );
    }

    #[test]
    fn json_lines_in_a_json_file_are_told_apart_from_an_object() {
        check(
            "{\"text\": \"a\"}\n{\"text\": \"b\"}\n",
            expect![[r#"
                JSON lines
                1: text="a"
                2: text="b"
            "#]],
        );
        check(
            r#"{"messages": [{"role": "user"}]}"#,
            expect![[r#"
                JSON lines
                1: messages=[{"role":"user"}]
            "#]],
        );
    }

    #[test]
    fn a_list_that_breaks_off_says_where() {
        check(
            "[{\"text\": \"a\"},\n {\"text\": \"b",
            expect![[r#"
                JSON
                1: text="a"
                a.json is broken at line 2, column 12: EOF while parsing a string. Save it again, or take out what is broken.
            "#]],
        );
    }
}
