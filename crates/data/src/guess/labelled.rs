//! Which columns hold labels, numbers or tags: by their names, and by contents that only labels have.

use std::collections::BTreeSet;

use serde_json::Value;
use spec::{ColumnRole, Shape};

use super::{Guess, Look, mapping, quoted};
use crate::labelled::{named, span};

/// Names in use for labels, those that spell them out first.
const LABELS: &[&str] = &[
    "label_text",
    "label_name",
    "label_names",
    "sentiment",
    "category",
    "class",
    "intent",
    "emotion",
    "topic",
    "gold_label",
    "label",
    "labels",
    "rating",
    "stars",
];
const SCORES: &[&str] = &["score", "similarity", "similarity_score", "relatedness_score", "label", "labels"];
const WORDS: &[&str] = &["tokens", "words"];
const TAGS: &[&str] = &["ner_tags", "tags", "ner", "labels", "pos_tags", "upos", "ner_tag"];
const SPANS: &[&str] = &["entities", "spans", "label", "labels", "annotations"];
/// Names of two texts that belong together.
const PAIRS: &[(&str, &str)] = &[
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("sentence_a", "sentence_b"),
    ("question", "sentence"),
    ("question", "passage"),
    ("query", "passage"),
];
const TEXTS: &[&str] = &[
    "text",
    "sentence",
    "review",
    "tweet",
    "comment",
    "content",
    "document",
    "question",
    "title",
    "utterance",
];

/// The longest that a label is, in characters.
const LONGEST: usize = 64;
/// Rows from which contents say something.
const ENOUGH: usize = 16;

impl Look<'_> {
    /// A list of words and a list of tags, or a text with spans.
    pub(super) fn tagged(&self) -> Guess {
        let is_list = |column: &&str| self.first_value(column).is_some_and(Value::is_array);
        let words = WORDS.iter().filter_map(|name| self.named(name)).find(is_list);
        if let Some(words) = words
            && let Some(tags) = TAGS.iter().filter_map(|name| self.named(name)).find(is_list)
        {
            let columns = [(ColumnRole::Words, words), (ColumnRole::Tags, tags)];
            let because = format!("`{words}` and `{tags}` hold lists of words and of their tags");
            return Some((mapping(Shape::TaggedWords, columns.into_iter()), because));
        }
        let text = self.any_of(TEXTS)?;
        let spans =
            SPANS.iter().filter_map(|name| self.named(name)).find(|column| self.holds_spans(column))?;
        let columns = [(ColumnRole::Text, text), (ColumnRole::Spans, spans)];
        let because = format!("`{spans}` holds lists of spans in `{text}`, each with start, end and label");
        Some((mapping(Shape::Spans, columns.into_iter()), because))
    }

    fn holds_spans(&self, column: &str) -> bool {
        let lists = self.values(column).filter_map(Value::as_array);
        lists.filter_map(|list| list.first()).next().is_some_and(|first| span(first).is_some())
    }

    /// A text, or two, and a column named as labels or numbers are.
    pub(super) fn labelled(&self) -> Guess {
        let pair = PAIRS.iter().find_map(|(a, b)| Some((self.named(a)?, self.named(b)?)));
        let text_beside = |column: &str| {
            let beside: Vec<&str> = self.texts().into_iter().filter(|text| *text != column).collect();
            let known = TEXTS.iter().filter_map(|name| self.named(name)).find(|text| beside.contains(text));
            known.or(if let [only] = beside[..] { Some(only) } else { None })
        };
        let of = |shape, role, column| {
            let (text, second) = match pair {
                Some((a, b)) => (a, Some(b)),
                None => (text_beside(column)?, None),
            };
            let columns = [(ColumnRole::Text, text), (role, column)];
            let both: Vec<_> = [Some(text), second, Some(column)].into_iter().flatten().collect();
            let what = match shape {
                Shape::Scored => "its number",
                Shape::LabelledSeveral => "its list of labels",
                _ => "its label",
            };
            let texts = if second.is_some() { "two texts that belong together" } else { "a text" };
            let because = format!("columns {} are named as {texts} and {what}", quoted(&both));
            let columns = columns.into_iter().chain(second.map(|second| (ColumnRole::Pair, second)));
            Some((mapping(shape, columns), because))
        };
        let label =
            LABELS.iter().filter_map(|name| self.named(name)).find(|column| self.could_be_label(column));
        let score = SCORES.iter().filter_map(|name| self.named(name)).find(|column| self.are_numbers(column));
        match (label, score) {
            (Some(label), Some(score)) if label == score && self.are_fractions(score) => {
                of(Shape::Scored, ColumnRole::Score, score)
            }
            (Some(label), _) if self.values(label).any(Value::is_array) => {
                of(Shape::LabelledSeveral, ColumnRole::Label, label)
            }
            (Some(label), _) => of(Shape::Labelled, ColumnRole::Label, label),
            (None, Some(score)) => of(Shape::Scored, ColumnRole::Score, score),
            (None, None) => None,
        }
    }

    /// Two columns of text, one of which holds few short values again and again.
    pub(super) fn few_values(&self) -> Guess {
        let [a, b] = self.texts()[..] else { return None };
        let of = |label: &str, text: &str| {
            let n = self.values(label).count();
            let (few, many) = (self.distinct(label), self.distinct(text));
            let is_label = n >= ENOUGH && 2 * few <= n && many > 2 * few && self.could_be_label(label);
            is_label.then(|| {
                let columns = [(ColumnRole::Text, text), (ColumnRole::Label, label)];
                let because = format!(
                    "`{label}` holds {few} short values again and again in the first {n} rows, so it is taken for the label of `{text}`"
                );
                (mapping(Shape::Labelled, columns.into_iter()), because)
            })
        };
        of(b, a).or_else(|| of(a, b))
    }

    fn values<'a>(&'a self, column: &'a str) -> impl Iterator<Item = &'a Value> {
        self.rows.iter().filter_map(move |row| row.get(column)).filter(|value| !value.is_null())
    }

    fn distinct(&self, column: &str) -> usize {
        self.values(column).map(Value::to_string).collect::<BTreeSet<_>>().len()
    }

    /// Short names, again and again if there are rows enough to tell; or lists of such.
    fn could_be_label(&self, column: &str) -> bool {
        let is_short =
            |value: &Value| named(value.clone()).is_some_and(|label| label.chars().count() <= LONGEST);
        let fits = |value: &Value| match value {
            Value::Array(list) => list.iter().all(is_short),
            one => is_short(one),
        };
        let n = self.values(column).count();
        let lists = self.values(column).filter(|value| value.is_array()).count();
        let repeats = n < ENOUGH || 2 * lists > n || 4 * self.distinct(column) <= 3 * n;
        self.mostly(column, fits) && repeats
    }

    fn are_numbers(&self, column: &str) -> bool {
        self.mostly(column, |value| number(value).is_some())
    }

    /// Of three rows in four: one that is broken does not change what the others are.
    fn mostly(&self, column: &str, fits: impl Fn(&Value) -> bool) -> bool {
        let n = self.values(column).count();
        n > 0 && 4 * self.values(column).filter(|value| fits(value)).count() >= 3 * n
    }

    /// Numbers of which some have a fraction: no label has.
    fn are_fractions(&self, column: &str) -> bool {
        self.values(column).filter_map(number).any(|number| number.fract() != 0.0)
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(written) => written.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}
