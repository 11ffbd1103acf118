//! Tags of words, and what they say of whole entities.

use std::ops::Range;

use spec::{Example, ProblemKind};

use crate::words;

/// A stretch of a text with a label, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) label: String,
}

/// `tags` so that each entity begins with `B-` (or `S-`, `U-`): CoNLL-2003's files write `I-ORG` for a beginning unless
/// the same kind stands right before. Tags that are right already stay as they are.
pub(crate) fn begun(tags: &mut [String]) {
    let mut before: Option<String> = None;
    for tag in tags {
        let Some((mark, kind)) = split(tag) else {
            before = None;
            continue;
        };
        let kind = kind.to_owned();
        if matches!(mark, 'I' | 'M') && before.as_deref() != Some(&kind) {
            *tag = format!("B-{kind}");
        }
        // An entity that has ended is not gone on with.
        let ended = matches!(mark, 'S' | 'U' | 'E' | 'L');
        before = (!ended).then_some(kind);
    }
}

/// The mark and the kind of a tag that belongs to an entity: `B-PER` is `('B', "PER")`.
pub(crate) fn split(tag: &str) -> Option<(char, &str)> {
    let (mark, kind) = tag.split_once('-')?;
    let mut chars = mark.chars();
    match (chars.next(), chars.next()) {
        (Some(mark @ ('B' | 'I' | 'E' | 'S' | 'L' | 'U' | 'M')), None) if !kind.is_empty() => {
            Some((mark, kind))
        }
        _ => None,
    }
}

/// The kind of the entity that begins with this tag, once [`begun`].
pub(crate) fn begins(tag: &str) -> Option<&str> {
    split(tag).filter(|(mark, _)| matches!(mark, 'B' | 'S' | 'U')).map(|(_, kind)| kind)
}

/// Whether tags speak of entities: each is `O` or has a mark and a kind. Else each word has a label of its own.
pub fn of_entities<S: AsRef<str>>(labels: &[S]) -> bool {
    let mut any = false;
    labels.iter().all(|label| {
        let is_part = split(label.as_ref()).is_some();
        any |= is_part;
        is_part || label.as_ref() == "O"
    }) && any
}

/// The words of `text` with tags made of `spans`, and that a span was widened where one was.
pub(crate) fn tagged(
    text: &str,
    mut spans: Vec<Span>,
) -> Result<(Example, Option<ProblemKind>), ProblemKind> {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let place = |at: u64| usize::try_from(at).ok().and_then(|at| places.get(at)).copied();
    spans.sort_by_key(|span| (span.start, span.end));
    if spans.windows(2).any(|pair| pair[1].start < pair[0].end) {
        return Err(ProblemKind::OverlappingSpans);
    }
    let words: Vec<Range<usize>> = words(text);
    if words.is_empty() {
        return Err(ProblemKind::EmptyText);
    }
    let (mut tags, mut widened) = (vec!["O".to_owned(); words.len()], None);
    for Span { start, end, label } in spans {
        let (Some(start), Some(end)) = (place(start), place(end)) else {
            return Err(ProblemKind::SpanOutside);
        };
        let first = words.partition_point(|word| word.end <= start);
        let after = words.partition_point(|word| word.start < end);
        if start >= end || first >= after {
            return Err(ProblemKind::SpanOutside);
        }
        let cuts = words[first].start < start || words[after - 1].end > end;
        if tags[first] != "O" {
            // Widened, two spans would share the word.
            return Err(ProblemKind::OverlappingSpans);
        }
        if cuts {
            widened = Some(ProblemKind::SpanCutsWord);
        }
        for (place, tag) in tags[first..after].iter_mut().enumerate() {
            *tag = format!("{}-{label}", if place == 0 { 'B' } else { 'I' });
        }
    }
    let words = words.into_iter().map(|word| text[word].to_owned()).collect();
    Ok((Example::Tagged { words, tags }, widened))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn beginnings_are_marked_and_what_is_marked_stays() {
        let cases: &[(&[&str], &[&str])] = &[
            (
                &["I-ORG", "O", "I-MISC", "I-PER", "I-PER", "B-PER"],
                &["B-ORG", "O", "B-MISC", "B-PER", "I-PER", "B-PER"],
            ),
            (&["B-ORG", "I-ORG", "O"], &["B-ORG", "I-ORG", "O"]),
            (&["B-ORG", "E-ORG", "S-ORG", "I-ORG"], &["B-ORG", "E-ORG", "S-ORG", "B-ORG"]),
            (&["NOUN", "PRP-S", "3"], &["NOUN", "PRP-S", "3"]),
        ];
        for (given, expected) in cases {
            let mut tags = owned(given);
            begun(&mut tags);
            assert_eq!(tags, owned(expected));
        }
        assert!(of_entities(&["O", "B-PER", "I-PER"]));
        assert!(!of_entities(&["O"]) && !of_entities(&["NOUN", "VERB"]) && !of_entities::<&str>(&[]));
    }

    fn spans(list: &[(u64, u64)]) -> Vec<Span> {
        list.iter().map(|(start, end)| Span { start: *start, end: *end, label: "LOC".to_owned() }).collect()
    }

    #[test]
    fn spans_become_tags_counted_in_characters() {
        let (example, widened) = tagged("Zürich, New York!", spans(&[(8, 16), (0, 6)])).unwrap();
        let Example::Tagged { words, tags } = example else { panic!("not tagged") };
        assert_eq!(words, ["Zürich", ",", "New", "York", "!"]);
        assert_eq!((tags, widened), (owned(&["B-LOC", "O", "B-LOC", "I-LOC", "O"]), None));
        let (example, widened) = tagged("In Yorkshire now", spans(&[(3, 7)])).unwrap();
        let Example::Tagged { tags, .. } = example else { panic!("not tagged") };
        assert_eq!((tags, widened), (owned(&["O", "B-LOC", "O"]), Some(ProblemKind::SpanCutsWord)));
    }

    #[test]
    fn spans_that_cannot_be_are_named() {
        let wrong = |text: &str, list: &[(u64, u64)]| tagged(text, spans(list)).unwrap_err();
        assert_eq!(wrong("New York", &[(0, 5), (4, 8)]), ProblemKind::OverlappingSpans);
        assert_eq!(wrong("Yorkshire", &[(0, 4), (4, 9)]), ProblemKind::OverlappingSpans);
        for outside in [(0, 9), (3, 3), (5, 2), (3, 4), (900, u64::MAX)] {
            assert_eq!(wrong("New York", &[outside]), ProblemKind::SpanOutside, "{outside:?}");
        }
        assert_eq!(wrong("  ", &[]), ProblemKind::EmptyText);
    }
}
